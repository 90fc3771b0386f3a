import { Deferred, Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import { KafkaError } from "../kafka/KafkaError.ts"
import { KafkaSource } from "../kafka/KafkaSource.ts"
import type { AttemptStart } from "../manifest/Attempts.ts"
import type { Attempt, PartitionAdvance } from "../manifest/Checkpoint.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import * as ShardDeal from "../manifest/ShardDeal.ts"
import { ObjectStore } from "../storage/ObjectStore.ts"
import * as AfterCommit from "./AfterCommit.ts"
import * as Base from "./Base.ts"
import * as Completion from "./Completion.ts"
import * as Healing from "./Healing.ts"
import * as Incremental from "./Incremental.ts"
import type { ShardProgress } from "./ShardProgress.ts"
import type * as PlanOnce from "./PlanOnce.ts"
import { interrupted } from "./PlanOnce.ts"
import * as Reading from "./Reading.ts"
import type { RunRequest } from "./RunRequest.ts"
import * as SameLog from "./SameLog.ts"
import * as TakenOver from "./TakenOver.ts"
import type * as WrittenDigests from "./WrittenDigests.ts"

/** What all attempts of one process at a run share. */
export interface Work {
  readonly request: RunRequest
  readonly options: Reading.ReadOptions
  readonly backupId: BackupId
  readonly written: WrittenDigests.WrittenDigests
  readonly sameLog: SameLog.SameLog
}

/** One attempt whose shard, which is the whole run where there is one alone, is at its ends. */
export interface AtEnds {
  readonly _tag: "AtEnds"
  readonly attempt: number
  /** The part of the plan that it read. */
  readonly part: RunPlan
  readonly state: RunState.RunState
  readonly base: Base.Base | undefined
  /** The bounds that hold beside that base. */
  readonly reading: Reading.ReadOptions
  /** Where everything durable of the shard stands. */
  readonly chain: Attempt["builtOn"]
  /** Nothing was read: what is stored was looked at when the attempt began. */
  readonly isIdle: boolean
  readonly notes: ReadonlyArray<string>
}

/** How an attempt ended; but for `AtEnds`, a further one has to go on. */
export type Ended =
  | AtEnds
  | { readonly _tag: "LogReplaced"; readonly error: KafkaError }
  | ({ readonly _tag: "BaseLost" } & TakenOver.Lost)

/** The base of the plan, where it is held already or can be opened again. */
const baseOf = Effect.fnUntraced(function* ({ options, request }: Work, { built, plan }: PlanOnce.Planned) {
  if (plan.base === undefined) return undefined
  if (built?.base !== undefined && Base.isNamed(built.base, plan.base)) return built.base
  const store = yield* ObjectStore
  const most = yield* Incremental.mostOpened(store, AfterCommit.resourceOf(request), options)
  return yield* Base.again(store, plan.base, most)
})

/**
 * One attempt at a part of the plan, to its ends. `found` is what the attempt before it could not take over. Takes up
 * what earlier attempts at the same part made durable, as far as it is still there.
 */
export const run = Effect.fn("ShardAttempt.run")(function* (
  work: Work,
  planned: PlanOnce.Planned,
  part: RunPlan,
  { advances, attempt, builtOn, notes }: AttemptStart,
  found: TakenOver.Lost,
  show: ShardProgress["show"]
) {
  const { backupId, options, request, sameLog, written } = work
  const kafka = yield* KafkaSource
  const store = yield* ObjectStore
  const { progress } = options
  const chosen = yield* baseOf(work, planned)
  const isTooLarge = chosen !== undefined && Base.isTooLarge(chosen)
  const base = isTooLarge ? undefined : chosen
  const reading = base === undefined ? options : { ...options, ...options.beside?.(base.facts.totals.segments) }
  const state = RunState.make()
  if (base !== undefined) RunState.reuse(state, part, base.manifest)
  RunState.absorb(state, advances)
  // Segments of an earlier attempt may have been lost since: their partitions are read again from the start.
  const lost = advances.length === 0 ? [] : yield* Completion.lostSegments(store, part, state, written)
  const restarts: Array<PartitionAdvance> = []
  const absorb = (advances: ReadonlyArray<PartitionAdvance>) => {
    RunState.absorb(state, advances)
    restarts.push(...advances)
  }
  // One after the other: each follows from the state that the ones before it made.
  absorb(restartsOf(part, state, lost))
  absorb(Healing.advances(state, found.damaged))
  absorb(TakenOver.restarts(state, found.givenUp))
  const isFirst = attempt <= ShardDeal.count(part)
  // Who has just made the plan has just looked.
  if (part.base !== undefined && (!isFirst || planned.built === undefined || base === undefined)) {
    const { damaged, givenUp } = yield* TakenOver.lost(
      store,
      part,
      state,
      isTooLarge ? "TooManyForMemory" : "EarlierGone"
    )
    absorb(TakenOver.restarts(state, givenUp))
    absorb(Healing.advances(state, damaged))
  }
  if (!isFirst) absorb(SameLog.restarts(state, yield* sameLog.replaced(part, state)))
  show(part, state)
  options.parts?.set(part, state)
  const isIdle = restarts.length === 0 && isComplete(part, state)

  progress.step = "reading"
  const attempted = {
    request,
    plan: part,
    attempt,
    state,
    restarts,
    written,
    sameLog,
    baseSettings: base?.facts.settings
  }
  const { checkpoints, givenUp, replaced } = yield* Reading.readAll(kafka, store, attempted, reading)
  if (!isComplete(part, state) && (yield* Deferred.isDone(options.stop))) return yield* interrupted(request, backupId)
  const [cutOff] = replaced
  if (cutOff !== undefined) {
    const error = new KafkaError({ operation: "fetch", reason: cutOff })
    return { _tag: "LogReplaced", error } satisfies Ended as Ended
  }
  if (givenUp.length > 0) return { _tag: "BaseLost", givenUp, damaged: [] } satisfies Ended as Ended
  return {
    _tag: "AtEnds",
    attempt,
    part,
    state,
    base,
    reading,
    chain: [...builtOn, { attempt, sequence: checkpoints }],
    isIdle,
    notes: [...notes, ...lost.map(({ detail }) => `${detail}; the partition was read again`)]
  } satisfies Ended as Ended
})

const isComplete = (plan: RunPlan, state: RunState.RunState): boolean =>
  RunState.unfinished(plan, state).length + RunState.toHeal(plan, state).length === 0

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
