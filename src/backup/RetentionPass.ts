import { Effect } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { isSameOwner, type Owner } from "../identity/RunIdentity.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as Presence from "../manifest/Presence.ts"
import * as Seal from "../manifest/Seal.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import { acceptLossAnnotation } from "../resource/KafkaBackup.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isLocked, lockedText } from "../storage/ObjectStoreError.ts"
import * as Lineage from "./Lineage.ts"
import * as Retention from "./Retention.ts"

/** The result of a retention pass. */
export interface RetentionOutcome {
  readonly kept: ReadonlyArray<BackupId.BackupId>
  readonly removed: ReadonlyArray<BackupId.BackupId>
  /** Backups beyond `keep` that stay, because newer ones lost what they hold: id and why. */
  readonly heldBack: ReadonlyArray<{ readonly backupId: BackupId.BackupId; readonly why: string }>
  /** Backups beyond `keep` that the store protects from removal for now: id, and until when if the store says so. */
  readonly locked: ReadonlyArray<{ readonly backupId: BackupId.BackupId; readonly why: string }>
  /** Why the pass removed nothing; empty if it did its work. */
  readonly blocked: ReadonlyArray<string>
  /** What the user should know about the backups: damaged ones, for example. */
  readonly notes: ReadonlyArray<string>
  /** The kept sets, for history; absent if the pass failed before it knew them. */
  readonly catalogue?: CatalogueSummary
}

/** What storage holds, and what a pass is going to remove. */
export interface Decided {
  readonly entries: ReadonlyArray<Catalogue.CatalogueEntry>
  readonly outcome: RetentionOutcome
}

/** The outcome of removing the sets `removed`. */
export const outcome = (
  entries: ReadonlyArray<Catalogue.CatalogueEntry>,
  owner: Owner,
  removed: ReadonlyArray<BackupId.BackupId>,
  more: Partial<Pick<RetentionOutcome, "blocked" | "heldBack" | "locked" | "notes">> = {}
): RetentionOutcome => {
  const kept = OwnSets.of(entries, owner).filter((set) => !removed.includes(set.backupId))
  const { blocked = [], heldBack = [], locked = [], notes = [] } = more
  const catalogue = OwnSets.summary(kept)
  return { kept: kept.map((set) => set.backupId), removed, heldBack, locked, blocked, notes, catalogue }
}

/**
 * A note for each backup of this owner that may need objects of other backups, because its manifest cannot be read.
 * Backups of other owners and files of other applications need nothing of this owner.
 */
export const unknownNeeds = (entries: ReadonlyArray<Catalogue.CatalogueEntry>, owner: Owner): ReadonlyArray<string> =>
  entries.flatMap((entry) =>
    entry._tag === "Unreadable" && !entry.isForeign && (entry.owner === undefined || isSameOwner(entry.owner, owner))
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

/** Why a backup is not whole: objects that are missing or have another size, or a manifest that was changed. */
const problemsOf = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: BackupId.BackupId) {
  const set = yield* Catalogue.openById(store, backupId)
  const changed = (yield* Seal.manifestProblems(store, set)).map(({ detail, key }) => `${key} ${detail}`)
  return changed.length > 0 ? changed : yield* Presence.problems(store, set)
})

/**
 * Decides on these sets after every backup to keep was found whole. A damaged backup is neither counted nor removed:
 * part of it may still be useful, and it must not push a good backup out.
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
    const looked = yield* Effect.forEach(doubtful, ({ backupId }) => problemsOf(store, backupId), { concurrency: 8 })
    for (const [n, { backupId }] of doubtful.entries()) {
      const problems = looked[n]!
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

/** What a pass over the present storage would do. */
const decide = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, rules: Retention.Rules) {
  const entries = yield* Catalogue.entries(store)
  const blocked = unknownNeeds(entries, owner)
  if (blocked.length > 0) return { entries, outcome: outcome(entries, owner, [], { blocked }) } satisfies Decided
  const own = OwnSets.of(entries, owner)
  const { acceptedLoss, ...unaccepted } = rules
  // A backup that retention has removed since is still meant; one of another resource never is.
  const isForeign = acceptedLoss !== undefined && !BackupId.isOf(owner.name, acceptedLoss)
  const { decision, notes } = yield* proven(store, own, isForeign ? unaccepted : rules)
  if (isForeign) {
    notes.push(
      `annotation ${acceptLossAnnotation} is ignored: "${acceptedLoss.slice(0, 100)}" is not a backup of this resource`
    )
  }
  const heldBack = decision.heldBack.map(({ losses, set }) => ({
    backupId: set.backupId,
    why: why(set.backupId, losses)
  }))
  const removed = [
    ...(yield* SetRemoval.unfinished(store, owner, entries)),
    ...decision.expired.map((set) => set.backupId)
  ]
  return { entries, outcome: outcome(entries, owner, removed, { notes, heldBack }) } satisfies Decided
})

/**
 * Removes the decided sets, but no object that a remaining set names. A set that the store locks stays whole, and is
 * tried again by the next pass.
 */
export const carryOut = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, decided: Decided) {
  const { removed } = decided.outcome
  const locked: Array<{ readonly backupId: BackupId.BackupId; readonly why: string }> = []
  if (removed.length > 0) {
    const remaining = decided.entries.flatMap((entry) =>
      entry._tag === "Complete" && !removed.includes(entry.backupId) ? [entry.backupId] : []
    )
    const stillNamed = yield* SetRemoval.namedElsewhere(store, remaining)
    yield* Effect.forEach(
      removed,
      (backupId) =>
        SetRemoval.remove(store, backupId, owner, stillNamed).pipe(
          Effect.catchIf(isLocked, (error) => {
            const why = lockedText(error) ?? error.message
            locked.push({ backupId, why })
            return Effect.logInfo("a backup stays for now: the store protects it from removal").pipe(
              Effect.annotateLogs({ backupId, why })
            )
          })
        ),
      { discard: true }
    )
  }
  if (locked.length === 0) return decided.outcome
  const gone = removed.filter((backupId) => !locked.some((kept) => kept.backupId === backupId))
  return outcome(decided.entries, owner, gone, { ...decided.outcome, locked })
})

/** What `run` would do now. Changes nothing. */
export const preview = Effect.fn("RetentionPass.preview")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  rules: Retention.Rules
) {
  return (yield* decide(store, owner, rules)).outcome
})

/**
 * Keeps the backups of this owner that the rules keep and removes the others, after finishing removals that were
 * interrupted. Does not touch sets of others, unfinished runs and foreign files. The caller holds the owner's lock.
 */
export const run = Effect.fn("RetentionPass.run")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  rules: Retention.Rules
) {
  return yield* carryOut(store, owner, yield* decide(store, owner, rules))
})
