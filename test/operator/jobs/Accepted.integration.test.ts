import { randomUUID } from "node:crypto"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { Result } from "effect"
import type { Job } from "../../../src/kubernetes/Objects.ts"
import * as DrillJob from "../../../src/operator/drill/DrillJob.ts"
import * as MaintenanceJobs from "../../../src/operator/jobs/MaintenanceJobs.ts"
import * as JobTemplate from "../../../src/operator/jobs/JobTemplate.ts"
import type { KafkaBackup } from "../../../src/resource/KafkaBackup.ts"
import * as ManifestParser from "../../../src/resource/ManifestParser.ts"
import * as Kubectl from "../../harness/Kubectl.ts"
import { describeWith } from "../../harness/services.ts"
import { backupSamples } from "../../resource/samples.ts"
import { backup, identity, settings, uid } from "./fixtures.ts"

const storages = {
  s3: {
    bucket: "backups",
    region: "us-west-2",
    endpoint: "https://minio:9000",
    credentialsSecret: { name: "kafka-tls", accessKeyKey: "id" },
    caSecret: { name: "kafka-tls" }
  },
  azure: { accountName: "account", container: "backups", useWorkloadIdentity: true },
  gcs: { bucket: "backups", credentialsSecret: { name: "gcs" } },
  pvc: { claimName: `claim.${"c".repeat(200)}`, subPath: "kafka/production" }
}

const placed = (namespace: string, resource: KafkaBackup): KafkaBackup => ({
  ...resource,
  metadata: { ...resource.metadata, namespace }
})

const run = (resource: KafkaBackup) => JobTemplate.forRun({ backup: resource, identity, cause: "schedule", settings })
const maintenance = (of: typeof MaintenanceJobs.forPrune) => (resource: KafkaBackup) =>
  of({ backup: resource, key: "1", settings })

const drill = (resource: KafkaBackup) => DrillJob.make(resource, { _tag: "Slot", slotMillis: 0 }, settings)

/** Everything of `written` stands in `kept`, with nothing more in its lists. */
const assertKept = (kept: any, written: any, path = ""): void => {
  if (typeof written !== "object" || written === null) {
    // Amounts come back as text.
    const isAmount = /\.(requests|limits)\./.test(path)
    assert.strictEqual(isAmount ? String(kept) : kept, isAmount ? String(written) : written, path)
    return
  }
  if (Array.isArray(written)) assert.lengthOf(kept, written.length, path)
  for (const [key, value] of Object.entries(written)) assertKept(kept?.[key], value, `${path}.${key}`)
}

describeWith("apiserver", "a real API server", ({ apiserver }) => {
  const namespace = `jobs-${randomUUID().slice(0, 8)}`
  const labels = Object.fromEntries(
    ["enforce", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"])
  )

  beforeAll(() =>
    Kubectl.succeed(
      apiserver,
      ["create", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels } })
    )
  )
  afterAll(() => Kubectl.succeed(apiserver, ["delete", "namespace", namespace, "--wait=false"]))

  const taken = async (job: Job) => {
    const args = ["create", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-"]
    const { code, stderr, stdout } = await Kubectl.run(apiserver, args, JSON.stringify(job))
    // Also warnings, such as those of Pod Security.
    assert.strictEqual(stderr, "")
    assert.strictEqual(code, 0)
    assertKept(JSON.parse(stdout), job)
  }

  it.each(Object.entries(storages))(
    "takes the Jobs of a resource on %s as they are, under the restricted Pod Security Standard",
    async (storageType, block) => {
      const resource = placed(namespace, backup(["storage", { storageType, [storageType]: block }]))
      const makers = [
        run,
        maintenance(MaintenanceJobs.forPrune),
        maintenance(MaintenanceJobs.forCatalogue),
        maintenance(MaintenanceJobs.forCleanup),
        drill
      ]
      for (const make of makers) await taken(Result.getOrThrow(make(resource)))
    }
  )

  it.each(backupSamples)("takes the Job of the sample $name", async ({ text }) => {
    const sample = Result.getOrThrow(ManifestParser.parse(text))
    await taken(Result.getOrThrow(run(placed(namespace, { ...sample, metadata: { ...sample.metadata, uid } }))))
  })

  it.each([2, 64])("takes the Job of a run of %i shards", async (parallelism) => {
    const name = "n".repeat(200)
    const made = backup(["job.parallelism", parallelism], ["job.backoffLimit", 100])
    const resource = placed(namespace, { ...made, metadata: { ...made.metadata, name } })
    const owner = { ...identity.owner, name }
    await taken(
      Result.getOrThrow(
        JobTemplate.forRun({ backup: resource, identity: { ...identity, owner }, cause: "schedule", settings })
      )
    )
  })

  it("takes a Job with a thousand topics", async () => {
    const topics = Array.from({ length: 1000 }, (_, n) => `topic-${String(n).repeat(20)}`.slice(0, 249))
    await taken(Result.getOrThrow(run(placed(namespace, backup(["topics", topics])))))
  })

  it("takes a Job of a platform that assigns users", async () => {
    const input = { backup: placed(namespace, backup()), identity, cause: "once" as const }
    await taken(Result.getOrThrow(JobTemplate.forRun({ ...input, settings: { ...settings, user: "assigned" } })))
  })
})
