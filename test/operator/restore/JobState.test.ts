import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Job, Pod } from "../../../src/kubernetes/Objects.ts"
import type { RunSummary } from "../../../src/outcome/RunSummary.ts"
import * as SummaryCodec from "../../../src/outcome/SummaryCodec.ts"
import * as RestoreSpec from "../../../src/identity/RestoreSpec.ts"
import * as RestoreJob from "../../../src/operator/restore/RestoreJob.ts"
import * as OneTimeJobState from "../../../src/operator/oneTime/OneTimeJobState.ts"
import * as BackupRef from "../../../src/resource/BackupRef.ts"
import * as KafkaRestore from "../../../src/resource/KafkaRestore.ts"
import { restoreOf } from "./world.ts"

const nowMillis = Date.parse("2026-11-25T12:00:00Z")
const identity = { uid: "uid-1", namespace: "kafka-backup", name: "back", generation: 1, annotations: undefined }

const restore = (spec: object = {}, annotations: Readonly<Record<string, string>> = {}) => {
  const resource = restoreOf("back", "shop-20261125-110000", { ...spec })
  const metadata = { ...resource.metadata, uid: "uid-1", generation: 1, annotations }
  return Result.getOrThrow(KafkaRestore.fromServer({ ...resource, metadata }))
}

const made = (spec: object = {}) =>
  Result.getOrThrow(
    RestoreJob.make(BackupRef.restorable(restore(spec))!, RestoreJob.nameOf(identity), { image: "kafka-backup:test" })
  )

const job = (status: object): Job => {
  const { metadata, ...rest } = made({ job: { activeDeadlineSeconds: 60 } })
  return {
    ...rest,
    metadata: { ...metadata, uid: "job-1", creationTimestamp: "2026-11-25T11:59:00Z" },
    status: { startTime: "2026-11-25T11:59:00Z", ...status }
  }
}

const failed = (reason: string, message = "") =>
  job({ conditions: [{ type: "Failed", status: "True", reason, message, lastTransitionTime: "2026-11-25T12:00:00Z" }] })

const pod = (exitCode: number, summary?: Partial<RunSummary>, reason = "Error"): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "back-1",
    namespace: "kafka-backup",
    ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "j", uid: "job-1" }]
  },
  status: {
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    containerStatuses: [
      {
        name: "backup",
        state: {
          terminated: {
            exitCode,
            reason,
            message:
              summary === undefined
                ? ""
                : SummaryCodec.encode({
                    version: 1,
                    command: "restore",
                    outcome: exitCode === 0 ? "success" : "failed",
                    exitCode,
                    startedAt: "2026-11-25T11:59:10Z",
                    completedAt: "2026-11-25T12:00:00Z",
                    notes: [],
                    ...summary
                  })
          }
        }
      }
    ]
  }
})

const ended = (of: Job, ...pods: ReadonlyArray<Pod>) => {
  const state = OneTimeJobState.read(of, pods, nowMillis)
  if (state._tag !== "Ended") throw new Error(`the Job is ${state._tag}`)
  return state.restore
}

describe("the Job that ends a hold", () => {
  it("has a deadline of its own, and needs neither the claim nor the Secrets of the storage", () => {
    const one = restore({
      storage: { storageType: "pvc", pvc: { claimName: "backups" } },
      job: { activeDeadlineSeconds: 100_000 }
    })
    const made = Result.getOrThrow(
      RestoreJob.forHold(one, RestoreJob.holdNameOf(identity), { image: "kafka-backup:test" })
    )
    assert.strictEqual(made.spec?.["activeDeadlineSeconds"], 3600)
    assert.notInclude(JSON.stringify(made.spec), "persistentVolumeClaim")
    const secret = { name: "bucket-keys" }
    const s3 = { bucket: "backups", region: "eu-central-1", credentialsSecret: secret }
    const other = restore({ storage: { storageType: "s3", s3 } })
    const template = JSON.stringify(
      Result.getOrThrow(RestoreJob.forHold(other, "x", { image: "kafka-backup:test" })).spec?.["template"]
    )
    assert.notInclude(JSON.stringify(JSON.parse(template).spec.volumes), "bucket-keys")
  })
})

describe("the Job of a restore", () => {
  it("has another name for each generation and each value of the retry annotation, and one name for one attempt", () => {
    const names = [
      RestoreJob.nameOf(identity),
      RestoreJob.nameOf({ ...identity, generation: 2 }),
      RestoreJob.nameOf({ ...identity, uid: "uid-2" }),
      RestoreJob.nameOf({ ...identity, annotations: { [KafkaRestore.retryAnnotation]: "1" } })
    ]
    assert.lengthOf([...new Set(names)], names.length)
    for (const name of names) assert.match(name, /^back-restore-[0-9a-f]{16}$/)
    assert.strictEqual(RestoreJob.nameOf({ ...identity, annotations: { other: "1" } }), names[0])
  })

  it("carries the whole spec to its pod, and only the keys of Secrets that the spec names", () => {
    const spec = {
      targetCluster: {
        bootstrapServers: ["kafka:9093"],
        securityProtocol: "SASL_SSL",
        saslSecret: { name: "sasl", mechanism: "SCRAM-SHA-256" }
      },
      resources: { limits: { memory: "512Mi" } },
      podTemplate: { nodeSelector: { disk: "fast" } }
    }
    const { spec: pods } = (made(spec).spec as { readonly template: { readonly spec: any } }).template
    const [container] = pods.containers
    const { value } = container.env.find(({ name }: { name: string }) => name === "KAFKA_BACKUP_RUN_SPEC")
    assert.deepStrictEqual(Result.getOrThrow(RestoreSpec.decode(value)).spec, restore(spec).spec)
    assert.deepStrictEqual(container.args.slice(0, 3), ["restore", "-f", "env:KAFKA_BACKUP_RUN_SPEC"])
    assert.include(container.args.join(" "), "--listen [$(POD_IP)]:9090")
    const secrets = pods.volumes.find(({ name }: { name: string }) => name === "secrets")
    assert.deepStrictEqual(
      secrets.projected.sources.map(({ secret }: any) => [secret.name, secret.items.map(({ key }: any) => key)]),
      [["sasl", ["username", "password"]]]
    )
    assert.deepStrictEqual(pods.nodeSelector, { disk: "fast" })
    assert.strictEqual(container.resources.limits.memory, "512Mi")
    assert.isFalse(pods.automountServiceAccountToken)
  })

  it("is no success without a summary of a restore that says so", () => {
    const complete = job({ conditions: [{ type: "Complete", status: "True" }], completionTime: "2026-11-25T12:00:00Z" })
    assert.strictEqual(ended(complete, pod(0)).reason, "ResultMissing")
    assert.strictEqual(ended(complete, pod(0, { command: "run" })).reason, "ResultMissing")
    assert.deepInclude(ended(complete, pod(0, { records: 7, restore: {} })), { outcome: "success", records: 7 })
  })

  it("that was deleted or took too long says how it continues", () => {
    const deleted = OneTimeJobState.deleted(job({}), [], nowMillis)
    assert.deepInclude(deleted, { outcome: "interrupted", reason: "JobDeleted" })
    assert.match(
      deleted.message ?? "",
      /everything that was written is kept\. To continue, set the annotation kafka\.oso\.sh\/retry/
    )
    const late = ended(
      failed("DeadlineExceeded"),
      pod(21, { outcome: "interrupted", reason: "Interrupted", message: "stopped" })
    )
    assert.match(late.message ?? "", /took longer than its deadline of 60 s; everything that was written is kept\./)
    assert.notMatch(late.message ?? "", /stopped/)
  })

  it("whose pod left no summary explains its exit code in the words of a restore", () => {
    const said = (exitCode: number) => ended(failed("PodFailurePolicy"), pod(exitCode)).message ?? ""
    assert.match(said(19), /the target cluster cannot be used; correct what the pod's log names/)
    assert.match(said(16), /the restored records are not those of the backup; do not use the topics/)
    assert.match(said(18), /spec\.targetCluster/)
    for (let exitCode = 1; exitCode < 23; exitCode++) assert.notMatch(said(exitCode), /checkpoint|backed up|trigger/)
    assert.strictEqual(ended(failed("BackoffLimitExceeded"), pod(137, undefined, "OOMKilled")).reason, "OOMKilled")
    assert.match(ended(failed("BackoffLimitExceeded", "x")).message ?? "", /try the restore again and watch it/)
  })

  it("knows from a pod that is gone before anything was read of it when writing began", () => {
    const killed = pod(1, { restore: { startedWriting: "2026-11-25T11:59:30Z" } })
    const later = pod(1, { restore: { startedWriting: "2026-11-25T11:59:40Z" } })
    const found = OneTimeJobState.startedWritingMillis([later, killed, pod(137)])
    assert.strictEqual(found, Date.parse("2026-11-25T11:59:30Z"))
    assert.isUndefined(OneTimeJobState.startedWritingMillis([pod(137)]))
  })
})
