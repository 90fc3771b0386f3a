import { Effect, type Exit, Stream } from "effect"
import { randomUUID } from "node:crypto"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { Misconfigured, ObjectStoreError } from "../storage/ObjectStoreError.ts"

/** One thing that a run will need of the store, tried for real with an object of our own. */
export interface StorageCheck {
  /** What is tried, in a few words. */
  readonly name: string
  readonly effect: Effect.Effect<void, ObjectStoreError>
}

export interface CheckResult {
  readonly name: string
  readonly exit: Exit.Exit<void, ObjectStoreError>
}

/**
 * What a run needs of the store, in the order in which it would need it: write, create only if absent (tried twice: the
 * second must be refused), read back, list, delete. The object tried with lies in our own folder and is removed again.
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
            "the store overwrote an object that was to be created only if absent",
            "two runs could overwrite each other here: use a store, or a version of it, that honours conditional writes"
          )
        ),
        Effect.catchReason("ObjectStoreError", "ObjectExists", () => Effect.void)
      )
    },
    {
      name: "gives back what was written",
      effect: Effect.flatMap(store.get(key), (found) =>
        Buffer.compare(Buffer.from(found), content) === 0
          ? Effect.void
          : wrong(
              "the store gave back other bytes than were written",
              "do not keep backups there before this is explained"
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
                "a listing leaves out an object that is there",
                "the store lists late or not at all: catalogue and retention cannot work with it"
              )
        )
      )
    },
    { name: "may delete", effect: store.delete(key) }
  ]
}

/** All checks one after the other, each with its outcome; after a refused write the others are not tried. */
export const checkStorage = Effect.fn("Preflight.checkStorage")(function* (store: ObjectStoreShape) {
  const results: Array<CheckResult> = []
  for (const { effect, name } of storageChecks(store)) {
    const exit = yield* Effect.exit(effect)
    results.push({ name, exit })
    if (exit._tag === "Failure" && name === "may write") break
  }
  return results as ReadonlyArray<CheckResult>
})

/** Before a run touches anything: fails with the first thing that the store would refuse later, hours into the run. */
export const assertStorage = (store: ObjectStoreShape): Effect.Effect<void, ObjectStoreError> =>
  Effect.forEach(storageChecks(store), ({ effect }) => effect, { discard: true })
