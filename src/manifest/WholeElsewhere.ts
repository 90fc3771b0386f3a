import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type * as Adoption from "./Adoption.ts"
import * as Catalogue from "./Catalogue.ts"
import * as Damage from "./Damage.ts"
import * as DamageMarking from "./DamageMarking.ts"
import type { SetFacts } from "./SetFacts.ts"

/* Which other backup has whole what is damaged of one. */

/** A range of offsets of one partition. */
export type Range = Pick<Damage.DamagedObject, "firstOffset" | "lastOffset" | "partition" | "topic">

/** The facts that say which offsets of which log a backup holds. */
export type Held = Pick<SetFacts, "gaps" | "topics">

const overlaps = (a: Range, b: Range): boolean =>
  a.topic === b.topic && a.partition === b.partition && a.firstOffset <= b.lastOffset && b.firstOffset <= a.lastOffset

/** The parts of a range that are left when the others are taken away, ascending. */
const without = (range: Range, others: ReadonlyArray<Range>): ReadonlyArray<Range> =>
  others.reduce<ReadonlyArray<Range>>(
    (left, hole) =>
      left.flatMap((one) =>
        overlaps(one, hole)
          ? [
              { ...one, lastOffset: hole.firstOffset - 1 },
              { ...one, firstOffset: hole.lastOffset + 1 }
            ].filter(({ firstOffset, lastOffset }) => firstOffset <= lastOffset)
          : [one]
      ),
    [range]
  )

/**
 * The parts of the range that another backup of the same topic holds, ascending: without what is damaged of them, and
 * what was lost to that backup, because Kafka deleted it while it was read. A topic that was made anew since is another
 * one. Pure.
 */
export const parts = (
  range: Range,
  of: Held,
  other: Held,
  damaged: ReadonlyArray<Range>
): ReadonlyArray<Pick<Range, "firstOffset" | "lastOffset">> => {
  const [topic, later] = [of, other].map(({ topics }) => topics.find(({ name }) => name === range.topic))
  if (later === undefined) return []
  if (topic?.topicId !== undefined && later.topicId !== undefined && topic.topicId !== later.topicId) return []
  const held = later.partitions.find(({ partition }) => partition === range.partition)
  if (held === undefined) return []
  const firstOffset = Math.max(range.firstOffset, held.logStart ?? held.from)
  const lastOffset = Math.min(range.lastOffset, held.until - 1)
  if (firstOffset > lastOffset) return []
  const holes = other.gaps.map(({ from, until, ...gap }): Range => ({
    ...gap,
    firstOffset: from,
    lastOffset: until - 1
  }))
  const { partition, topic: name } = range
  return without({ topic: name, partition, firstOffset, lastOffset }, [...damaged, ...holes]).map(
    ({ firstOffset: first, lastOffset: last }) => ({ firstOffset: first, lastOffset: last })
  )
}

/** Another backup, and which offsets of a damaged object it holds. */
export interface Elsewhere extends Pick<Range, "firstOffset" | "lastOffset"> {
  readonly backupId: BackupId
  /** It holds all of them. */
  readonly isWhole: boolean
}

/** What other backups hold of the damaged objects of one. */
export interface Found {
  /**
   * By the key of the object: the newest backup that has its offsets whole, or without such a one the newest that has a
   * part of them, with the first part.
   */
  readonly elsewhere: ReadonlyMap<string, Elsewhere>
  /** How many backups were not looked at although something was still open. */
  readonly left: number
}

/** Other backups that are looked at for one that is damaged, the newest first. */
const mostLooks = 20

/** Looks in the other backups of the resource, newer and older ones, the newest first. */
export const find = Effect.fn("WholeElsewhere.find")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  { backupId, facts }: Catalogue.BackupSet,
  damaged: ReadonlyArray<Damage.DamagedObject>
) {
  const elsewhere = new Map<string, Elsewhere>()
  if (facts === undefined || damaged.length === 0) return { elsewhere, left: 0 } satisfies Found as Found
  const { own } = yield* DamageMarking.known(store, resource)
  const others = own
    .filter((set) => set.backupId !== backupId && set.check?.damage === undefined)
    .toSorted((a, b) => b.completedMillis - a.completedMillis)
  for (const [looked, other] of others.entries()) {
    const open = damaged.filter(({ key }) => elsewhere.get(key)?.isWhole !== true)
    if (open.length === 0) break
    if (looked === mostLooks) return { elsewhere, left: others.length - looked } satisfies Found as Found
    const held = yield* Catalogue.factsOf(store, other.backupId).pipe(
      Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
    )
    if (held === undefined) continue
    const damagedThere = yield* Damage.read(store, other.backupId)
    for (const one of open) {
      const [part] = parts(one, facts, held, damagedThere)
      if (part === undefined) continue
      const isWhole = part.firstOffset === one.firstOffset && part.lastOffset === one.lastOffset
      if (!isWhole && elsewhere.has(one.key)) continue
      elsewhere.set(one.key, { ...part, backupId: other.backupId, isWhole })
    }
  }
  return { elsewhere, left: 0 } satisfies Found as Found
})
