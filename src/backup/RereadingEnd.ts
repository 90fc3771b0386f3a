import { Cause, Clock, Effect } from "effect"
import * as Adoption from "../manifest/Adoption.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as DamageMarking from "../manifest/DamageMarking.ts"
import * as Ledger from "../manifest/Ledger.ts"
import { hashes, type LedgerEntries } from "../manifest/LedgerEntries.ts"
import * as LedgerReading from "../manifest/LedgerReading.ts"
import * as UnnamedDamage from "../manifest/UnnamedDamage.ts"
import type { VerificationSummary } from "../outcome/VerificationSummary.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as ObjectReading from "./ObjectReading.ts"
import type * as RereadingState from "./RereadingState.ts"
import * as Sampling from "./Sampling.ts"

/*
 * What follows from what a run has read again. While nobody can remove a backup or put an object back: is what was not
 * right still there, as it was read? Then damage is recorded, and what was read goes to the back of the queue.
 */

/** What the run knows about its reading now. */
export interface Outcome {
  readonly summary: VerificationSummary | undefined
  readonly notes: ReadonlyArray<string>
}

/** Suspects that are looked at, at the same time. */
const lookedAtAtOnce = 16

/**
 * Those suspects that are damage: their backup is still there, and the object is as it was when it was read. What is
 * gone together with its backup is no damage. What changed meanwhile, and what the store does not tell, a later run
 * reads.
 */
const confirmed = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  suspects: ReadonlyArray<RereadingState.Suspect>
) {
  const kept = new Map<string, boolean>()
  for (const { backupId } of suspects) {
    if (!kept.has(backupId)) kept.set(backupId, yield* Catalogue.isComplete(store, backupId))
  }
  const found = yield* Effect.forEach(
    suspects.filter(({ backupId }) => kept.get(backupId)),
    (suspect) =>
      ObjectReading.seen(store, suspect.located.segment.key).pipe(
        Effect.map((now) => (ObjectReading.isSame(now, suspect.seen) ? [suspect] : [])),
        Effect.catchTag("ObjectStoreError", () => Effect.succeed([]))
      ),
    { concurrency: lookedAtAtOnce }
  )
  return found.flat()
})

const bytesOf = ({ count, size }: LedgerEntries): number => {
  let bytes = 0
  for (let row = 0; row < count; row++) bytes += size[row]!
  return bytes
}

const oldestSeconds = ({ count, seconds }: LedgerEntries): number | undefined => {
  let oldest: number | undefined
  for (let row = 0; row < count; row++) if (oldest === undefined || seconds[row]! < oldest) oldest = seconds[row]!
  return oldest
}

const summaryOf = (
  { isComplete, isCutShort, percent, refused }: RereadingState.Rereading,
  { beganMillis, entries, totals }: Ledger.Ledger,
  { bytes, objects }: { readonly objects: number; readonly bytes: number }
): VerificationSummary => {
  const { count, size } = entries
  const oldest = oldestSeconds(entries)
  return {
    percent,
    objects,
    bytes,
    totalBytes: bytesOf(entries),
    ...(oldest === undefined ? {} : { oldestMillis: oldest * 1000 }),
    ...(isComplete && refused.length === 0
      ? { remainingRuns: Sampling.runsUntilRead(size, count, percent, Math.max(0, count - objects), totals) }
      : {}),
    ...(beganMillis === undefined ? {} : { beganMillis }),
    ...(isCutShort ? { isCutShort } : {})
  }
}

/**
 * The sets without those in which a stray was looked for in vain, and without all older ones, which may name it: the
 * next runs open them again.
 */
const opening = (sets: Ledger.Ledger["sets"], numbers: ReadonlySet<number>): Ledger.Ledger["sets"] => {
  if (numbers.size === 0) return sets
  const newest = Math.max(...[...numbers].map((n) => sets[n]!.heldMillis ?? 0))
  return sets.map((set) => {
    const { heldMillis = 0, ...rest } = set
    return heldMillis <= newest ? rest : set
  })
}

/** Records in the ledger that these objects were read, and writes it. Changes nothing of what was read in memory. */
const enter = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  backupId: string,
  rereading: RereadingState.Rereading,
  ledger: Ledger.Ledger,
  read: ReadonlyArray<RereadingState.Read>
) {
  // An earlier attempt has read the share of this run.
  if (ledger.run?.backupId === backupId) return summaryOf(rereading, ledger, ledger.run)
  const rows = new Set(read.map(({ row }) => row))
  const strays = new Set(rereading.strays)
  let bytes = 0
  for (const row of rows) bytes += ledger.entries.size[row]!
  const nowMillis = yield* Clock.currentTimeMillis
  const run = { backupId, objects: rows.size, bytes }
  // What counts is what stood in the queue when the run chose from it.
  const totals = Sampling.window(ledger.totals, bytesOf(ledger.entries), rereading.percent)
  const next: Ledger.Ledger = {
    ...ledger,
    ...(rereading.isCutShort ? {} : { run, totals }),
    sets: opening(ledger.sets, new Set([...strays].map((row) => ledger.entries.set[row]!))),
    entries: LedgerReading.moved(ledger.entries, rows, strays, nowMillis, new Set(rereading.refused))
  }
  return yield* Ledger.write(store, Adoption.ownerOf(resource), next).pipe(
    Effect.map(() => summaryOf(rereading, next, run)),
    Effect.catchReason("ObjectStoreError", "ObjectExists", () => {
      rereading.notes.push("another run recorded what it read again at the same time: what this one read is due again")
      const nothing = { objects: 0, bytes: 0 }
      return Effect.succeed(summaryOf({ ...rereading, isCutShort: true }, ledger, nothing))
    })
  )
})

const failing = (rereading: RereadingState.Rereading, cause: Cause.Cause<unknown>): Outcome => ({
  summary: undefined,
  notes: [...rereading.notes, `what was read again was not recorded: ${Explanation.explain(cause).message}`]
})

/** A failure is a note, and changes nothing about the backup that is complete. */
const neverFailing = <E, R>(
  rereading: RereadingState.Rereading,
  work: Effect.Effect<VerificationSummary | undefined, E, R>
) =>
  work.pipe(
    Effect.map((summary): Outcome => ({ summary, notes: rereading.notes })),
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterrupts(cause),
      (cause) => Effect.succeed(failing(rereading, cause))
    )
  )

/**
 * Ends the reading where the owner's lock was not to be had: what was not right is read again by the next run. So is
 * what was right, if anything is recorded as damaged: it may be that, and would stay so.
 */
export const unconfirmed = (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  backupId: string,
  rereading: RereadingState.Rereading
) => {
  const { ledger, notes, right, suspects } = rereading
  const [first] = suspects
  if (first !== undefined) {
    const more =
      suspects.length === 1 ? "" : ` and ${suspects.length - 1} more object${suspects.length === 2 ? "" : "s"}`
    notes.push(
      `${first.located.segment.key} ${first.detail}${more}: not recorded as damage, because another process works on the backups; the next run reads them again`
    )
  }
  const read = rereading.damaged.length > 0 ? [] : right
  const cut = { ...rereading, isCutShort: rereading.isCutShort || read.length < right.length + suspects.length }
  return neverFailing(
    cut,
    ledger === undefined ? Effect.succeed(undefined) : enter(store, resource, backupId, cut, ledger, read)
  )
}

/** True if the ledger has all of these objects: some kept backup names them. */
const areKnown = (entries: LedgerEntries, keys: ReadonlyArray<string>): boolean => {
  const hashed = hashes(keys)
  return keys.every((_, n) => entries.find(hashed[2 * n]!, hashed[2 * n + 1]!) >= 0)
}

const settle = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  backupId: string,
  rereading: RereadingState.Rereading
) {
  const { ledger, right, suspects } = rereading
  if (ledger === undefined) return undefined
  const damaged = yield* confirmed(store, suspects)
  const hasDamage = rereading.damaged.length > 0
  const unnamed = yield* UnnamedDamage.find(store, rereading.damaged, (keys) => areKnown(ledger.entries, keys))
  if (damaged.length > 0 || unnamed.size > 0 || (hasDamage && right.length > 0)) {
    const nowMillis = yield* Clock.currentTimeMillis
    yield* DamageMarking.mark(store, resource, {
      found: damaged.map(({ detail, located }) => DamageMarking.foundIn(located, detail, nowMillis)),
      right: new Set(right.map(({ located }) => located.segment.key)),
      unnamed
    })
  }
  return yield* enter(store, resource, backupId, rereading, ledger, [...right, ...damaged])
})

/**
 * Confirms what was not right, records damage in every backup that names it, and what was read in the ledger. What is
 * right again is no longer recorded as damaged. The caller holds the owner's lock.
 */
export const confirm = (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  backupId: string,
  rereading: RereadingState.Rereading
) => neverFailing(rereading, settle(store, resource, backupId, rereading))
