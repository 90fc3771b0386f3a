import { Cause, Effect, Schema } from "effect"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import { sentence } from "../manifest/FullReason.ts"
import { fullReads, type SetFacts } from "../manifest/SetFacts.ts"
import * as SealedJson from "../manifest/SealedJson.ts"
import * as ShardEnds from "../manifest/ShardEnds.ts"
import { formatOf, heldBack } from "../manifest/RunPlan.ts"
import type { RunIdentity } from "../identity/RunIdentity.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as ReachedParts from "./ReachedParts.ts"
import * as WaitedFor from "../worker/WaitedFor.ts"
import type { RunSuccess } from "./Run.ts"
import type { ShardEnded } from "./Shards.ts"
import type { RunProgress } from "../worker/RunProgress.ts"
import { RunReport } from "./RunReport.ts"

/** The facts of a run that its report needs, however it ends; filled as the run goes on. */
export interface RunContext {
  readonly startedMillis: number
  readonly progress: RunProgress
  /** What the run works at. */
  readonly parts: ReachedParts.Parts
  identity: RunIdentity | undefined
  /** Present as soon as the resource is read. */
  backup: KafkaBackup | undefined
  store: ObjectStoreShape | undefined
}

/** Those of a run that begins. */
export const begin = (startedMillis: number, progress: RunProgress): RunContext => ({
  startedMillis,
  progress,
  parts: new Map(),
  identity: undefined,
  backup: undefined,
  store: undefined
})

const common = ({ identity, progress, startedMillis, store }: RunContext, completedMillis: number) => ({
  version: 1 as const,
  ...(identity === undefined ? {} : { identity }),
  ...(progress.backupId === undefined ? {} : { backupId: progress.backupId }),
  ...(progress.attempt === 0 ? {} : { attempt: progress.attempt }),
  ...(progress.shard === undefined ? {} : { shard: { index: progress.shard.index, of: progress.shard.of } }),
  ...(store === undefined ? {} : { location: store.location }),
  startedAt: new Date(startedMillis).toISOString(),
  completedAt: new Date(completedMillis).toISOString(),
  added: {
    records: progress.records,
    fetchedBytes: progress.fetchedBytes,
    storedBytes: progress.storedBytes,
    segments: progress.segments
  },
  ...(progress.interruptions.length === 0 ? {} : { interruptions: progress.interruptions })
})

const made = ({ facts }: RunSuccess) => ({
  startedAt: new Date(facts.startedMillis).toISOString(),
  completedAt: new Date(facts.completedMillis).toISOString()
})

/** Backups that are known to be damaged, and that retention has not removed. */
const damaged = ({ retention }: RunSuccess): Pick<RunReport, "damaged"> =>
  retention.damaged === undefined || retention.damaged.sets === 0 ? {} : { damaged: retention.damaged }

const readInFull = (facts: SetFacts): Pick<RunReport, "readInFull"> => {
  const reasons = fullReads(facts)
  return reasons.length === 0 ? {} : { readInFull: reasons.map((one) => ({ ...one, why: sentence(one.reason) })) }
}

/** Most healed objects in a report. */
const mostHealed = 100

const healed = ({ healed: all = [] }: RunSuccess) =>
  all.length === 0 ? {} : { healed: all.slice(0, mostHealed), healedObjects: all.length }

/** What all shards have added, where there are several. */
const addedByAll = ({ progress }: RunContext, { addedElsewhere: others }: RunSuccess): Pick<RunReport, "added"> =>
  others === undefined ? {} : { added: ShardEnds.plus(progress, others) }

/** The report of a process that has read its shard, and leaves the backup to the last one. */
export const ofShard = (context: RunContext, completedMillis: number, { notes, shard }: ShardEnded): RunReport => ({
  ...common(context, completedMillis),
  shard: { index: shard.index, of: shard.of },
  outcome: "shardEnded",
  openTransactions: [],
  gaps: [],
  exitCode: exitCodes.success,
  notes
})

/** The report of a run that made its set or found it complete. */
export const ofSuccess = (context: RunContext, completedMillis: number, success: RunSuccess): RunReport => ({
  ...common(context, completedMillis),
  ...addedByAll(context, success),
  outcome: "success",
  ...(success.alreadyComplete ? { alreadyComplete: true, made: made(success) } : {}),
  ...(formatOf(success.facts.settings) === "records" ? {} : { format: formatOf(success.facts.settings) }),
  totals: success.facts.totals,
  ...(success.facts.clusterMetadata === undefined ? {} : { clusterMetadata: success.facts.clusterMetadata }),
  ...(success.facts.base === undefined ? {} : { base: success.facts.base.backupId }),
  ...readInFull(success.facts),
  ...healed(success),
  openTransactions: heldBack(success.facts),
  gaps: success.facts.gaps.map(({ from, partition, topic, until }) => ({ topic, partition, from, until })),
  retention: {
    kept: success.retention.kept,
    removed: success.retention.removed,
    ...(success.retention.afterlife === undefined || success.retention.removed.length === 0
      ? {}
      : { afterlife: success.retention.afterlife }),
    ...(success.retention.rules === undefined ? {} : { rules: success.retention.rules }),
    ...(success.retention.heldBack.length === 0 ? {} : { heldBack: success.retention.heldBack }),
    ...(success.retention.locked.length === 0 ? {} : { locked: success.retention.locked })
  },
  ...(success.verification === undefined ? {} : { verification: success.verification }),
  ...damaged(success),
  exitCode: exitCodes.success,
  notes: [
    ...success.facts.notes,
    ...success.verificationNotes,
    ...success.retention.blocked,
    ...success.retention.notes
  ]
})

/** The options with which an interrupted process is started again. */
const repeat = ({ slot, trigger }: RunIdentity, { shard }: RunProgress) => {
  const others = [
    ...(trigger === undefined ? [] : ["its --trigger"]),
    ...(shard === undefined ? [] : [`--shard ${shard.index}/${shard.of}`])
  ]
  return [`repeat the run with --slot ${slot}`, ...others].join(" and ")
}

/** Why a run ended without a set. */
interface Explained extends Explanation.Explained {
  /** Of an interrupted run: the store, broker or Secret that it was waiting for. */
  readonly waitedFor?: string
}

/**
 * Why a run ended without a set at `nowMillis`; the message says if nothing was stored before an interruption, and what
 * the run was waiting for.
 */
export const explain = (
  { identity, progress }: RunContext,
  nowMillis: number,
  cause: Cause.Cause<unknown>
): Explained => {
  const explained = Explanation.explain(cause)
  if (explained.exitCode !== exitCodes.interrupted || identity === undefined) return explained
  // The error itself knows the slot only, neither the trigger nor the shard.
  if (!Cause.hasInterruptsOnly(cause)) {
    const isWholeAdvice = identity.trigger === undefined && progress.shard === undefined
    return isWholeAdvice ? explained : { ...explained, advice: repeat(identity, progress) }
  }
  const waitedFor = WaitedFor.text(progress, nowMillis)
  const waiting = WaitedFor.clause(waitedFor)
  return {
    ...explained,
    message:
      progress.backupId === undefined
        ? `the run was interrupted before it stored anything${waiting}`
        : `the run of ${progress.backupId} was interrupted${waiting}; everything stored so far is kept`,
    advice: repeat(identity, progress),
    ...(waitedFor === undefined ? {} : { waitedFor })
  }
}

/** The report of a run without a set. */
export const ofFailure = (context: RunContext, completedMillis: number, explained: Explained): RunReport => {
  const { advice, exitCode, isRetryable, message, reason, waitedFor } = explained
  return {
    ...common(context, completedMillis),
    outcome: exitCode === exitCodes.interrupted ? "interrupted" : "failed",
    reached: ReachedParts.reached(context.progress, context.parts),
    openTransactions: [],
    gaps: [],
    error: { reason, message, advice, isRetryable },
    ...(waitedFor === undefined ? {} : { waitedFor }),
    exitCode,
    notes: []
  }
}

/** The report as text, as it is stored. */
export const text = (report: RunReport): string => `${JSON.stringify(Schema.encodeSync(RunReport)(report), null, 2)}\n`

/** Stores the report beside the set that this run made. The set is complete without it. */
export const keep = Effect.fn("RunReporting.keep")(function* (report: RunReport, store: ObjectStoreShape | undefined) {
  if (store === undefined || report.outcome !== "success") return
  if (report.backupId === undefined || report.alreadyComplete) return
  yield* store
    .put(BackupKeys.report(report.backupId), [SealedJson.seal(RunReport, report)], { role: "data" })
    .pipe(
      Effect.catch((error) =>
        Effect.logWarning("the report could not be stored beside the set").pipe(
          Effect.annotateLogs({ error: error.message })
        )
      )
    )
})
