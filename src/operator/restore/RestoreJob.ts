import { Result } from "effect"
import * as JobName from "../../identity/JobName.ts"
import * as RestoreSpec from "../../identity/RestoreSpec.ts"
import type { Job } from "../../kubernetes/Objects.ts"
import type { Restorable, WithOrigin } from "../../resource/BackupRef.ts"
import { given } from "../../resource/Json.ts"
import { type KafkaRestore, retryAnnotation } from "../../resource/KafkaRestore.ts"
import * as JobObject from "../jobs/JobObject.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import * as SecretKeys from "../jobs/SecretKeys.ts"
import type { AttemptKey } from "../oneTime/AttemptKey.ts"
import * as LateEdit from "../oneTime/LateEdit.ts"

/**
 * The name of the Job that the resource asks for now: another one after an edit of the spec or a new value of the retry
 * annotation. Its name excludes two Jobs of one attempt.
 */
export const nameOf = ({ annotations, generation, name, namespace, uid }: AttemptKey): string => {
  const retry = annotations?.[retryAnnotation] ?? ""
  return JobName.forRestore({ uid, namespace, name }, JSON.stringify([generation, retry]))
}

/** The name of the Job that ends the retention hold. */
export const holdNameOf = ({ name, namespace, uid }: Pick<AttemptKey, "uid" | "namespace" | "name">): string =>
  JobName.forRestore({ uid, namespace, name }, "end hold")

/** How long one attempt to end a hold may take, its pod's start included, in seconds: it changes topics' settings. */
const holdDeadlineSeconds = 3600

/** The Job that ends the retention hold: it needs neither the backup nor its storage. */
export const forHold = (
  restore: KafkaRestore,
  name: string,
  settings: JobSettings
): Result.Result<Job, JobObject.JobRefused> =>
  made(restore, name, settings, {
    args: ["restore", "--end-hold"],
    keys: SecretKeys.ofKafka({ kafkaCluster: restore.spec.targetCluster }),
    usesStorage: false,
    activeDeadlineSeconds: holdDeadlineSeconds
  })

/** The Job of an attempt. Equal inputs give equal Jobs. */
export const make = (
  restore: Restorable,
  name: string,
  settings: JobSettings
): Result.Result<Job, JobObject.JobRefused> =>
  made(restore, name, settings, {
    args: ["restore"],
    keys: [...SecretKeys.ofKafka({ kafkaCluster: restore.spec.targetCluster }), ...SecretKeys.ofStorage(restore.spec)],
    usesStorage: true,
    activeDeadlineSeconds: restore.spec.job.activeDeadlineSeconds
  })

/** What the two kinds of Jobs differ in. */
interface Work extends Pick<JobObject.JobInput, "args" | "keys"> {
  readonly usesStorage: boolean
  readonly activeDeadlineSeconds: number | undefined
}

const made = (
  restore: WithOrigin,
  name: string,
  settings: JobSettings,
  { activeDeadlineSeconds, args, keys, usesStorage }: Work
): Result.Result<Job, JobObject.JobRefused> =>
  RestoreSpec.encode(restore).pipe(
    Result.mapError(
      ({ advice, message }) => new JobObject.JobRefused({ reason: "ResourceTooLarge", detail: `${message}; ${advice}` })
    ),
    Result.flatMap((runSpec) =>
      JobObject.make({
        resource: restore,
        settings,
        runSpec,
        purpose: "restore",
        name,
        args,
        keys,
        usesStorage,
        isListening: true,
        isOwned: true,
        limits: given({ backoffLimit: restore.spec.job.backoffLimit, activeDeadlineSeconds }),
        annotations: LateEdit.annotations(restore.metadata.generation, restore.spec.backupId)
      })
    )
  )
