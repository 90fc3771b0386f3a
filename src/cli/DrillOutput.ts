import type { DrilledTopic, DrillReport } from "../drill/DrillReport.ts"
import * as RestoreProgress from "../restore/RestoreProgress.ts"
import * as Format from "../status/Format.ts"
import type { Explained } from "../worker/Explanation.ts"
import * as FailureText from "./FailureText.ts"
import * as Quantities from "./Quantities.ts"
import * as Table from "./Table.ts"

const columns: ReadonlyArray<Table.Column> = [
  { heading: "TOPIC" },
  { heading: "PARTITION", align: "right" },
  { heading: "OFFSETS" },
  { heading: "RECORDS", align: "right" },
  { heading: "SCRATCH TOPIC" }
]

const rows = ({ offsets, runs, source, target }: DrilledTopic) =>
  runs.map(({ from, partition, records, targetPartition, until }) => [
    source,
    String(partition),
    `${from} to ${Math.max(from, until - 1)}${offsets === "exact" ? "" : ", renumbered"}`,
    Format.count(records),
    `${target}[${targetPartition}]`
  ])

const table = ({ topics }: DrillReport): string => Table.format(columns, topics.flatMap(rows))

const liveTopics = ({ comparedLiveRecords: records, comparedLiveTopics }: DrillReport): string => {
  if (records === undefined) return "not compared"
  if (comparedLiveTopics === 0) return "nothing could be compared; the notes say why"
  if (records === 0) return "nothing to compare: they hold none of these records any more"
  return `${Format.count(records)} records compared: what backup and live topics both have is equal`
}

const closing = (report: DrillReport): string => {
  const { backupId = "", bytes, capturedAt, estimatedSeconds, records, seconds = 0 } = report
  return Table.facts([
    ["Backup", `${backupId}${capturedAt === undefined ? "" : `, taken at ${Format.time(Date.parse(capturedAt))}`}`],
    ["Restored", `${Format.count(records)} records, ${Format.bytes(bytes)} as stored: read back and compared`],
    ["Live topics", liveTopics(report)],
    ["Took", Quantities.duration(seconds * 1000)],
    [
      "Whole restore",
      estimatedSeconds === undefined
        ? "unknown: nothing was restored"
        : `about ${Quantities.duration(estimatedSeconds * 1000)} at this rate (stored bytes of the backup / bytes per second of this drill)`
    ]
  ])
}

const shown = ({ notes }: DrillReport) => notes.map((note) => `Note: ${note}`)

/** What a drill prints that did not fail: a table and the result for a person, or the report as JSON. */
export const done = (report: DrillReport, format: "text" | "json"): string => {
  if (format === "json") return JSON.stringify(report, null, 2)
  const verdict = report.dryRun
    ? `Nothing was written. Everything that can be checked beforehand is in order. A drill would restore ${Format.count(report.records)} records, ${Format.bytes(report.bytes)} as stored.`
    : `OK ${report.backupId ?? ""}: the part above was restored, read back and compared`
  return [
    ...(report.topics.length === 0 ? [] : [table(report)]),
    ...(report.dryRun ? [] : [closing(report)]),
    ...shown(report),
    verdict
  ].join("\n")
}

/** What a drill by hand prints as its result. A failure is told on standard error, and to programs in the report. */
export const result = (
  report: DrillReport,
  error: Explained | undefined,
  format: "text" | "json"
): string | undefined => {
  if (error === undefined) return done(report, format)
  return format === "json" ? FailureText.json(error, report) : undefined
}

/** The progress line of a drill. */
export const line = (progress: RestoreProgress.RestoreProgress): string => {
  if (progress.awaited !== undefined) return progress.awaited
  if (progress.step === "connecting") return "connecting …"
  if (progress.step === "checking") return "looking for the newest backup, and checking it …"
  const { backupId, partitions, partitionsDone, paused, records, recordsTotal } = progress
  if (paused !== undefined) {
    return `drilling ${backupId}: paused, ${paused.target} does not answer (${paused.cause})`
  }
  return partitionsDone === partitions
    ? `drilling ${backupId}: comparing with the live topics, and deleting the scratch topics …`
    : `drilling ${backupId}: ${Format.count(records)} of ${Format.count(recordsTotal)} records written, ${partitionsDone} of ${partitions} parts compared`
}
