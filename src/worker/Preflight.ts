import { Effect, type Exit, Stream } from "effect"
import { randomUUID } from "node:crypto"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { Misconfigured, ObjectStoreError } from "../storage/ObjectStoreError.ts"

/** One thing that a run needs from the store, tried with a test object. */
export interface StorageCheck {
  /** The thing that is tried, in a few words. */
  readonly name: string
  readonly effect: Effect.Effect<void, ObjectStoreError>
}

export interface CheckResult {
  readonly name: string
  readonly exit: Exit.Exit<void, ObjectStoreError>
}

/**
 * Everything that a run needs from the store, in the order in which it needs it: write, create only if absent (tried
 * twice: the second must be refused), read back, list, delete. The test object lies in the folder of this program and
 * is removed again.
 */
export const storageChecks = (store: ObjectStoreShape): ReadonlyArray<StorageCheck> => {
  const key = BackupKeys.preflight(randomUUID())
  const content = Buffer.from("kafka-backup was here\n")
  const wrong = (detail: string, advice: string) =>
    new ObjectStoreError({
      operation: "put",
      location: store.location,
      reason: new Misconfigured({ detail, advice })
    })
  return [
    { name: "may write", effect: Effect.asVoid(store.put(key, [content], { ifAbsent: true })) },
    {
      name: "honours create-if-absent",
      effect: store.put(key, [content, content], { ifAbsent: true }).pipe(
        Effect.andThen(
          wrong(
            "the store overwrote an object that it should have created only if absent",
            "use a store, or a version of it, that honours conditional writes: without them two runs could overwrite each other"
          )
        ),
        Effect.catchReason("ObjectStoreError", "ObjectExists", () => Effect.void)
      )
    },
    {
      name: "returns the bytes that were written",
      effect: Effect.flatMap(store.get(key), (found) =>
        Buffer.compare(Buffer.from(found), content) === 0
          ? Effect.void
          : wrong(
              "the store returned other bytes than were written",
              "do not keep backups there until the cause is found"
            )
      )
    },
    {
      name: "may list",
      effect: store.list(BackupKeys.preflightFolder).pipe(
        Stream.filter((info) => info.key === key),
        Stream.runCount,
        Effect.flatMap((n) =>
          n === 1
            ? Effect.void
            : wrong(
                "a listing leaves out an object that exists",
                "use a store with consistent listings: catalogue and retention cannot work without them"
              )
        )
      )
    },
    { name: "may delete", effect: store.delete(key) }
  ]
}

/** All checks, one after the other, each with its outcome. Stops after a refused write. */
export const checkStorage = Effect.fn("Preflight.checkStorage")(function* (store: ObjectStoreShape) {
  const results: Array<CheckResult> = []
  for (const { effect, name } of storageChecks(store)) {
    const exit = yield* Effect.exit(effect)
    results.push({ name, exit })
    if (exit._tag === "Failure" && name === "may write") break
  }
  return results as ReadonlyArray<CheckResult>
})

/**
 * Fails with the first check that fails, before a run has read anything: the store would otherwise refuse hours later.
 */
export const assertStorage = (store: ObjectStoreShape): Effect.Effect<void, ObjectStoreError> =>
  Effect.forEach(storageChecks(store), ({ effect }) => effect, { discard: true })
