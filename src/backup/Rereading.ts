import { Cause, Deferred, Effect } from "effect"
import * as Adoption from "../manifest/Adoption.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as DamageMarking from "../manifest/DamageMarking.ts"
import * as Ledger from "../manifest/Ledger.ts"
import * as LedgerRefresh from "../manifest/LedgerRefresh.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as DueObjects from "./DueObjects.ts"
import * as RereadingState from "./RereadingState.ts"

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

const refresh = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  made: BackupSet,
  into: RereadingState.Rereading
) {
  const ledger = yield* Ledger.read(store, Adoption.ownerOf(resource))
  if (ledger.problem !== undefined) {
    into.notes.push(`the record of what was read again begins anew: ${ledger.problem}`)
  }
  const { own } = yield* DamageMarking.known(store, resource)
  if (ledger.number === 0 && own.some(({ backupId }) => backupId !== made.backupId)) {
    into.notes.push("the record of what was read again begins with this run: there was none")
  }
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
  return { ledger, kept: own }
})

/** Reads the share of this run again, once for each backup. Never fails: what goes wrong is a note. */
export const read = Effect.fn("Rereading.read")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  made: BackupSet,
  { bytesPerSecond, longestMillis, percent, stop }: Share
) {
  const into = RereadingState.begin(percent)
  const work = Effect.gen(function* () {
    const known = yield* refresh(store, resource, made, into)
    if (known.ledger.run?.backupId === made.backupId) return
    yield* DueObjects.readAll(DueObjects.paced(store, bytesPerSecond), made, known, into)
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
  const unnamed = into.refused.length - DueObjects.mostNamed
  if (unnamed > 0) into.notes.push(`${unnamed} more objects were not read again, because the store did not give them`)
  return into
})
