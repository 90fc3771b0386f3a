import { Cause, Deferred, Effect, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as Adoption from "../manifest/Adoption.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as DamageMarking from "../manifest/DamageMarking.ts"
import * as Ledger from "../manifest/Ledger.ts"
import { hashes } from "../manifest/LedgerEntries.ts"
import * as LedgerRefresh from "../manifest/LedgerRefresh.ts"
import * as Verification from "../manifest/Verification.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as RateLimit from "../worker/RateLimit.ts"
import * as Sampling from "./Sampling.ts"

/*
 * After its backup is complete, a run reads a part of all stored backups of its resource again. Which part, Sampling.ts
 * decides from the ledger; what was not right is suspect until it was read again under the owner's lock: see
 * RereadingEnd.ts. Whatever fails here is a note: it changes nothing about the backup that is complete.
 */

/** What to read, and how fast. */
export interface Share {
  /** Percent of all stored bytes. */
  readonly percent: number
  readonly bytesPerSecond: number | undefined
  /** Completed when the run should stop: reading ends there. */
  readonly stop: Deferred.Deferred<void>
}

/** An object that was read, and its row in the ledger. */
export interface Read {
  readonly row: number
  readonly located: Verification.LocatedSegment
  /** The backup whose manifest says what it must be. */
  readonly backupId: BackupId
}

/** What a run has read again so far. */
export interface Rereading {
  readonly percent: number
  /** Up to date, but for what was read. Absent where it could not be brought up to date. */
  ledger: Ledger.Ledger | undefined
  /** All that the kept backups name is in it. */
  isComplete: boolean
  /** Backups of the resource are known to be damaged. */
  hasDamage: boolean
  readonly right: Array<Read>
  readonly suspects: Array<Read>
  /** Rows of objects that their backup does not name: they leave the ledger. */
  readonly strays: Array<number>
  readonly notes: Array<string>
  isCutShort: boolean
}

/** Objects that are read at the same time, as `verify --deep` does. */
const readAtOnce = 2

const refresh = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  made: BackupSet,
  into: Rereading
) {
  const ledger = yield* Ledger.read(store, Adoption.ownerOf(resource))
  if (ledger.problem !== undefined) {
    into.notes.push(`the record of what was read again begins anew: ${ledger.problem}`)
  }
  const { own } = yield* DamageMarking.known(store, resource)
  into.hasDamage = own.some(({ damage }) => damage !== undefined)
  const { unknown, unreadable } = yield* LedgerRefresh.refresh(store, ledger, own, made)
  into.notes.push(
    ...unreadable.map(
      ({ backupId, detail }) => `${backupId} is not read again, because its manifest cannot be read: ${detail}`
    )
  )
  if (unknown > 0) {
    into.notes.push(
      `${unknown} kept ${unknown === 1 ? "backup is" : "backups are"} not in the record of what was read again yet: each run adds up to ${LedgerRefresh.openedPerRun}`
    )
  }
  into.isComplete = unknown + unreadable.length === 0
  into.ledger = ledger
  return ledger
})

/** What is wrong with an object; empty if nothing is. */
export const problemsOf = (store: ObjectStoreShape, located: Verification.LocatedSegment) =>
  Verification.checkRecords(store, located).pipe(
    Effect.map((found) => found.map(({ detail }) => detail)),
    // A changed byte may make it look like a format of the future.
    Effect.catchTag("SegmentError", ({ message }) => Effect.succeed([message]))
  )

/** As `store`, but reads no faster. */
const paced = (store: ObjectStoreShape, bytesPerSecond: number | undefined): ObjectStoreShape => {
  const limit = RateLimit.ofOptional(bytesPerSecond)
  return {
    ...store,
    read: (key) => store.read(key).pipe(Stream.tap((piece) => limit.pay(piece.byteLength)))
  }
}

/**
 * Reads these rows, which have the same newest set, as its manifest says. False if nobody can read that manifest, or
 * the set is gone.
 */
const readOf = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  made: BackupSet,
  { entries, sets }: Ledger.Ledger,
  set: number,
  rows: ReadonlyArray<number>,
  into: Rereading
) {
  const { id } = sets[set]!
  const found = id === made.backupId ? made : yield* LedgerRefresh.opened(store, id as BackupId)
  if (typeof found === "string") {
    into.notes.push(`${id} is not read again, because its manifest cannot be read: ${found}`)
  }
  if (found === undefined || typeof found === "string") return false
  const all = Verification.locatedSegments(found)
  const hashed = hashes(all.map(({ segment }) => segment.key))
  const wanted = new Map<number, Verification.LocatedSegment | undefined>(rows.map((row) => [row, undefined]))
  for (const [n, located] of all.entries()) {
    const row = entries.find(hashed[2 * n]!, hashed[2 * n + 1]!)
    if (wanted.has(row)) wanted.set(row, located)
  }
  yield* Effect.forEach(
    wanted,
    ([row, located]) => {
      if (located === undefined) return Effect.sync(() => void into.strays.push(row))
      return Effect.map(problemsOf(store, located), (problems) => {
        ;(problems.length === 0 ? into.right : into.suspects).push({ row, located, backupId: found.backupId })
      })
    },
    { concurrency: readAtOnce, discard: true }
  )
  return true
})

/** Reads what is due, from the front of the queue on. */
const readDue = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  made: BackupSet,
  ledger: Ledger.Ledger,
  into: Rereading
) {
  const { count, set, size } = ledger.entries
  const passedOver = new Set<number>()
  const done = new Set<number>()
  for (;;) {
    const isPassedOver = (row: number) => passedOver.has(set[row]!)
    const due = Sampling.due(size, count, into.percent, { earlier: ledger.totals, isPassedOver }).filter(
      (row) => !done.has(row)
    )
    if (due.length === 0) return
    for (const [number, rows] of Map.groupBy(due, (row) => set[row]!)) {
      if (!(yield* readOf(store, made, ledger, number, rows, into))) passedOver.add(number)
      else for (const row of rows) done.add(row)
    }
  }
})

/** Reads the share of this run again, once for each backup. Never fails: what goes wrong is a note. */
export const read = Effect.fn("Rereading.read")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  made: BackupSet,
  { bytesPerSecond, percent, stop }: Share
) {
  const into: Rereading = {
    percent,
    ledger: undefined,
    isComplete: false,
    hasDamage: false,
    right: [],
    suspects: [],
    strays: [],
    notes: [],
    isCutShort: false
  }
  const work = Effect.gen(function* () {
    const ledger = yield* refresh(store, resource, made, into)
    if (ledger.run?.backupId !== made.backupId) yield* readDue(paced(store, bytesPerSecond), made, ledger, into)
  })
  const stopped = Effect.andThen(
    Deferred.await(stop),
    Effect.sync(() => void (into.isCutShort = true))
  )
  yield* Effect.raceFirst(work, stopped).pipe(
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterrupts(cause),
      (cause) => {
        const { message } = Explanation.explain(cause)
        into.isCutShort = true
        into.notes.push(`stored backups were not read again as far as they should: ${message}`)
        return Effect.logWarning("stored backups were not read again").pipe(Effect.annotateLogs({ error: message }))
      }
    )
  )
  return into
})
