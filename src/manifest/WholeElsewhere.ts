import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type * as Adoption from "./Adoption.ts"
import * as Catalogue from "./Catalogue.ts"
import * as Damage from "./Damage.ts"
import * as DamageMarking from "./DamageMarking.ts"
import type { SetFacts } from "./SetFacts.ts"

/* Which newer backup has whole what is damaged of an older one. */

/** A range of offsets of one partition. */
export type Range = Pick<Damage.DamagedObject, "firstOffset" | "lastOffset" | "partition" | "topic">

/** The facts that say which offsets of which log a backup holds. */
export type Held = Pick<SetFacts, "gaps" | "topics">

const overlaps = (a: Range, b: Range): boolean =>
  a.topic === b.topic && a.partition === b.partition && a.firstOffset <= b.lastOffset && b.firstOffset <= a.lastOffset

/**
 * True if another backup of the same topic holds all offsets of the range, and nothing of it is damaged or was lost to
 * that backup, because Kafka deleted it while it was read. A topic
 * that was made anew since is another one. Pure.
 */
export const isWhole = (range: Range, of: Held, other: Held, damaged: ReadonlyArray<Range>): boolean => {
  const [topic, later] = [of, other].map(({ topics }) => topics.find(({ name }) => name === range.topic))
  if (later === undefined) return false
  if (topic?.topicId !== undefined && later.topicId !== undefined && topic.topicId !== later.topicId) return false
  const held = later.partitions.find(({ partition }) => partition === range.partition)
  if (held === undefined || range.firstOffset < held.from || range.lastOffset >= held.until) return false
  const holes = other.gaps.map(({ from, until, ...gap }): Range => ({
    ...gap,
    firstOffset: from,
    lastOffset: until - 1
  }))
  return ![...damaged, ...holes].some((one) => overlaps(range, one))
}

/** Newer backups that are looked at for one that is damaged, the newest first. */
const mostLooks = 20

/** For each damaged object the newest of the newer backups that has its offsets whole, by its key. */
export const find = Effect.fn("WholeElsewhere.find")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  { backupId, facts }: Catalogue.BackupSet,
  damaged: ReadonlyArray<Damage.DamagedObject>
) {
  const found = new Map<string, BackupId>()
  if (facts === undefined || damaged.length === 0) return found as ReadonlyMap<string, BackupId>
  const { own } = yield* DamageMarking.known(store, resource)
  const newer = own
    .filter((set) => set.completedMillis > facts.completedMillis && set.check?.damage === undefined)
    .toSorted((a, b) => b.completedMillis - a.completedMillis)
  for (const other of newer.slice(0, mostLooks)) {
    const open = damaged.filter(({ key }) => !found.has(key))
    if (open.length === 0) break
    const held = yield* Catalogue.factsOf(store, other.backupId).pipe(
      Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
    )
    if (held === undefined || other.backupId === backupId) continue
    const damagedThere = yield* Damage.read(store, other.backupId)
    for (const one of open) if (isWhole(one, facts, held, damagedThere)) found.set(one.key, other.backupId)
  }
  return found as ReadonlyMap<string, BackupId>
})
