import { Result } from "effect"
import * as FramedOutput from "../../cli/FramedOutput.ts"
import * as JobName from "../../identity/JobName.ts"
import type { Job } from "../../kubernetes/Objects.ts"
import { given } from "../../resource/Json.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import * as JobObject from "../../operator/jobs/JobObject.ts"
import type { JobSettings } from "../../operator/jobs/JobSettings.ts"
import * as JobTemplate from "../../operator/jobs/JobTemplate.ts"
import * as PodTemplate from "../../operator/jobs/PodTemplate.ts"
import * as SecretKeys from "../../operator/jobs/SecretKeys.ts"
import * as Labels from "../../operator/Labels.ts"

/** How long a Job that has ended can still be looked at, in seconds. */
const ttlSeconds = 300

export interface CommandInput {
  readonly backup: KafkaBackup
  readonly settings: JobSettings
  /** The command of the worker and its arguments. */
  readonly args: ReadonlyArray<string>
  /** Different for each call. */
  readonly unique: string
  /** After this Kubernetes ends the pod. */
  readonly deadlineSeconds: number
}

/** A label ends at 63 characters and with a letter or digit. */
const labelValue = (name: string): string => name.slice(0, 63).replace(/[^a-zA-Z0-9]+$/u, "")

/**
 * The Job of one command on the storage of a resource: its pod is that of the resource's runs, without Kafka's
 * credentials. No label of the operator's Jobs is on it, so that the operator takes it for none of them.
 */
export const make = ({
  args,
  backup,
  deadlineSeconds,
  settings,
  unique
}: CommandInput): Result.Result<Job, JobObject.JobRefused> => {
  const { apiVersion, kind, metadata } = backup
  const { name, namespace, uid } = metadata
  if (uid === undefined || namespace === undefined) {
    const detail = `${kind} ${name} has no uid and namespace, which a resource of a cluster has`
    return Result.fail(new JobObject.JobRefused({ reason: "NotFromCluster", detail }))
  }
  const labels = {
    "app.kubernetes.io/name": "kafka-backup",
    [Labels.managedBy.key]: Labels.managedByCommand,
    [Labels.uidLabel]: uid,
    [Labels.nameLabel]: labelValue(name)
  }
  const annotations = { [Labels.resourceAnnotation]: name, [Labels.commandAnnotation]: args[0] ?? "" }
  return Result.map(JobTemplate.encodedWithoutSlot(backup), (runSpec): Job => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: JobName.forMaintenance(given({ uid, namespace, name }), "command", unique),
      namespace,
      labels,
      annotations,
      // It goes with the resource; a controller and a blocked deletion would need more rights.
      ownerReferences: [{ apiVersion, kind, name, uid }]
    },
    spec: {
      completions: 1,
      parallelism: 1,
      backoffLimit: 0,
      activeDeadlineSeconds: deadlineSeconds,
      ttlSecondsAfterFinished: ttlSeconds,
      template: PodTemplate.make({
        resource: backup,
        settings,
        args,
        runSpec,
        keys: SecretKeys.ofStorage(backup.spec),
        leavesSummary: false,
        variables: { [FramedOutput.variable]: FramedOutput.framed },
        isListening: false,
        labels,
        annotations
      })
    }
  }))
}
