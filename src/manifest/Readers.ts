import { randomUUID } from "node:crypto"
import { Clock, Effect, Schedule, Schema, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import type { ObjectKey, ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { briefly } from "./Briefly.ts"
import * as Documents from "./Documents.ts"
import * as SealedJson from "./SealedJson.ts"

/*
 * `_kafka-backup/readers/{id}.json`: a restore, a drill or a long `verify` reads this set now, and retention leaves it
 * alone. A reader needs no permission to write: without it, it reads all the same, and retention does not know of it.
 */
const Reader = Schema.Struct({
  version: Schema.Literal(1),
  backupId: BackupId.BackupId,
  /** For people: `restore orders/nightly`. */
  who: Schema.String,
  /** When it began to read. */
  sinceMillis: Schema.Int,
  /** Unless it is renewed. */
  expiresMillis: Schema.Int
})

/** A reader that is at work. */
export interface Live {
  readonly backupId: BackupId.BackupId
  readonly who: string
  /** Until when its set is left alone at most, however often it is renewed. */
  readonly untilMillis: number
}

/** How long a reader that died holds its set, and by how much the clocks of two pods may differ. */
const lifetimeMillis = 3_600_000
const renewals = Schedule.spaced(lifetimeMillis / 6)
/** How long a reader holds its set at most. */
export const longestMillis = 24 * 3_600_000

/** How long a reader waits for a store that does not answer: it is not worth more. */
const patienceMillis = 30_000

/** Losing a registration is no reason to stop reading. */
const quietly = (what: string, request: Effect.Effect<unknown, ObjectStoreError>) =>
  request.pipe(
    Effect.as(true),
    Effect.catch((error) =>
      Effect.logDebug(`${what}; retention may remove the backup meanwhile`).pipe(
        Effect.annotateLogs({ error: error.message }),
        Effect.as(false)
      )
    )
  )

/**
 * Says that `who` reads the set whose id is `text` until the scope ends, if the store may be written. Whoever registers
 * looks afterwards whether the set is still there: retention may have begun to remove it before.
 */
export const register = Effect.fn("Readers.register")(function* (store: ObjectStoreShape, text: string, who: string) {
  const backupId = BackupId.parse(text)
  // Whoever opens it says that there is no such set.
  if (backupId === undefined) return
  const key = BackupKeys.reader(randomUUID())
  const sinceMillis = yield* Clock.currentTimeMillis
  const write = Effect.flatMap(Clock.currentTimeMillis, (nowMillis) =>
    store.put(key, [
      SealedJson.seal(Reader, { version: 1, backupId, who, sinceMillis, expiresMillis: nowMillis + lifetimeMillis })
    ])
  ).pipe(Effect.timeoutOption(patienceMillis))
  // Before the first write, whose answer may be lost.
  yield* Effect.addFinalizer(() => briefly(store.delete(key), 5_000))
  if (!(yield* quietly("the store does not let this reader register", write))) return
  yield* quietly("the registration of this reader was not renewed", write).pipe(
    Effect.delay(lifetimeMillis / 6),
    Effect.schedule(renewals),
    Effect.forkScoped
  )
})

/** One document of a reader; `live` is undefined where it has ended, or where nobody can read it. */
interface Found {
  readonly key: ObjectKey
  readonly backupId: BackupId.BackupId | undefined
  readonly live: Live | undefined
  /** Nobody will renew it any more. */
  readonly isStale: boolean
}

/** Every reader that is or was registered. */
export const all = Effect.fn("Readers.all")(function* (store: ObjectStoreShape) {
  const nowMillis = yield* Clock.currentTimeMillis
  return yield* store.list(BackupKeys.readersFolder).pipe(
    Stream.mapEffect(
      ({ key, modifiedMillis = 0 }) =>
        Documents.readIfThere(store, key, Reader).pipe(
          Effect.catchTag("CatalogueError", () => Effect.succeed(undefined)),
          Effect.map((reader): Found => {
            const until = (reader?.sinceMillis ?? modifiedMillis) + longestMillis
            const leftMillis = (reader?.expiresMillis ?? 0) - nowMillis
            // One that claims to last longer was written by a clock that is wrong.
            const isLive = leftMillis > 0 && leftMillis <= longestMillis && nowMillis < until
            return {
              key,
              backupId: reader?.backupId,
              live: reader && isLive ? { backupId: reader.backupId, who: reader.who, untilMillis: until } : undefined,
              isStale: !isLive && nowMillis >= until
            }
          })
        ),
      { concurrency: 8 }
    ),
    Stream.runCollect
  )
})

/** The readers that are at work. */
export const live = (store: ObjectStoreShape) =>
  Effect.map(all(store), (found) => found.flatMap((reader) => reader.live ?? []))
