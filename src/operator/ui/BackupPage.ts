import * as Format from "../../status/Format.ts"
import * as HumanDuration from "../../status/HumanDuration.ts"
import type { HistoryEntry, Status } from "../../status/Status.ts"
import { html, type Markup, type Piece } from "./Markup.ts"
import { age, bar, cell, facts, instant } from "./Pieces.ts"
import * as Timeline from "./Timeline.ts"
import type { View } from "../../status/View.ts"

type Backup = Extract<View, { readonly kind: "KafkaBackup" }>

const number = (n: number | undefined, unit = ""): Piece => (n === undefined ? undefined : `${Format.count(n)}${unit}`)
const bytes = (n: number | undefined, unit = ""): Piece => (n === undefined ? undefined : `${Format.bytes(n)}${unit}`)

/** What is gone if the cluster is lost now. Only the time is known: nobody counts what Kafka received since. */
const exposed = ({ lastBackupTime }: Status, nowMillis: number): Piece =>
  lastBackupTime === undefined
    ? "everything: there is no backup"
    : html`what Kafka received in the last ${HumanDuration.format(nowMillis - Date.parse(lastBackupTime))}, since
        <span class="mono">${lastBackupTime}</span>`

const counts = ({ lastBackupPartitions, lastBackupTopics }: Status): Piece =>
  lastBackupTopics === undefined || lastBackupPartitions === undefined
    ? undefined
    : `${Format.count(lastBackupTopics)} with ${Format.count(lastBackupPartitions)} ${lastBackupPartitions === 1 ? "partition" : "partitions"}`

const drill = (status: Status, nowMillis: number): Piece => {
  const { completionTime, lastResult } = status.drill ?? {}
  return lastResult === undefined ? undefined : html`${lastResult} ${age(completionTime, nowMillis)}`
}

/** What is known of its backups. */
export const summary = ({ isSuspended, schedule, status }: Backup, nowMillis: number): Piece =>
  html`<section aria-labelledby="backups">
    <h2 id="backups">Backups</h2>
    ${facts([
      ["Lost if the cluster were lost now", exposed(status, nowMillis)],
      [
        "Newest backup",
        status.lastBackupId === undefined ? "none" : html`<span class="mono">${status.lastBackupId}</span>`
      ],
      ["Complete since", instant(status.lastBackupCompletionTime, nowMillis)],
      ["Topics", counts(status)],
      ["Records", number(status.lastBackupRecords)],
      ["Size", status.lastBackupSizeText],
      ["Took", status.lastBackupDuration],
      ["All backups", status.storedSizeText],
      ["Where", status.location === undefined ? undefined : html`<span class="mono">${status.location}</span>`],
      [
        "Schedule",
        schedule === undefined
          ? "none: it runs once"
          : html`<span class="mono">${schedule}</span>${isSuspended ? " – suspended" : ""}`
      ],
      ["Next", instant(status.nextScheduledTime, nowMillis)],
      ["Skipped slots", status.skippedSlots === 0 ? undefined : number(status.skippedSlots)],
      ["Newest drill", drill(status, nowMillis)],
      ["Log", status.logs === undefined ? undefined : html`<code>${status.logs}</code>`]
    ])}
  </section>`

/** The run that is active. */
export const progress = ({ name, status }: Backup, nowMillis: number): Piece => {
  const { activeRun, progress: found } = status
  if (activeRun === undefined) return undefined
  return html`<section aria-labelledby="progress">
    <h2 id="progress">Running now</h2>
    ${found?.percent === undefined ? html`<p>No progress is known yet.</p>` : html`<p class="running">${bar(found.percent, `progress of ${name}`)}</p>`}
    ${facts([
      ["Run", html`<span class="mono">${activeRun.backupId}</span>`],
      ["Started", instant(activeRun.startTime, nowMillis)],
      ["Step", found?.message],
      [
        "Partitions",
        found === undefined
          ? undefined
          : `${Format.count(found.partitionsDone)} of ${Format.count(found.partitionsTotal)}`
      ],
      ["Records", number(found?.records)],
      ["Stored", bytes(found?.bytes)],
      [
        "Pace",
        found?.recordsPerSecond === undefined
          ? undefined
          : html`${number(found.recordsPerSecond, " records/s")}, ${bytes(found.bytesPerSecond, "/s")}`
      ],
      ["Done", instant(found?.eta, nowMillis)],
      [
        "Waits for",
        found?.outage === undefined
          ? undefined
          : html`${found.outage.target}: ${found.outage.cause} (${age(found.outage.sinceTime, nowMillis)})`
      ],
      ["As of", age(found?.updatedTime, nowMillis)]
    ])}
  </section>`
}

const took = (startTime: string, completionTime: string | undefined): Piece =>
  completionTime === undefined ? undefined : Format.duration(Date.parse(completionTime) - Date.parse(startTime))

const recordsOf = (records: number | undefined, added: number | undefined): Piece =>
  records === undefined
    ? undefined
    : added === undefined || added === records
      ? number(records)
      : html`${number(records)} <span class="quiet">${number(added)} new</span>`

const entry = (
  { addedRecords, backupId, completionTime, message, outcome, reason, records, size, slots, startTime }: HistoryEntry,
  nowMillis: number
): Markup =>
  html`<tr>
    <td class="state"><span class="badge of-${outcome}">${outcome}</span></td>
    <th scope="row" class="mono">${backupId ?? `${Format.count(slots ?? 1)} ${slots === 1 ? "slot" : "slots"}`}</th>
    ${cell("Started", age(startTime, nowMillis))}
    ${cell("Took", outcome === "skipped" ? undefined : took(startTime, completionTime))}
    ${cell("Records", recordsOf(records, addedRecords), "number")} ${cell("Size", bytes(size), "number")}
    <td class="why">
      ${reason === undefined ? undefined : html`<span class="quiet mono">${reason}</span> `}${message}
    </td>
  </tr>`

/** Its newest runs, as a picture and as a table. */
export const history = ({ status }: Backup, nowMillis: number): Piece => {
  const { backupHistory = [], historyTruncated = 0, nextScheduledTime } = status
  if (backupHistory.length === 0) return undefined
  return html`<section aria-labelledby="history">
    <h2 id="history">History</h2>
    ${Timeline.large(backupHistory, nextScheduledTime, nowMillis)}
    <table class="list history">
      <thead>
        <tr>
          ${["Outcome", "Backup", "Started", "Took", "Records", "Size", "What happened"].map((one) => html`<th scope="col">${one}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${backupHistory.map((one) => entry(one, nowMillis))}
      </tbody>
    </table>
    ${historyTruncated === 0 ? undefined : html`<p class="quiet">Storage holds ${Format.count(historyTruncated)} more: kafka-backup list shows them.</p>`}
  </section>`
}
