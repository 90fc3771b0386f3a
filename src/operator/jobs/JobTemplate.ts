import { Result } from "effect"
import type { Job } from "../../kubernetes/Objects.ts"
import * as RunSpec from "../../identity/RunSpec.ts"
import * as JobName from "../../identity/JobName.ts"
import { type RunIdentity, slotText } from "../../identity/RunIdentity.ts"
import { given } from "../../resource/Json.ts"
import type { JobSpec } from "../../resource/JobSpec.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import type { RunCauseName } from "../../status/Facts.ts"
import * as Labels from "../Labels.ts"
import * as JobObject from "./JobObject.ts"
import type { JobSettings } from "./JobSettings.ts"
import * as SecretKeys from "./SecretKeys.ts"

/** One run that was decided. */
export interface RunInput {
  readonly backup: KafkaBackup
  readonly identity: RunIdentity
  readonly cause: RunCauseName
  readonly settings: JobSettings
}

/** The run's Job. Equal inputs give equal Jobs, and equal identities equal names. */
export const forRun = (input: RunInput): Result.Result<Job, JobObject.JobRefused> => {
  const { slot, trigger } = input.identity
  return encoded(given({ backup: input.backup, slot, trigger })).pipe(
    Result.flatMap((runSpec) => withRunSpec(input, runSpec))
  )
}

/** What Kubernetes calls the variable with a pod's index in an Indexed Job. */
export const indexVariable = "JOB_COMPLETION_INDEX"

/**
 * One pod, or one for each shard: Kubernetes replaces a lost one alone, as often as `backoffLimit` says. The first that
 * is lost for good ends the Job, since the backup cannot be complete without it. An API server without
 * `backoffLimitPerIndex` (before 1.28) leaves it out, and `backoffLimit` counts the failures of all pods then; with it,
 * a pod has reached its own limit before all of them have reached this sum.
 */
const limits = ({ activeDeadlineSeconds, backoffLimit, parallelism }: JobSpec): JobObject.JobLimits =>
  given({
    backoffLimit: backoffLimit * parallelism,
    activeDeadlineSeconds,
    ...(parallelism === 1
      ? {}
      : {
          completionMode: "Indexed" as const,
          completions: parallelism,
          parallelism,
          backoffLimitPerIndex: backoffLimit,
          maxFailedIndexes: 0
        })
  })

/** The run's Job around a run spec that is encoded already. */
export const withRunSpec = (
  { backup, identity, cause, settings }: RunInput,
  runSpec: string
): Result.Result<Job, JobObject.JobRefused> => {
  const { parallelism } = backup.spec.job
  const { generation } = backup.metadata
  return JobObject.make({
    resource: backup,
    settings,
    runSpec,
    purpose: "run",
    name: JobName.forRun(identity),
    args: parallelism === 1 ? ["run"] : ["run", "--shard", `$(${indexVariable})/${parallelism}`],
    keys: [...SecretKeys.ofKafka(backup.spec), ...SecretKeys.ofStorage(backup.spec)],
    isListening: true,
    isOwned: true,
    limits: limits(backup.spec.job),
    annotations: {
      [Labels.causeAnnotation]: cause,
      [Labels.slotAnnotation]: identity.slot,
      ...given({ [Labels.tokenAnnotation]: identity.trigger })
    },
    ofJob: given({ [Labels.generationAnnotation]: generation === undefined ? undefined : String(generation) })
  })
}

/** The same for a Job without a slot, where a run spec needs one: the time of the resource's creation. */
export const encodedWithoutSlot = (backup: KafkaBackup): Result.Result<string, JobObject.JobRefused> => {
  const created = Date.parse(backup.metadata.creationTimestamp ?? "")
  return encoded({ backup, slot: slotText(Number.isNaN(created) ? 0 : created) })
}

/** The run spec as it goes into a pod's environment. */
export const encoded = (runSpec: RunSpec.RunSpec): Result.Result<string, JobObject.JobRefused> =>
  Result.mapError(
    RunSpec.encode(runSpec),
    ({ advice, message }) => new JobObject.JobRefused({ reason: "ResourceTooLarge", detail: `${message}; ${advice}` })
  )
