import { Result, Schema } from "effect"
import type { Job } from "../../kubernetes/Objects.ts"
import { strimziReasonNames } from "../../outcome/StrimziReasons.ts"
import * as Labels from "../Labels.ts"
import * as FailurePolicy from "./FailurePolicy.ts"
import * as PodDigest from "./PodDigest.ts"
import * as PodTemplate from "./PodTemplate.ts"

/** No Job can be made for this resource. */
export class JobRefused extends Schema.TaggedError<JobRefused>()("JobRefused", {
  reason: Schema.Literals(["NotFromCluster", "ResourceTooLarge", ...strimziReasonNames]),
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

type Strings = Readonly<Record<string, string>>

/** A Job's limits. */
export interface JobLimits {
  readonly backoffLimit: number
  /** Of a Job with several pods at the same time. */
  readonly completionMode?: "Indexed"
  readonly completions?: number
  readonly parallelism?: number
  readonly backoffLimitPerIndex?: number
  readonly maxFailedIndexes?: number
  readonly activeDeadlineSeconds?: number
  /** Given at creation only where no reconcile reads the end: the Job and its pods' summaries go with it. */
  readonly ttlSecondsAfterFinished?: number
}

export interface JobInput extends Omit<PodTemplate.PodInput, "labels" | "annotations"> {
  readonly purpose: Labels.Purpose
  readonly name: string
  readonly limits: JobLimits
  /** Ends with the resource. */
  readonly isOwned: boolean
  readonly annotations: Strings
  /** Of the Job alone: what its pods are made from does not change with these. */
  readonly ofJob?: Strings
}

/** The annotation that has the whole name of the resource, by its kind. */
const resourceAnnotations = {
  KafkaBackup: Labels.resourceAnnotation,
  KafkaRestore: Labels.restoreAnnotation,
  KafkaOffsetReset: Labels.offsetResetAnnotation,
  KafkaOffsetRollback: Labels.offsetRollbackAnnotation
} as const

/** A label ends at 63 characters and with a letter or digit. */
const labelValue = (name: string): string => name.slice(0, 63).replace(/[^a-zA-Z0-9]+$/, "")

/** A whole Job. Refused without uid and namespace, which only a resource that was read from a cluster has. */
export const make = (input: JobInput): Result.Result<Job, JobRefused> => {
  const { apiVersion, kind, metadata } = input.resource
  const { name, namespace, uid } = metadata
  if (uid === undefined || namespace === undefined) {
    return Result.fail(
      new JobRefused({
        reason: "NotFromCluster",
        detail: `${kind} ${name} has no uid and namespace: a Job can only be made for a resource that was read from the API server`
      })
    )
  }
  const labels = {
    "app.kubernetes.io/name": "kafka-backup",
    [Labels.managedBy.key]: Labels.managedBy.value,
    [Labels.uidLabel]: uid,
    [Labels.nameLabel]: labelValue(name),
    [Labels.purposeLabel]: input.purpose
  }
  const annotations = {
    [resourceAnnotations[kind]]: name,
    ...input.annotations
  }
  const pod = { ...input, labels, annotations }
  const owner = {
    apiVersion,
    kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true
  }
  return Result.succeed({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: input.name,
      namespace,
      labels,
      annotations: {
        ...annotations,
        ...input.ofJob,
        [Labels.podAnnotation]: PodDigest.of(input.resource, input.limits, PodTemplate.make({ ...pod, runSpec: "" }))
      },
      ...(input.isOwned ? { ownerReferences: [owner] } : {})
    },
    spec: {
      completions: 1,
      parallelism: 1,
      ...input.limits,
      // Two pods of one run would be harmless, but would repeat each other's work.
      podReplacementPolicy: "Failed",
      podFailurePolicy: input.purpose === "offsets" ? FailurePolicy.cautious : FailurePolicy.policy,
      template: PodTemplate.make(pod)
    }
  })
}
