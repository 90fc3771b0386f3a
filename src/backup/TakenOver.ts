import { Clock, Effect } from "effect"
import type { PartitionAdvance } from "../manifest/Checkpoint.ts"
import { type FullReason, sentence } from "../manifest/FullReason.ts"
import * as ObjectsThere from "../manifest/ObjectsThere.ts"
import type { PlannedPartition, RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import type { SetFacts } from "../manifest/SetFacts.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

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

/**
 * The partitions, beside those of `known`, whose objects in the base are gone by now or about to go, or whose reading
 * has taken too long. Until retention may remove something of the base, that is while this process holds the owner's
 * lock, the answer stays true.
 */
export const givenUp = Effect.fn("TakenOver.givenUp")(function* (
  store: ObjectStoreShape,
  plan: RunPlan,
  state: RunState.RunState,
  known: ReadonlyArray<GivenUp> = []
) {
  const nowMillis = yield* Clock.currentTimeMillis
  const isKnown = (topic: string, { partition }: PlannedPartition) =>
    known.some((one) => one.topic === topic && one.partition.partition === partition)
  const planned = RunState.takenOver(plan, state).filter(({ partition, topic }) => !isKnown(topic, partition))
  if (planned.length === 0) return []
  // Its objects may all be there still: whoever removes them may have lost the lock without noticing.
  const isGoing = plan.base !== undefined && (yield* SetRemoval.isCondemned(store, plan.base.backupId))
  const missing = yield* ObjectsThere.missing(
    store,
    planned.flatMap(({ named }) => named)
  )
  return planned.flatMap(({ named, part, partition, reused, topic }): ReadonlyArray<GivenUp> => {
    if (isGoing || part === undefined || named.some(({ key }) => missing.has(key))) {
      return [{ topic, partition, reason: "EarlierGone" }]
    }
    const readMillis = readAtMillis(plan, partition, RunState.of(state, topic, partition)) ?? nowMillis
    return reused.readByMillis !== undefined && readMillis >= reused.readByMillis
      ? [{ topic, partition, reason: "TookTooLong" }]
      : []
  })
})

/** The advances that void what was recorded of these partitions. */
export const restarts = (
  state: RunState.RunState,
  partitions: ReadonlyArray<GivenUp>
): ReadonlyArray<PartitionAdvance> =>
  partitions.map(({ partition, reason, topic }) => RunState.restart(state, topic, partition, reason))

/** A note for each reason, with the number of partitions. */
export const notes = (partitions: ReadonlyArray<GivenUp>): ReadonlyArray<string> =>
  [...new Set(partitions.map(({ reason }) => reason))].map((reason) => {
    const count = partitions.filter((one) => one.reason === reason).length
    return `${count} ${count === 1 ? "partition was" : "partitions were"} read in full: ${sentence(reason)}`
  })

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
