import { Result } from "effect"
import * as JobName from "../../identity/JobName.ts"
import * as OffsetSpec from "../../identity/OffsetSpec.ts"
import type { Job } from "../../kubernetes/Objects.ts"
import { given } from "../../resource/Json.ts"
import { retryAnnotation } from "../../resource/KafkaRestore.ts"
import type { OffsetResource } from "../../resource/OffsetResource.ts"
import * as JobObject from "../jobs/JobObject.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import * as SecretKeys from "../jobs/SecretKeys.ts"
import * as Labels from "../Labels.ts"
import type { AttemptKey } from "../oneTime/AttemptKey.ts"

/**
 * The name of the Job that a resource asks for now: another one after an edit of the spec or a new value of the retry
 * annotation. Its name excludes two Jobs of one attempt.
 */
export const nameOf = (kind: string, { annotations, generation, name, namespace, uid }: AttemptKey): string => {
  const retry = annotations?.[retryAnnotation] ?? ""
  return JobName.forOffsets({ uid, namespace, name }, JSON.stringify([kind, generation, retry]))
}

/** The Job that does what the resource says, for the groups of the choice. Equal inputs give equal Jobs. */
export const make = (
  { choice, resource }: OffsetSpec.OffsetSpec,
  name: string,
  settings: JobSettings,
  annotations: Readonly<Record<string, string>> = {}
): Result.Result<Job, JobObject.JobRefused> => {
  const { generation } = resource.metadata
  return OffsetSpec.encode({ choice, resource }).pipe(
    Result.mapError(
      ({ advice, message }) => new JobObject.JobRefused({ reason: "ResourceTooLarge", detail: `${message}; ${advice}` })
    ),
    Result.flatMap((runSpec) =>
      JobObject.make({
        resource,
        settings,
        runSpec,
        purpose: "offsets",
        name,
        args: ["offsets", "apply"],
        keys: keysOf(resource),
        isListening: true,
        isOwned: true,
        limits: given({
          backoffLimit: resource.spec.job.backoffLimit,
          activeDeadlineSeconds: resource.spec.job.activeDeadlineSeconds
        }),
        annotations: {
          ...(generation === undefined ? {} : { [Labels.generationAnnotation]: String(generation) }),
          ...annotations
        }
      })
    )
  )
}

const keysOf = (resource: OffsetResource) => {
  const cluster = resource.kind === "KafkaRestore" ? resource.spec.targetCluster : resource.spec.kafkaCluster
  const { storage } = resource.spec
  return [
    ...(cluster === undefined ? [] : SecretKeys.ofKafka({ kafkaCluster: cluster })),
    ...(storage === undefined ? [] : SecretKeys.ofStorage({ storage }))
  ]
}
