import { Effect, Scope } from "effect"
import type { RetryPolicy } from "../storage/GuardedObjectStore.ts"
import * as Renewal from "../secrets/Renewal.ts"
import { ObjectStores, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as RotatingObjectStore from "../storage/RotatingObjectStore.ts"
import * as Retry from "../storage/Retry.ts"
import type { StorageTarget } from "../storage/StorageTarget.ts"
import * as Opening from "./Opening.ts"

/*
 * A run reads storage credentials from their Secret when it begins, and again whenever the store refuses them. A
 * rotated Secret therefore does not end the run, and a Secret that changes shortly after the old credentials expired is
 * waited for. (Every new connection to a broker uses the newest credentials: see `KafkaTarget.reread`.)
 */

/** True if credentials or authorities come from a Secret, so that reading it again may give new ones. */
const isFromSecret = (target: StorageTarget): boolean =>
  ("authorities" in target && target.authorities !== undefined) ||
  ("credentials" in target && target.credentials !== undefined && "origin" in target.credentials)

/**
 * Opens the store of the target that `read` returns, for as long as the scope lasts; `opening` decides how often that
 * is tried. `read` is repeated when the store refuses the credentials.
 */
export const openStore = Effect.fn("Rotation.openStore")(function* <E, R>(
  read: Effect.Effect<StorageTarget, E, R>,
  opening: RetryPolicy
): Effect.fn.Return<ObjectStoreShape, E | ObjectStoreError, R | ObjectStores | Scope.Scope> {
  const stores = yield* ObjectStores
  const scope = yield* Effect.scope
  const context = yield* Effect.context<R>()
  const target = yield* read
  const first = yield* Opening.retried(stores.open(target), opening)
  if (!isFromSecret(target)) return first
  const { renewed } = Renewal.make(target, Effect.provide(read, context))
  const reopened = (haveWorked: boolean): Effect.Effect<ObjectStoreShape | undefined> =>
    Effect.flatMap(renewed(haveWorked), (fresh) =>
      fresh === undefined
        ? Effect.succeed(undefined)
        : Retry.retrying(Retry.bounded, () => Scope.provide(stores.open(fresh), scope)).pipe(
            Effect.tap(() => logAccepted(first.location)),
            // The store refuses these, too: the Secret may change once more.
            Effect.catch((error) => Effect.andThen(logRefused(first.location, error), reopened(haveWorked)))
          )
    )
  return RotatingObjectStore.make(first, reopened)
})

const logAccepted = (target: string) =>
  Effect.logInfo("renewed credentials are in use").pipe(Effect.annotateLogs({ target }))

const logRefused = (target: string, error: ObjectStoreError) =>
  Effect.logWarning("renewed credentials were refused").pipe(Effect.annotateLogs({ target, error: error.message }))
