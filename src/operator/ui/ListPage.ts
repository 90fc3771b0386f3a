import * as Answer from "../../status/Answer.ts"
import { html, type Markup, type Piece } from "./Markup.ts"
import { age, badge, bar, cell, href, pathOf, type Setting } from "./Pieces.ts"
import * as Rows from "./Rows.ts"
import * as Shell from "./Shell.ts"
import * as Timeline from "./Timeline.ts"
import type { Word } from "../../status/Verdict.ts"
import type { Row } from "../../status/View.ts"

/** Rows of one page. */
export const pageSize = 100

/** What is asked for. `page` counts from 1. */
export interface Query extends Rows.Filter {
  readonly page: number
}

const titles: Readonly<Record<Row["kind"], string>> = {
  KafkaBackup: "Backups",
  KafkaRestore: "Restores",
  KafkaOffsetReset: "Resets of offsets",
  KafkaOffsetRollback: "Rollbacks of offsets"
}

const kinds = Object.keys(titles) as ReadonlyArray<Row["kind"]>

const words: ReadonlyArray<Word> = [
  "failed",
  "at risk",
  "never",
  "running",
  "pending",
  "suspended",
  "safe",
  "completed"
]

/** The address of the list with this query, below `ui`. */
const address = (query: Partial<Query>): string => {
  const { namespace = "", page = 1, text = "", word = "" } = query
  const given = Object.entries({ q: text, namespace, show: word, page: page === 1 ? "" : String(page) })
  const params = new URLSearchParams(given.filter(([, value]) => value !== ""))
  return params.size === 0 ? "" : `?${params.toString()}`
}

const plural = (n: number, one: string) => `${n.toLocaleString("en-US")} ${n === 1 ? one : `${one}s`}`

const chips = (rows: ReadonlyArray<Row>, query: Query, setting: Setting): Piece => {
  const found = words.flatMap((word) => {
    const some = rows.filter(({ verdict }) => verdict.word === word)
    const isBad = some.some(({ verdict }) => verdict.isBad)
    return some.length === 0 ? [] : [{ word, isBad, n: some.length }]
  })
  if (found.length === 0) return undefined
  const chip = ({ isBad, n, word }: (typeof found)[number]) => {
    const isChosen = query.word === word
    const to = href(setting, address({ ...query, word: isChosen ? "" : word, page: 1 }))
    return html`<li>
      <a class="chip" href="${to}" ${isChosen ? html` aria-current="true"` : undefined}
        >${badge({ word, isBad })} <b>${n.toLocaleString("en-US")}</b></a
      >
    </li>`
  }
  return html`<nav aria-label="by state">
    <ul class="chips">
      ${found.map(chip)}
    </ul>
  </nav>`
}

const form = (rows: ReadonlyArray<Row>, query: Query, setting: Setting): Piece => {
  const namespaces = [...new Set(rows.map(({ namespace }) => namespace))].toSorted()
  const option = (value: string, text: string) =>
    html`<option value="${value}" ${value === query.namespace ? html` selected` : undefined}>${text}</option>`
  return html`<form class="filter" method="get" action="${setting.root}ui" role="search">
    <label>Name <input type="search" name="q" value="${query.text}" maxlength="253" autocomplete="off" /></label>
    <label
      >Namespace
      <select name="namespace">
        ${option("", "all")}${namespaces.map((one) => option(one, one))}
      </select></label
    >
    ${query.word === "" ? undefined : html`<input type="hidden" name="show" value="${query.word}" />`}
    ${setting.refreshSeconds === undefined ? html`<input type="hidden" name="refresh" value="off" />` : undefined}
    <button type="submit">Filter</button>
    ${address({ ...query, page: 1 }) === "" ? undefined : html`<a href="${href(setting, "")}">show all</a>`}
  </form>`
}

const nextOf = (next: string | undefined, schedule: string | undefined, nowMillis: number): Piece => {
  const due = next === undefined || Number.isNaN(Date.parse(next)) ? next : age(next, nowMillis)
  if (schedule === undefined) return due
  return html`${due} <span class="quiet mono">${schedule}</span>`
}

const line = (row: Row, setting: Setting): Markup => {
  const { nowMillis } = setting
  const { name, namespace, next, outcomes, percent, schedule, size, time, verdict, warnings } = row
  const also = warnings === 0 ? undefined : html` <span class="also">+ ${plural(warnings, "warning")}</span>`
  const progress =
    percent === undefined ? undefined : html`<div class="running">${bar(percent, `progress of ${name}`)}</div>`
  const isBackup = row.kind === "KafkaBackup"
  return html`<tr>
    <td class="state">${badge(verdict)}</td>
    <th scope="row"><a href="${href(setting, pathOf(row))}">${name}</a> <span class="quiet">${namespace}</span></th>
    <td class="why">${verdict.sentence}${also}${progress}</td>
    ${
      isBackup
        ? [
            cell("History", Timeline.small(outcomes)),
            cell("Last success", age(time, nowMillis) ?? html`<span class="quiet">never</span>`),
            cell("Size", size, "number"),
            cell("Next", nextOf(next, schedule, nowMillis))
          ]
        : cell("Time", age(time, nowMillis))
    }
  </tr>`
}

const table = (kind: Row["kind"], rows: ReadonlyArray<Row>, all: number, setting: Setting): Piece => {
  if (rows.length === 0) return undefined
  const columns = kind === "KafkaBackup" ? ["History", "Last success", "Size", "Next"] : ["Time"]
  const titled = titles[kind]
  return html`<section aria-labelledby="${kind}">
    <h2 id="${kind}">${titled} <span class="quiet">${all.toLocaleString("en-US")}</span></h2>
    <table class="list ${kind === "KafkaBackup" ? "of-backups" : "of-others"}">
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Name</th>
          <th scope="col">Why</th>
          ${columns.map((one) => html`<th scope="col">${one}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => line(row, setting))}
      </tbody>
    </table>
  </section>`
}

const pages = (query: Query, count: number, setting: Setting): Piece => {
  const last = Math.max(1, Math.ceil(count / pageSize))
  if (last === 1) return undefined
  const to = (page: number, text: string, rel: string) =>
    page < 1 || page > last
      ? undefined
      : html`<a rel="${rel}" href="${href(setting, address({ ...query, page }))}">${text}</a>`
  return html`<nav class="pages" aria-label="pages">
    ${to(query.page - 1, "← previous", "prev")}
    <span>page ${query.page} of ${last}</span> ${to(query.page + 1, "next →", "next")}
  </nav>`
}

/** What is not known, and why: a page that is silent about it would say that there is nothing. */
const gaps = (unread: ReadonlyArray<string>): Piece =>
  unread.length === 0
    ? undefined
    : html`<p class="note" role="status">
        Not read yet: ${unread.join(", ")}. The operator has just started, or the API server does not give it these.
        What is missing here may exist in the cluster.
      </p>`

/** The page of all resources. `unread` are the kinds of which not everything is known. */
export const page = (
  setting: Setting,
  rows: ReadonlyArray<Row>,
  unread: ReadonlyArray<string>,
  asked: Query
): Markup => {
  const found = Rows.matching(rows, asked)
  const last = Math.max(1, Math.ceil(found.length / pageSize))
  const query = { ...asked, page: Math.min(Math.max(1, asked.page), last) }
  const shown = found.slice((query.page - 1) * pageSize, query.page * pageSize)
  const { isBad, text } = Answer.of(rows)
  const isBlank = rows.length === 0
  const heading = unread.length > 0 && !isBad ? "Not everything is known yet" : text
  const empty = isBlank
    ? html`<p class="empty">
        Nothing to show. A KafkaBackup appears here as soon as it is created in a namespace that this operator watches.
      </p>`
    : found.length === 0
      ? html`<p class="empty">
          Nothing of this name, namespace and state.
          <a href="${href(setting, "")}">Show all ${rows.length.toLocaleString("en-US")}</a>.
        </p>`
      : undefined
  const content = html` <h1 class="${isBad ? "bad" : unread.length > 0 || isBlank ? "idle" : "good"}">${heading}</h1>
    ${gaps(unread)} ${chips(rows, query, setting)} ${isBlank ? undefined : form(rows, query, setting)} ${empty}
    ${kinds.map((kind) =>
      table(
        kind,
        shown.filter((row) => row.kind === kind),
        found.filter((row) => row.kind === kind).length,
        setting
      )
    )}
    ${pages(query, found.length, setting)}`
  return Shell.page(setting, `${isBad ? "✕ " : ""}${heading} – kafka-backup`, address(query), content)
}
