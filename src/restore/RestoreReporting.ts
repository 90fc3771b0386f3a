import { Cause, Exit, Option } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as WaitedFor from "../worker/WaitedFor.ts"
import * as AccessNotes from "./AccessNotes.ts"
import * as CutReport from "./CutReport.ts"
import type { Removed } from "./MadeTopics.ts"
import { RestoreError } from "./RestoreError.ts"
import * as RestoreNotes from "./RestoreNotes.ts"
import type { PlannedTopic } from "./RestorePlan.ts"
import * as RestoreStanding from "./RestoreStanding.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { RestoreProgress } from "./RestoreProgress.ts"
import type { ReportedTopic, RestoreReport } from "./RestoreReport.ts"
import type { Prepared, Restored } from "./RestoreWork.ts"
import * as Targets from "./TargetTopic.ts"
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

/** What is done, or was done, to make the topic. */
const madeOf = (target: Targets.TargetTopic, isBefore: boolean): ReportedTopic["topic"] => {
  switch (target._tag) {
    case "Missing":
      return isBefore ? "create" : "created"
    case "Recreated":
      return isBefore ? "recreate" : "recreated"
    default:
      if (target.remembered !== undefined) return Targets.isProven(target) ? "proven" : "resumed"
      if (target._tag === "Present") return "existing"
      return isBefore ? "append" : "appended"
  }
}

const reportedTopic =
  ({ isDryRun, prepared, progress, restored }: RestoreContext) =>
  (topic: PlannedTopic): ReportedTopic => {
    const target = prepared?.targets.find((one) => one.topic.target === topic.target)
    const refused = restored?.refusedConfigs.filter((one) => one.topic === topic.target).map(({ name }) => name) ?? []
    const compared = restored?.proven.filter((one) => one.topic === topic.target)
    const isBefore = isDryRun || progress.startedWritingMillis === undefined
    return {
      source: topic.source,
      target: topic.target,
      topic: target === undefined ? "existing" : madeOf(target, isBefore),
      partitions: topic.partitions.length,
      records: RestoreNotes.recordsOf(topic),
      ...CutReport.of(topic),
      offsets: topic.renumbered === undefined ? "exact" : "renumbered",
      ...(topic.renumbered === undefined ? {} : { renumberedBecause: RestoreNotes.because(topic.renumbered) }),
      configurations: {
        ...(restored === undefined ? {} : { set: without(restored.configs.get(topic.target) ?? {}, refused) }),
        leftOut:
          prepared === undefined || target?._tag === "Appended"
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

const interrupted = ({ progress }: RestoreContext, nowMillis: number): string => {
  const waiting = WaitedFor.clause(WaitedFor.text(progress, nowMillis))
  return progress.startedWritingMillis === undefined
    ? `the restore was interrupted before it wrote anything${waiting}`
    : `the restore of ${progress.backupId} was interrupted${waiting}; everything that was written is kept, and the next attempt continues there`
}

/** Why an attempt did not complete. */
const explain = (given: RestoreContext, nowMillis: number, cause: Cause.Cause<unknown>): Explanation.Explained => {
  const explained = Explanation.explain(cause)
  return explained.exitCode === exitCodes.interrupted
    ? { ...explained, message: interrupted(given, nowMillis), advice: "repeat the restore" }
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
    ...(restored?.accessDone === undefined ? {} : { access: restored.accessDone }),
    ...(isDryRun && prepared?.access !== undefined
      ? {
          accessToAdd: {
            acls: prepared.access.acls?.missing ?? [],
            quotas: prepared.access.quotas?.missing ?? [],
            differentQuotas: prepared.access.quotas?.different ?? []
          }
        }
      : {}),
    ...(prepared?.access === undefined || prepared.access.users.length === 0
      ? {}
      : { usersToMake: prepared.access.users }),
    ...(restored?.offsetReset === undefined ? {} : { offsetReset: restored.offsetReset })
  } as const
  if (Exit.isSuccess(exit)) {
    return {
      ...common,
      outcome: "success",
      exitCode: exitCodes.success,
      notes:
        restored !== undefined
          ? RestoreNotes.notes(restored)
          : prepared === undefined || resource === undefined
            ? []
            : [
                ...RestoreNotes.plannedNotes(prepared, resource.spec, completedMillis),
                ...AccessNotes.counts(prepared.access, RestoreStanding.isAccessDone(prepared.targets))
              ]
    }
  }
  const { advice, exitCode, isRetryable, message, reason } = explain(given, completedMillis, exit.cause)
  const objections = objectionsOf(exit.cause)
  return {
    ...common,
    outcome: exitCode === exitCodes.interrupted ? "interrupted" : "failed",
    exitCode,
    notes: [],
    error: { reason, message, advice, isRetryable, ...(objections === undefined ? {} : { objections }) }
  }
}
