import { Result } from "effect"
import type { Job } from "../../kubernetes/Objects.ts"
import * as JobName from "../../identity/JobName.ts"
import { slotText } from "../../identity/RunIdentity.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import * as JobObject from "./JobObject.ts"
import type { JobRefused } from "./JobRefused.ts"
import type { JobSettings } from "./JobSettings.ts"
import * as JobTemplate from "./JobTemplate.ts"
import * as SecretKeys from "./SecretKeys.ts"

/** Work on a resource's storage beside its runs. Pods of it get no credentials of Kafka. */
export interface MaintenanceInput {
  readonly backup: KafkaBackup
  /** Equal keys of one resource are one Job: what makes this chore this one, such as the generation that asked for it. */
  readonly key: string
  readonly settings: JobSettings
}

const deadlineSeconds = 3600
const retries = 2
/** A clean-up's Job outlives its resource: nobody may be left to remove it. */
const cleanupTtlSeconds = 600

/** Removes sets beyond `spec.retention.backups`. */
export const forPrune = (input: MaintenanceInput): Result.Result<Job, JobRefused> => make(input, "prune", ["prune"])

/** Lists what storage holds: its summary is what status is rebuilt from. */
export const forCatalogue = (input: MaintenanceInput): Result.Result<Job, JobRefused> =>
  make(input, "catalogue", ["list"])

/** Removes every set of the resource. Not owned by it: it is on its way out. */
export const forCleanup = (input: MaintenanceInput): Result.Result<Job, JobRefused> =>
  make(input, "cleanup", ["prune", "--all", "--confirm", input.backup.metadata.name])

const make = (
  { backup, key, settings }: MaintenanceInput,
  purpose: "prune" | "catalogue" | "cleanup",
  args: ReadonlyArray<string>
): Result.Result<Job, JobRefused> => {
  const { creationTimestamp, name, namespace, uid } = backup.metadata
  const owner = { name, ...(uid === undefined ? {} : { uid }), ...(namespace === undefined ? {} : { namespace }) }
  // A chore has no slot; but a run spec has one.
  const created = Date.parse(creationTimestamp ?? "")
  return JobTemplate.encoded({ backup, slot: slotText(Number.isNaN(created) ? 0 : created) }).pipe(
    Result.flatMap((runSpec) =>
      JobObject.make({
        backup,
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
        annotations: {}
      })
    )
  )
}
