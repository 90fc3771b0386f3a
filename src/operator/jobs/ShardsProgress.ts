import type { Pod } from "../../kubernetes/Objects.ts"
import type { ShardSummary } from "../../outcome/RunSummary.ts"
import type { RunProgressFacts } from "../../status/Facts.ts"
import * as PodSummary from "./PodSummary.ts"

/** What a pod whose shard has ended reported of it. */
export interface EndedShard extends ShardSummary {
  readonly records: number
  readonly bytes: number
}

/** The shards whose pods have ended well, each once. */
export const ended = (own: ReadonlyArray<Pod>): ReadonlyArray<EndedShard> => {
  const found = new Map<number, EndedShard>()
  for (const pod of own) {
    const { addedBytes = 0, addedRecords = 0, shard } = PodSummary.of(pod) ?? {}
    if (shard !== undefined) found.set(shard.index, { ...shard, records: addedRecords, bytes: addedBytes })
  }
  return [...found.values()]
}

/** Steps in their order: a run is as far as its slowest shard. */
const order = ["claiming", "planning", "reading", "verifying", "rereading", "retaining", "done"]

const place = (message: string | undefined): number => {
  const at = order.indexOf(message ?? "")
  // What a shard waits for comes before every step.
  return at < 0 ? -1 : at
}

/**
 * The progress of a run from the answers of its pods and the reports of those that ended; undefined while no pod
 * answers that knows the plan. A shard whose pod is being replaced counts again once the new one has read the
 * checkpoints. Pure.
 */
export const sum = (
  answers: ReadonlyArray<RunProgressFacts>,
  over: ReadonlyArray<EndedShard>
): RunProgressFacts | undefined => {
  const [first] = answers
  const planned = answers.find(({ shard }) => shard !== undefined)?.shard
  if (first === undefined) return undefined
  const slowest = answers.reduce((found, one) => (place(one.message) < place(found.message) ? one : found), first)
  if (planned === undefined) return slowest
  const at = answers.filter(({ shard }) => shard !== undefined)
  const others = over.filter(({ index }) => at.every(({ shard }) => shard?.index !== index))
  const total = <A>(of: ReadonlyArray<A>, value: (one: A) => number) => of.reduce((n, one) => n + value(one), 0)
  const { offsets, partitions } = planned.run
  const done = total(at, ({ shard }) => shard?.offsetsDone ?? 0) + total(others, (one) => one.offsets)
  const outage = answers.find((one) => one.outage !== undefined)?.outage
  const backupId = answers.find((one) => one.backupId !== undefined)?.backupId
  const message = outage === undefined ? slowest.message : answers.find((one) => one.outage !== undefined)?.message
  return {
    partitionsTotal: partitions,
    partitionsDone: Math.min(
      partitions,
      total(at, (one) => one.partitionsDone) + total(others, (one) => one.partitions)
    ),
    recordsTotal: offsets,
    percent: offsets === 0 ? 100 : Math.min(100, Math.floor((done / offsets) * 100)),
    offsetsDone: Math.min(offsets, done),
    records: total(at, ({ records }) => records) + total(others, ({ records }) => records),
    bytes: total(at, ({ bytes }) => bytes) + total(others, ({ bytes }) => bytes),
    ...(message === undefined
      ? {}
      : { message: others.length === 0 ? message : `${message}; ${others.length} of ${planned.of} shards have ended` }),
    ...(outage === undefined ? {} : { outage }),
    ...(backupId === undefined ? {} : { backupId }),
    updatedMillis: Math.max(...answers.map(({ updatedMillis }) => updatedMillis))
  }
}
