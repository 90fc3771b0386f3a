import { Result } from "effect"
import type { Job } from "../../kubernetes/Objects.ts"
import * as JobName from "../../identity/JobName.ts"
import { given } from "../../resource/Json.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import * as Labels from "../Labels.ts"
import * as JobObject from "./JobObject.ts"
import type { JobSettings } from "./JobSettings.ts"
import * as JobTemplate from "./JobTemplate.ts"
import * as SecretKeys from "./SecretKeys.ts"

/** Work on a resource's storage beside its runs. Its pods get no Kafka credentials. */
export interface MaintenanceInput {
  readonly backup: KafkaBackup
  /** Equal keys of one resource are one Job: what identifies this one, such as the generation that asked for it. */
  readonly key: string
  readonly settings: JobSettings
}

const deadlineSeconds = 3600
const retries = 2
/** A clean-up Job outlives its resource, and no reconcile may be left to remove it. */
const cleanupTtlSeconds = 600

/** Removes sets that no rule of `spec.retention` keeps. */
export const forPrune = (input: MaintenanceInput): Result.Result<Job, JobObject.JobRefused> =>
  make(input, "prune", ["prune"])

/** Lists what storage holds: the status is rebuilt from its summary. */
export const forCatalogue = (input: MaintenanceInput): Result.Result<Job, JobObject.JobRefused> =>
  make(input, "catalogue", ["list"])

/**
 * Removes every set of the resource: one attempt, whose number is the key. Not owned by the resource, which is being
 * deleted.
 */
export const forCleanup = (input: MaintenanceInput): Result.Result<Job, JobObject.JobRefused> =>
  make(input, "cleanup", removingAll(input), { [Labels.attemptAnnotation]: input.key })

/**
 * The same for a clean-up that is given up: runs nothing until a person resumes it, and outlives the resource.
 */
export const forLaterCleanup = (input: Omit<MaintenanceInput, "key">): Result.Result<Job, JobObject.JobRefused> =>
  Result.map(make({ ...input, key: "by hand" }, "cleanup", removingAll(input)), (job) => ({
    ...job,
    spec: { ...job.spec, suspend: true }
  }))

const removingAll = ({ backup }: Pick<MaintenanceInput, "backup">) => [
  "prune",
  "--all",
  "--confirm",
  backup.metadata.name
]

const make = (
  { backup, key, settings }: MaintenanceInput,
  purpose: "prune" | "catalogue" | "cleanup",
  args: ReadonlyArray<string>,
  annotations: Readonly<Record<string, string>> = {}
): Result.Result<Job, JobObject.JobRefused> => {
  const { name, namespace, uid } = backup.metadata
  const owner = given({ name, uid, namespace })
  return JobTemplate.encodedWithoutSlot(backup).pipe(
    Result.flatMap((runSpec) =>
      JobObject.make({
        resource: backup,
        settings,
        runSpec,
        purpose,
        args,
        name: JobName.forMaintenance(owner, purpose, key),
        keys: SecretKeys.ofStorage(backup.spec),
        isListening: false,
        isOwned: purpose !== "cleanup",
        limits: {
          backoffLimit: retries,
          activeDeadlineSeconds: deadlineSeconds,
          ...(purpose === "cleanup" ? { ttlSecondsAfterFinished: cleanupTtlSeconds } : {})
        },
        annotations
      })
    )
  )
}
