import { Cause, Effect, Exit, Result, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { digest, type Owner, ownerKey, type RunIdentity } from "../identity/RunIdentity.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import { briefly } from "../manifest/Briefly.ts"
import * as Documents from "../manifest/Documents.ts"
import * as SealedJson from "../manifest/SealedJson.ts"
import type { ObjectKey, ObjectStoreShape } from "../storage/ObjectStore.ts"
import { type ObjectStoreError } from "../storage/ObjectStoreError.ts"
import { RunReport } from "./RunReport.ts"

/*
 * `_kafka-backup/failed/{owner}/{slot}-{run}.json`: why a run ended without a set, and how far it came. They are
 * bookkeeping: never locked, never part of a set, and no run reads them. Each attempt replaces the report of the one
 * before it; the newest runs of each resource stay.
 */

/** Reports that are kept of one resource: runs, and each shard of a run that failed. */
export const most = 20

/** How long a run that has failed waits for the store: the pod may have few seconds left. */
const longest = "5 seconds"

/** Longest message or advice that is kept, in UTF-16 units. */
const longestText = 8192

const cut = (text: string): string => (text.length <= longestText ? text : `${text.slice(0, longestText - 1)}…`)

const bounded = (report: RunReport): RunReport => ({
  ...report,
  ...(report.error === undefined
    ? {}
    : { error: { ...report.error, message: cut(report.error.message), advice: cut(report.error.advice) } }),
  ...(report.interruptions === undefined ? {} : { interruptions: report.interruptions.slice(0, most) })
})

const keyOf = (identity: RunIdentity, shard: RunReport["shard"]): ObjectKey =>
  BackupKeys.failed(ownerKey(identity.owner), Date.parse(identity.slot), digest(identity), shard?.index)

const removeOldest = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner) {
  const keys = yield* store.list(BackupKeys.failedOf(ownerKey(owner))).pipe(
    Stream.map(({ key }) => key),
    Stream.runCollect
  )
  yield* Effect.forEach(keys.slice(0, Math.max(0, keys.length - most)), (key) => store.delete(key), {
    concurrency: 4,
    discard: true
  })
})

/** True for the report of a run without a set, of which it is known whose it is. */
export const isKept = (report: RunReport): report is RunReport & { readonly identity: RunIdentity } =>
  (report.outcome === "failed" || report.outcome === "interrupted") && report.identity !== undefined

const notKept = (why: string) =>
  `this report is not in storage, so list --failed does not show this run: ${why}; the log of the run has it`

/**
 * Stores the report of a run without a set in the store that `opening` gives. Never fails and never takes long: where
 * the store is the cause of the failure, it cannot be kept there. Returns what to tell people then.
 */
export const keep = Effect.fn("FailedRuns.keep")(function* <R>(
  report: RunReport,
  opening: Effect.Effect<ObjectStoreShape, unknown, R>
) {
  if (!isKept(report)) return undefined
  const { identity, shard } = report
  const storing = Effect.gen(function* () {
    const store = yield* opening
    yield* store.put(keyOf(identity, shard), [SealedJson.seal(RunReport, bounded(report))])
    return store
  })
  const kept = yield* briefly(storing, longest)
  if (kept === undefined) return notKept("the store did not answer in time")
  if (Exit.isFailure(kept)) {
    const error = Cause.squash(kept.cause)
    return notKept(error instanceof Error ? error.message : String(error))
  }
  // Those that stay beyond the newest are few, and the next failure comes again.
  yield* briefly(Effect.ignore(removeOldest(kept.value, identity.owner)), longest)
  return undefined
})

/** A run without a set, or that had none when one of its attempts failed. */
export interface FailedRun {
  /** That of the backup that it would have made. */
  readonly backupId: BackupId.BackupId
  readonly identity: RunIdentity
  /** Why, by the one of its processes that says most. */
  readonly report: RunReport
  /** The others of a run with several shards. */
  readonly others: ReadonlyArray<RunReport>
}

/** Those that were interrupted say less than the one whose failure may have ended them all. */
const rank = ({ completedAt, outcome }: RunReport): string => `${outcome === "failed" ? 1 : 0} ${completedAt}`

const runOf = (reports: ReadonlyArray<RunReport & { readonly identity: RunIdentity }>): FailedRun => {
  const [first, ...others] = reports.toSorted((a, b) => (rank(a) < rank(b) ? 1 : -1))
  const { identity } = first!
  const backupId =
    reports.find((report) => report.backupId !== undefined)?.backupId ??
    BackupId.forSlot(identity.owner.name, Date.parse(identity.slot))
  return { backupId, identity, report: first!, others }
}

/** The reports in storage. */
export interface Found {
  /** Newest first, by when they ended. */
  readonly runs: ReadonlyArray<FailedRun>
  /** Reports that nobody can read: why, each with its key. */
  readonly unreadable: ReadonlyArray<string>
}

/** The runs of every resource in this storage whose reports are kept. */
export const all = Effect.fn("FailedRuns.all")(function* (
  store: ObjectStoreShape
): Effect.fn.Return<Found, ObjectStoreError> {
  const read = yield* store.list(BackupKeys.failedFolder).pipe(
    Stream.mapEffect(
      ({ key }) =>
        Documents.readIfThere(store, key, RunReport).pipe(
          Effect.map((report) => Result.succeed(report)),
          Effect.catchTag("CatalogueError", ({ message }) => Effect.succeed(Result.fail(message)))
        ),
      { concurrency: 8 }
    ),
    Stream.runCollect
  )
  const reports = read.flatMap((one) =>
    Result.isSuccess(one) && one.success !== undefined && isKept(one.success) ? [one.success] : []
  )
  const runs = [...Map.groupBy(reports, ({ identity }) => `${ownerKey(identity.owner)}/${digest(identity)}`).values()]
  return {
    runs: runs.map(runOf).toSorted((a, b) => (a.report.completedAt < b.report.completedAt ? 1 : -1)),
    unreadable: read.flatMap((one) => (Result.isFailure(one) ? [one.failure] : []))
  }
})

/** The newest failed run of that id. */
export const find = (store: ObjectStoreShape, backupId: string) =>
  Effect.map(all(store), ({ runs }) => runs.find((run) => run.backupId === backupId))

/** Removes the reports of an owner that is gone. */
export const forgetAll = (store: ObjectStoreShape, owner: Owner) =>
  store.list(BackupKeys.failedOf(ownerKey(owner))).pipe(
    Stream.mapEffect((info) => store.delete(info.key), { concurrency: 8, unordered: true }),
    Stream.runDrain
  )
