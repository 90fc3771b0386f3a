import { Effect, Ref, Stream } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason } from "../kubernetes/KubernetesError.ts"
import type { Pod } from "../kubernetes/Objects.ts"
import { PodLogs } from "../kubernetes/PodLogs.ts"
import * as JobFacts from "../operator/jobs/JobFacts.ts"
import { containerName } from "../operator/jobs/JobSettings.ts"

export interface LogRequest {
  readonly namespace: string
  readonly jobName: string
  readonly isFollowed: boolean
  readonly tailLines: number | undefined
}

/** A line, and the pod that wrote it. */
export interface LogLine {
  readonly pod: string
  readonly text: string
}

/** Pods that are read at the same time: as many as shards may run. */
const podsAtOnce = 16

/** Between two looks for further pods. */
const everyMillis = 2000

const created = (pod: Pod): string => pod.metadata.creationTimestamp ?? ""

/** The pods of a Job, the oldest first. */
export const podsOf = Effect.fnUntraced(function* (namespace: string, jobName: string) {
  const api = yield* KubernetesApi
  const { items } = yield* api.list(Kind.pods, {
    namespace,
    labelSelector: `batch.kubernetes.io/job-name=${jobName}`
  })
  return items.toSorted((a, b) => (created(a) < created(b) ? -1 : created(a) > created(b) ? 1 : 0))
})

/** Whether the container has written anything that can be read: before it starts there is no log. */
const hasLog = ({ status }: Pod): boolean =>
  (status?.containerStatuses ?? []).some(
    ({ lastState, name, state }) =>
      name === containerName &&
      (state?.running !== undefined || state?.terminated !== undefined || lastState?.terminated !== undefined)
  )

/** The log of one pod. A pod that is deleted meanwhile has no more lines. */
const linesOf = (pod: Pod, { isFollowed, tailLines }: LogRequest) =>
  Stream.unwrap(
    Effect.map(PodLogs, (logs) =>
      logs
        .lines(pod.metadata, {
          container: containerName,
          isFollowed,
          ...(tailLines === undefined ? {} : { tailLines })
        })
        .pipe(
          Stream.map((text): LogLine => ({ pod: pod.metadata.name, text })),
          Stream.catchIf(hasReason("NotFound"), () => Stream.empty)
        )
    )
  )

/** Whether the Job is over; one that is gone is. */
const isOver = Effect.fnUntraced(function* (namespace: string, name: string) {
  const api = yield* KubernetesApi
  const job = yield* api
    .get(Kind.jobs, { namespace, name })
    .pipe(Effect.catchIf(hasReason("NotFound"), () => Effect.succeed(undefined)))
  return (
    job === undefined ||
    JobFacts.condition(job, "Complete") !== undefined ||
    JobFacts.condition(job, "Failed") !== undefined
  )
})

/**
 * The pods whose log can be read: those that there are, and with `isFollowed` also those that come, until the Job is
 * over. Each comes once.
 */
const readable = (request: LogRequest) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const seen = yield* Ref.make<ReadonlySet<string>>(new Set())
      const fresh = Effect.gen(function* () {
        const before = yield* Ref.get(seen)
        const pods = (yield* podsOf(request.namespace, request.jobName)).filter(
          (pod) => hasLog(pod) && !before.has(pod.metadata.name)
        )
        yield* Ref.set(seen, new Set([...before, ...pods.map(({ metadata }) => metadata.name)]))
        return pods
      })
      if (!request.isFollowed) return Stream.fromIterableEffect(fresh)
      const look = Effect.gen(function* () {
        // Asked first: a pod of a Job that is over is there already.
        const isLast = yield* isOver(request.namespace, request.jobName)
        const pods = yield* fresh
        if (!isLast && pods.length === 0) yield* Effect.sleep(everyMillis)
        return { pods, isLast }
      })
      return Stream.fromEffectRepeat(look).pipe(
        Stream.takeUntil(({ isLast }) => isLast),
        Stream.flatMap(({ pods }) => Stream.fromIterable(pods))
      )
    })
  )

/** The lines of all pods of a Job. Followed ones are mixed as they come; else one pod after the other. */
export const lines = (request: LogRequest) =>
  readable(request).pipe(
    Stream.flatMap((pod) => linesOf(pod, request), { concurrency: request.isFollowed ? podsAtOnce : 1 })
  )
