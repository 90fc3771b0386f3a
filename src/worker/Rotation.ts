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
 * Credentials of storage are read from their Secret when a run begins, and again whenever they are refused: a Secret that
 * was rotated meanwhile does not end the run, and one that is renewed a little after the old credentials ended is waited
 * for. (Brokers are shown the newest credentials at every connection: see `KafkaTarget.reread`.)
 */

/** True where credentials or authorities come from a Secret, so that reading them again may give others. */
const isFromSecret = (target: StorageTarget): boolean =>
  ("authorities" in target && target.authorities !== undefined) ||
  ("credentials" in target && target.credentials !== undefined && "origin" in target.credentials)

/**
 * Opens the store of the target that `read` gives, as patiently as `opening`, for as long as the scope lasts; `read` is
 * repeated at refusals.
 */
export const openStore = Effect.fn("Rotation.openStore")(function* <E, R>(
  read: Effect.Effect<StorageTarget, E, R>,
  opening: RetryPolicy
): Effect.fn.Return<ObjectStoreShape, E | ObjectStoreError, R | ObjectStores | Scope.Scope> {
  const stores = yield* ObjectStores
  const scope = yield* Effect.scope
  const context = yield* Effect.context<R>()
  const target = yield* read
  const first = yield* Opening.patient(stores.open(target), opening)
  if (!isFromSecret(target)) return first
  const { renewed } = Renewal.make(target, Effect.provide(read, context))
  const reopened = (haveWorked: boolean): Effect.Effect<ObjectStoreShape | undefined> =>
    Effect.flatMap(renewed(haveWorked), (fresh) =>
      fresh === undefined
        ? Effect.succeed(undefined)
        : Retry.retrying(Retry.bounded, () => Scope.provide(stores.open(fresh), scope)).pipe(
            Effect.tap(() => said(first.location)),
            // Refused as well: perhaps the Secret changes once more.
            Effect.catch((error) => Effect.andThen(notAccepted(first.location, error), reopened(haveWorked)))
          )
    )
  return RotatingObjectStore.make(first, reopened)
})

const said = (target: string) => Effect.logInfo("renewed credentials are in use").pipe(Effect.annotateLogs({ target }))

const notAccepted = (target: string, error: ObjectStoreError) =>
  Effect.logWarning("renewed credentials were not accepted").pipe(Effect.annotateLogs({ target, error: error.message }))
