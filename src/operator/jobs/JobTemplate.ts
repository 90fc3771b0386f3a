import { Result } from "effect"
import type { Job } from "../../kubernetes/Objects.ts"
import * as FrozenRun from "../../identity/RunSpec.ts"
import * as JobName from "../../identity/JobName.ts"
import type { RunIdentity } from "../../identity/RunIdentity.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import type { OccasionName } from "../../status/Facts.ts"
import * as Labels from "../Labels.ts"
import * as JobObject from "./JobObject.ts"
import { JobRefused } from "./JobRefused.ts"
import type { JobSettings } from "./JobSettings.ts"
import * as SecretKeys from "./SecretKeys.ts"

/** One run that was decided. */
export interface RunInput {
  readonly backup: KafkaBackup
  readonly identity: RunIdentity
  readonly occasion: OccasionName
  readonly settings: JobSettings
}

/** The run's Job. Equal inputs give equal Jobs, and equal identities equal names. */
export const forRun = (input: RunInput): Result.Result<Job, JobRefused> => {
  const { slot, trigger } = input.identity
  return encoded({ backup: input.backup, slot, ...(trigger === undefined ? {} : { trigger }) }).pipe(
    Result.flatMap((frozen) => withFrozen(input, frozen))
  )
}

/** The run's Job around a frozen run that is encoded already. */
export const withFrozen = (
  { backup, identity, occasion, settings }: RunInput,
  frozen: string
): Result.Result<Job, JobRefused> => {
  const { activeDeadlineSeconds, backoffLimit } = backup.spec.job
  return JobObject.make({
    backup,
    settings,
    frozen,
    purpose: "run",
    name: JobName.forRun(identity),
    args: ["run"],
    keys: [...SecretKeys.ofKafka(backup.spec), ...SecretKeys.ofStorage(backup.spec)],
    isListening: true,
    isOwned: true,
    limits: { backoffLimit, ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }) },
    annotations: {
      [Labels.occasionAnnotation]: occasion,
      [Labels.slotAnnotation]: identity.slot,
      ...(identity.trigger === undefined ? {} : { [Labels.tokenAnnotation]: identity.trigger })
    }
  })
}

/** The frozen run as it goes into a pod's environment. */
export const encoded = (frozen: FrozenRun.FrozenRun): Result.Result<string, JobRefused> =>
  Result.mapError(
    FrozenRun.encode(frozen),
    ({ advice, message }) => new JobRefused({ reason: "ResourceTooLarge", detail: `${message}; ${advice}` })
  )
