import type { HistoryEntry } from "../../status/Status.ts"
import { html, type Markup, type Piece } from "./Markup.ts"
import { age } from "./Pieces.ts"

/* Pictures of a history: inline SVG whose places are attributes, since a style attribute would be refused. */

type Outcome = HistoryEntry["outcome"]

/** Heights differ as colours do: the picture can be read without colours. */
const heights: Readonly<Record<Outcome, number>> = { success: 14, failed: 24, interrupted: 19, skipped: 6 }

const words: Readonly<Record<Outcome, string>> = {
  success: "succeeded",
  failed: "failed",
  interrupted: "interrupted",
  skipped: "skipped"
}

const counted = (outcomes: ReadonlyArray<Outcome>): string =>
  (Object.keys(words) as ReadonlyArray<Outcome>)
    .map((outcome) => [outcomes.filter((one) => one === outcome).length, words[outcome]] as const)
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${n} ${word}`)
    .join(", ")

/** The newest runs side by side, the newest on the right. */
export const small = (outcomes: ReadonlyArray<Outcome>): Piece =>
  outcomes.length === 0
    ? undefined
    : html`<svg
        class="spark"
        viewBox="0 0 ${outcomes.length * 8} 24"
        width="${outcomes.length * 8}"
        height="24"
        role="img"
        aria-label="newest runs: ${counted(outcomes)}"
      >
        ${outcomes.map(
          (outcome, n) =>
            html`<rect
              class="${outcome}"
              x="${n * 8}"
              y="${24 - heights[outcome]}"
              width="6"
              height="${heights[outcome]}"
              ><title>${words[outcome]}</title></rect
            >`
        )}
      </svg>`

const millis = (time: string): number => Date.parse(time)

const height = 48

/** The history over time, from its oldest entry to now, or to the next slot. */
export const large = (history: ReadonlyArray<HistoryEntry>, next: string | undefined, nowMillis: number): Piece => {
  const starts = history.map(({ startTime }) => millis(startTime))
  const from = Math.min(nowMillis, ...starts)
  const until = Math.max(nowMillis, next === undefined ? nowMillis : millis(next)) + 1
  const width = 1000
  const at = (instant: number) => Math.round(((instant - from) / (until - from)) * (width - 10) * 10) / 10
  const mark = ({ backupId, completionTime, outcome, reason, slots, startTime }: HistoryEntry): Markup => {
    const x = at(millis(startTime))
    const wide = Math.max(5, at(millis(completionTime ?? startTime)) - x)
    const tall = heights[outcome] * 2
    const title = `${backupId ?? `${slots ?? 1} slots`} ${words[outcome]}${reason === undefined ? "" : ` (${reason})`}, ${startTime}`
    return html`<rect class="${outcome}" x="${x}" y="${height - tall}" width="${wide}" height="${tall}"
      ><title>${title}</title></rect
    >`
  }
  const slot =
    next === undefined
      ? undefined
      : html`<rect class="next" x="${at(millis(next))}" y="${height - 28}" width="5" height="28"
          ><title>next slot, ${next}</title></rect
        >`
  return history.length === 0
    ? undefined
    : html`<figure class="timeline">
        <svg
          viewBox="0 0 ${width} ${height}"
          preserveAspectRatio="none"
          role="img"
          aria-label="history: ${counted(history.map(({ outcome }) => outcome))}"
        >
          <line class="axis" x1="0" y1="${height}" x2="${width}" y2="${height}"></line>
          ${history.map(mark)}${slot}
          <line class="now" x1="${at(nowMillis)}" y1="0" x2="${at(nowMillis)}" y2="${height}"></line>
        </svg>
        <figcaption>
          <span>${age(new Date(from).toISOString(), nowMillis)}</span
          ><span class="legend"
            ><i class="success"></i> succeeded <i class="failed"></i> failed <i class="interrupted"></i> interrupted
            <i class="skipped"></i> skipped</span
          ><span>${next === undefined ? "now" : html`next ${age(next, nowMillis)}`}</span>
        </figcaption>
      </figure>`
}
