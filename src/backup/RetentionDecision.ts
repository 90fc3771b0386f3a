import { Effect } from "effect"
import type * as BackupId from "../identity/BackupId.ts"
import { isSameOwner, type Owner } from "../identity/RunIdentity.ts"
import * as AbandonedRuns from "../manifest/AbandonedRuns.ts"
import * as Adoption from "../manifest/Adoption.ts"
import type * as Catalogue from "../manifest/Catalogue.ts"
import * as Pins from "../manifest/Pins.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as Remains from "../manifest/Remains.ts"
import type { RetiredFolder } from "../manifest/RetiredFolder.ts"
import type * as DamagedSets from "../manifest/DamagedSets.ts"
import type * as Needs from "../manifest/Needs.ts"
import * as Readers from "../manifest/Readers.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import { acceptLossAnnotation, pinAnnotation } from "../resource/KafkaBackup.ts"
import type { ObjectKey, ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as AbandonedFolders from "./AbandonedFolders.ts"
import * as AcceptedLoss from "./AcceptedLoss.ts"
import * as Collecting from "./Collecting.ts"
import * as Lineage from "./Lineage.ts"
import * as InUse from "./InUse.ts"
import * as ProvenRetention from "./ProvenRetention.ts"
import type * as Retention from "./Retention.ts"
import * as RetentionOutcome from "./RetentionOutcome.ts"

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
}

/** How many sets one run checks. With as many sets or fewer, it checks all of them whenever it removes one. */
const checksPerRun = 10

/** An earlier resource whose backups are removed. */
export interface Maker {
  readonly owner: Owner
  /** No backup of it is left. */
  readonly isLast: boolean
}

/** What a pass is going to remove. */
export interface Decided {
  readonly outcome: RetentionOutcome.RetentionOutcome
  /** The sets of the owner before anything is removed. */
  readonly own: ReadonlyArray<OwnSets.OwnSet & DamagedSets.Told>
  /** What decides on the objects of what is removed, and what follows from it. */
  readonly demand: Collecting.Demand
  readonly collection: Collecting.Collection
  /** What the sets that are removed need, in case the store does not let them go. */
  readonly leavingNeeds: ReadonlyArray<Needs.Need>
  /** Whether a set stays that somebody began to read meanwhile. */
  readonly heedsReaders: boolean
  /** Documents of readers that ended long ago. */
  readonly staleReaders: ReadonlyArray<ObjectKey>
  /** Folders without a backup in which paused attempts wrote after the removal: removed, too. */
  readonly remains: ReadonlyArray<BackupId.BackupId>
  /** Unfinished runs, of any resource, that are removed as well; they are no backups. */
  readonly abandoned?: ReadonlyArray<AbandonedRuns.AbandonedRun>
  readonly earlier: ReadonlyArray<Maker>
  /** What the index holds from now on, and the number of the present one; absent if it stays as it is. */
  readonly index?: SetIndex.Contents & {
    readonly after: number
    /** The sets that are removed, in case the store does not let them go. */
    readonly leaving: ReadonlyArray<SetIndex.IndexedSet>
  }
}

/**
 * A note for each backup of this owner that may need objects of other backups, because its manifest cannot be read.
 * Backups of other owners and files of other applications need nothing of this owner.
 */
export const unknownNeeds = (
  entries: ReadonlyArray<Catalogue.CatalogueEntry>,
  resource: Adoption.Resource
): ReadonlyArray<string> =>
  entries.flatMap((entry) =>
    entry._tag === "Unreadable" &&
    !entry.isForeign &&
    (entry.owner === undefined || Adoption.mayNeed(resource, entry.owner))
      ? [`retention removed nothing, because ${entry.backupId} may need objects of other backups: ${entry.detail}`]
      : []
  )

/** How many losses are named for one backup. */
const namedLosses = 5

const why = (backupId: BackupId.BackupId, losses: ReadonlyArray<Lineage.Loss>): string => {
  const named = losses.slice(0, namedLosses).map((loss) => Lineage.sentence(loss, backupId))
  const more = losses.length - named.length
  return [...named, ...(more === 0 ? [] : [`and ${more} more topics`])].join("; ")
}

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

/** The earlier resources that made one of these backups; `all` are the backups of every resource. */
export const makersOf = (
  { earlier }: Adoption.Adoption,
  removed: ReadonlyArray<string>,
  all: ReadonlyArray<Adoption.Candidate>
): ReadonlyArray<Maker> =>
  earlier
    .filter(({ sets }) => sets.some(({ backupId }) => removed.includes(backupId)))
    .map(({ owner }) => ({
      owner,
      isLast: all.every(
        ({ backupId, facts }) => !isSameOwner(facts.identity.owner, owner) || removed.includes(backupId)
      )
    }))

/** What the sets need that stay, those of other tools included. */
const needsOf = (
  sets: ReadonlyArray<SetIndex.IndexedSet>,
  others: ReadonlyArray<Catalogue.CatalogueEntry>
): ReadonlyArray<Needs.Need> =>
  [...sets, ...others.flatMap((entry) => (entry._tag === "Complete" ? [entry] : []))].filter(
    ({ references }) => references.length > 0
  )

/** The retired folders that a pass looks at: in a run those of which something may be free since the last one. */
const lookedAt = (
  retired: ReadonlyArray<RetiredFolder>,
  needs: ReadonlyArray<Needs.Need>,
  leaving: ReadonlyArray<Needs.Need>
): ReadonlyArray<RetiredFolder> => {
  const [needed, freed] = [needs, leaving].map((all) => new Set(all.flatMap(({ references }) => references)))
  return retired.filter(({ backupId }) => !needed!.has(backupId) || freed!.has(backupId))
}

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
  checks: number
) {
  const { acceptedLoss: text, annotatedPins, text: applied, ...others } = rules
  // A backup that retention has removed since is still meant; one of another resource never is.
  const { backupId: acceptedLoss, topics: acceptedTopics, unknown } = AcceptedLoss.parse(resource.name, text)
  const stay = new Set([...pinned(resource, adoption, nowMillis), ...inUse.keys()])
  const { decision, known, notes } = yield* ProvenRetention.decide(
    store,
    own,
    { ...others, nowMillis, pins, pinned: stay, acceptedLoss, acceptedTopics },
    checks
  )
  const inUseOnly = decision.kept.filter(({ backupId }) => !decision.reasons.has(backupId))
  notes.push(
    ...InUse.notes(
      inUse,
      inUseOnly.map(({ backupId }) => backupId)
    )
  )
  if (unknown.length > 0) {
    const named = unknown.map((entry) => `"${entry.slice(0, 100)}"`).join(", ")
    notes.push(
      `annotation ${acceptLossAnnotation} is ignored in part: ${named} is neither a backup of this resource nor topic:PATTERN`
    )
  }
  const missing = Pins.named(annotatedPins).filter((id) => !own.some(({ backupId }) => backupId === id))
  if (missing.length > 0) {
    notes.push(
      `annotation ${pinAnnotation} pins backups that this resource does not have: ${missing.map((id) => id.slice(0, 300)).join(", ")}`
    )
  }
  const heldBack = decision.heldBack.map(({ losses, set }) => ({
    backupId: set.backupId,
    why: why(set.backupId, losses)
  }))
  const removed = [
    ...(yield* SetRemoval.unfinished(store, (owner) => Adoption.owns(resource, adoption, owner), rest)),
    ...decision.expired.map((set) => set.backupId)
  ]
  const ownIds = new Set<string>(own.map(({ backupId }) => backupId))
  // Without those that the index named and that are gone.
  const knownNow = new Map<string, SetIndex.IndexedSet>(known.map((set) => [set.backupId, set]))
  const there = own.flatMap((set) => {
    const now = knownNow.get(set.backupId)
    return now === undefined ? [] : [{ ...set, ...now }]
  })
  const staying = [...sets.filter(({ backupId }) => !ownIds.has(backupId)), ...known].filter(
    ({ backupId }) => !removed.includes(backupId)
  )
  const leaving = known.filter(({ backupId }) => removed.includes(backupId))
  const isCommand = checks === Infinity
  // Only a command: the records of all runs are read for them.
  const all = Remains.known([...sets, ...rest, ...retired])
  const remains = isCommand ? yield* Remains.of(store, Adoption.ownerOf(resource), all) : []
  const needs = needsOf(staying, rest)
  const leftOver = Collecting.ownOf(retired, resource, adoption, sets)
  const demand: Collecting.Demand = {
    going: [...removed, ...remains, ...abandoned.map(({ backupId }) => backupId)],
    retired: isCommand ? leftOver : lookedAt(leftOver, needs, leaving),
    needs
  }
  const collection = yield* Collecting.plan(store, demand)
  const collected = new Set(collection.collected.map(({ backupId }) => backupId))
  const contents = { sets: staying, retired: retired.filter(({ backupId }) => !collected.has(backupId)) }
  return {
    outcome: RetentionOutcome.of(there, removed, {
      notes: [...notes, ...remainsNotes(remains)],
      heldBack,
      reasons: decision.reasons,
      pins,
      ...(applied === undefined ? {} : { rules: applied }),
      ...(isCommand
        ? { space: yield* Collecting.space(store, { ...demand, going: [...removed, ...remains] }, collection) }
        : {})
    }),
    own: there,
    earlier: makersOf(adoption, removed, sets),
    remains,
    demand,
    collection,
    leavingNeeds: leaving,
    heedsReaders: true,
    staleReaders: [],
    ...(SetIndex.isSame(index, contents) ? {} : { index: { after: index.number, ...contents, leaving } })
  } satisfies Decided as Decided
})

const withAbandoned = (decided: Decided, { going, notes: staying }: AbandonedFolders.Decided): Decided => {
  const notes = [...decided.outcome.notes, ...staying, ...going.map(AbandonedRuns.note)]
  return { ...decided, abandoned: going, outcome: { ...decided.outcome, notes } }
}

const nothingToCollect = {
  demand: { going: [], retired: [], needs: [] },
  collection: { stillNamed: new Set<string>(), collected: [] },
  leavingNeeds: []
} as const

/** What a pass over the present storage would do. Changes nothing. */
export const decide = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  rules: Rules,
  nowMillis: number,
  thoroughness: Thoroughness
) {
  const [from, checks] = thoroughness === "run" ? (["index", checksPerRun] as const) : (["sets", Infinity] as const)
  const found = yield* SetIndex.known(store, Adoption.ownerOf(resource), from)
  const adoption = Adoption.of(found.sets, resource)
  const own = OwnSets.among(found.sets, resource, adoption).toSorted((a, b) => (a.backupId < b.backupId ? -1 : 1))
  const refused = (blocked: ReadonlyArray<string>): Decided => ({
    outcome: RetentionOutcome.of(own, [], { blocked }),
    own,
    earlier: [],
    ...nothingToCollect,
    remains: [],
    heedsReaders: true,
    staleReaders: []
  })
  const blocked = unknownNeeds(found.others, resource)
  if (blocked.length > 0) return refused(blocked)
  const unfinished = [
    ...found.others.flatMap((entry) => (entry._tag === "Incomplete" ? [entry.backupId] : [])),
    ...(thoroughness === "run" ? [] : yield* AbandonedRuns.unfinishedElsewhere(store, resource.name))
  ]
  const quiet = yield* AbandonedRuns.find(store, Adoption.ownerOf(resource), unfinished)
  const given = new Set<string>(quiet.map(({ backupId }) => backupId))
  const active = found.others.flatMap(({ _tag, backupId }) =>
    _tag === "Incomplete" && !given.has(backupId) ? [backupId] : []
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
  return yield* decideOn(store, resource, adoption, found, own, inUse, rules, pins, going, nowMillis, checks).pipe(
    Effect.map((decided): Decided => ({ ...withAbandoned(decided, abandoned), staleReaders })),
    Effect.catchReason("CatalogueError", "DocumentUnreadable", ({ message }) =>
      Effect.succeed(
        refused([`retention removed nothing, because a backup of this resource cannot be read: ${message}`])
      )
    )
  )
})

/** A note for each folder with remains. */
export const remainsNotes = (remains: ReadonlyArray<BackupId.BackupId>): ReadonlyArray<string> =>
  remains.map(
    (backupId) =>
      `${backupId} is no backup: it holds objects of a backup that was removed; prune removes what no backup needs`
  )
