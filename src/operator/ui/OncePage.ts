import * as Format from "../../status/Format.ts"
import { html, type Piece } from "./Markup.ts"
import { age, bar, cell, facts, instant } from "./Pieces.ts"
import type { View } from "../../status/View.ts"

type Once = Exclude<View, { readonly kind: "KafkaBackup" }>
type Restore = Extract<View, { readonly kind: "KafkaRestore" }>

const count = (n: number | undefined): Piece => (n === undefined ? undefined : Format.count(n))
const log = (view: Once): Piece =>
  view.status.jobName === undefined
    ? undefined
    : html`<code>kubectl logs -n ${view.namespace} job/${view.status.jobName}</code>`

/** What a restore, a reset or a rollback did. */
export const summary = (view: Once, nowMillis: number): Piece =>
  html`<section aria-labelledby="details">
    <h2 id="details">Details</h2>
    ${details(view, nowMillis)}
  </section>`

const details = (view: Once, nowMillis: number): Piece => {
  const { completionTime, startTime, startedWriting } = view.status
  const times = [
    ["Started", instant(startTime, nowMillis)],
    ["Changes the target since", instant(startedWriting, nowMillis)],
    ["Ended", instant(completionTime, nowMillis)]
  ] as const
  if (view.kind !== "KafkaRestore") {
    const { groupsResetTotal, groupsSkippedTotal, snapshotId } = view.status
    return facts([
      ...times,
      ["Groups set", count(groupsResetTotal)],
      ["Groups left", count(groupsSkippedTotal)],
      ["Snapshot", snapshotId === undefined ? undefined : html`<span class="mono">${snapshotId}</span>`],
      ["Log", log(view)]
    ])
  }
  const { offsets, resolved, restoredRecords } = view.status
  return facts([
    ["Backup", resolved === undefined ? undefined : html`<span class="mono">${resolved.backupId}</span>`],
    ["Chosen because", resolved?.why],
    ["Restores up to", instant(resolved?.coversUntil, nowMillis)],
    ...times,
    ["Records", count(restoredRecords)],
    ["Topics with their old offsets", count(offsets?.exact)],
    ["Topics with new offsets", offsets?.renumbered === 0 ? undefined : count(offsets?.renumbered)],
    ["Log", log(view)]
  ])
}

/** How far a restore is. */
export const progress = (view: Once, nowMillis: number): Piece => {
  if (view.kind !== "KafkaRestore" || view.status.phase !== "Running") return undefined
  const { progress: found } = view.status
  if (found === undefined) return undefined
  return html`<section aria-labelledby="progress">
    <h2 id="progress">Running now</h2>
    ${found.percent === undefined ? undefined : html`<p class="running">${bar(found.percent, `progress of ${view.name}`)}</p>`}
    ${facts([
      ["Step", found.message],
      ["Partitions", `${Format.count(found.partitionsDone)} of ${Format.count(found.partitionsTotal)}`],
      ["Records", count(found.records)],
      ["Written", found.bytes === undefined ? undefined : Format.bytes(found.bytes)],
      ["All written", instant(found.eta, nowMillis)],
      ["As of", age(found.updatedTime, nowMillis)]
    ])}
  </section>`
}

/** The first topics that a restore restored. */
export const topics = ({ status }: Restore): Piece => {
  const { restoredTopics = [] } = status
  return restoredTopics.length === 0
    ? undefined
    : html`<section aria-labelledby="topics">
        <h2 id="topics">Restored topics</h2>
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col">Records</th>
            </tr>
          </thead>
          <tbody>
            ${restoredTopics.map(
              ({ name, records }) =>
                html`<tr>
                  <th scope="row" class="mono">${name}</th>
                  ${cell("Records", Format.count(records), "number")}
                </tr>`
            )}
          </tbody>
        </table>
      </section>`
}
