import { Result } from "effect"
import * as JobName from "../../identity/JobName.ts"
import type { Job } from "../../kubernetes/Objects.ts"
import { given } from "../../resource/Json.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import * as JobObject from "../jobs/JobObject.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import * as JobTemplate from "../jobs/JobTemplate.ts"
import * as SecretKeys from "../jobs/SecretKeys.ts"
import * as Labels from "../Labels.ts"
import type { DueCheck } from "./PreflightDue.ts"

/** After this many seconds a check ends without an answer, also while its pod has not started. */
export const deadlineSeconds = 120

/**
 * The Job of a check. Equal inputs give equal Jobs. Its pod has the shape and the Secrets of a run's. One attempt: the
 * operator repeats it, and says what the first one found.
 */
export const make = (
  backup: KafkaBackup,
  { isQuick, key }: Pick<DueCheck, "isQuick" | "key">,
  settings: JobSettings
): Result.Result<Job, JobObject.JobRefused> => {
  const { generation = 0, name, namespace, uid } = backup.metadata
  return JobTemplate.encodedWithoutSlot(backup).pipe(
    Result.flatMap((runSpec) =>
      JobObject.make({
        resource: backup,
        settings,
        runSpec,
        purpose: "check",
        name: JobName.forCheck(given({ uid, namespace, name }), key),
        args: isQuick ? ["check", "--quick"] : ["check"],
        keys: [...SecretKeys.ofKafka(backup.spec), ...SecretKeys.ofStorage(backup.spec)],
        isListening: false,
        isOwned: true,
        limits: { backoffLimit: 0, activeDeadlineSeconds: deadlineSeconds },
        annotations: { [Labels.generationAnnotation]: String(generation) }
      })
    )
  )
}
