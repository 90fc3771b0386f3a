import { Result } from "effect"
import type { Event, Job, Pod } from "../../../src/kubernetes/Objects.ts"
import type { RunSummary } from "../../../src/outcome/RunSummary.ts"
import * as SummaryCodec from "../../../src/outcome/SummaryCodec.ts"
import * as JobTemplate from "../../../src/operator/jobs/JobTemplate.ts"
import type { JobSettings } from "../../../src/operator/jobs/JobSettings.ts"
import type { RunIdentity } from "../../../src/identity/RunIdentity.ts"
import type { KafkaBackup } from "../../../src/resource/KafkaBackup.ts"
import * as ManifestParser from "../../../src/resource/ManifestParser.ts"
import { changed } from "../../resource/manifests.ts"

export const uid = "0b1c2d3e-0000-4000-8000-000000000001"
export const name = "production-backup"
export const slot = "2026-11-24T07:00:00Z"
export const identity: RunIdentity = { owner: { uid, namespace: "kafka-backup", name }, slot }
export const settings: JobSettings = { image: "registry.example/kafka-backup:1.2.3" }
/** The time at which tests observe. */
export const now = Date.parse("2026-11-24T07:30:00Z")

/** The full resource as a cluster keeps it, with changes below `spec`. */
export const backup = (...changes: ReadonlyArray<readonly [path: string, value: unknown]>): KafkaBackup => {
  const read = Result.getOrThrow(ManifestParser.fromJson(changed(...changes)))
  const metadata = { ...read.metadata, uid, generation: 3, creationTimestamp: "2026-11-01T00:00:00Z" }
  return { ...read, metadata }
}

/** The Job of a run, untyped, for looking into it. */
export const jobOf = (resource: KafkaBackup, given: Partial<JobSettings> = {}): any =>
  Result.getOrThrow(
    JobTemplate.withRunSpec(
      { backup: resource, identity, cause: "schedule", settings: { ...settings, ...given } },
      "runSpec"
    )
  )

/** A run's Job as the API server keeps it. */
export const job = (status: NonNullable<Job["status"]> = {}): Job => {
  const made: Job = jobOf(backup())
  return {
    ...made,
    metadata: { ...made.metadata, uid: "job-uid", creationTimestamp: "2026-11-24T07:00:01Z" },
    status: { startTime: "2026-11-24T07:00:02Z", ...status }
  }
}

export const complete: NonNullable<Job["status"]> = {
  succeeded: 1,
  completionTime: "2026-11-24T07:05:00Z",
  conditions: [{ type: "Complete", status: "True", lastTransitionTime: "2026-11-24T07:05:00Z" }]
}

export const failed = (
  reason: string,
  message = "Job has reached the specified backoff limit"
): NonNullable<Job["status"]> => ({
  failed: 4,
  conditions: [{ type: "Failed", status: "True", reason, message, lastTransitionTime: "2026-11-24T07:06:00Z" }]
})

/** The `n`th pod of `job()`. */
export const pod = (n: number, status: NonNullable<Pod["status"]>, metadata: Partial<Pod["metadata"]> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: `pod-${n}`,
    namespace: "kafka-backup",
    uid: `pod-uid-${n}`,
    creationTimestamp: new Date(Date.parse("2026-11-24T07:00:00Z") + n * 60_000).toISOString(),
    ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "job", uid: "job-uid", controller: true }],
    ...metadata
  },
  status
})

type Terminated = NonNullable<
  NonNullable<NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number]["state"]>["terminated"]
>

/** A pod whose container ended. */
export const ended = (n: number, terminated: Terminated, status: NonNullable<Pod["status"]> = {}): Pod =>
  pod(n, {
    phase: terminated.exitCode === 0 ? "Succeeded" : "Failed",
    containerStatuses: [{ name: "backup", state: { terminated } }],
    ...status
  })

export const success: RunSummary = {
  version: 1,
  command: "run",
  outcome: "success",
  exitCode: 0,
  startedAt: "2026-11-24T07:00:05.000Z",
  completedAt: "2026-11-24T07:04:55.000Z",
  backupId: "production-backup-20261124-070000",
  size: 1_073_741_824,
  records: 1_000_000,
  addedBytes: 1000,
  addedRecords: 10,
  notes: ["orders/0 is held back"],
  catalogue: {
    total: 7,
    sets: [
      {
        backupId: "production-backup-20261124-070000",
        startedMillis: 1_795_503_605_000,
        completedMillis: 1_795_503_895_000,
        size: 1_073_741_824,
        records: 1_000_000
      }
    ]
  }
}

export const failure: RunSummary = {
  version: 1,
  command: "run",
  outcome: "failed",
  exitCode: 12,
  startedAt: success.startedAt,
  completedAt: success.completedAt,
  reason: "KafkaAuthenticationFailed",
  message: "kafka-0.kafka.svc:9092 refused user backup",
  advice: "check Secret kafka-credentials, keys username and password",
  notes: []
}

export const said = (summary: RunSummary): string => SummaryCodec.encode(summary)

export const event = (regarding: Event["regarding"], reason: string, note: string, at = "07:01:00"): Event => ({
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  metadata: { name: `${reason}-${at}`, namespace: "kafka-backup" },
  reason,
  type: "Warning",
  note,
  regarding: { namespace: "kafka-backup", ...regarding },
  deprecatedLastTimestamp: `2026-11-24T${at}Z`
})
