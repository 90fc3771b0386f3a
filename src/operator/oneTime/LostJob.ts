import { Effect, Option } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { RunSummary } from "../../outcome/RunSummary.ts"
import * as Format from "../../status/Format.ts"
import type { EndedRestore } from "../../status/restore/RestoreFacts.ts"
import * as RunAgain from "../jobs/RunAgain.ts"
import type { OneTimeCaches } from "./OneTimeCaches.ts"
import * as OneTimeJobState from "./OneTimeJobState.ts"
import type { OneTimeObserved } from "./OneTimeObserved.ts"

/** The resource whose Job is gone. */
interface Lost extends Pick<OneTimeObserved, "name" | "namespace" | "uid" | "nowMillis"> {
  readonly previous: { readonly startTime?: string }
}

/**
 * The end of a Job that is gone, from what was last observed of it; undefined where it exists after all. `kept` says
 * what stays of its work, as the end of a clause.
 */
export const end = Effect.fnUntraced(function* (
  caches: Pick<OneTimeCaches, "jobs" | "tombstone">,
  kind: Kind.Kind,
  observed: Lost,
  jobName: string,
  kept: string,
  command?: RunSummary["command"]
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
  if (yield* isGone(kind, observed)) return undefined
  const last = caches.tombstone(`${namespace}/${jobName}`)
  if (last !== undefined) return OneTimeJobState.deleted(last.job, last.pods, nowMillis, command)
  return {
    jobName,
    startMillis: previous.startTime === undefined ? nowMillis : Format.millis(previous.startTime),
    endMillis: nowMillis,
    outcome: "interrupted",
    isDryRun: false,
    reason: "JobDeleted",
    message: `Job ${jobName} was deleted before its end was observed${kept}.${RunAgain.restoreAdvice}`,
    notes: []
  }
})

/** A Job ends with its resource, and the watch of Jobs may say so first. */
const isGone = (kind: Kind.Kind, { name, namespace, uid }: Lost) =>
  Effect.gen(function* () {
    const api = yield* KubernetesApi
    const { metadata } = yield* api.get(kind, { namespace, name })
    return metadata.uid !== uid || metadata.deletionTimestamp !== undefined
  }).pipe(Effect.catchIf(hasReason("NotFound"), () => Effect.succeed(true)))
