import { Clock, Effect } from "effect"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import { slotText } from "../identity/RunIdentity.ts"
import type { WorkerError } from "./WorkerError.ts"

/*
 * A one-time backup and its Secrets are often applied together, in any order, and nothing but a trigger would repeat
 * the run. So its pod waits for a Secret or key that is missing or unusable: the kubelet brings a Secret that was
 * created or corrected into the running pod within about a minute. A scheduled run fails at once, its next slot tries
 * again.
 */

/** How long the pod of a one-time backup waits, in milliseconds: GitOps tools have applied everything by then. */
export const oneTimeMillis = 3_600_000

/** The first pause between two reads, in milliseconds; each further one is twice as long. */
const firstPauseMillis = 5_000

/** The longest pause, in milliseconds: how often the kubelet refreshes a mounted Secret by itself. */
const longestPauseMillis = 60_000

/** How long the Job of this resource's run waits for Secrets, in milliseconds. */
export const ofJob = ({ spec }: KafkaBackup): number => (spec.schedule === undefined ? oneTimeMillis : 0)

/**
 * Reads Secrets until all are usable, at most `patienceMillis` long; then fails as the last read did. `progress` says
 * meanwhile what is missing.
 */
export const untilUsable = <A, R>(
  read: Effect.Effect<A, WorkerError, R>,
  progress: { awaited: string | undefined },
  patienceMillis: number
): Effect.Effect<A, WorkerError, R> =>
  Effect.gen(function* () {
    const untilMillis = (yield* Clock.currentTimeMillis) + patienceMillis
    const again = (pauseMillis: number): Effect.Effect<A, WorkerError, R> =>
      Effect.catch(read, (error) =>
        Effect.gen(function* () {
          const nowMillis = yield* Clock.currentTimeMillis
          if (error.reason._tag !== "SecretUnusable" || nowMillis >= untilMillis) return yield* error
          const { key, secret } = error.reason
          if (progress.awaited === undefined) {
            yield* Effect.logWarning("a Secret is missing or unusable; the run waits for it").pipe(
              Effect.annotateLogs({ secret, key, until: slotText(untilMillis) })
            )
          }
          progress.awaited = `Secret ${secret}, key ${key}: missing or unusable; the run waits for it until ${slotText(untilMillis)}`
          yield* Effect.sleep(Math.min(pauseMillis, untilMillis - nowMillis))
          return yield* again(Math.min(2 * pauseMillis, longestPauseMillis))
        })
      )
    return yield* again(firstPauseMillis)
  }).pipe(Effect.ensuring(Effect.sync(() => (progress.awaited = undefined))))
