import { Clock, Deferred, Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Documents from "../manifest/Documents.ts"
import { RunPlan } from "../manifest/RunPlan.ts"
import type { Seat } from "../manifest/ShardDeal.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as AfterCommit from "./AfterCommit.ts"
import * as Capturing from "./Capturing.ts"
import * as Incremental from "./Incremental.ts"
import * as Planning from "./Planning.ts"
import type { ReadOptions } from "./Reading.ts"
import { Interrupted, RunError } from "./RunError.ts"
import type { RunRequest } from "./RunRequest.ts"

/*
 * The plan of a run: made by one process, stored once before it is used, and the same for all attempts and shards.
 */

/** A plan, and what its maker has learnt of the base on the way: nothing where the plan was found. */
export interface Planned {
  readonly plan: RunPlan
  readonly built?: Incremental.Built
}

/** How long the other shards wait for the plan of the first one, before they make one themselves, in milliseconds. */
const patienceMillis = 120_000
/** How often they look for it: soon after the start, and not more often than this later, in milliseconds. */
const looks = { first: 250, most: 5_000 }

/** The run was asked to stop. */
export const interrupted = ({ identity: { slot } }: RunRequest, backupId: BackupId) =>
  new RunError({ reason: new Interrupted({ backupId, slot }) })

export const known = (store: ObjectStoreShape, backupId: BackupId) =>
  Documents.readIfThere(store, BackupKeys.plan(backupId), RunPlan)

/**
 * The plan, as soon as another process has stored it; undefined where that takes too long. A plan may compare an object
 * of each partition with Kafka's log: many processes should not all do that.
 */
export const awaited = Effect.fn("PlanOnce.awaited")(function* (
  store: ObjectStoreShape,
  request: RunRequest,
  backupId: BackupId,
  stop: Deferred.Deferred<void>
) {
  const untilMillis = (yield* Clock.currentTimeMillis) + patienceMillis
  for (let waitMillis = looks.first; ; waitMillis = Math.min(2 * waitMillis, looks.most)) {
    const found = yield* known(store, backupId)
    if (found !== undefined) return found
    if ((yield* Clock.currentTimeMillis) >= untilMillis) return undefined
    if (waitMillis === looks.first) {
      yield* Effect.logInfo(`waiting for shard 0 to make the plan, ${patienceMillis / 1000} seconds at most`)
    }
    yield* Effect.sleep(waitMillis).pipe(Effect.raceFirst(Deferred.await(stop)))
    if (yield* Deferred.isDone(stop)) return yield* interrupted(request, backupId)
  }
})

/** Makes the plan and stores it, unless another process was faster: then that one's counts. */
export const make = Effect.fn("PlanOnce.make")(function* (
  kafka: KafkaSourceShape,
  store: ObjectStoreShape,
  request: RunRequest,
  backupId: BackupId,
  options: ReadOptions,
  { of }: Seat
) {
  const planned = yield* Planning.make(kafka, request, backupId)
  const whole = yield* Capturing.withMetadata(kafka.access, request.clusterMetadata, planned)
  const { incremental } = request
  const built: Incremental.Built =
    incremental === undefined
      ? { plan: whole }
      : // It may compare an object of each partition, which takes long.
        yield* Effect.raceFirst(
          Incremental.plan(kafka, store, AfterCommit.resourceOf(request), incremental, options, whole),
          Effect.andThen(Deferred.await(options.stop), Effect.fail(interrupted(request, backupId)))
        )
  const plan: RunPlan = of === 1 ? built.plan : { ...built.plan, version: 3, shards: of }
  const key = BackupKeys.plan(backupId)
  if (yield* Documents.create(store, key, RunPlan, plan, "data")) return { plan, built } satisfies Planned as Planned
  return { plan: yield* Documents.read(store, key, RunPlan) } satisfies Planned as Planned
})
