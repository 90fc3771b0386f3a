import { Cause, Clock, Effect } from "effect"
import * as Adoption from "../manifest/Adoption.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import type { DamagedObject } from "../manifest/Damage.ts"
import * as DamageMarking from "../manifest/DamageMarking.ts"
import * as Ledger from "../manifest/Ledger.ts"
import type { LedgerEntries } from "../manifest/LedgerEntries.ts"
import * as LedgerReading from "../manifest/LedgerReading.ts"
import type { VerificationSummary } from "../outcome/VerificationSummary.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as Rereading from "./Rereading.ts"
import * as Sampling from "./Sampling.ts"

/*
 * What follows from what a run has read again: what was not right is read once more while nobody can remove a backup,
 * damage is recorded, and what was read goes to the back of the queue.
 */

/** What the run knows about its reading now. */
export interface Outcome {
  readonly summary: VerificationSummary | undefined
  readonly notes: ReadonlyArray<string>
}

/** Reads suspects again. What is gone together with its backup is no damage. */
const confirmed = Effect.fnUntraced(function* (store: ObjectStoreShape, suspects: ReadonlyArray<Rereading.Read>) {
  const [damaged, right]: [Array<{ read: Rereading.Read; detail: string }>, Array<Rereading.Read>] = [[], []]
  for (const read of suspects) {
    if (!(yield* Catalogue.isComplete(store, read.backupId))) continue
    const problems = yield* Rereading.problemsOf(store, read.located)
    if (problems.length === 0) right.push(read)
    else damaged.push({ read, detail: problems.join("; ") })
  }
  return { damaged, right }
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
  { isComplete, isCutShort, percent }: Rereading.Rereading,
  { entries, totals }: Ledger.Ledger,
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
    ...(isComplete
      ? { remainingRuns: Sampling.runsUntilRead(size, count, percent, Math.max(0, count - objects), totals) }
      : {}),
    ...(isCutShort ? { isCutShort } : {})
  }
}

/** Records in the ledger that these objects were read, and writes it. */
const enter = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  backupId: string,
  rereading: Rereading.Rereading,
  ledger: Ledger.Ledger,
  read: ReadonlyArray<Rereading.Read>
) {
  // An earlier attempt has read the share of this run.
  if (ledger.run?.backupId === backupId) return summaryOf(rereading, ledger, ledger.run)
  const rows = new Set(read.map(({ row }) => row))
  let bytes = 0
  for (const row of rows) bytes += ledger.entries.size[row]!
  const strays = new Set(rereading.strays)
  for (const row of strays) {
    // Its set is looked at again by the next run.
    const number = ledger.entries.set[row]!
    const { heldMillis: _held, ...rest } = ledger.sets[number]!
    ledger.sets[number] = rest
  }
  // What counts is what stood in the queue when the run chose from it.
  const totals = Sampling.window(ledger.totals, bytesOf(ledger.entries), rereading.percent)
  ledger.entries = LedgerReading.moved(ledger.entries, rows, strays, yield* Clock.currentTimeMillis)
  const run = { backupId, objects: rows.size, bytes }
  if (!rereading.isCutShort) {
    ledger.run = run
    ledger.totals = totals
  }
  yield* Ledger.write(store, Adoption.ownerOf(resource), ledger).pipe(
    // Another process of this resource has written one: what this run read is due again.
    Effect.catchReason("ObjectStoreError", "ObjectExists", () => Effect.void)
  )
  return summaryOf(rereading, ledger, run)
})

const failing = (rereading: Rereading.Rereading, cause: Cause.Cause<unknown>): Outcome => ({
  summary: undefined,
  notes: [...rereading.notes, `what was read again was not recorded: ${Explanation.explain(cause).message}`]
})

/** A failure is a note, and changes nothing about the backup that is complete. */
const neverFailing = <E, R>(
  rereading: Rereading.Rereading,
  work: Effect.Effect<VerificationSummary | undefined, E, R>
) =>
  work.pipe(
    Effect.map((summary): Outcome => ({ summary, notes: rereading.notes })),
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterrupts(cause),
      (cause) => Effect.succeed(failing(rereading, cause))
    )
  )

/** Ends the reading where the owner's lock was not to be had: what was not right is read again by the next run. */
export const unconfirmed = (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  backupId: string,
  rereading: Rereading.Rereading
) =>
  neverFailing(
    rereading,
    rereading.ledger === undefined
      ? Effect.succeed(undefined)
      : enter(store, resource, backupId, rereading, rereading.ledger, rereading.right)
  )

/** What was found damaged, as it is recorded. */
const damagedObject = (
  { located: { partition, segment, topic } }: Rereading.Read,
  detail: string,
  sinceMillis: number
): DamagedObject => ({
  key: segment.key,
  topic,
  partition,
  firstOffset: segment.start_offset,
  lastOffset: segment.end_offset,
  detail,
  sinceMillis
})

const settle = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  backupId: string,
  rereading: Rereading.Rereading
) {
  const { hasDamage, ledger, suspects } = rereading
  if (ledger === undefined) return undefined
  const { damaged, right } = yield* confirmed(store, suspects)
  const allRight = [...rereading.right, ...right]
  if (damaged.length > 0 || (hasDamage && allRight.length > 0)) {
    const nowMillis = yield* Clock.currentTimeMillis
    yield* DamageMarking.mark(store, resource, {
      found: damaged.map(({ detail, read }) => damagedObject(read, detail, nowMillis)),
      right: new Set(allRight.map(({ located }) => located.segment.key))
    })
  }
  const read = [...allRight, ...damaged.map((one) => one.read)]
  return yield* enter(store, resource, backupId, rereading, ledger, read)
})

/**
 * Confirms what was not right, records damage in every backup that names it, and what was read in the ledger. What is
 * right again is no longer recorded as damaged. The caller holds the owner's lock.
 */
export const confirm = (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  backupId: string,
  rereading: Rereading.Rereading
) => neverFailing(rereading, settle(store, resource, backupId, rereading))
