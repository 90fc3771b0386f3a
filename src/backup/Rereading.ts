import { Cause, Data, Deferred, Effect, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as Adoption from "../manifest/Adoption.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as DamageMarking from "../manifest/DamageMarking.ts"
import * as Ledger from "../manifest/Ledger.ts"
import { hashes } from "../manifest/LedgerEntries.ts"
import * as LedgerRefresh from "../manifest/LedgerRefresh.ts"
import * as Seal from "../manifest/Seal.ts"
import * as Verification from "../manifest/Verification.ts"
import type { ObjectInfo, ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as RateLimit from "../worker/RateLimit.ts"
import * as ObjectReading from "./ObjectReading.ts"
import * as Sampling from "./Sampling.ts"

/*
 * After its backup is complete, a run reads a part of all stored backups of its resource again. Which part, Sampling.ts
 * decides from the ledger; what was not right, twice, is suspect until the run holds the owner's lock: see
 * RereadingEnd.ts. Whatever fails here is a note: it changes nothing about the backup that is complete.
 */

/** What to read, and how fast. */
export interface Share {
  /** Percent of all stored bytes. */
  readonly percent: number
  readonly bytesPerSecond: number | undefined
  /** How long to read at most: the next run goes on. */
  readonly longestMillis: number
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

/** An object that was not right twice. */
export interface Suspect extends Read {
  readonly detail: string
  /** What the store had under its key; undefined for nothing. */
  readonly seen: ObjectInfo | undefined
}

/** What a run has read again so far. */
export interface Rereading {
  readonly percent: number
  /** Up to date, but for what was read. Absent where it could not be brought up to date. */
  ledger: Ledger.Ledger | undefined
  /** All that the kept backups name is in it. */
  isComplete: boolean
  /** Backups of the resource that are known to be damaged, newest first. */
  damaged: ReadonlyArray<BackupId>
  readonly right: Array<Read>
  readonly suspects: Array<Suspect>
  /** Rows of objects that the store did not give: they go to the back of the queue with the time that they have. */
  readonly refused: Array<number>
  /** Rows of objects that their backup does not name: they leave the ledger. */
  readonly strays: Array<number>
  readonly notes: Array<string>
  isCutShort: boolean
}

/** Objects that are read at the same time, as `verify --deep` does. */
const readAtOnce = 2

/** Manifests of other backups that one run opens to know what their objects must be. */
const openedPerRun = 20

/** Objects that the store may refuse before a run stops to ask for more. */
const mostRefused = 20

/** Refused objects that the notes name. */
const mostNamed = 3

/** The store answers nothing, or refuses one object after another. */
class StoreRefuses extends Data.TaggedError("StoreRefuses")<{ readonly message: string }> {}

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
  into.damaged = own
    .filter(({ damage }) => damage !== undefined)
    .toSorted((a, b) => b.completedMillis - a.completedMillis)
    .map(({ backupId }) => backupId)
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

const refuse = (into: Rereading, { located, row }: Read, message: string): void => {
  into.refused.push(row)
  if (into.refused.length <= mostNamed) into.notes.push(`${located.segment.key} was not read again: ${message}`)
}

/** Reads one object. Fails only where it makes no sense to go on. */
const readOne = (store: ObjectStoreShape, read: Read, into: Rereading) =>
  Effect.flatMap(ObjectReading.read(store, read.located), (found) => {
    if (found._tag === "Right") return Effect.sync(() => void into.right.push(read))
    if (found._tag === "Wrong") {
      return Effect.sync(() => void into.suspects.push({ ...read, detail: found.detail, seen: found.seen }))
    }
    if (found.isDown) {
      into.refused.push(read.row)
      return Effect.fail(new StoreRefuses({ message: found.message }))
    }
    refuse(into, read, found.message)
    return into.refused.length < mostRefused
      ? Effect.void
      : Effect.fail(new StoreRefuses({ message: `the store refused ${mostRefused} objects` }))
  })

/** As `store`, but reads no faster. */
const paced = (store: ObjectStoreShape, bytesPerSecond: number | undefined): ObjectStoreShape => {
  const limit = RateLimit.ofOptional(bytesPerSecond)
  return {
    ...store,
    read: (key) => store.read(key).pipe(Stream.tap((piece) => limit.pay(piece.byteLength)))
  }
}

/**
 * The set, if its manifest can be read and is the one that was committed. Otherwise a note, and nothing: the objects
 * may be right although their manifest is not.
 */
const sound = Effect.fnUntraced(function* (store: ObjectStoreShape, id: string, into: Rereading) {
  const found = yield* LedgerRefresh.opened(store, id as BackupId)
  if (found === undefined) return undefined
  const [problem] =
    typeof found === "string"
      ? [`cannot be read: ${found}`]
      : (yield* Seal.manifestProblems(store, found)).map(({ detail, key }) => `is not right: ${key} ${detail}`)
  if (problem === undefined && typeof found !== "string") return found
  const note = `objects of ${id} are not read again, because its manifest ${problem}`
  if (!into.notes.includes(note)) into.notes.push(note)
  return undefined
})

/** Reads these rows, which have the same newest set, as its manifest says. False if nobody knows what that is. */
const readOf = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  made: BackupSet,
  { entries, sets }: Ledger.Ledger,
  set: number,
  rows: ReadonlyArray<number>,
  into: Rereading
) {
  const { id } = sets[set]!
  const found = id === made.backupId ? made : yield* sound(store, id, into)
  if (found === undefined) return false
  const all = Verification.locatedSegments(found)
  const hashed = hashes(all.map(({ segment }) => segment.key))
  const wanted = new Map<number, Verification.LocatedSegment | undefined>(rows.map((row) => [row, undefined]))
  for (const [n, located] of all.entries()) {
    const row = entries.find(hashed[2 * n]!, hashed[2 * n + 1]!)
    if (wanted.has(row)) wanted.set(row, located)
  }
  yield* Effect.forEach(
    wanted,
    ([row, located]) =>
      located === undefined
        ? Effect.sync(() => void into.strays.push(row))
        : readOne(store, { row, located, backupId: found.backupId }, into),
    { concurrency: readAtOnce, discard: true }
  )
  return true
})

/**
 * Reads what is due, from the front of the queue on. What a run must leave out, because it would open too many
 * manifests, stays at the front for the next one, and others are read in its place.
 */
const readDue = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  made: BackupSet,
  ledger: Ledger.Ledger,
  into: Rereading
) {
  const { count, set, size } = ledger.entries
  const passedOver = new Set<number>()
  const opened = new Set<number>()
  const done = new Set<number>()
  for (;;) {
    const refused = new Set(into.refused)
    const isPassedOver = (row: number) => passedOver.has(set[row]!) || refused.has(row)
    const due = Sampling.due(size, count, into.percent, { earlier: ledger.totals, isPassedOver }).filter(
      (row) => !done.has(row)
    )
    if (due.length === 0) return
    for (const [number, rows] of Map.groupBy(due, (row) => set[row]!)) {
      if (ledger.sets[number]!.id !== made.backupId) {
        if (!opened.has(number) && opened.size === openedPerRun) {
          passedOver.add(number)
          continue
        }
        opened.add(number)
      }
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
  { bytesPerSecond, longestMillis, percent, stop }: Share
) {
  const into: Rereading = {
    percent,
    ledger: undefined,
    isComplete: false,
    damaged: [],
    right: [],
    suspects: [],
    refused: [],
    strays: [],
    notes: [],
    isCutShort: false
  }
  const work = Effect.gen(function* () {
    const ledger = yield* refresh(store, resource, made, into)
    if (ledger.run?.backupId !== made.backupId) yield* readDue(paced(store, bytesPerSecond), made, ledger, into)
  }).pipe(
    Effect.catchTag("StoreRefuses", ({ message }) =>
      Effect.sync(() => {
        into.isCutShort = true
        into.notes.push(`stored backups were not read again as far as they should: ${message}`)
      })
    )
  )
  const stopped = Effect.andThen(
    Deferred.await(stop),
    Effect.sync(() => void (into.isCutShort = true))
  )
  const timeUp = Effect.andThen(
    Effect.sleep(longestMillis),
    Effect.sync(() => {
      into.isCutShort = true
      into.notes.push(
        `reading stored backups again ended after ${Math.ceil(longestMillis / 60_000)} min, before its share was read; the next run goes on`
      )
    })
  )
  yield* Effect.raceFirst(Effect.raceFirst(work, stopped), timeUp).pipe(
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
  const unnamed = into.refused.length - mostNamed
  if (unnamed > 0) into.notes.push(`${unnamed} more objects were not read again, because the store did not give them`)
  return into
})
