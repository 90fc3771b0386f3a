import { type Cause, Exit } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { RunSummary } from "../outcome/RunSummary.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import type { RestoreProgress } from "../restore/RestoreProgress.ts"
import * as Explanation from "../worker/Explanation.ts"
import type { Facts } from "./DrillFacts.ts"
import type { DrilledTopic, DrillReport } from "./DrillReport.ts"

/** What a drill leaves behind for people and for the operator, from the facts that it had when it ended. */
export interface DrillContext {
  readonly startedMillis: number
  readonly progress: RestoreProgress
  backup: KafkaBackup | undefined
  isDryRun: boolean
  facts: Partial<Facts>
}

export const context = (startedMillis: number, progress: RestoreProgress): DrillContext => ({
  startedMillis,
  progress,
  backup: undefined,
  isDryRun: false,
  facts: {}
})

/** Most names in one note. */
const mostNamed = 5

const listed = (names: ReadonlyArray<string>): string =>
  names.length <= mostNamed
    ? names.join(", ")
    : `${names.slice(0, mostNamed).join(", ")} and ${names.length - mostNamed} more`

/** What is to be known of a drill, beside its numbers. */
export const notes = ({
  choice,
  cleared = [],
  left = [],
  live,
  passedOver = [],
  plan,
  set,
  strays = []
}: Partial<Facts>) => {
  const leftOut = choice?.leftOut ?? []
  const renumbered =
    plan?.restore.topics.flatMap((topic) => (topic.renumbered === undefined ? [] : [topic.source])) ?? []
  const hasGaps = set?.manifest.topics.some(({ partitions }) => partitions.some(({ gaps = [] }) => gaps.length > 0))
  return [
    // First: of many notes, only the first ones reach the status.
    ...(passedOver.length === 0
      ? []
      : [`newer backups are damaged and were passed over, as a restore of the newest does: ${listed(passedOver)}`]),
    ...(hasGaps === true
      ? ["the backup lists offsets that it could not read: a restore of it needs gaps: Accept"]
      : []),
    ...(left.length === 0
      ? []
      : [`scratch topics could not be deleted, and the next drill tries again: ${listed(left)}`]),
    ...(leftOut.length === 0
      ? []
      : [`topics that did not fit into spec.drill.maxBytes this time; each gets its turn: ${listed(leftOut)}`]),
    ...(renumbered.length === 0
      ? []
      : [
          `restored with new offsets, because the old ones would take brokers more than a minute, or need Alter on the cluster: ${listed(renumbered)}`
        ]),
    ...(live?.notes ?? []),
    ...(cleared.length === 0 ? [] : [`scratch topics of an earlier drill were deleted: ${listed(cleared)}`]),
    ...(strays.length === 0
      ? []
      : [
          `topics that are named like scratch topics of this resource, but that no drill remembers: ${listed(strays)}. If nobody needs them, delete them by hand`
        ])
  ]
}

const topicsOf = ({ plan }: Partial<Facts>): ReadonlyArray<DrilledTopic> =>
  (plan?.restore.topics ?? []).map(({ renumbered, source, target }) => ({
    source,
    target,
    offsets: renumbered === undefined ? "exact" : "renumbered",
    runs: plan!.pieces
      .filter((piece) => piece.source === source)
      .map(({ exact: { records }, from, partition, targetPartition, until }) => ({
        partition,
        from,
        until,
        records,
        targetPartition
      }))
  }))

const instant = (millis: number): string => new Date(millis).toISOString()
const seconds = (millis: number): number => Math.ceil(millis / 1000)

const explain = (cause: Cause.Cause<unknown>): Explanation.Explained => {
  const explained = Explanation.explain(cause)
  return explained.exitCode === exitCodes.interrupted
    ? {
        ...explained,
        message: "the drill was interrupted; scratch topics that it could not delete are deleted by the next one",
        advice: "repeat the drill"
      }
    : explained
}

/** The report of a drill, however it ended. */
export const report = (
  { backup, facts, isDryRun, startedMillis }: DrillContext,
  completedMillis: number,
  exit: Exit.Exit<unknown, unknown>
): DrillReport => {
  const { name = "", namespace, uid } = backup?.metadata ?? {}
  const { estimatedMillis, live, millis, plan, set } = facts
  const capturedMillis = set?.facts?.startedMillis
  const common = {
    version: 1,
    backup:
      backup === undefined
        ? undefined
        : { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) },
    ...(set === undefined ? {} : { backupId: set.backupId }),
    ...(capturedMillis === undefined ? {} : { capturedAt: instant(capturedMillis) }),
    dryRun: isDryRun,
    startedAt: instant(startedMillis),
    completedAt: instant(completedMillis),
    topics: topicsOf(facts),
    leftOut: facts.choice?.leftOut ?? [],
    records: plan?.records ?? 0,
    bytes: plan?.bytes ?? 0,
    ...(millis === undefined ? {} : { seconds: seconds(millis) }),
    ...(estimatedMillis === undefined ? {} : { estimatedSeconds: seconds(estimatedMillis) }),
    ...(live === undefined ? {} : { comparedLiveRecords: live.records, comparedLiveTopics: live.topics }),
    leftTopics: facts.left ?? [],
    notes: notes(facts)
  } as const
  if (Exit.isSuccess(exit)) {
    const result = isDryRun ? {} : ({ result: "Passed" } as const)
    return { ...common, outcome: "success", exitCode: exitCodes.success, ...result }
  }
  const { advice, exitCode, isRetryable, message, reason } = explain(exit.cause)
  const error = { reason, message, advice, isRetryable }
  if (exitCode === exitCodes.interrupted) return { ...common, outcome: "interrupted", exitCode, error }
  const result = reason === "NothingToDrill" ? reason : "Failed"
  return { ...common, outcome: "failed", exitCode, ...(isDryRun ? {} : { result }), error }
}

/** The same drill as its pod reports it. */
export const summary = (report: DrillReport): RunSummary => ({
  version: 1,
  command: "drill",
  outcome: report.outcome,
  exitCode: report.exitCode,
  startedAt: report.startedAt,
  completedAt: report.completedAt,
  ...(report.backupId === undefined ? {} : { backupId: report.backupId }),
  ...(report.error === undefined
    ? {}
    : { reason: report.error.reason, message: report.error.message, advice: report.error.advice }),
  notes: report.notes,
  drill: {
    ...(report.result === undefined ? {} : { result: report.result }),
    ...(report.capturedAt === undefined ? {} : { capturedAt: report.capturedAt }),
    topics: report.topics.length,
    partitions: report.topics.reduce((sum, { runs }) => sum + new Set(runs.map(({ partition }) => partition)).size, 0),
    records: report.result === "Passed" ? report.records : 0,
    bytes: report.result === "Passed" ? report.bytes : 0,
    seconds: report.seconds ?? 0,
    ...(report.estimatedSeconds === undefined ? {} : { estimatedSeconds: report.estimatedSeconds }),
    ...(report.comparedLiveRecords === undefined ? {} : { comparedLiveRecords: report.comparedLiveRecords }),
    leftTopicCount: report.leftTopics.length,
    leftTopics: report.leftTopics
  }
})
