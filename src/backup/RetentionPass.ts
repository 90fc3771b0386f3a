import { Effect } from "effect"
import { isSameOwner, type Owner } from "../identity/RunIdentity.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as Presence from "../manifest/Presence.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Lineage from "./Lineage.ts"
import * as Retention from "./Retention.ts"

/** What a pass did. */
export interface RetentionOutcome {
  readonly kept: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  /** Backups that stay beyond those to keep, because newer ones lost what they hold: id and why. */
  readonly heldBack: ReadonlyArray<{ readonly backupId: string; readonly why: string }>
  /** Why less was removed than asked for. */
  readonly notes: ReadonlyArray<string>
  /** The kept sets, for history; absent when the pass did not come so far. */
  readonly catalogue?: CatalogueSummary
}

/** What is in storage, and what a pass means to do with it. */
export interface Decided {
  readonly entries: ReadonlyArray<Catalogue.CatalogueEntry>
  readonly outcome: RetentionOutcome
}

/** The outcome of removing `removed` of what there is. */
export const outcome = (
  entries: ReadonlyArray<Catalogue.CatalogueEntry>,
  owner: Owner,
  removed: ReadonlyArray<string>,
  notes: ReadonlyArray<string>,
  heldBack: RetentionOutcome["heldBack"] = []
): RetentionOutcome => {
  const kept = OwnSets.of(entries, owner).filter((set) => !removed.includes(set.backupId))
  return { kept: kept.map((set) => set.backupId), removed, heldBack, notes, catalogue: OwnSets.summary(kept) }
}

/**
 * A note for each backup of this owner of which nobody knows what it needs. Another owner's backups and other
 * applications' files need nothing of this one's.
 */
export const unknownNeeds = (entries: ReadonlyArray<Catalogue.CatalogueEntry>, owner: Owner): ReadonlyArray<string> =>
  entries.flatMap((entry) =>
    entry._tag === "Unreadable" && !entry.isForeign && (entry.owner === undefined || isSameOwner(entry.owner, owner))
      ? [`retention removed nothing: what ${entry.backupId} still needs is unknown: ${entry.detail}`]
      : []
  )

/** At most this many losses are named for one backup. */
const namedLosses = 5

const why = (backupId: string, losses: ReadonlyArray<Lineage.Loss>): string => {
  const named = losses.slice(0, namedLosses).map((loss) => Lineage.sentence(loss, backupId))
  const more = losses.length - named.length
  return [...named, ...(more === 0 ? [] : [`and ${more} more topics`])].join("; ")
}

/**
 * What rules say about these sets, where every backup that would be kept was found whole just now. A damaged one neither
 * counts nor goes: something of it may still be wanted, and it must not push a good one out.
 */
const proven = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  sets: ReadonlyArray<OwnSets.OwnSet>,
  rules: Retention.Rules
) {
  let counted = sets.map((set) => ({ ...set, lineage: Lineage.of(set.facts) }))
  const whole = new Set<string>()
  const notes: Array<string> = []
  for (;;) {
    const decision = Retention.decide(counted, rules)
    const doubtful = decision.kept.filter(({ backupId }) => !whole.has(backupId))
    if (decision.expired.length === 0 || doubtful.length === 0) return { decision, notes }
    const damaged = new Set<string>()
    for (const { backupId } of doubtful) {
      const problems = yield* Presence.problems(store, yield* Catalogue.open(store, backupId))
      if (problems.length === 0) whole.add(backupId)
      else {
        damaged.add(backupId)
        const more = problems.length > 1 ? ` and ${problems.length - 1} more objects are missing or altered` : ""
        notes.push(`${backupId} is damaged and does not count for retention: ${problems[0]}${more}`)
      }
    }
    counted = counted.filter(({ backupId }) => !damaged.has(backupId))
  }
})

/** What a pass over what is stored now would do. */
const decide = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, rules: Retention.Rules) {
  const entries = yield* Catalogue.entries(store)
  const unknown = unknownNeeds(entries, owner)
  if (unknown.length > 0) return { entries, outcome: outcome(entries, owner, [], unknown) } satisfies Decided
  const { decision, notes } = yield* proven(store, OwnSets.of(entries, owner), rules)
  const heldBack = decision.heldBack.map(({ losses, set }) => ({
    backupId: set.backupId,
    why: why(set.backupId, losses)
  }))
  const removed = [
    ...(yield* SetRemoval.unfinished(store, owner, entries)),
    ...decision.expired.map((set) => set.backupId)
  ]
  return { entries, outcome: outcome(entries, owner, removed, notes, heldBack) } satisfies Decided
})

/** Removes what was decided on, and nothing that a set which stays still names. */
export const carryOut = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, decided: Decided) {
  const { removed } = decided.outcome
  if (removed.length > 0) {
    const staying = decided.entries.flatMap((entry) =>
      entry._tag === "Complete" && !removed.includes(entry.backupId) ? [entry.backupId] : []
    )
    const stillNamed = yield* SetRemoval.namedElsewhere(store, staying)
    yield* Effect.forEach(removed, (backupId) => SetRemoval.remove(store, backupId, owner, stillNamed), {
      discard: true
    })
  }
  return decided.outcome
})

/** What `run` would do now, without doing it. */
export const preview = Effect.fn("RetentionPass.preview")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  rules: Retention.Rules
) {
  return (yield* decide(store, owner, rules)).outcome
})

/**
 * Keeps what the rules say of this owner's proven backups and removes the others, after finishing removals that
 * were cut short. Sets of others, unfinished runs and foreign files are not touched. The caller holds the owner's lock.
 */
export const run = Effect.fn("RetentionPass.run")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  rules: Retention.Rules
) {
  return yield* carryOut(store, owner, yield* decide(store, owner, rules))
})
