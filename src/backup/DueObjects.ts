import { Data, Effect, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import type * as Ledger from "../manifest/Ledger.ts"
import { hashes } from "../manifest/LedgerEntries.ts"
import * as LedgerRefresh from "../manifest/LedgerRefresh.ts"
import * as Seal from "../manifest/Seal.ts"
import * as Verification from "../manifest/Verification.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as RateLimit from "../worker/RateLimit.ts"
import * as NamedElsewhere from "./NamedElsewhere.ts"
import * as ObjectReading from "./ObjectReading.ts"
import type { Read, Rereading } from "./RereadingState.ts"
import * as Sampling from "./Sampling.ts"

/*
 * The objects that a run reads again, as the manifests of their backups say what they must be, and what becomes of
 * those that the store does not give.
 */

/** Objects that are read at the same time, as `verify --deep` does. */
const readAtOnce = 2

/** Manifests of other backups that one run opens to know what their objects must be. */
const openedPerRun = 20

/** Objects that the store may refuse before a run stops to ask for more. */
const mostRefused = 20

/** Refused objects that the notes name. */
export const mostNamed = 3

/** The store answers nothing, or refuses one object after another. */
class StoreRefuses extends Data.TaggedError("StoreRefuses")<{ readonly message: string }> {}

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
export const paced = (store: ObjectStoreShape, bytesPerSecond: number | undefined): ObjectStoreShape => {
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
  const note = `objects that no backup but ${id} names are not read again, because its manifest ${problem}`
  if (!into.notes.includes(note)) into.notes.push(note)
  return undefined
})

/** Reads those of these rows that the set names, as its manifest says; gives the others. */
const readIn = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  found: BackupSet,
  { entries }: Ledger.Ledger,
  rows: ReadonlyArray<number>,
  into: Rereading
) {
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
      located === undefined ? Effect.void : readOne(store, { row, located, backupId: found.backupId }, into),
    { concurrency: readAtOnce, discard: true }
  )
  return rows.filter((row) => wanted.get(row) === undefined)
})

/** What is read of the sets of a resource. */
interface Source {
  readonly store: ObjectStoreShape
  /** The set of this run. */
  readonly made: BackupSet
  readonly kept: NamedElsewhere.KeptSets
  readonly ledger: Ledger.Ledger
  /** True where this set may be opened: a run opens only so many. */
  readonly mayOpen: (id: string) => boolean
}

/** Reads these rows, which have the same newest set, as its manifest says. False if nobody knows what that is. */
const readOf = Effect.fnUntraced(function* (
  { ledger, made, store }: Source,
  set: number,
  rows: ReadonlyArray<number>,
  into: Rereading
) {
  const { id } = ledger.sets[set]!
  const found = id === made.backupId ? made : yield* sound(store, id, into)
  if (found === undefined) return false
  into.strays.push(...(yield* readIn(store, found, ledger, rows, into)))
  return true
})

/** The same of rows whose newest set nobody can read, as other sets say that name them. */
const readElsewhere = Effect.fnUntraced(function* (
  { kept, ledger, made, mayOpen, store }: Source,
  set: number,
  rows: ReadonlyArray<number>,
  into: Rereading
) {
  let left = rows
  for (const { backupId } of NamedElsewhere.candidates(kept, ledger, set, rows)) {
    // What this run's own set names is its own.
    if (left.length === 0 || backupId === made.backupId || !mayOpen(backupId)) continue
    const found = yield* sound(store, backupId, into)
    if (found !== undefined) left = yield* readIn(store, found, ledger, left, into)
  }
})

/**
 * Reads what is due, from the front of the queue on. What a run must leave out, because it would open too many
 * manifests, stays at the front for the next one, and others are read in its place.
 */
export const readAll = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  made: BackupSet,
  { kept, ledger }: Pick<Source, "kept" | "ledger">,
  into: Rereading
) {
  const { count, set, size } = ledger.entries
  const passedOver = new Set<number>()
  const opened = new Set<string>()
  const done = new Set<number>()
  const mayOpen = (id: string): boolean => {
    if (id === made.backupId || opened.has(id)) return true
    if (opened.size === openedPerRun) return false
    opened.add(id)
    return true
  }
  const source: Source = { store, made, kept, ledger, mayOpen }
  for (;;) {
    const refused = new Set(into.refused)
    const isPassedOver = (row: number) => passedOver.has(set[row]!) || refused.has(row)
    const due = Sampling.due(size, count, into.percent, { earlier: ledger.totals, isPassedOver }).filter(
      (row) => !done.has(row)
    )
    if (due.length === 0) return
    for (const [number, rows] of Map.groupBy(due, (row) => set[row]!)) {
      if (!mayOpen(ledger.sets[number]!.id)) {
        passedOver.add(number)
        continue
      }
      if (yield* readOf(source, number, rows, into)) {
        for (const row of rows) done.add(row)
        continue
      }
      passedOver.add(number)
      yield* readElsewhere(source, number, rows, into)
    }
  }
})
