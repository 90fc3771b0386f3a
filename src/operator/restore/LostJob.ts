import { Effect, Option } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import * as Format from "../../status/Format.ts"
import type { EndedRestore } from "../../status/restore/RestoreFacts.ts"
import * as RunAgain from "../jobs/RunAgain.ts"
import type { RestoreCaches } from "./RestoreCaches.ts"
import * as RestoreJobState from "./RestoreJobState.ts"
import type * as RestoreObserved from "./RestoreObserved.ts"

/** The end of a Job that is gone, from what was last observed of it; undefined where it exists after all. */
export const end = Effect.fnUntraced(function* (
  { caches }: { readonly caches: RestoreCaches },
  observed: RestoreObserved.RestoreObserved,
  jobName: string
): Effect.fn.Return<EndedRestore | undefined, KubernetesError, KubernetesApi> {
  const api = yield* KubernetesApi
  const { namespace, nowMillis, previous } = observed
  const found = yield* Effect.map(api.get(Kind.jobs, { namespace, name: jobName }), Option.some).pipe(
    Effect.catchIf(hasReason("NotFound"), () => Effect.succeedNone)
  )
  if (Option.isSome(found)) {
    caches.jobs.learn(found.value)
    return undefined
  }
  if (yield* isGone(observed)) return undefined
  const last = caches.tombstone(`${namespace}/${jobName}`)
  if (last !== undefined) return RestoreJobState.deleted(last.job, last.pods, nowMillis)
  const isKept = observed.restore?.spec.onFailure === "DeleteCreated" ? "" : "; everything that was written is kept"
  return {
    jobName,
    startMillis: previous.startTime === undefined ? nowMillis : Format.millis(previous.startTime),
    endMillis: nowMillis,
    outcome: "interrupted",
    isDryRun: false,
    reason: "JobDeleted",
    message: `Job ${jobName} was deleted before its end was observed${isKept}.${RunAgain.restoreAdvice}`,
    notes: []
  }
})

/** A Job ends with its resource, and the watch of Jobs may say so first. */
const isGone = ({ name, namespace, uid }: RestoreObserved.RestoreObserved) =>
  Effect.gen(function* () {
    const api = yield* KubernetesApi
    const { metadata } = yield* api.get(Kind.kafkaRestores, { namespace, name })
    return metadata.uid !== uid || metadata.deletionTimestamp !== undefined
  }).pipe(Effect.catchIf(hasReason("NotFound"), () => Effect.succeed(true)))
