import * as HumanDuration from "../../status/HumanDuration.ts"
import { html, type Markup, type Piece } from "./Markup.ts"
import type { Verdict, Word } from "../../status/Verdict.ts"

/** What a page is made for: when, where below the address of the program, and what this replica is. */
export interface Setting {
  readonly nowMillis: number
  /** From this page to the folder that holds `ui`: empty, or `../../../`. Behind a proxy that folder has a prefix. */
  readonly root: string
  /** What the probe of readiness says. */
  readonly standing: string
  /** Seconds after which a browser loads the page again; undefined for never. */
  readonly refreshSeconds: number | undefined
}

const signs: Readonly<Record<Word, string>> = {
  safe: "✓",
  completed: "✓",
  running: "▸",
  pending: "…",
  suspended: "‖",
  never: "∅",
  "at risk": "!",
  failed: "✕"
}

const tones: Readonly<Record<Word, string>> = {
  safe: "good",
  completed: "good",
  running: "busy",
  pending: "idle",
  suspended: "idle",
  never: "idle",
  "at risk": "risk",
  failed: "bad"
}

/** The class of a word's colour. Whatever is bad is at least a risk. */
export const tone = ({ isBad, word }: Pick<Verdict, "isBad" | "word">): string =>
  isBad && tones[word] === "idle" ? "bad" : tones[word]

export const badge = (verdict: Pick<Verdict, "isBad" | "word">): Markup =>
  html`<span class="badge ${tone(verdict)}"
    ><span aria-hidden="true">${signs[verdict.word]}</span> ${verdict.word}</span
  >`

/** An instant as its age, or as the time until then; whole where a pointer rests. */
export const age = (time: string | undefined, nowMillis: number): Piece => {
  const millis = time === undefined ? Number.NaN : Date.parse(time)
  if (time === undefined || Number.isNaN(millis)) return undefined
  const text =
    millis > nowMillis
      ? `in ${HumanDuration.format(millis - nowMillis)}`
      : `${HumanDuration.format(nowMillis - millis)} ago`
  return html`<time datetime="${time}" title="${time}">${text}</time>`
}

/** An instant with its age behind it. */
export const instant = (time: string | undefined, nowMillis: number): Piece =>
  time === undefined
    ? undefined
    : html`<span class="mono">${time}</span> <span class="quiet">(${age(time, nowMillis)})</span>`

/** A list of terms; those without a value are left out. */
export const facts = (entries: ReadonlyArray<readonly [term: string, value: Piece]>): Piece => {
  const known = entries.filter(([, value]) => value !== undefined)
  return known.length === 0
    ? undefined
    : html`<dl class="facts">
        ${known.map(
          ([term, value]) =>
            html`<div>
              <dt>${term}</dt>
              <dd>${value}</dd>
            </div>`
        )}
      </dl>`
}

/** The address of a page below `ui`; a browser that was told not to load pages again is told so there, too. */
export const href = ({ refreshSeconds, root }: Setting, path: string): string =>
  `${root}ui${path}${refreshSeconds === undefined ? `${path.includes("?") ? "&" : "?"}refresh=off` : ""}`

/** The address of a resource's page, below `ui`. */
export const pathOf = ({ kind, name, namespace }: { kind: string; name: string; namespace: string }): string =>
  `/${[kind, namespace, name].map((part) => encodeURIComponent(part.toWellFormed())).join("/")}`

/** How much of something is done. */
export const bar = (percent: number, label: string): Markup =>
  html`<progress max="100" value="${percent}" aria-label="${label}"></progress> <span class="mono">${percent} %</span>`

/** A cell with its column's name, for narrow screens; there an empty one is left out. */
export const cell = (label: string, value: Piece, kind = ""): Markup =>
  html`<td data-label="${label}" class="${value === undefined ? `${kind} none`.trim() : kind}">${value}</td>`
