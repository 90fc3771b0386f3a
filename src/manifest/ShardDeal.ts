import { type PlannedPartition, readFrom, type RunPlan } from "./RunPlan.ts"

/*
 * How the partitions of a plan are dealt to its shards. Everything here follows from the plan alone, so any process
 * and any retry deals in the same way, whatever the spec says by then.
 */

/** The place of a process among those that work at one run. */
export interface Seat {
  /** From 0. */
  readonly index: number
  /** How many processes there are, 1 to 64. */
  readonly of: number
}

/** The only process of a run. */
export const alone: Seat = { index: 0, of: 1 }

/** Most processes at one run. */
export const mostSeats = 64

/** Reads `0/4`: process 0 of 4. Undefined for anything else. */
export const parseSeat = (text: string): Seat | undefined => {
  const found = /^(\d{1,2})\/(\d{1,2})$/u.exec(text)
  const [index, of] = [Number(found?.[1]), Number(found?.[2])]
  return found !== null && of >= 1 && of <= mostSeats && index < of ? { index, of } : undefined
}

/** How many shards a plan has. */
export const count = ({ shards = 1 }: Pick<RunPlan, "shards">): number => shards

/** The shard that an attempt works at: shard i of n has the attempts i + 1, i + 1 + n, i + 1 + 2n and so on. */
export const shardOf = (attempt: number, shards: number): number => (attempt - 1) % shards

/**
 * The shards that a process works at. As many processes as shards have one each; where `spec.job.parallelism` was
 * edited after the plan was made, some have several, or none.
 */
export const shardsAt = ({ index, of }: Seat, shards: number): ReadonlyArray<number> =>
  Array.from({ length: shards }, (_, shard) => shard).filter((shard) => shard % of === index)

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`

const offsets = (partition: PlannedPartition): number => Math.max(0, partition.until - readFrom(partition))

interface Load {
  offsets: number
  partitions: number
}

const isLess = (a: Load, b: Load): boolean =>
  a.offsets === b.offsets ? a.partitions < b.partitions : a.offsets < b.offsets

/**
 * The shard of each partition: the largest first, by the offsets that are to be read, each to the shard that has the
 * least so far. The largest load is at most 4/3 of the best possible one (Graham 1969, LPT). Pure.
 */
export const deal = (plan: RunPlan): ((topic: string, partition: number) => number) => {
  const shards = count(plan)
  if (shards === 1) return () => 0
  const all = plan.topics
    .flatMap(({ name, partitions }) =>
      partitions.map((partition) => ({ name, id: partition.partition, offsets: offsets(partition) }))
    )
    .toSorted((a, b) => b.offsets - a.offsets || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id))
  const loads = Array.from({ length: shards }, (): Load => ({ offsets: 0, partitions: 0 }))
  const dealt = new Map<string, number>()
  for (const one of all) {
    const shard = loads.reduce((best, load, n) => (isLess(load, loads[best]!) ? n : best), 0)
    loads[shard]!.offsets += one.offsets
    loads[shard]!.partitions++
    dealt.set(placeOf(one.name, one.id), shard)
  }
  return (topic, partition) => dealt.get(placeOf(topic, partition)) ?? 0
}

/** The plan with the partitions of one shard alone: what its attempts read. */
export const part = (plan: RunPlan, shard: number): RunPlan => {
  if (count(plan) === 1) return plan
  const shardOfPartition = deal(plan)
  return {
    ...plan,
    topics: plan.topics.flatMap((topic) => {
      const partitions = topic.partitions.filter(({ partition }) => shardOfPartition(topic.name, partition) === shard)
      return partitions.length === 0 ? [] : [{ ...topic, partitions }]
    })
  }
}
