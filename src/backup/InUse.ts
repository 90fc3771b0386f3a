import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Documents from "../manifest/Documents.ts"
import * as Readers from "../manifest/Readers.ts"
import { RunPlan } from "../manifest/RunPlan.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

/*
 * Backups that retention leaves alone for now, whatever the rules say: those that an unfinished run builds on, and
 * those that a restore or a drill reads.
 */

/** Why each of them stays, for people. */
export type InUse = ReadonlyMap<BackupId, string>

/** The bases of these unfinished runs. A run whose plan nobody can read does not continue: it needs none. */
export const ofRuns = Effect.fn("InUse.ofRuns")(function* (
  store: ObjectStoreShape,
  unfinished: ReadonlyArray<BackupId>
) {
  const found = yield* Effect.forEach(
    unfinished,
    (backupId) =>
      Documents.readIfThere(store, BackupKeys.plan(backupId), RunPlan).pipe(
        Effect.map((plan) =>
          plan?.base === undefined ? [] : [[plan.base.backupId, `the unfinished run ${backupId} builds on it`] as const]
        ),
        Effect.catchTag("CatalogueError", () => Effect.succeed([]))
      ),
    { concurrency: 4 }
  )
  return new Map(found.flat()) as InUse
})

/** The backups that are read now. */
export const ofReaders = (readers: ReadonlyArray<Readers.Live>): InUse =>
  new Map(
    readers.map(({ backupId, untilMillis, who }) => [
      backupId,
      `${who} reads it, until ${new Date(untilMillis).toISOString()} at most`
    ])
  )

/** A note for each of these backups that stays only because it is in use. */
export const notes = (inUse: InUse, staying: ReadonlyArray<BackupId>): ReadonlyArray<string> =>
  staying.flatMap((backupId) => {
    const why = inUse.get(backupId)
    return why === undefined ? [] : [`${backupId} stays for now: ${why}`]
  })
