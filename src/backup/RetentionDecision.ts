import { Effect } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import * as AbandonedRuns from "../manifest/AbandonedRuns.ts"
import * as Adoption from "../manifest/Adoption.ts"
import * as Pins from "../manifest/Pins.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as Remains from "../manifest/Remains.ts"
import type * as DamagedSets from "../manifest/DamagedSets.ts"
import * as Readers from "../manifest/Readers.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as AbandonedFolders from "./AbandonedFolders.ts"
import * as AcceptedLoss from "./AcceptedLoss.ts"
import * as Collecting from "./Collecting.ts"
import * as InUse from "./InUse.ts"
import * as ProvenRetention from "./ProvenRetention.ts"
import type * as Retention from "./Retention.ts"
import * as RetentionNeeds from "./RetentionNeeds.ts"
import * as RetentionOutcome from "./RetentionOutcome.ts"
import * as RetentionPlan from "./RetentionPlan.ts"
import * as RetentionWords from "./RetentionWords.ts"
import * as TooLargeNeeds from "./TooLargeNeeds.ts"

/**
 * How much a pass reads. A command reads every set and checks all that it keeps. A run trusts the index, and checks the
 * newest set and those that were checked longest ago: what it costs does not grow with the sets that are kept.
 */
export type Thoroughness = "run" | "everything"

/** As the resource says it: `acceptedLoss` is the text of its annotation. */
export interface Rules extends Omit<Retention.Rules, "acceptedTopics" | "nowMillis" | "pins"> {
  /** The annotation that pins backups. */
  readonly annotatedPins?: string | undefined
  /** The rules in words, for the status; absent where they are not those of the resource. */
  readonly text?: string | undefined
  /** Percent of the backups that a run checks although it removes none; absent for none. */
  readonly checkedPercent?: number | undefined
  /** The backup that the run's own was built on; absent where it is not known. */
  readonly builtOn?: BackupId.BackupId | undefined
}

/** Backups that a run has passed over when it looked for one to build on: some of them are not right. */
const passedOver = (own: ReadonlyArray<ProvenRetention.KnownSet>, { builtOn, own: made }: Rules): ReadonlySet<string> =>
  new Set(
    builtOn === undefined || made === undefined
      ? []
      : own.flatMap(({ backupId }) => (backupId > builtOn && backupId < made ? [backupId] : [])).slice(-checksPerRun)
  )

/** How many sets one run checks. With as many sets or fewer, it checks all of them whenever it removes one. */
const checksPerRun = 10

/** Backups of earlier resources that may only be between two runs, in another cluster: they count, and stay. */
const pinned = (
  { adopting, uid }: Adoption.Resource,
  { earlier }: Adoption.Adoption,
  nowMillis: number
): ReadonlySet<string> =>
  new Set(
    earlier.flatMap((one) =>
      adopting === undefined || uid === undefined || Adoption.isQuiet(one, adopting, nowMillis)
        ? []
        : one.sets.map(({ backupId }) => backupId)
    )
  )

/** What a pass does about these sets of the resource, if all that it must read can be read. */
const decideOn = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  adoption: Adoption.Adoption,
  { index, others: rest, retired, sets }: SetIndex.Known,
  own: ReadonlyArray<ProvenRetention.KnownSet & OwnSets.OwnSet>,
  inUse: InUse.InUse,
  rules: Rules,
  pins: ReadonlySet<string>,
  abandoned: ReadonlyArray<AbandonedRuns.AbandonedRun>,
  nowMillis: number,
  thoroughness: Thoroughness
) {
  const { acceptedLoss: text, annotatedPins, builtOn: _base, checkedPercent = 0, text: applied, ...others } = rules
  const isCommand = thoroughness === "everything"
  const routine = Math.min(checksPerRun, Math.ceil((own.length * checkedPercent) / 100))
  // A backup that retention has removed since is still meant; one of another resource never is.
  const { backupId: acceptedLoss, topics: acceptedTopics, unknown } = AcceptedLoss.parse(resource.name, text)
  const stay = new Set([...pinned(resource, adoption, nowMillis), ...inUse.keys()])
  const { blocked, decision, known, notes } = yield* ProvenRetention.decide(
    store,
    own,
    { ...others, nowMillis, pins, pinned: stay, acceptedLoss, acceptedTopics },
    { removing: isCommand ? Infinity : checksPerRun, routine, also: passedOver(own, rules) }
  )
  const inUseOnly = decision.kept.filter(({ backupId }) => !decision.reasons.has(backupId))
  notes.push(
    ...InUse.notes(
      inUse,
      inUseOnly.map(({ backupId }) => backupId)
    )
  )
  const missing = Pins.named(annotatedPins).filter((id) => !own.some(({ backupId }) => backupId === id))
  notes.push(...RetentionWords.ofAnnotations(unknown, missing))
  const heldBack = decision.heldBack.map(({ losses, set }) => ({
    backupId: set.backupId,
    why: RetentionWords.losses(set.backupId, losses)
  }))
  const unfinished = yield* SetRemoval.unfinished(store, Adoption.isLeftTo(resource, adoption, sets), rest)
  const expired = [...unfinished.map(({ backupId }) => backupId), ...decision.expired.map((set) => set.backupId)]
  const ownIds = new Set<string>(own.map(({ backupId }) => backupId))
  // Without those that the index named and that are gone.
  const knownNow = new Map<string, SetIndex.IndexedSet>(known.map((set) => [set.backupId, set]))
  const there = own.flatMap((set) => {
    const now = knownNow.get(set.backupId)
    return now === undefined ? [] : [{ ...set, ...now }]
  })
  const theirs = sets.filter(({ backupId }) => !ownIds.has(backupId))
  const indexing = (contents: SetIndex.Contents, leaving: ReadonlyArray<SetIndex.IndexedSet>) =>
    SetIndex.isSame(index, contents) ? {} : { index: { after: index.number, ...contents, leaving } }
  // What the checks found is known all the same.
  const removingNothing = (message: string): RetentionPlan.Decided => ({
    ...RetentionPlan.keepingAll(there, { blocked: [RetentionWords.unreadable(message)], notes, pins }),
    ...indexing({ sets: [...theirs, ...known], retired }, [])
  })
  if (blocked !== undefined) return removingNothing(blocked)
  // Only a command: the records of all runs are read for them.
  const all = Remains.known([...sets, ...rest, ...retired])
  const remaining = isCommand ? yield* Remains.of(store, Adoption.ownerOf(resource), all) : []
  const leftOver = Collecting.ownOf(retired, resource, adoption, sets)
  const planned = yield* TooLargeNeeds.plan(store, (held) => {
    const isGoing = (backupId: string) => !held.has(backupId)
    const removed = expired.filter(isGoing)
    const remains = remaining.filter(isGoing)
    const staying = [...theirs, ...known].filter(({ backupId }) => !removed.includes(backupId))
    const leaving = known.filter(({ backupId }) => removed.includes(backupId))
    const needs = RetentionNeeds.of(staying, rest)
    const demand: Collecting.Demand = {
      going: [...removed, ...remains, ...abandoned.map(({ backupId }) => backupId)],
      retired: (isCommand ? leftOver : RetentionNeeds.lookedAt(leftOver, needs, leaving)).filter(({ backupId }) =>
        isGoing(backupId)
      ),
      needs
    }
    return { removed, remains, staying, leaving, demand }
  })
  if (typeof planned === "string") return removingNothing(planned)
  const { collection, held } = planned
  const { demand, leaving, remains, removed, staying } = planned.decided
  notes.push(...RetentionWords.needed(held))
  const collected = new Set(collection.collected.map(({ backupId }) => backupId))
  const contents = { sets: staying, retired: retired.filter(({ backupId }) => !collected.has(backupId)) }
  return {
    outcome: RetentionOutcome.of(there, removed, {
      notes: [...notes, ...RetentionWords.remains(remains)],
      heldBack,
      reasons: decision.reasons,
      pins,
      ...(applied === undefined ? {} : { rules: applied }),
      ...(isCommand
        ? { space: yield* Collecting.space(store, { ...demand, going: [...removed, ...remains] }, collection) }
        : {})
    }),
    own: there,
    earlier: RetentionPlan.makersOf(resource, adoption, removed, unfinished, sets),
    remains,
    demand,
    collection,
    leavingNeeds: leaving,
    heedsReaders: true,
    staleReaders: [],
    ...indexing(contents, leaving)
  } satisfies RetentionPlan.Decided as RetentionPlan.Decided
})

/** Own backups that are not in the index and that nobody can read. */
const unreadableOf = (
  entries: SetIndex.Known["others"],
  owns: (owner: Owner) => boolean
): ReadonlyArray<DamagedSets.KnownSet> =>
  entries.flatMap((entry) =>
    entry._tag === "Unreadable" && entry.owner !== undefined && owns(entry.owner)
      ? [
          {
            backupId: entry.backupId,
            completedMillis: BackupId.slotMillis(entry.backupId) ?? 0,
            check: { damage: entry.detail }
          }
        ]
      : []
  )

/** What a pass over the present storage would do. Changes nothing. */
export const decide = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  rules: Rules,
  nowMillis: number,
  thoroughness: Thoroughness
) {
  const from = thoroughness === "run" ? "index" : "sets"
  const found = yield* SetIndex.known(store, Adoption.ownerOf(resource), from)
  const adoption = Adoption.of(found.sets, resource)
  const own = OwnSets.among(found.sets, resource, adoption).toSorted((a, b) => (a.backupId < b.backupId ? -1 : 1))
  const blocked = RetentionWords.unknownNeeds(found.others, resource)
  if (blocked.length > 0) {
    const unreadable = unreadableOf(found.others, (owner) => Adoption.owns(resource, adoption, owner))
    return RetentionPlan.keepingAll(own, { blocked, unreadable })
  }
  const unfinished = [
    ...found.others.flatMap((entry) => (entry._tag === "Incomplete" ? [entry.backupId] : [])),
    ...(thoroughness === "run" ? [] : yield* AbandonedRuns.unfinishedElsewhere(store, resource.name))
  ]
  const quiet = yield* AbandonedRuns.find(store, Adoption.ownerOf(resource), unfinished)
  const active = found.others.flatMap(({ _tag, backupId }) =>
    _tag === "Incomplete" && !quiet.folders.has(backupId) ? [backupId] : []
  )
  const readers = yield* Readers.all(store)
  const inUse = new Map([
    ...(yield* InUse.ofRuns(store, active)),
    ...InUse.ofReaders(readers.flatMap(({ live }) => live ?? []))
  ])
  const staleReaders = readers.flatMap(({ isStale, key }) => (isStale ? [key] : []))
  const pins = yield* Pins.of(store, rules.annotatedPins)
  const abandoned = yield* AbandonedFolders.decide(store, resource, found, inUse, quiet, pins)
  const { going } = abandoned
  const decided = yield* decideOn(
    store,
    resource,
    adoption,
    found,
    own,
    inUse,
    rules,
    pins,
    going,
    nowMillis,
    thoroughness
  )
  return decided.outcome.blocked.length > 0
    ? decided
    : { ...RetentionPlan.withAbandoned(decided, abandoned), staleReaders }
})
