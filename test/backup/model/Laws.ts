import { Effect } from "effect"
import type { RunSuccess } from "../../../src/backup/Run.ts"
import type { RunRequest } from "../../../src/backup/RunRequest.ts"
import * as Catalogue from "../../../src/manifest/Catalogue.ts"
import * as Verification from "../../../src/manifest/Verification.ts"
import { ObjectKey, type ObjectStoreShape } from "../../../src/storage/ObjectStore.ts"
import * as Reading from "./Reading.ts"
import type { Expected, PlainRecord } from "./Records.ts"
import * as Sets from "./Sets.ts"
import { foreign, type World } from "./World.ts"

/*
 * What holds after each step, whatever happened. The numbers are those of the laws:
 * 1 a backup holds exactly the records of its range, 2 the last value of each key is Kafka's, 3 no object is missing
 * that a backup names, 4 nothing is left after everything was removed, 5 nobody touches what belongs to others, 6 a run
 * reads and writes what is new, 7 a full backup of the same instant holds the same. And of damage: who reads all bytes
 * finds it, and nobody gets wrong records.
 */

/** Clocks that show different times may keep a deletion from being noticed: docs/reliability.md says how. */
const isDoubtful = (world: World, { facts }: Sets.StoredSet, all: ReadonlyMap<string, Sets.StoredSet>): boolean => {
  for (let at = facts; at.base !== undefined;) {
    const base = world.skews.get(at.base.backupId)
    if ((base?.high ?? 0) > (world.skews.get(at.backupId)?.low ?? 0)) return true
    const next = all.get(at.base.backupId)
    // It was removed: what was said of it before still counts.
    if (next === undefined) return world.doubtful.has(at.base.backupId)
    at = next.facts
  }
  return false
}

const lastValues = (records: ReadonlyArray<PlainRecord>, logStart: number) => {
  const values = new Map<string, string | null>()
  for (const { key, offset, value } of records) if (key !== null && offset >= logStart) values.set(key, value)
  return values
}

const differences = (
  place: string,
  is: ReadonlyMap<string, string | null>,
  should: ReadonlyMap<string, string | null>
): ReadonlyArray<string> =>
  [...new Set([...is.keys(), ...should.keys()])].flatMap((key) => {
    const [found, wanted] = [is.get(key) ?? null, should.get(key) ?? null]
    return found === wanted ? [] : [`2: ${place}: ${key} has the value ${found} instead of ${wanted}`]
  })

/** Laws 1 and 2 for what could be read of one partition. */
const ofPartition = (
  place: string,
  law: Expected,
  records: ReadonlyArray<PlainRecord>,
  isWhole: boolean,
  hasValues: boolean
): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const strange: Array<number | undefined> = law.views.map(() => undefined)
  const offsets = new Set<number>()
  let before = -1
  for (const { offset, text } of records) {
    if (offset <= before) problems.push(`1: ${place}: offset ${offset} follows ${before}`)
    before = offset
    offsets.add(offset)
    for (const [n, view] of law.views.entries()) if (view.get(offset)?.has(text) !== true) strange[n] ??= offset
  }
  if (!strange.includes(undefined)) {
    problems.push(`1: ${place}: offset ${Math.min(...strange.flatMap((at) => at ?? []))} holds what Kafka never held`)
  }
  if (!isWhole) return problems
  for (const [offset] of law.now) if (!offsets.has(offset)) problems.push(`1: ${place} lacks offset ${offset}`)
  if (!hasValues || law.values === undefined) return problems
  return [...problems, ...differences(place, lastValues(records, law.logStart), law.values)]
}

const ofSet = Effect.fnUntraced(function* (world: World, set: Sets.StoredSet, isDoubted: boolean) {
  const { backupId } = set
  const laws = world.expected.get(backupId)
  if (laws === undefined) return [`1: nobody knows of ${backupId}`]
  const damage = new Set(Sets.damageOf(world, set))
  const problems: Array<string> = []
  for (const law of laws) {
    const place = `${backupId} ${law.topic}[${law.partition}]`
    const records: Array<PlainRecord> = []
    let isWhole = true
    for (const segment of Reading.segmentsOf(set, law.topic, law.partition)) {
      const found = yield* Reading.content(world, set, segment)
      if ("records" in found) records.push(...found.records)
      else {
        isWhole = false
        if (!damage.has(segment.key)) problems.push(`3: ${place}: ${segment.key} cannot be read: ${found.problem}`)
      }
    }
    problems.push(...ofPartition(place, law, records, isWhole, !isDoubted))
  }
  return problems
})

/** Whoever reads every byte finds the damage, or cannot open the backup at all. */
const isFound = (world: World, backupId: string) =>
  Catalogue.open(world.store, backupId).pipe(
    Effect.flatMap((set) => Verification.verify(world.store, set, "records")),
    Effect.map((verification) => !Verification.isWhole(verification)),
    Effect.catchTag("CatalogueError", () => Effect.succeed(true))
  )

/** All laws about what is stored. What has not changed since it was looked at is not looked at again. */
export const check = Effect.fnUntraced(function* (world: World) {
  const found = yield* Sets.complete(world)
  const all = new Map(found.flatMap(({ backupId, set }) => (set === undefined ? [] : [[backupId, set] as const])))
  for (const { backupId, set, why } of found) {
    const damage = set === undefined ? [] : Sets.damageOf(world, set)
    const isTorn = Sets.isTorn(world, backupId, set)
    const seen =
      set === undefined
        ? ""
        : [world.expected.get(backupId)?.[0]?.views.length, ...set.segments.map(({ key }) => world.versions.get(key))]
            .concat(...damage.map((key) => world.versions.get(key) ?? -1))
            .join()
    if (set === undefined) {
      if (!isTorn) world.problems.push(`3: ${backupId} cannot be read: ${why}`)
      continue
    }
    if (world.checked.get(backupId) === seen) continue
    const isDoubted = isDoubtful(world, set, all)
    if (isDoubted) world.doubtful.add(backupId)
    if (!isTorn) world.problems.push(...(yield* ofSet(world, set, isDoubted)))
    if (damage.length + Number(isTorn) > 0 && !(yield* isFound(world, backupId))) {
      world.problems.push(`${backupId}: nobody finds the damage of ${damage[0]}`)
    }
    world.checked.set(backupId, seen)
  }
  for (const [key, text] of foreign) {
    const bytes = yield* Effect.option(world.store.get(ObjectKey.make(key)))
    if (bytes._tag === "None" || Buffer.from(bytes.value).toString() !== text)
      world.problems.push(`5: ${key} was touched`)
  }
})

/** Law 6. `touched` is what happened since the last backup but the production of records. */
export const cost = (
  world: World,
  { facts, healed = [] }: Pick<RunSuccess, "facts" | "healed">,
  asked: RunRequest,
  touched: World["touched"]
): void => {
  const { newRecords = 0, newStoredBytes = 0, joinedStoredBytes = 0 } = facts.totals
  let expected = 0
  for (const law of world.expected.get(facts.backupId) ?? []) {
    const part = facts.topics
      .find(({ name }) => name === law.topic)
      ?.partitions.find(({ partition }) => partition === law.partition)
    const from = part?.reused?.until ?? 0
    const again = healed.filter(
      (one) => one.topic === law.topic && one.partition === law.partition && !one.isPutBack && one.until <= from
    )
    const isRead = (offset: number) => offset >= from || again.some((one) => one.from <= offset && offset < one.until)
    expected += [...law.now.keys()].filter(isRead).length
    const isClean =
      asked.incremental !== undefined &&
      facts.full !== "FullDue" &&
      !law.isCompacted &&
      touched !== "everything" &&
      !touched.has(`${law.topic}/${law.partition}`)
    if (isClean && part !== undefined && part.reused === undefined && part.from < part.until) {
      const why = part.full ?? facts.full
      // Without a reason there was nothing to take over.
      if (why !== undefined && why !== "NothingLeft") {
        world.problems.push(`6: ${facts.backupId} ${law.topic}[${law.partition}] was read in full: ${why}`)
      }
    }
  }
  if (newRecords !== expected) {
    world.problems.push(`6: ${facts.backupId} has read ${newRecords} records instead of ${expected}`)
  }
  // A join costs its own head, and the tables of its compression.
  if (joinedStoredBytes > 2 * newStoredBytes + (newStoredBytes > 0 ? 4096 : 0)) {
    world.problems.push(`6: ${facts.backupId} joins ${joinedStoredBytes} bytes, and has ${newStoredBytes} new ones`)
  }
}

/** A new backup names no object that was known to be gone or altered when it began. */
export const namesNothingMissing = Effect.fnUntraced(function* (
  world: World,
  backupId: string,
  known: ReadonlySet<string>
) {
  const found = (yield* Sets.complete(world)).find((one) => one.backupId === backupId)
  // Some were put back as they had been.
  const named = found?.set?.segments.find(({ key }) => known.has(key) && world.damaged.has(key))
  if (named !== undefined) world.problems.push(`3: ${backupId} names ${named.key}, which is not right`)
})

/** Law 7: the backup, and a full one in a store of its own. */
export const equalsFull = Effect.fnUntraced(function* (world: World, backupId: string, fullStore: ObjectStoreShape) {
  const all = new Map(
    (yield* Sets.complete(world)).flatMap(({ backupId: id, set }) => (set === undefined ? [] : [[id, set] as const]))
  )
  const [set, full] = [all.get(backupId), yield* Effect.orDie(Catalogue.open(fullStore, backupId))]
  if (set === undefined || full.facts === undefined) return
  if (Sets.damageOf(world, set).length > 0) return
  const isDoubted = isDoubtful(world, set, all)
  const whole: Sets.StoredSet = { backupId, manifest: full.manifest, facts: full.facts, segments: [] }
  for (const { isCompacted, logStart, partition, topic } of world.expected.get(backupId) ?? []) {
    const place = `7: ${backupId} ${topic}[${partition}]`
    const of = (contents: ReadonlyArray<Reading.Content>) => {
      const records = contents.flatMap((content) => ("records" in content ? content.records : []))
      const broken = contents.find((content) => "problem" in content)
      if (broken !== undefined) world.problems.push(`${place} cannot be read: ${broken.problem}`)
      return records.filter(({ offset }) => offset >= logStart)
    }
    const is = of(
      yield* Effect.forEach(Reading.segmentsOf(set, topic, partition), (segment) =>
        Reading.content(world, set, segment)
      )
    )
    const should = of(yield* Reading.partition(fullStore, whole, topic, partition))
    const texts = new Map(is.map(({ offset, text }) => [offset, text]))
    const lacks = should.find(({ offset, text }) => texts.get(offset) !== text)
    if (lacks !== undefined) world.problems.push(`${place} differs at offset ${lacks.offset}`)
    if (!isCompacted && is.length !== should.length) {
      world.problems.push(`${place} has ${is.length} records, and a full backup ${should.length}`)
    }
    if (!isDoubted) world.problems.push(...differences(place, lastValues(is, logStart), lastValues(should, logStart)))
  }
})
