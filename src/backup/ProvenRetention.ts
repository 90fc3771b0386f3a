import { Clock, Effect } from "effect"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import type { BackupId } from "../identity/BackupId.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import { CatalogueError, DocumentUnreadable } from "../manifest/CatalogueError.ts"
import * as Damage from "../manifest/Damage.ts"
import type * as ObjectSizes from "../manifest/ObjectSizes.ts"
import * as SetCheck from "../manifest/SetCheck.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import type { IndexedSet } from "../manifest/SetIndex.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as AcceptedLoss from "./AcceptedLoss.ts"
import * as Lineage from "./Lineage.ts"
import * as Retention from "./Retention.ts"
import * as RetentionProof from "./RetentionProof.ts"
import * as RetentionWords from "./RetentionWords.ts"
import * as SetsNaming from "./SetsNaming.ts"

/** A set of the owner, as the index knows it. */
export interface KnownSet extends IndexedSet {
  readonly completedMillis: number
}

/** Lineages that are held in memory: an expiring set, and two that it is compared with. */
const lineagesHeld = 3

/** Reads lineages, and remembers the last few. */
const lineages = (store: ObjectStoreShape) => {
  const held = new Map<string, Lineage.Lineage>()
  return Effect.fnUntraced(function* ({ backupId }: { readonly backupId: BackupId }) {
    const found = held.get(backupId)
    if (found !== undefined) return found
    const facts = yield* Catalogue.factsOf(store, backupId)
    if (facts === undefined) {
      const key = BackupKeys.facts(backupId)
      return yield* new CatalogueError({ reason: new DocumentUnreadable({ key, detail: "it is not there" }) })
    }
    const [oldest] = held.keys()
    if (held.size === lineagesHeld && oldest !== undefined) held.delete(oldest)
    const lineage = Lineage.of(facts)
    held.set(backupId, lineage)
    return lineage
  })
}

/** How many topics of one held-back set are remembered. One that is still lost is enough to keep the set. */
const topicsRemembered = 100

/**
 * The losses of a set beyond the number to keep. A set that was held back before is compared only with what was
 * completed since; what that leaves is still lost. If nothing is left, it is compared with all newer sets.
 */
const lossesOf = Effect.fnUntraced(function* (
  lineageOf: Retention.LineageOf<KnownSet, CatalogueError | ObjectStoreError>,
  remembered: Map<string, IndexedSet["lost"]>,
  isIntended: (loss: Lineage.Loss) => boolean,
  set: KnownSet,
  newer: ReadonlyArray<KnownSet>
) {
  const unintended = (losses: ReadonlyArray<Lineage.Loss>) => losses.filter((loss) => !isIntended(loss))
  const before = remembered.get(set.backupId)
  if (before !== undefined) {
    const since = newer.filter(({ completedMillis }, index) => index === 0 || completedMillis > before.byMillis)
    const isAsked = (topic: string) => before.topics.includes(topic)
    const still = unintended(yield* Retention.lostSince(lineageOf, set, since, isAsked))
    if (still.length > 0) return still
  }
  const losses = unintended(yield* Retention.lostSince(lineageOf, set, newer))
  const topics = losses.slice(0, topicsRemembered).map(({ topic }) => topic)
  const byMillis = newer.at(-1)?.completedMillis ?? set.completedMillis
  remembered.set(set.backupId, topics.length === 0 ? undefined : { byMillis, topics })
  return losses
})

/** Keys of what is recorded as damaged of one of these sets: some object is known by others to be damaged. */
const recordedObjects = Effect.fnUntraced(function* (store: ObjectStoreShape, sets: ReadonlyArray<KnownSet>) {
  const keys = new Set<string>()
  for (const { backupId, damage } of sets) {
    if (damage === undefined) continue
    for (const { key } of yield* Damage.read(store, backupId)) keys.add(key)
  }
  return keys as ReadonlySet<string>
})

/** How many sets are checked at most. */
export interface Checks {
  /** Where something expires, among those that stay. */
  readonly removing: number
  /** Where nothing does. */
  readonly routine: number
  /** Ids of those that are checked in any case. */
  readonly also?: ReadonlySet<string>
}

/** What was decided, and what is now known of each set. */
export interface Decided {
  readonly decision: Retention.Decision<KnownSet>
  readonly notes: Array<string>
  readonly known: ReadonlyArray<IndexedSet>
  /** Why nothing expires: facts that nobody can read. */
  readonly blocked?: string
}

/**
 * Decides on these sets after at most `checks` of those to keep were found whole, the newest in any case where one
 * expires or is damaged, as many of those that may name an object that is lost, and those that were checked longest
 * ago. A damaged set does not count: it must not push a good one out. It stays as long as a whole one would in its
 * place, since part of it may still be useful, and it never goes before a newer one was found whole. One that there is
 * no memory for counts, and proves nothing: see RetentionProof.ts. Where facts that are needed cannot be read, nothing
 * expires.
 */
export const decide = Effect.fn("ProvenRetention.decide")(function* (
  store: ObjectStoreShape,
  sets: ReadonlyArray<KnownSet>,
  rules: Retention.Rules,
  checks: Checks
) {
  const lineageOf = lineages(store)
  const recorded = yield* Effect.cached(recordedObjects(store, sets))
  const isIntended = AcceptedLoss.coversTopic(rules.acceptedTopics ?? [])
  const lost = new Map(sets.map(({ backupId, lost: before }) => [backupId as string, before]))
  const checked = new Map(sets.map(({ backupId, check: before }) => [backupId as string, before]))
  const sizes: ObjectSizes.Sizes = new Map()
  const present = new Set<string>()
  const gone = new Set<string>()
  const lostManifests = new Set<string>()
  const unchecked = new Map<string, string>()
  const isPresent = ({ backupId }: KnownSet) => checked.get(backupId)?.damage === undefined
  // What a reading has recorded, only a reading takes back: the sizes of objects do not say what is in them.
  const isCounted = (set: KnownSet) => set.damage === undefined && isPresent(set) && !gone.has(set.backupId)
  // Keys of objects that some set names and that are not there, or have another size.
  const lostObjects = new Set<string>()
  let [routineDone, namingDone] = [0, 0]
  const hasProof = (set: KnownSet) =>
    isCounted(set) && present.has(set.backupId) && (!unchecked.has(set.backupId) || set.backupId === rules.own)
  const told = (decided: Retention.Decision<KnownSet>, isNewestComplete: boolean): Decided => {
    const { goes, stays } = RetentionProof.of(
      decided,
      (set) => !isCounted(set),
      (set) => (hasProof(set) ? "Whole" : isNewestComplete ? "Complete" : "Unknown")
    )
    const decision = { ...decided, expired: goes }
    const expired = new Set(goes.map(({ backupId }) => backupId))
    const damaged = sets.flatMap(({ backupId, damage: recorded }): ReadonlyArray<RetentionWords.Damaged> => {
      const damage = recorded?.text ?? checked.get(backupId)?.damage
      if (damage === undefined || lostManifests.has(backupId)) return []
      return [{ backupId, damage, isExpired: expired.has(backupId) }]
    })
    const notes = [
      ...[...lostManifests].map((backupId) => `${backupId} has no manifest any more and is no backup`),
      ...RetentionWords.unchecked(unchecked),
      ...RetentionWords.damaged(damaged),
      ...RetentionWords.unproven(stays.map(({ backupId }) => backupId))
    ]
    const known = sets.flatMap(({ backupId, base, damage, facts, references }): ReadonlyArray<IndexedSet> => {
      if (gone.has(backupId)) return []
      const [found, missing] = [checked.get(backupId), lost.get(backupId)]
      return [
        {
          backupId,
          facts,
          references,
          ...(base === undefined ? {} : { base }),
          ...(found === undefined ? {} : { check: found }),
          ...(missing === undefined ? {} : { lost: missing }),
          ...(damage === undefined ? {} : { damage })
        }
      ]
    })
    return { decision, notes, known }
  }
  for (;;) {
    const counted = sets.filter(isCounted)
    const damaged = sets.filter((set) => !isCounted(set) && !gone.has(set.backupId))
    const lossesIn = (set: KnownSet, newer: ReadonlyArray<KnownSet>) =>
      lossesOf(lineageOf, lost, isIntended, set, newer)
    const decided = yield* Retention.decide(counted, rules, lossesIn, damaged).pipe(
      // The index named it, and somebody removed its facts and its manifest since.
      Effect.catchReason("CatalogueError", "SetIncomplete", ({ backupId, state }) => {
        if (state === "unfinished") lostManifests.add(backupId)
        return Effect.succeed(backupId)
      }),
      Effect.catchReason("CatalogueError", "SetNotFound", ({ backupId }) => Effect.succeed(backupId)),
      Effect.catchReason("CatalogueError", "DocumentUnreadable", (reason) => Effect.succeed(reason))
    )
    if (typeof decided === "string") {
      gone.add(decided)
      continue
    }
    if ("_tag" in decided) {
      const backupId = decided.key.slice(0, decided.key.indexOf("/"))
      if (decided.isTooLarge !== true) {
        const before = checked.get(backupId)
        checked.set(backupId, SetIndex.checkedAt(before, yield* Clock.currentTimeMillis, decided.message))
      }
      const nothing = { kept: counted, heldBack: [], expired: [], reasons: new Map<string, ReadonlyArray<string>>() }
      return { ...told(nothing, false), blocked: decided.message }
    }
    const decision = decided
    const isDoubtful = ({ backupId }: KnownSet) => !present.has(backupId) && !gone.has(backupId)
    // What was never checked was right when it was completed.
    const checkedMillis = ({ backupId, completedMillis }: KnownSet) =>
      checked.get(backupId)?.atMillis ?? completedMillis
    const leastRecently = (all: ReadonlyArray<KnownSet>) =>
      all.filter(isDoubtful).toSorted((a, b) => checkedMillis(a) - checkedMillis(b))
    const isQuiet = decision.expired.length === 0
    // The newest is what a restore takes: it was looked at where anything expires, or anything is damaged.
    const newest = isQuiet && damaged.length === 0 ? [] : decision.kept.slice(0, 1)
    // Where nothing expires, what was damaged is looked at, since somebody may have repaired it, and a few more.
    const others = isQuiet ? [] : decision.kept
    // What is lost damages all that name it.
    const naming = SetsNaming.order(decision.kept.filter(isDoubtful), lostObjects).slice(
      0,
      Math.max(0, checks.removing - namingDone)
    )
    namingDone += naming.length
    const doubtful = leastRecently([...others, ...sets.filter((set) => !isPresent(set))])
    const routine = isQuiet ? leastRecently(decision.kept).slice(0, Math.max(0, checks.routine - routineDone)) : []
    routineDone += routine.length
    // Without a proof, others are tried than those that there is no memory for, at two requests for each.
    const tried = sets.some(hasProof) ? present.size : present.size - unchecked.size
    const most = Math.max(0, checks.removing - tried - 1)
    const also = sets.filter((set) => checks.also?.has(set.backupId) === true && isDoubtful(set))
    const due = new Set([...also, ...newest.filter(isDoubtful), ...naming, ...doubtful.slice(0, most), ...routine])
    if (due.size === 0) {
      const latest = decision.kept[0]?.backupId
      const isUnopened = !isQuiet && latest !== undefined && latest !== rules.own && unchecked.has(latest)
      return told(decision, isUnopened && (yield* SetCheck.isComplete(store, latest)))
    }
    const atMillis = yield* Clock.currentTimeMillis
    // One after the other: a manifest may take hundreds of megabytes, and the next one names what was found already.
    for (const { backupId, damage } of due) {
      // While its manifest was not right, nothing was recorded of it by what others know of an object.
      const isBack = damage === undefined && checked.get(backupId)?.damage !== undefined
      const found = yield* SetCheck.check(store, backupId, sizes, isBack ? yield* recorded : undefined)
      present.add(backupId)
      if (found._tag === "Gone") gone.add(backupId)
      if (found._tag === "TooLarge") unchecked.set(backupId, found.why)
      if (found._tag === "Damaged") for (const key of found.lost) lostObjects.add(key)
      // One that was not read keeps what is known of it, and others come first next time.
      const before = checked.get(backupId)
      const problem = found._tag === "Damaged" ? found.problem : found._tag === "TooLarge" ? before?.damage : undefined
      checked.set(backupId, SetIndex.checkedAt(before, atMillis, problem))
    }
  }
})
