import { Effect, Option } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { Job } from "../../kubernetes/Objects.ts"
import { given } from "../../resource/Json.ts"
import * as JobFacts from "../jobs/JobFacts.ts"
import * as JobStart from "../jobs/JobStart.ts"
import { PodProgress } from "../PodProgress.ts"
import type { OneTimeCaches } from "./OneTimeCaches.ts"
import * as OneTimeJobState from "./OneTimeJobState.ts"
import type { ObservedJob, OneTimeObserved } from "./OneTimeObserved.ts"

/**
 * What the pods of a Job say that is about to be stopped: the status learns of the first write only seconds after it. A
 * container that runs and does not answer may write.
 */
export const atWork = Effect.fnUntraced(function* (
  { caches }: { readonly caches: Pick<OneTimeCaches, "pods"> },
  { namespace }: Pick<OneTimeObserved, "namespace">,
  { job }: ObservedJob
): Effect.fn.Return<"Writing" | "NothingWritten" | "Unknown", KubernetesError, KubernetesApi | PodProgress> {
  const api = yield* KubernetesApi
  const reader = yield* PodProgress
  const labelSelector = `batch.kubernetes.io/job-name=${job.metadata.name}`
  const { items } = yield* api.list(Kind.pods, { namespace, labelSelector })
  for (const pod of items) caches.pods.learn(pod)
  if (OneTimeJobState.startedWritingMillis(items) !== undefined) return "Writing"
  const running = items.filter((pod) => JobStart.podStarted(pod) && !JobFacts.isOver(pod))
  const answers = yield* Effect.forEach(running, (pod) => reader.readRestore(pod))
  if (answers.some((answer) => Option.isSome(answer) && answer.value.startedWritingMillis !== undefined)) {
    return "Writing"
  }
  return answers.every(Option.isSome) ? "NothingWritten" : "Unknown"
})

/** Deletes a Job that has written nothing; it stays until its pods are gone, so that no two are at work at once. */
export const stop = Effect.fnUntraced(function* (
  { namespace }: Pick<OneTimeObserved, "namespace">,
  { metadata: { name, uid } }: Job
) {
  const api = yield* KubernetesApi
  yield* api
    .remove(Kind.jobs, { namespace, name }, given({ propagation: "Foreground" as const, uid }))
    .pipe(Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void))
})
