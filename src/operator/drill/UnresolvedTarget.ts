import { Effect, Result } from "effect"
import type { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import type { JobTrouble } from "../EnsureJob.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import * as StrimziClusters from "../strimzi/StrimziClusters.ts"

/**
 * Why no drill could be started now: the `strimziRef` of its target stands for no cluster. Asked while a schedule waits
 * for its slot, so that the status says it before. The cluster that is backed up is looked up for runs, and `Ready`
 * says what is wrong with it.
 */
export const find = (
  { spec }: KafkaBackup,
  namespace: string,
  settings: JobSettings
): Effect.Effect<JobTrouble | undefined, KubernetesError, KubernetesApi> => {
  const target = spec.drill?.targetCluster
  if (target?.strimziRef === undefined) return Effect.succeed(undefined)
  return Effect.map(
    StrimziClusters.cluster(target, namespace, settings),
    Result.match({ onSuccess: () => undefined, onFailure: ({ message, reason }) => ({ reason, message }) })
  )
}
