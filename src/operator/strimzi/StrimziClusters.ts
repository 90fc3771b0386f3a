import { Effect, Result } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { KubeObject } from "../../kubernetes/Objects.ts"
import type { StrimziReasonName } from "../../outcome/StrimziReasons.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import type { KafkaClusterSpec } from "../../resource/KafkaClusterSpec.ts"
import type { OffsetResource } from "../../resource/OffsetResource.ts"
import type { StrimziRef } from "../../resource/StrimziRefSpec.ts"
import { JobRefused } from "../jobs/JobObject.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import * as Resolution from "./Resolution.ts"

/*
 * Before each Job the clusters of its resource are looked up, so that a Job always carries addresses and names of
 * Secrets, and what Strimzi changes counts from the next Job on. Nothing is watched: a resource whose reference stands
 * for nothing is looked at again every minute, as with every refused Job.
 */

/** The resource with its clusters spelled out, or why no Job can be made for it. */
export type Resolved<A> = Effect.Effect<Result.Result<A, JobRefused>, KubernetesError, KubernetesApi>

/** Newer versions of Strimzi serve v1 alone, older ones v1beta2 alone, and some both. */
const kafkas = [Kind.strimziKafkasV1, Kind.strimziKafkasV1beta2] as const
const users = [Kind.strimziUsersV1, Kind.strimziUsersV1beta2] as const

type Settings = Pick<JobSettings, "strimzi">

const refused = (reason: StrimziReasonName, detail: string) => Result.fail(new JobRefused({ reason, detail }))

const howToAllow =
  "as deploy/components/strimzi or strimzi.enabled of the chart does, or write bootstrapServers instead of strimziRef"

/** The object in the first version that the API server knows; undefined where there is none of that name. */
const read = Effect.fnUntraced(function* (
  [kind, ...older]: readonly [Kind.Kind, ...ReadonlyArray<Kind.Kind>],
  namespace: string,
  name: string
): Effect.fn.Return<KubeObject | undefined, KubernetesError, KubernetesApi> {
  const api = yield* KubernetesApi
  return yield* api.get(kind, { namespace, name }).pipe(
    Effect.catchIf(hasReason("NotFound"), (error) => {
      if (error.reason._tag !== "NotFound" || !error.reason.isKindMissing) return Effect.succeed(undefined)
      const [next, ...rest] = older
      return next === undefined ? Effect.fail(error) : read([next, ...rest], namespace, name)
    })
  )
})

const ofRef = (ref: StrimziRef, namespace: string): Resolved<KafkaClusterSpec> =>
  Effect.gen(function* () {
    const kafka = yield* read(kafkas, namespace, ref.name)
    const user = ref.user === undefined ? undefined : yield* read(users, namespace, ref.user)
    return Result.mapError(
      Resolution.resolve(ref, { kafka, user }),
      ({ message, reason }) => new JobRefused({ reason, detail: message })
    )
  }).pipe(
    Effect.catchIf(hasReason("NotFound"), () =>
      Effect.succeed(
        refused(
          "StrimziNotInstalled",
          "the API server knows no Kafka and KafkaUser of group kafka.strimzi.io; install Strimzi, or write bootstrapServers instead of strimziRef"
        )
      )
    ),
    Effect.catchIf(
      (error) => error.reason._tag === "Forbidden",
      ({ reason: { detail } }) =>
        Effect.succeed(
          refused(
            "StrimziNotAllowed",
            `the operator may not read Strimzi's resources here (${detail}); give it the right to get kafkas and kafkausers, ${howToAllow}`
          )
        )
    )
  )

/** The cluster itself, or what its `strimziRef` stands for now. Asks the API server for nothing without one. */
export const cluster = (
  spec: KafkaClusterSpec,
  namespace: string,
  { strimzi = false }: Settings
): Resolved<KafkaClusterSpec> => {
  if (spec.strimziRef === undefined) return Effect.succeed(Result.succeed(spec))
  return strimzi
    ? ofRef(spec.strimziRef, namespace)
    : Effect.succeed(
        refused(
          "StrimziNotEnabled",
          `strimziRef is set, and this operator runs without --strimzi; give it that flag and the right to get kafkas and kafkausers, ${howToAllow}`
        )
      )
}

/** For runs, which know no other cluster than that of the backup. */
export const ofBackup = (backup: KafkaBackup, namespace: string, settings: Settings): Resolved<KafkaBackup> =>
  Effect.map(
    cluster(backup.spec.kafkaCluster, namespace, settings),
    Result.map((kafkaCluster) => ({ ...backup, spec: { ...backup.spec, kafkaCluster } }))
  )

/** For drills, which may restore into another cluster. */
export const ofDrill = (backup: KafkaBackup, namespace: string, settings: Settings): Resolved<KafkaBackup> =>
  Effect.gen(function* () {
    const whole = yield* ofBackup(backup, namespace, settings)
    const target = backup.spec.drill?.targetCluster
    if (target === undefined) return whole
    const found = yield* cluster(target, namespace, settings)
    return Result.flatMap(whole, ({ spec, ...rest }) =>
      Result.map(found, (targetCluster) => ({ ...rest, spec: { ...spec, drill: { ...spec.drill!, targetCluster } } }))
    )
  })

/** For every Job of a restore. */
export const ofTarget = <A extends { readonly spec: { readonly targetCluster: KafkaClusterSpec } }>(
  restore: A,
  namespace: string,
  settings: Settings
): Resolved<A> =>
  Effect.map(
    cluster(restore.spec.targetCluster, namespace, settings),
    Result.map((targetCluster) => ({ ...restore, spec: { ...restore.spec, targetCluster } }))
  )

/** For work on consumer groups; the removal of a snapshot needs no cluster. */
export const ofOffsets = <A extends Exclude<OffsetResource, { readonly kind: "KafkaRestore" }>>(
  resource: A,
  namespace: string,
  settings: Settings
): Resolved<A> => {
  const { kafkaCluster: spec } = resource.spec
  if (spec === undefined) return Effect.succeed(Result.succeed(resource))
  return Effect.map(
    cluster(spec, namespace, settings),
    Result.map((kafkaCluster) => ({ ...resource, spec: { ...resource.spec, kafkaCluster } }))
  )
}
