import { Cause, Exit, Option } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { RestoredTopic, RestoreSummary } from "../outcome/RestoreSummary.ts"
import type { RunSummary } from "../outcome/RunSummary.ts"
import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import * as RetentionHoldSpec from "../resource/RetentionHoldSpec.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as Appending from "./Appending.ts"
import * as Configuring from "./Configuring.ts"
import * as CutReport from "./CutReport.ts"
import * as HoldNotes from "./HoldNotes.ts"
import type { Prepared, Restored } from "./RestoreWork.ts"
import * as GroupSummary from "./groups/GroupSummary.ts"
import { RestoreError } from "./RestoreError.ts"
import type { Removed } from "./MadeTopics.ts"
import * as RemovedTopics from "./RemovedTopics.ts"
import type { PlannedTopic, Renumbering } from "./RestorePlan.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { RestoreProgress } from "./RestoreProgress.ts"
import type { ReportedTopic, RestoreReport } from "./RestoreReport.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

/** The facts of an attempt that its report needs, however it ends; filled as the attempt goes on. */
export interface RestoreContext {
  readonly startedMillis: number
  readonly progress: RestoreProgress
  resource: KafkaRestore | undefined
  isDryRun: boolean
  prepared: Prepared | undefined
  /** Present once the former offsets of consumer groups are stored. */
  rollbackSnapshotId: string | undefined
  /** Present where the restore failed for good, and was to delete what it had made. */
  removed: Removed | undefined
  /** Present once the restore is complete. */
  restored: Restored | undefined
}

export const context = (startedMillis: number, progress: RestoreProgress): RestoreContext => ({
  startedMillis,
  progress,
  resource: undefined,
  isDryRun: false,
  prepared: undefined,
  rollbackSnapshotId: undefined,
  removed: undefined,
  restored: undefined
})

export const recordsOf = ({ partitions }: PlannedTopic): number =>
  partitions.reduce((sum, { records }) => sum + records, 0)

/** Why a topic gets new offsets, for people. */
export const because = (renumbering: Renumbering): string => {
  switch (renumbering.reason) {
    case "asked":
      return "spec.offsets is New"
    case "appended":
      return "they are behind the records that were there"
    case "tooManyFillers":
      return `a partition has ${renumbering.fillers} offsets without a record`
    case "markersDenied":
      return `a partition has ${renumbering.fillers} offsets without a record, and the principal ${renumbering.wasDenied ? "lacked Alter on the cluster when the restore began" : "lacks Alter on the cluster"}`
  }
}

/** A topic that is appended to keeps its configuration. */
const isConfigured = (topic: PlannedTopic): boolean => !Appending.isAppended(topic)

/** Which backup was chosen, where the resource names none. */
const chosen = ({ resolved: { backupId, why } }: Pick<Prepared, "resolved">): ReadonlyArray<string> =>
  why === undefined ? [] : [`backup ${backupId} was chosen: ${why}`]

/** What is left to know when a restore is complete. */
export const notes = (restored: Restored): ReadonlyArray<string> => [
  ...(restored.offsetReset?.groupsSkipped.map(
    ({ group, reason }) => `consumer group ${group} was left as it is: ${reason}`
  ) ?? []),
  ...(restored.wereGroupsSet
    ? [
        "an earlier attempt has set the offsets of consumer groups, and they were left as they are. To set those of one group, run kafka-backup offsets reset -f FILE --group GROUP"
      ]
    : []),
  ...restored.groupNotes,
  ...chosen(restored),
  ...restored.plan.notes,
  ...Appending.notes(restored.plan.topics),
  ...restored.targets
    .filter(({ topic }) => !Appending.isAppended(topic))
    .flatMap(({ topic }) =>
      TopicConfigs.leftOut(topic.configs, WantedConfigs.of(topic, restored.wanted)).map(
        (name) => `${topic.target} does not get the configuration ${name}`
      )
    ),
  ...restored.cleaned.map(
    ({ more, partition, topic }) =>
      `${topic}[${partition}] ends ${more} ${more === 1 ? "offset" : "offsets"} later than in the backup: markers made the brokers remove the empty records in its holes`
  ),
  ...restored.refusedConfigs.map((refused) =>
    restored.configs.get(refused.topic)?.[refused.name] === null
      ? `${refused.topic} keeps the configuration ${refused.name} of the time of the restore: ${Configuring.because(refused)}`
      : `${refused.topic} does not get the configuration ${refused.name}: ${Configuring.because(refused)}`
  ),
  ...HoldNotes.notes(
    restored.plan.topics.filter(isConfigured),
    restored.wanted,
    restored.hold,
    restored.isRemembered,
    restored.endedMillis
  )
]

/** What is to be known of a restore that begins at this time. */
export const plannedNotes = (
  { expectedRefusals, groupNotes, plan, resolved, wanted }: Prepared,
  { retentionHold }: Pick<KafkaRestore["spec"], "retentionHold">,
  nowMillis: number
): ReadonlyArray<string> => [
  ...chosen({ resolved }),
  ...plan.notes,
  ...groupNotes,
  ...Appending.notes(plan.topics),
  ...expectedRefusals.map(
    (refused) => `${refused.topic} will not get the configuration ${refused.name}: ${Configuring.because(refused)}`
  ),
  ...HoldNotes.beforehand(plan.topics.filter(isConfigured), wanted, RetentionHoldSpec.hold(retentionHold), nowMillis)
]

const reportedTopic =
  ({ isDryRun, prepared, progress, restored }: RestoreContext) =>
  (topic: PlannedTopic): ReportedTopic => {
    const target = prepared?.targets.find((one) => one.topic.target === topic.target)
    const refused = restored?.refusedConfigs.filter((one) => one.topic === topic.target).map(({ name }) => name) ?? []
    const compared = restored?.proven.filter((one) => one.topic === topic.target)
    const isToCreate = target?.create !== undefined
    const isBefore = isDryRun || progress.startedWritingMillis === undefined
    const isAppended = Appending.isAppended(topic)
    const made = target?.recreates === undefined ? "create" : "recreate"
    return {
      source: topic.source,
      target: topic.target,
      topic: isToCreate
        ? isBefore
          ? made
          : `${made}d`
        : target?.remembered !== undefined
          ? target.remembered.provenMillis === undefined
            ? "resumed"
            : "proven"
          : isAppended
            ? isBefore
              ? "append"
              : "appended"
            : "existing",
      partitions: topic.partitions.length,
      records: recordsOf(topic),
      ...CutReport.of(topic),
      offsets: topic.renumbered === undefined ? "exact" : "renumbered",
      ...(topic.renumbered === undefined ? {} : { renumberedBecause: because(topic.renumbered) }),
      configurations: {
        ...(restored === undefined ? {} : { set: without(restored.configs.get(topic.target) ?? {}, refused) }),
        leftOut:
          prepared === undefined || isAppended
            ? []
            : TopicConfigs.leftOut(topic.configs, WantedConfigs.of(topic, prepared.wanted)),
        refused
      },
      ...(compared === undefined ? {} : { compared: compared.map(({ partition, ranges }) => ({ partition, ranges })) })
    }
  }

const without = (configs: Readonly<Record<string, string | null>>, names: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(configs).filter(([name]) => !names.includes(name)))

/** Everything that stood against a restore that did not begin. */
const objectionsOf = (cause: Cause.Cause<unknown>) => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  return error instanceof RestoreError && error.reason._tag === "PreflightFailed" ? error.reason.objections : undefined
}

const interrupted = ({ progress }: RestoreContext): string =>
  progress.startedWritingMillis === undefined
    ? "the restore was interrupted before it wrote anything"
    : `the restore of ${progress.backupId} was interrupted; everything that was written is kept, and the next attempt continues there`

/** Why an attempt did not complete. */
const explain = (given: RestoreContext, cause: Cause.Cause<unknown>): Explanation.Explained => {
  const explained = Explanation.explain(cause)
  return explained.exitCode === exitCodes.interrupted
    ? { ...explained, message: interrupted(given), advice: "repeat the restore" }
    : explained
}

const instant = (millis: number): string => new Date(millis).toISOString()

/** The report of an attempt, however it ended. */
export const report = (
  given: RestoreContext,
  completedMillis: number,
  exit: Exit.Exit<unknown, unknown>
): RestoreReport => {
  const { isDryRun, prepared, progress, removed, resource, restored, rollbackSnapshotId, startedMillis } = given
  const { name = "", namespace, uid } = resource?.metadata ?? {}
  const common = {
    version: 1,
    restore:
      resource === undefined
        ? undefined
        : { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) },
    backupId: prepared?.plan.backupId ?? progress.backupId ?? resource?.spec.backupId,
    ...(progress.resolved === undefined ? {} : { resolved: progress.resolved }),
    dryRun: isDryRun,
    startedAt: instant(startedMillis),
    completedAt: instant(completedMillis),
    ...(progress.startedWritingMillis === undefined ? {} : { startedWriting: instant(progress.startedWritingMillis) }),
    ...(prepared === undefined ? {} : { plan: prepared.plan.digest, records: RestorePlan.records(prepared.plan) }),
    topics: prepared?.plan.topics.map(reportedTopic(given)) ?? [],
    ...(restored?.hold._tag === "Held" ? { held: true as const } : {}),
    ...(restored?.hold._tag === "Held" && !restored.isRemembered ? { holdWithoutEnd: true as const } : {}),
    ...(rollbackSnapshotId === undefined ? {} : { rollbackSnapshotId }),
    ...(removed === undefined ? {} : { removed }),
    ...(restored?.offsetReset === undefined ? {} : { offsetReset: restored.offsetReset })
  } as const
  if (Exit.isSuccess(exit)) {
    return {
      ...common,
      outcome: "success",
      exitCode: exitCodes.success,
      notes:
        restored !== undefined
          ? notes(restored)
          : prepared === undefined || resource === undefined
            ? []
            : plannedNotes(prepared, resource.spec, completedMillis)
    }
  }
  const { advice, exitCode, isRetryable, message, reason } = explain(given, exit.cause)
  const objections = objectionsOf(exit.cause)
  return {
    ...common,
    outcome: exitCode === exitCodes.interrupted ? "interrupted" : "failed",
    exitCode,
    notes: [],
    error: { reason, message, advice, isRetryable, ...(objections === undefined ? {} : { objections }) }
  }
}

/** Topics with new offsets first: what does not fit into a summary is then an ordinary topic. */
const summaryTopics = (topics: ReadonlyArray<ReportedTopic>): ReadonlyArray<RestoredTopic> =>
  topics
    .map(({ records, renumberedBecause, target }): RestoredTopic => ({
      name: target,
      records,
      ...(renumberedBecause === undefined ? {} : { renumbered: renumberedBecause })
    }))
    .toSorted(
      (a, b) =>
        Number(a.renumbered === undefined) - Number(b.renumbered === undefined) ||
        (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
    )

/** The same attempt as its pod reports it. */
export const summary = (report: RestoreReport): RunSummary => {
  const { error, startedWriting, topics } = report
  const renumbered = topics.filter(({ offsets }) => offsets === "renumbered").length
  const objections = [...new Set(error?.objections?.map(({ reason }) => reason) ?? [])]
  const restore: RestoreSummary = {
    ...(report.dryRun ? { dryRun: true } : {}),
    ...(report.resolved === undefined ? {} : { resolved: report.resolved }),
    ...(startedWriting === undefined ? {} : { startedWriting }),
    ...(objections.length === 0 ? {} : { objections }),
    ...(report.held === undefined ? {} : { held: report.held }),
    ...(report.holdWithoutEnd === undefined ? {} : { holdWithoutEnd: report.holdWithoutEnd }),
    ...(report.rollbackSnapshotId === undefined ? {} : { rollbackSnapshotId: report.rollbackSnapshotId }),
    ...(report.removed === undefined ? {} : { removed: RemovedTopics.summary(report.removed) }),
    ...(report.offsetReset === undefined ? {} : { groups: GroupSummary.of(report.offsetReset) }),
    ...(report.plan === undefined
      ? {}
      : {
          plan: {
            records: report.records ?? 0,
            partitions: topics.reduce((sum, { partitions }) => sum + partitions, 0),
            exact: topics.length - renumbered,
            renumbered,
            topics: summaryTopics(topics)
          }
        })
  }
  return {
    version: 1,
    command: "restore",
    outcome: report.outcome,
    exitCode: report.exitCode,
    startedAt: report.startedAt,
    completedAt: report.completedAt,
    ...(report.backupId === undefined ? {} : { backupId: report.backupId }),
    // Of a dry run nothing was restored.
    ...(report.outcome === "success" && !report.dryRun ? { records: report.records ?? 0 } : {}),
    ...(error === undefined ? {} : { reason: error.reason, message: error.message, advice: error.advice }),
    notes: report.notes,
    restore
  }
}
