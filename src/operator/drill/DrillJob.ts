import { Result } from "effect"
import * as JobName from "../../identity/JobName.ts"
import type { Owner } from "../../identity/RunIdentity.ts"
import type { Job } from "../../kubernetes/Objects.ts"
import { given } from "../../resource/Json.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import * as RunCause from "../../schedule/RunCause.ts"
import * as JobObject from "../jobs/JobObject.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import * as JobTemplate from "../jobs/JobTemplate.ts"
import * as SecretKeys from "../jobs/SecretKeys.ts"
import * as Labels from "../Labels.ts"

/**
 * The name of the Job of a drill: equal for equal slots or values of the annotation of one owner, at any time, so that
 * it excludes two Jobs of one drill.
 */
export const nameOf = (owner: Owner, cause: RunCause.RunCause): string => {
  const { slot, trigger } = RunCause.identity(owner, cause)
  return JobName.forMaintenance(
    owner,
    "drill",
    JSON.stringify(trigger === undefined ? ["slot", slot] : ["trigger", trigger])
  )
}

/** The Job of a drill. Equal inputs give equal Jobs. Its pod has the shape and the Secrets of a run's. */
export const make = (
  backup: KafkaBackup,
  cause: RunCause.RunCause,
  settings: JobSettings
): Result.Result<Job, JobObject.JobRefused> => {
  const { name, namespace, uid } = backup.metadata
  const owner = given({ uid, namespace, name })
  const { slot, trigger } = RunCause.identity(owner, cause)
  const { spec } = backup
  const { activeDeadlineSeconds, backoffLimit } = spec.job
  const target = spec.drill?.targetCluster
  return JobTemplate.encoded(given({ backup, slot, trigger })).pipe(
    Result.flatMap((runSpec) =>
      JobObject.make({
        resource: backup,
        settings,
        runSpec,
        purpose: "drill",
        name: nameOf(owner, cause),
        args: ["drill"],
        keys: [
          ...SecretKeys.ofKafka(spec),
          ...SecretKeys.ofStorage(spec),
          ...(target === undefined ? [] : SecretKeys.ofKafka({ kafkaCluster: target }))
        ],
        isListening: true,
        isOwned: true,
        limits: given({ backoffLimit, activeDeadlineSeconds }),
        annotations: {
          [Labels.causeAnnotation]: trigger === undefined ? "schedule" : "trigger",
          [Labels.slotAnnotation]: slot,
          ...given({ [Labels.tokenAnnotation]: trigger })
        }
      })
    )
  )
}
