import type { FailedRun } from "../backup/FailedRuns.ts"
import type { Reached, RunReport } from "../backup/RunReport.ts"
import { isSameRun } from "../identity/RunIdentity.ts"
import type { CatalogueEntry } from "../manifest/Catalogue.ts"
import * as Format from "../status/Format.ts"
import * as Quantities from "./Quantities.ts"
import * as Table from "./Table.ts"

/** Runs without a set, as people and programs see them. Pure. */

/** What became of the run since: a later attempt may have completed it. */
export type Now = "complete" | "unfinished" | "gone"

export const now = (run: FailedRun, entries: ReadonlyArray<CatalogueEntry>): Now => {
  const entry = entries.find(({ backupId }) => backupId === run.report.backupId)
  if (entry?._tag === "Incomplete") return "unfinished"
  if (entry?._tag !== "Complete" || entry.facts === undefined) return "gone"
  return isSameRun(entry.facts.identity, run.identity) ? "complete" : "gone"
}

const reason = ({ error, outcome }: RunReport): string => error?.reason ?? outcome

/** `12 of 40 partitions, 63% of the offsets`; before the plan, what the run was at. */
const far = ({ offsets, offsetsDone, partitions, partitionsDone, step }: Reached): string => {
  if (partitions === 0) return `ended while ${step}`
  const percent = offsets === 0 ? 100 : Math.floor((offsetsDone / offsets) * 100)
  return `${Format.count(partitionsDone)} of ${Format.count(partitions)} partitions, ${percent}% of the offsets`
}

const columns: ReadonlyArray<Table.Column> = [
  { heading: "RUN" },
  { heading: "ENDED" },
  { heading: "REASON" },
  { heading: "REACHED" },
  { heading: "NOW" },
  { heading: "OWNER" }
]

const row = (run: FailedRun, entries: ReadonlyArray<CatalogueEntry>): ReadonlyArray<string> => {
  const { name, namespace } = run.identity.owner
  const { completedAt, reached } = run.report
  return [
    run.backupId,
    Format.time(Date.parse(completedAt)),
    reason(run.report),
    reached === undefined ? "-" : far(reached),
    now(run, entries),
    namespace === undefined ? name : `${namespace}/${name}`
  ]
}

/** The table of `list --failed`, and why the newest run failed. */
export const table = (
  runs: ReadonlyArray<FailedRun>,
  unreadable: ReadonlyArray<string>,
  entries: ReadonlyArray<CatalogueEntry>,
  location: string
): string => {
  const [newest] = runs
  return [
    ...(newest === undefined
      ? [`no reports of failed runs in ${location}`]
      : [
          Table.format(
            columns,
            runs.map((run) => row(run, entries))
          ),
          ...(newest.report.error === undefined ? [] : [`${newest.backupId}: ${newest.report.error.message}`]),
          `kafka-backup report ${newest.backupId} shows what to do, and what was read`
        ]),
    ...unreadable
  ].join("\n")
}

/** The same as JSON. */
export const json = (run: FailedRun, entries: ReadonlyArray<CatalogueEntry>) => {
  const { attempt, completedAt, error, outcome, reached, shard, startedAt } = run.report
  return {
    backupId: run.backupId,
    now: now(run, entries),
    outcome,
    reason: reason(run.report),
    message: error?.message ?? null,
    advice: error?.advice ?? null,
    slot: run.identity.slot,
    trigger: run.identity.trigger ?? null,
    attempt: attempt ?? null,
    shard: shard ?? null,
    startedAt,
    completedAt,
    reached: reached ?? null,
    owner: run.identity.owner
  }
}

/** The line below the table of backups: failed runs that have not become one since. */
export const hint = (runs: ReadonlyArray<FailedRun>, entries: ReadonlyArray<CatalogueEntry>): ReadonlyArray<string> => {
  const open = runs.filter((run) => now(run, entries) !== "complete")
  const [newest] = open
  if (newest === undefined) return []
  const count = open.length === 1 ? "1 run has failed" : `${Format.count(open.length)} runs have failed, the newest`
  const what = `${newest.backupId}, ${Format.time(Date.parse(newest.report.completedAt))}: ${reason(newest.report)}`
  return [`${count} (${what}); list --failed shows ${open.length === 1 ? "it" : "them"}`]
}

const topicColumns: ReadonlyArray<Table.Column> = [
  { heading: "TOPIC" },
  { heading: "PARTITIONS", align: "right" },
  { heading: "DONE", align: "right" },
  { heading: "OFFSETS", align: "right" },
  { heading: "DURABLE", align: "right" }
]

const reachedText = ({ moreTopics = 0, open, topics }: Reached): ReadonlyArray<string> =>
  topics.length === 0
    ? []
    : [
        "",
        Table.format(
          topicColumns,
          topics.map(({ offsets, offsetsDone, partitions, partitionsDone, topic }) => [
            topic,
            Format.count(partitions),
            Format.count(partitionsDone),
            Format.count(offsets),
            Format.count(offsetsDone)
          ])
        ),
        ...(moreTopics === 0 ? [] : [`and ${Format.count(moreTopics)} more topics`]),
        ...open.map(
          ({ next, partition, topic, until }) =>
            `${topic}[${partition}] is durable below offset ${next}: ${Quantities.offsets(next, until)} were still to be read`
        )
      ]

/** What `describe` and `report` show of a run without a set. */
export const text = (run: FailedRun, state?: Now): string => {
  const {
    attempt,
    completedAt,
    error,
    exitCode,
    interruptions = [],
    location,
    notes,
    outcome,
    reached,
    shard
  } = run.report
  const facts: ReadonlyArray<readonly [string, string]> = [
    ["Run", run.backupId],
    ["Outcome", `${outcome}, exit code ${exitCode}`],
    ...(state === undefined ? [] : [["Now", state] as const]),
    ["Slot", run.identity.slot],
    ...(run.identity.trigger === undefined ? [] : [["Trigger", run.identity.trigger] as const]),
    ...(attempt === undefined ? [] : [["Attempt", String(attempt)] as const]),
    ...(shard === undefined ? [] : [["Shard", `${shard.index} of ${shard.of}`] as const]),
    ["Ended", Format.time(Date.parse(completedAt))],
    ["Storage", location ?? "not opened by the run"],
    ...(reached === undefined ? [] : [["Reached", far(reached)] as const])
  ]
  return [
    Table.facts(facts),
    ...(error === undefined ? [] : ["", `error: ${error.reason}: ${error.message}`, `what to do: ${error.advice}`]),
    ...(reached === undefined ? [] : reachedText(reached)),
    ...interruptions.map(
      ({ cause, openings, target, waitedMillis }) =>
        `note: ${target} did not answer ${openings === 1 ? "once" : `${openings} times`}; the run waited ${Quantities.duration(waitedMillis)} for it (${cause})`
    ),
    ...run.others.map(
      (other) =>
        `note: shard ${other.shard?.index ?? 0} ended ${Format.time(Date.parse(other.completedAt))}: ${reason(other)}`
    ),
    ...notes.map((note) => `note: ${note}`)
  ].join("\n")
}
