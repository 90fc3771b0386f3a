import { Effect, Result } from "effect"
import type { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import type { ActiveRun } from "../../status/Facts.ts"
import * as AwaitedSecret from "../AwaitedSecret.ts"
import type { JobTrouble } from "../EnsureJob.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import type * as Observed from "../Observed.ts"
import * as StrimziClusters from "./StrimziClusters.ts"

/** What the clusters of a backup are now. */
export interface Resolution {
  /** The backup with its cluster spelled out; undefined where that was not looked up, or stands for nothing. */
  readonly backup: KafkaBackup | undefined
  /** Why no run can be started. */
  readonly trouble: JobTrouble | undefined
}

/**
 * Looks the cluster up where an answer counts: before a run, for one whose Job may still be replaced, and while a
 * schedule waits for its slot, so that the status tells before the slot. A run at work has its answer.
 */
export const take = (
  settings: JobSettings,
  { backup, namespace, previous }: Observed.Observed,
  { active, isWanted }: { readonly active: ActiveRun | undefined; readonly isWanted: boolean }
): Effect.Effect<Resolution, KubernetesError, KubernetesApi> => {
  if (backup?.spec.kafkaCluster.strimziRef === undefined) return Effect.succeed({ backup, trouble: undefined })
  const isReplaceable =
    active !== undefined &&
    (active.waiting?.isReplaceable === true || AwaitedSecret.isAwaiting(previous, active.jobName))
  if (active === undefined ? !isWanted : !isReplaceable) {
    return Effect.succeed({ backup: undefined, trouble: undefined })
  }
  return Effect.map(
    StrimziClusters.ofBackup(backup, namespace, settings),
    Result.match({
      onSuccess: (found) => ({ backup: found, trouble: undefined }),
      onFailure: ({ message, reason }) => ({
        backup: undefined,
        // A Job that was made before keeps what it carries.
        trouble: active === undefined ? { reason, message } : undefined
      })
    })
  )
}
