import { Clock, Effect } from "effect"
import type { PartitionAdvance } from "../manifest/Checkpoint.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Damage from "../manifest/Damage.ts"
import { type FullReason, sentence } from "../manifest/FullReason.ts"
import * as ObjectsThere from "../manifest/ObjectsThere.ts"
import type { PlannedPartition, RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import type { SetFacts } from "../manifest/SetFacts.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Healing from "./Healing.ts"

/** A partition that can no longer be taken over from the base: it is read in full. */
export interface GivenUp {
  readonly topic: string
  readonly partition: PlannedPartition
  readonly reason: FullReason
}

/** When the partition had been read to its end; undefined where it has not, or nobody knows. */
const readAtMillis = (plan: RunPlan, { reused, until }: PlannedPartition, held: RunState.PartitionState) => {
  if (reused !== undefined && reused.until >= until) return plan.createdMillis
  return held.position >= until ? held.readMillis : undefined
}

/** What can no longer be taken over from the base as the state says. */
export interface Lost {
  readonly givenUp: ReadonlyArray<GivenUp>
  /** Segments of partitions that are still taken over: they are read again. */
  readonly damaged: ReadonlyArray<Healing.Found>
}

/**
 * Looks at what is to be taken over: objects that are gone by now or recorded as damaged, partitions whose reading has
 * taken too long, and all of them if the base is about to go, or is not open for the reason `withoutBase`. Until
 * retention may remove something of the base, or somebody record damage of it, that is while this process holds the
 * owner's lock, the answer stays true.
 */
export const lost = Effect.fn("TakenOver.lost")(function* (
  store: ObjectStoreShape,
  plan: RunPlan,
  state: RunState.RunState,
  withoutBase: FullReason = "EarlierGone"
) {
  const planned = RunState.takenOver(plan, state)
  if (plan.base === undefined || planned.length === 0) return { givenUp: [], damaged: [] } satisfies Lost as Lost
  const { backupId } = plan.base
  // Its objects may all be there still: whoever removes them may have lost the lock without noticing.
  const isGoing = yield* SetRemoval.isCondemned(store, backupId)
  const missing = yield* ObjectsThere.missing(
    store,
    planned.flatMap(({ named }) => named)
  )
  const recorded = new Set((yield* Damage.read(store, backupId)).map(({ key }) => key))
  const isThere = missing.size === 0 || (yield* ObjectsThere.isThere(store, BackupKeys.manifest(backupId)))
  const nowMillis = yield* Clock.currentTimeMillis
  const givenUp: Array<GivenUp> = []
  const damaged: Array<Healing.Found> = []
  for (const { named, part, partition, reused, topic } of planned) {
    const giveUp = (reason: FullReason) => givenUp.push({ topic, partition, reason })
    // What this attempt has put back it has read and found right, whatever is recorded of it.
    const putBack = new Set(part?.damaged.map(({ key }) => key))
    const isWrong = ({ key }: { readonly key: string }) => missing.has(key) || (recorded.has(key) && !putBack.has(key))
    const wrong = named.filter(isWrong)
    const isCompacted = reused.readByMillis !== undefined
    const decision = Healing.decide(named, isWrong, isCompacted)
    const readMillis = readAtMillis(plan, partition, RunState.of(state, topic, partition)) ?? nowMillis
    if (isGoing || (!isThere && wrong.some(({ key }) => missing.has(key)))) giveUp("EarlierGone")
    else if (part === undefined) giveUp(withoutBase)
    else if (decision._tag === "Full") giveUp(decision.reason)
    else if (isCompacted && readMillis >= reused.readByMillis) giveUp("TookTooLong")
    else {
      for (const segment of wrong) {
        const detail = missing.has(segment.key) ? "is missing" : "was found damaged"
        damaged.push({ topic, partition, segment, detail })
      }
    }
  }
  return { givenUp, damaged } satisfies Lost as Lost
})

/** The advances that void what was recorded of these partitions. */
export const restarts = (
  state: RunState.RunState,
  partitions: ReadonlyArray<GivenUp>
): ReadonlyArray<PartitionAdvance> =>
  partitions.map(({ partition, reason, topic }) => RunState.restart(state, topic, partition, reason))

/** A note for each reason for which partitions are read in full although the plan says otherwise, with their number. */
export const notes = (plan: RunPlan, state: RunState.RunState): ReadonlyArray<string> => {
  const reasons = plan.topics.flatMap(({ name, partitions }) =>
    partitions.flatMap((partition) => RunState.of(state, name, partition).full ?? [])
  )
  return [...Map.groupBy(reasons, (reason) => reason)].map(
    ([reason, { length: count }]) =>
      `${count} ${count === 1 ? "partition was" : "partitions were"} read in full: ${sentence(reason)}`
  )
}

/** The folders of other backups in which these objects lie, ascending, with their number and bytes. */
export const references = (plan: RunPlan, state: RunState.RunState): NonNullable<SetFacts["references"]> => {
  const found = new Map<string, { objects: number; bytes: number }>()
  for (const { named } of RunState.takenOver(plan, state)) {
    for (const { compressed_size: bytes = 0, key } of named) {
      const folder = key.split("/", 1)[0]!
      const sum = found.get(folder) ?? { objects: 0, bytes: 0 }
      found.set(folder, { objects: sum.objects + 1, bytes: sum.bytes + bytes })
    }
  }
  return [...found].map(([folder, sum]) => ({ folder, ...sum })).toSorted((a, b) => (a.folder < b.folder ? -1 : 1))
}
