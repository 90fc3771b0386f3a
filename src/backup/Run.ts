import { Clock, Deferred, Effect, Result } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import { KafkaError } from "../kafka/KafkaError.ts"
import { KafkaSource } from "../kafka/KafkaSource.ts"
import * as Attempts from "../manifest/Attempts.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import type { PartitionAdvance } from "../manifest/Checkpoint.ts"
import * as Claims from "../manifest/Claims.ts"
import * as Documents from "../manifest/Documents.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import { RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import type { SetFacts } from "../manifest/SetFacts.ts"
import { ObjectStore, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as AcceptedLoss from "./AcceptedLoss.ts"
import * as AfterCommit from "./AfterCommit.ts"
import * as Base from "./Base.ts"
import * as Completion from "./Completion.ts"
import * as Healing from "./Healing.ts"
import * as Incremental from "./Incremental.ts"
import * as Joins from "./Joins.ts"
import * as LeftOvers from "./LeftOvers.ts"
import * as Planning from "./Planning.ts"
import * as Preflight from "../worker/Preflight.ts"
import * as PutBack from "./PutBack.ts"
import * as Reading from "./Reading.ts"
import { Interrupted, NotProven, RunError } from "./RunError.ts"
import type { RunProgress } from "../worker/RunProgress.ts"
import type { RunRequest } from "./RunRequest.ts"
import * as SameLog from "./SameLog.ts"
import * as TakenOver from "./TakenOver.ts"
import * as WrittenDigests from "./WrittenDigests.ts"

/** The result of a successful run. */
export interface RunSuccess extends AfterCommit.Ended {
  readonly attempt: number
  readonly facts: SetFacts
  /** True if the set was complete before this attempt began. */
  readonly alreadyComplete: boolean
  /** What was read again because objects of earlier backups were missing or damaged. */
  readonly healed?: ReturnType<typeof Healing.healed>
}

/**
 * One backup run, from preflight to retention; docs/architecture.md gives the reason for the order of the steps. Any
 * number of attempts of one identity, one after the other or at the same time, make at most one set.
 */
export const run = Effect.fn("Run.run")(function* (request: RunRequest, options: Reading.ReadOptions) {
  const store = yield* ObjectStore
  const { progress } = options

  yield* Preflight.assertStorage(store, request.identity.owner)
  const backupId = yield* Claims.take(store, request.identity)
  progress.backupId = backupId
  const finished = yield* completed(store, backupId)
  if (finished !== undefined) {
    const { manifest, ...rest } = finished
    return {
      ...rest,
      ...(yield* AfterCommit.run(store, request, { backupId, manifest, facts: rest.facts }, options))
    } satisfies RunSuccess as RunSuccess
  }

  const written = WrittenDigests.make()
  const sameLog = SameLog.make(yield* KafkaSource)
  let lost: TakenOver.Lost = { givenUp: [], damaged: [] }
  for (let replacements = 0, rounds = 0; ;) {
    const ended = yield* tryOnce(request, options, backupId, written, lost, sameLog)
    lost = { givenUp: [], damaged: [] }
    if (ended._tag === "LogReplaced") {
      // As an attempt of its own, too: it finds out what of these partitions is still in the log.
      if (++replacements >= SameLog.mostReplacements) return yield* ended.error
      continue
    }
    if (ended._tag === "BaseLost") {
      // Read what can no longer be taken over, as an attempt of its own: checkpoints say what it does.
      const problems = ended.damaged.map(({ detail, segment }) => `${segment.key} ${detail}`)
      if (problems.length > 0 && ++rounds >= Healing.mostRounds) {
        return yield* new RunError({ reason: new NotProven({ problems }) })
      }
      lost = ended
      continue
    }
    const { attempt, facts, healed, manifest } = ended
    const after = yield* AfterCommit.run(store, request, { backupId, manifest, facts }, options)
    progress.step = "done"
    return { attempt, facts, healed, alreadyComplete: false, ...after } satisfies RunSuccess as RunSuccess
  }
})

/** One attempt, from its plan to the manifest. `found` is what the attempt before it could not take over. */
const tryOnce = Effect.fnUntraced(function* (
  request: RunRequest,
  options: Reading.ReadOptions,
  backupId: BackupId,
  written: WrittenDigests.WrittenDigests,
  found: TakenOver.Lost,
  sameLog: SameLog.SameLog
) {
  const kafka = yield* KafkaSource
  const store = yield* ObjectStore
  const { progress } = options
  const { advances, attempt, notes } = yield* Attempts.begin(store, backupId, {
    startedMillis: yield* Clock.currentTimeMillis,
    host: request.host
  })
  progress.attempt = attempt
  yield* Effect.logInfo("run claimed").pipe(Effect.annotateLogs({ backupId, attempt }))

  const interrupted = new RunError({ reason: new Interrupted({ backupId, slot: request.identity.slot }) })

  progress.step = "planning"
  const whole = Planning.make(kafka, request, backupId)
  const { incremental } = request
  let built: Incremental.Built | undefined
  const plan = yield* planOnce(
    store,
    backupId,
    incremental === undefined
      ? whole
      : Effect.flatMap(whole, (made) =>
          // It may compare an object of each partition, which takes long.
          Effect.raceFirst(
            Incremental.plan(kafka, store, AfterCommit.resourceOf(request), incremental, options, made),
            Effect.andThen(Deferred.await(options.stop), Effect.fail(interrupted))
          )
        ).pipe(
          Effect.map((found) => {
            built = found
            return found.plan
          })
        )
  )
  const chosen =
    plan.base === undefined
      ? undefined
      : built?.base !== undefined && Base.isNamed(built.base, plan.base)
        ? built.base
        : yield* Base.again(
            store,
            plan.base,
            yield* Incremental.mostOpened(store, AfterCommit.resourceOf(request), options)
          )
  const isTooLarge = chosen !== undefined && Base.isTooLarge(chosen)
  const base = isTooLarge ? undefined : chosen
  const reading = base === undefined ? options : { ...options, ...options.beside?.(base.facts.totals.segments) }
  const state = RunState.make()
  if (base !== undefined) RunState.reuse(state, plan, base.manifest)
  RunState.absorb(state, advances)
  // Segments of an earlier attempt may have been lost since: their partitions are read again from the start.
  const lost = advances.length === 0 ? [] : yield* Completion.lostSegments(store, plan, state, written)
  const restarts: Array<PartitionAdvance> = []
  const absorb = (advances: ReadonlyArray<PartitionAdvance>) => {
    RunState.absorb(state, advances)
    restarts.push(...advances)
  }
  // One after the other: each follows from the state that the ones before it made.
  absorb(restartsOf(plan, state, lost))
  absorb(Healing.advances(state, found.damaged))
  absorb(TakenOver.restarts(state, found.givenUp))
  // The plan of a first attempt has just looked.
  if (plan.base !== undefined && (attempt > 1 || base === undefined)) {
    const { damaged, givenUp } = yield* TakenOver.lost(
      store,
      plan,
      state,
      isTooLarge ? "TooManyForMemory" : "EarlierGone"
    )
    absorb(TakenOver.restarts(state, givenUp))
    absorb(Healing.advances(state, damaged))
  }
  if (attempt > 1) absorb(SameLog.restarts(state, yield* sameLog.replaced(plan, state)))
  showPlan(progress, plan, state)

  progress.step = "reading"
  const baseSettings = base?.facts.settings
  const attempted = { request, plan, attempt, state, restarts, written, sameLog, baseSettings }
  const { givenUp, replaced } = yield* Reading.readAll(kafka, store, attempted, reading)
  const isOpen = RunState.unfinished(plan, state).length + RunState.toHeal(plan, state).length > 0
  if (isOpen && (yield* Deferred.isDone(options.stop))) return yield* interrupted
  const [cutOff] = replaced
  if (cutOff !== undefined) {
    return { _tag: "LogReplaced", error: new KafkaError({ operation: "fetch", reason: cutOff }) } as const
  }
  if (givenUp.length > 0) return { _tag: "BaseLost", givenUp, damaged: [] } as const

  progress.step = "verifying"
  const healingNotes = yield* PutBack.run(store, AfterCommit.resourceOf(request), plan, attempt, state, base, options)
  const joined = yield* Joins.make(store, plan, attempt, state, written, reading)
  if (joined.damaged.length > 0) return { _tag: "BaseLost", givenUp: [], damaged: joined.damaged } as const
  // It only feeds warnings: a backup that was read whole is not lost for them.
  const compared = yield* Effect.result(
    base?.isNewest === true
      ? Effect.succeed(base.facts)
      : OwnSets.newestBefore(store, AfterCommit.resourceOf(request), backupId, plan.createdMillis)
  )
  const previous = Result.getOrUndefined(compared)
  const uncompared = Result.isFailure(compared)
    ? [`the backup was not compared with the previous one: ${compared.failure.message}`]
    : []
  const committed = yield* Completion.commit(
    store,
    plan,
    attempt,
    state,
    base,
    written,
    [
      ...plan.notes,
      ...notes,
      ...healingNotes,
      ...joined.notes,
      ...uncompared,
      ...lost.map(({ detail }) => `${detail}; the partition was read again`),
      ...TakenOver.notes(plan, state),
      ...sameLog.notes()
    ],
    previous,
    AcceptedLoss.coversTopic(AcceptedLoss.parse(request.identity.owner.name, request.acceptedLoss).topics)
  )
  if (committed._tag === "BaseLost") return committed
  yield* LeftOvers.remove(store, plan, state)
  const manifest = RunState.manifest(plan, state)
  const healed = Healing.healed(plan, state)
  return { _tag: "Complete", facts: committed.facts, manifest, attempt, healed } as const
})

/** The advances that void all earlier advances of partitions with lost segments. */
const restartsOf = (
  plan: RunPlan,
  state: RunState.RunState,
  lost: ReadonlyArray<Completion.LostSegment>
): ReadonlyArray<PartitionAdvance> =>
  plan.topics.flatMap((topic) =>
    topic.partitions
      .filter(({ partition }) => lost.some((l) => l.topic === topic.name && l.partition === partition))
      .map((partition) => RunState.restart(state, topic.name, partition))
  )

/** The plan in storage, or else the plan that `make` returns, stored once before it is used. */
const planOnce = Effect.fnUntraced(function* <E, R>(
  store: ObjectStoreShape,
  backupId: BackupId,
  make: Effect.Effect<RunPlan, E, R>
) {
  const key = BackupKeys.plan(backupId)
  const existing = yield* Documents.readIfThere(store, key, RunPlan)
  if (existing !== undefined) return existing
  const made = yield* make
  return (yield* Documents.create(store, key, RunPlan, made)) ? made : yield* Documents.read(store, key, RunPlan)
})

/** The success of an earlier attempt, if there is one. */
const completed = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: BackupId) {
  const set = yield* Catalogue.openById(store, backupId).pipe(
    Effect.catchReason("CatalogueError", "SetIncomplete", () => Effect.succeed(undefined))
  )
  if (set?.facts === undefined) return undefined
  return { attempt: 0, facts: set.facts, manifest: set.manifest, alreadyComplete: true } as const
})

const showPlan = (progress: RunProgress, plan: RunPlan, state: RunState.RunState) => {
  const open = RunState.unfinished(plan, state)
  progress.partitions = plan.topics.reduce((n, topic) => n + topic.partitions.length, 0)
  const toHeal = RunState.toHeal(plan, state).reduce((n, { from, until }) => n + until - from, 0)
  progress.partitionsDone = progress.partitions - open.length
  progress.offsets = RunState.offsetsToRead(plan, state) + toHeal
  progress.offsetsDone =
    progress.offsets - toHeal - open.reduce((n, { partition, position }) => n + partition.until - position, 0)
}
