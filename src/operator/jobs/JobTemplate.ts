import { Result } from "effect"
import type { Job } from "../../kubernetes/Objects.ts"
import * as RunSpec from "../../identity/RunSpec.ts"
import * as JobName from "../../identity/JobName.ts"
import type { RunIdentity } from "../../identity/RunIdentity.ts"
import { given } from "../../resource/Json.ts"
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

/** The run's Job around a run spec that is encoded already. */
export const withRunSpec = (
  { backup, identity, cause, settings }: RunInput,
  runSpec: string
): Result.Result<Job, JobObject.JobRefused> => {
  const { activeDeadlineSeconds, backoffLimit } = backup.spec.job
  return JobObject.make({
    resource: backup,
    settings,
    runSpec,
    purpose: "run",
    name: JobName.forRun(identity),
    args: ["run"],
    keys: [...SecretKeys.ofKafka(backup.spec), ...SecretKeys.ofStorage(backup.spec)],
    isListening: true,
    isOwned: true,
    limits: given({ backoffLimit, activeDeadlineSeconds }),
    annotations: {
      [Labels.causeAnnotation]: cause,
      [Labels.slotAnnotation]: identity.slot,
      ...given({ [Labels.tokenAnnotation]: identity.trigger })
    }
  })
}

/** The run spec as it goes into a pod's environment. */
export const encoded = (runSpec: RunSpec.RunSpec): Result.Result<string, JobObject.JobRefused> =>
  Result.mapError(
    RunSpec.encode(runSpec),
    ({ advice, message }) => new JobObject.JobRefused({ reason: "ResourceTooLarge", detail: `${message}; ${advice}` })
  )
