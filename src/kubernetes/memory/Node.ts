import { Cause, Clock, Effect, FiberMap, Queue, type Scope } from "effect"
import { jobs, pods } from "../Kind.ts"
import type { KubernetesApiShape, ObjectRef } from "../KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../KubernetesError.ts"
import type { Job, Pod } from "../Objects.ts"
import type { ApiServer } from "./ApiServer.ts"
import { handling } from "./Loop.ts"
import type { ContainerEnd, PodRun, PodTrouble } from "./PodRun.ts"
import * as PodStatus from "./PodStatus.ts"

/** The node that all pods of Jobs run on. */
export interface Node {
  /** What containers started from now on do. Until the first call they succeed at once, without a message. */
  readonly run: (podRun: PodRun) => Effect.Effect<void>
  /** Pods for which `troubleOf` returns a trouble do not start, until a later call returns none for them. */
  readonly trouble: (troubleOf?: (pod: Pod) => PodTrouble | undefined) => Effect.Effect<void>
  /**
   * Evicts the pod as a node under pressure does: `Failed`, with the condition DisruptionTarget. Waits until it has
   * ended.
   */
  readonly evict: (ref: ObjectRef, message?: string) => Effect.Effect<void, KubernetesError>
}

export const make = (server: ApiServer, api: KubernetesApiShape): Effect.Effect<Node, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const arrivals = yield* Queue.unbounded<string>()
    const departures = yield* Queue.unbounded<string>()
    const runs = yield* FiberMap.make<string>()
    let podRun: PodRun = () => Effect.succeed({ exitCode: 0, message: "" })
    let troubleOf: (pod: Pod) => PodTrouble | undefined = () => undefined
    let addresses = 0

    server.table.onChange(({ after, before, kind }) => {
      if (kind.plural !== pods.plural) return
      if (before === undefined && after !== undefined) Queue.offerUnsafe(arrivals, after.metadata.uid ?? "")
      if (after === undefined && before !== undefined) Queue.offerUnsafe(departures, before.metadata.uid ?? "")
    })

    const podOf = (uid: string) => server.table.byUid(uid)?.object as Pod | undefined
    const jobOf = ({ metadata }: Pod) =>
      (metadata.ownerReferences ?? [])
        .map(({ uid }) => server.table.byUid(uid)?.object)
        .find((owner) => owner?.kind === jobs.kind) as Job | undefined

    /** Reports the pod's status, unless the pod is gone. */
    const report = ({ metadata }: Pod, status: NonNullable<Pod["status"]>) =>
      api
        .patch(
          pods,
          metadata,
          { metadata: { uid: metadata.uid }, status: { containerStatuses: null, ...status } },
          "status"
        )
        .pipe(
          Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void),
          Effect.orDie
        )

    const ran = (pod: Pod, job: Job): Effect.Effect<ContainerEnd> =>
      Effect.matchCauseEffect(
        Effect.suspend(() => podRun(pod, job)),
        {
          onSuccess: Effect.succeed,
          onFailure: (cause) =>
            Cause.hasInterruptsOnly(cause)
              ? Effect.failCause(cause)
              : Effect.succeed({ exitCode: 1, message: Cause.pretty(cause) })
        }
      )

    const live = (pod: Pod, job: Job) =>
      Effect.gen(function* () {
        const startedMillis = yield* Clock.currentTimeMillis
        addresses++
        const podIP = `10.0.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}`
        yield* report(pod, PodStatus.running(pod, podIP, startedMillis))
        const end = yield* ran(podOf(pod.metadata.uid ?? "") ?? pod, job)
        yield* report(pod, PodStatus.ended(pod, end, startedMillis, yield* Clock.currentTimeMillis))
      })

    const examine = (uid: string) =>
      Effect.gen(function* () {
        const pod = podOf(uid)
        const job = pod && jobOf(pod)
        if (pod === undefined || job === undefined || pod.status?.phase !== "Pending") return
        if (yield* FiberMap.has(runs, uid)) return
        const trouble = troubleOf(pod)
        if (trouble === undefined) yield* FiberMap.run(runs, uid, live(pod, job))
        else yield* report(pod, PodStatus.troubled(pod, trouble, yield* Clock.currentTimeMillis))
      })

    yield* handling("starting a pod", arrivals, examine)
    // A container may end slowly; the others need not wait for it.
    yield* handling("ending a pod", departures, (uid) =>
      Effect.asVoid(Effect.forkIn(FiberMap.remove(runs, uid), scope))
    )

    return {
      run: (next) => Effect.sync(() => void (podRun = next)),
      trouble: (next) =>
        Effect.sync(() => {
          troubleOf = next ?? (() => undefined)
          for (const { object } of server.table.all(pods)) Queue.offerUnsafe(arrivals, object.metadata.uid ?? "")
        }),
      evict: (ref, message = "The node was low on resource: memory.") =>
        Effect.gen(function* () {
          const pod = yield* api.get(pods, ref)
          yield* FiberMap.remove(runs, pod.metadata.uid ?? "")
          yield* report(pod, PodStatus.evicted(pod, message, yield* Clock.currentTimeMillis))
        })
    }
  })
