import { Clock, Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import { KafkaSource } from "../kafka/KafkaSource.ts"
import * as Attempts from "../manifest/Attempts.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import { CatalogueError } from "../manifest/CatalogueError.ts"
import * as Claims from "../manifest/Claims.ts"
import type { Manifest } from "../manifest/Manifest.ts"
import { isThere } from "../manifest/ObjectsThere.ts"
import { plannedOffsets } from "../manifest/RunPlan.ts"
import type { SetFacts } from "../manifest/SetFacts.ts"
import * as ShardDeal from "../manifest/ShardDeal.ts"
import * as ShardEnds from "../manifest/ShardEnds.ts"
import { ObjectStore, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Preflight from "../worker/Preflight.ts"
import * as AfterCommit from "./AfterCommit.ts"
import * as Committing from "./Committing.ts"
import type * as Healing from "./Healing.ts"
import * as PlanOnce from "./PlanOnce.ts"
import type { ReadOptions } from "./Reading.ts"
import type { RunRequest } from "./RunRequest.ts"
import * as RunCourse from "./RunCourse.ts"
import * as SameLog from "./SameLog.ts"
import * as ShardAttempt from "./ShardAttempt.ts"
import * as ShardProgress from "./ShardProgress.ts"
import * as Shards from "./Shards.ts"
import * as WrittenDigests from "./WrittenDigests.ts"

/** The result of a successful run. */
export interface RunSuccess extends AfterCommit.Ended {
  readonly attempt: number
  readonly facts: SetFacts
  /** True if the set was complete before this attempt began. */
  readonly alreadyComplete: boolean
  /** What was read again because objects of earlier backups were missing or damaged. */
  readonly healed?: ReturnType<typeof Healing.healed>
  /** What other shards have read and stored; absent where the run has one alone. */
  readonly addedElsewhere?: ShardEnds.Added
}

export const isShardEnded = (ended: RunSuccess | Shards.ShardEnded): ended is Shards.ShardEnded => "shard" in ended

/** How a process that works at shards committed the backup. */
interface Made {
  readonly attempt: number
  readonly facts: SetFacts
  readonly manifest: Manifest
  readonly healed: ReturnType<typeof Healing.healed>
  readonly addedElsewhere?: ShardEnds.Added
}

/**
 * One backup run, from preflight to retention; docs/architecture.md gives the reason for the order of the steps. Any
 * number of attempts of one identity, one after the other or at the same time, make at most one set. Where several
 * processes work at the run, each at its shards, all but one end with `ShardEnded`.
 */
export const run = Effect.fn("Run.run")(function* (request: RunRequest, options: ReadOptions) {
  const store = yield* ObjectStore
  const { progress } = options
  yield* Preflight.assertStorage(store, request.identity.owner)
  const backupId = yield* Claims.take(store, request.identity)
  progress.backupId = backupId
  const finished = yield* completed(store, backupId)
  if (finished !== undefined) {
    const { manifest, ...rest } = finished
    const after = yield* AfterCommit.run(store, request, { backupId, manifest, facts: rest.facts }, options)
    return { ...rest, ...after } satisfies RunSuccess as RunSuccess
  }
  const made = yield* toTheEnd(store, request, options, backupId)
  if ("shard" in made) {
    progress.step = "done"
    return made
  }
  const { manifest, ...rest } = made
  const after = yield* AfterCommit.run(store, request, { backupId, manifest, facts: rest.facts }, options)
  progress.step = "done"
  return { ...rest, alreadyComplete: false, ...after } satisfies RunSuccess as RunSuccess
})

/** Works at the shards of this process until the backup is committed, or nothing is left to do here. */
const toTheEnd = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  request: RunRequest,
  options: ReadOptions,
  backupId: BackupId
) {
  const kafka = yield* KafkaSource
  const { seat = ShardDeal.alone } = request
  const written = WrittenDigests.make()
  const work: ShardAttempt.Work = { request, options, backupId, written, sameLog: SameLog.make(kafka) }
  const begin = (share: Attempts.Share) => begun(store, work, share)

  options.progress.step = "planning"
  const known =
    seat.index === 0
      ? yield* PlanOnce.known(store, backupId)
      : yield* PlanOnce.awaited(store, request, backupId, options.stop)
  // The attempt of a run without shards begins before its plan, and so may die and be counted while it makes it.
  let early = known === undefined && seat.of === 1 ? yield* begin({ shard: 0, shards: 1 }) : undefined
  let planned =
    known === undefined
      ? yield* PlanOnce.make(kafka, store, request, backupId, options, seat)
      : ({ plan: known } satisfies PlanOnce.Planned as PlanOnce.Planned)
  const { plan } = planned
  const shards = ShardDeal.count(plan)
  // Other processes with other shards may have stored theirs meanwhile.
  if (shards > 1) early = undefined
  const mine = ShardDeal.shardsAt(seat, shards)
  const parts = new Map(mine.map((shard) => [shard, ShardDeal.part(plan, shard)]))
  const progress = ShardProgress.make(options.progress, plan, seat, [...parts.values()])
  const ended = (why: string): Shards.ShardEnded => ({
    shard: {
      ...seat,
      partitions: [...parts.values()].reduce((n, part) => n + ShardProgress.partitionsOf(part), 0),
      offsets: [...parts.values()].reduce((n, part) => n + plannedOffsets(part), 0)
    },
    notes: [why]
  })
  if (mine.length === 0) return ended(`nothing to read: the plan of this run has ${shards} shards`)

  /** The attempts of this process. */
  const own = new Set<number>()

  const attemptAt = Effect.fnUntraced(function* ({ lost, shard }: Shards.Todo) {
    const part = parts.get(shard) ?? ShardDeal.part(plan, shard)
    const before = ShardEnds.added(options.progress)
    const start = early ?? (yield* begin({ shard, shards }))
    early = undefined
    const attempted = yield* ShardAttempt.run(work, planned, part, start, lost, progress.show)
    planned = { plan }
    if (attempted._tag === "AtEnds") {
      progress.finished(part)
      // Its state is large, and another process may need the memory of a further shard.
      if (shards > 1) options.parts?.set(part, "atEnds")
      own.add(attempted.attempt)
      if (shards > 1) yield* Shards.place(work, attempted, ShardEnds.minus(options.progress, before))
    }
    return attempted
  })

  /** Of a process whose shards are at their ends, the newest one by this attempt. */
  const commit = Effect.fnUntraced(function* (last: ShardAttempt.AtEnds) {
    const found = shards === 1 ? undefined : yield* ShardEnds.find(store, plan)
    if (found?._tag === "Open") {
      return ended(
        `${found.shards.length} of ${shards} shards are not at their ends yet: the last one commits the backup`
      )
    }
    if (found?._tag === "Unreadable") {
      // Where another process has committed, it removes the checkpoints.
      return (yield* isThere(store, BackupKeys.manifest(backupId))) ? ended(committedElsewhere) : found
    }
    const whole = found === undefined ? { ...last, plan } : Shards.whole(plan, last, found)
    const committed = yield* Committing.run(store, work, whole).pipe(
      seat.of === 1 ? (effect) => effect : unlessCommitted(store, backupId)
    )
    if (committed._tag === "Elsewhere") return ended(committedElsewhere)
    if (committed._tag === "BaseLost") return committed
    const { facts, healed, manifest } = committed
    const elsewhere = found === undefined ? {} : { addedElsewhere: ShardProgress.elsewhere(found.ends, own) }
    return { attempt: last.attempt, facts, healed, manifest, ...elsewhere } satisfies Made as Made
  })

  let course = RunCourse.begun
  let todo = Shards.afresh(mine)
  let last: ShardAttempt.AtEnds | undefined
  for (;;) {
    const [first, ...rest] = todo
    let met: RunCourse.Met
    if (first !== undefined) {
      const attempted = yield* attemptAt(first)
      if (attempted._tag === "AtEnds") {
        last = attempted
        todo = rest
        continue
      }
      met = attempted._tag === "LogReplaced" ? { ...attempted, shard: first.shard } : attempted
    } else {
      if (last === undefined) return yield* Effect.die("no shard was to be read")
      const outcome = yield* commit(last)
      if (!("_tag" in outcome)) return outcome
      met = outcome
    }
    const next = RunCourse.next(plan, course, met)
    if (next._tag === "Failed") return yield* next.error
    course = next.course
    todo = [...next.todo, ...rest]
  }
})

const committedElsewhere = "another shard has committed the backup"

/** Two processes may find all shards at their ends: for the one that comes second, the run is over. */
const unlessCommitted =
  (store: ObjectStoreShape, backupId: BackupId) =>
  <A, E, R>(commit: Effect.Effect<A, E, R>) =>
    commit.pipe(
      Effect.catchIf(isSuperseded, (error) =>
        Effect.flatMap(isThere(store, BackupKeys.manifest(backupId)), (isCommitted) =>
          isCommitted ? Effect.succeed({ _tag: "Elsewhere" } as const) : Effect.fail(error)
        )
      )
    )

const isSuperseded = (error: unknown): error is CatalogueError =>
  error instanceof CatalogueError && error.reason._tag === "AttemptSuperseded"

/** Begins an attempt, and shows it. */
const begun = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { backupId, options, request }: ShardAttempt.Work,
  share: Attempts.Share
) {
  const facts = { startedMillis: yield* Clock.currentTimeMillis, host: request.host }
  const start = yield* Attempts.begin(store, backupId, facts, share)
  options.progress.attempt = start.attempt
  yield* Effect.logInfo("run claimed").pipe(
    Effect.annotateLogs({ backupId, attempt: start.attempt, ...(share.shards === 1 ? {} : { shard: share.shard }) })
  )
  return start
})

/** The success of an earlier attempt, if there is one. */
const completed = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: BackupId) {
  const set = yield* Catalogue.openById(store, backupId).pipe(
    Effect.catchReason("CatalogueError", "SetIncomplete", () => Effect.succeed(undefined))
  )
  if (set?.facts === undefined) return undefined
  return { attempt: 0, facts: set.facts, manifest: set.manifest, alreadyComplete: true } as const
})
