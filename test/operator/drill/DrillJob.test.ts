import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as RunSpec from "../../../src/identity/RunSpec.ts"
import type { Job, Pod } from "../../../src/kubernetes/Objects.ts"
import * as DrillJob from "../../../src/operator/drill/DrillJob.ts"
import * as DrillJobState from "../../../src/operator/drill/DrillJobState.ts"
import * as JobTemplate from "../../../src/operator/jobs/JobTemplate.ts"
import type { RunSummary } from "../../../src/outcome/RunSummary.ts"
import * as SummaryCodec from "../../../src/outcome/SummaryCodec.ts"
import * as ManifestParser from "../../../src/resource/ManifestParser.ts"
import * as RunCause from "../../../src/schedule/RunCause.ts"
import { drilled, summary } from "./world.ts"

const nowMillis = Date.parse("2026-11-25T12:16:00Z")
const settings = { image: "kafka-backup:test" }
const owner = { uid: "uid-1", namespace: "kafka-backup", name: "shop" }
const slot = { _tag: "Slot", slotMillis: Date.parse("2026-11-25T12:15:00Z") } as const
const trigger = { _tag: "Trigger", token: "now", firstSeenMillis: slot.slotMillis } as const

const sasl = (name: string) => ({
  bootstrapServers: [`${name}:9092`],
  securityProtocol: "SASL_SSL",
  saslSecret: { name: `${name}-login`, mechanism: "PLAIN" }
})

const backup = (drill: object = {}, spec: object = {}) => {
  const resource = drilled("shop", { ...drill }, { ...spec })
  const metadata = { ...owner, generation: 1, creationTimestamp: "2026-11-25T11:50:00Z" }
  return Result.getOrThrow(ManifestParser.fromServer({ ...resource, metadata }))
}

const made = (of = backup(), cause: RunCause.RunCause = slot) => Result.getOrThrow(DrillJob.make(of, cause, settings))

const podSpec = (job: Job) => (job.spec as any)["template"].spec
const container = (job: Job) => podSpec(job).containers[0]

describe("the Job of a drill", () => {
  it("has a name that follows from owner and slot or value alone, and that no run has", () => {
    assert.strictEqual(made().metadata.name, made(backup({ maxBytes: "5Gi" })).metadata.name)
    assert.match(made().metadata.name, /^shop-drill-[0-9a-f]{16}$/u)
    const names = [
      DrillJob.nameOf(owner, slot),
      DrillJob.nameOf(owner, trigger),
      DrillJob.nameOf({ ...owner, uid: "uid-2" }, slot),
      DrillJob.nameOf(owner, { ...slot, slotMillis: slot.slotMillis + 60_000 }),
      DrillJob.nameOf(owner, { ...trigger, token: "2026-11-25T12:15:00Z" })
    ]
    assert.strictEqual(new Set(names).size, names.length)
    assert.strictEqual(DrillJob.nameOf(owner, { ...trigger, firstSeenMillis: 0 }), DrillJob.nameOf(owner, trigger))
  })

  it("runs the command with the resource and the slot, in the pod of a run", () => {
    const spec = { job: { backoffLimit: 1, activeDeadlineSeconds: 600 }, resources: { limits: { memory: "1Gi" } } }
    const job = made(backup({}, spec))
    const identity = RunCause.identity(owner, slot)
    const run = Result.getOrThrow(
      JobTemplate.forRun({ backup: backup({}, spec), identity, cause: "schedule", settings })
    )
    const { args, env, ...rest } = container(job)
    const { args: runArgs, env: _, ...runRest } = container(run)
    assert.deepStrictEqual(args, ["drill", ...runArgs.slice(1)])
    assert.deepStrictEqual(rest, runRest)
    const text = env.find(({ name }: { name: string }) => name === "KAFKA_BACKUP_RUN_SPEC").value
    const read = Result.getOrThrow(RunSpec.decode(text))
    assert.strictEqual(read.slot, "2026-11-25T12:15:00Z")
    assert.strictEqual(read.backup.spec.drill?.schedule, "15 * * * *")
    assert.strictEqual((job.spec as any).backoffLimit, 1)
    assert.strictEqual((job.spec as any).activeDeadlineSeconds, 600)
    assert.isUndefined(job.spec?.ttlSecondsAfterFinished)
    assert.strictEqual(job.metadata.ownerReferences?.[0]?.uid, "uid-1")
    assert.strictEqual(job.metadata.labels?.["kafka.oso.sh/purpose"], "drill")
    assert.strictEqual(job.metadata.annotations?.["kafka.oso.sh/slot"], "2026-11-25T12:15:00Z")
    assert.strictEqual(made(backup(), trigger).metadata.annotations?.["kafka.oso.sh/trigger"], "now")
  })

  it("gets the Secrets of both clusters, and no other", () => {
    const names = (job: Job) => {
      const volume = podSpec(job).volumes.find(({ name }: { name: string }) => name === "secrets")
      return (volume?.projected.sources ?? []).map(({ secret }: any) => secret.name)
    }
    assert.deepStrictEqual(names(made()), [])
    const both = backup({ targetCluster: sasl("scratch") }, { kafkaCluster: sasl("kafka") })
    assert.deepStrictEqual(names(made(both)), ["kafka-login", "scratch-login"])
  })
})

const job = (status: object = {}): Job => {
  const { metadata, ...rest } = made()
  return {
    ...rest,
    metadata: { ...metadata, uid: "job-1", creationTimestamp: "2026-11-25T12:15:00Z" },
    status: { startTime: "2026-11-25T12:15:00Z", ...status }
  }
}

const over = (type: "Complete" | "Failed", reason = "") =>
  job({ conditions: [{ type, status: "True", reason, lastTransitionTime: "2026-11-25T12:15:30Z" }] })

const pod = (exitCode: number, left?: Partial<RunSummary>): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "shop-drill-1",
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
            message:
              left === undefined
                ? ""
                : SummaryCodec.encode({
                    version: 1,
                    command: "drill",
                    outcome: exitCode === 0 ? "success" : exitCode === 21 ? "interrupted" : "failed",
                    exitCode,
                    startedAt: "2026-11-25T12:15:10Z",
                    completedAt: "2026-11-25T12:15:20Z",
                    notes: [],
                    ...left
                  })
          }
        }
      }
    ]
  }
})

const ended = (of: Job, ...pods: ReadonlyArray<Pod>) => {
  const state = DrillJobState.read(of, pods, nowMillis, [], undefined)
  if (state._tag !== "Ended") throw new Error(`the Job is ${state._tag}`)
  return state.drill
}

describe("the end of a drill", () => {
  it("passed only where its pod says so", () => {
    const backupId = "shop-20261125-120000"
    const good = ended(over("Complete"), pod(0, { backupId, drill: summary() }))
    assert.deepInclude(good, { outcome: "passed", backupId, summary: summary() })
    const notes = ["a restore of it needs gaps: Accept"]
    assert.deepStrictEqual(ended(over("Complete"), pod(0, { backupId, notes, drill: summary() })).notes, notes)
    for (const left of [undefined, {}, { command: "run" as const, drill: summary() }]) {
      assert.strictEqual(ended(over("Complete"), pod(0, left)).outcome, "incomplete")
    }
  })

  it("failed where the pod came to that result, and not where what failed may pass by itself", () => {
    const drill = summary({ result: "Failed" })
    const left = { reason: "Differs", message: "it differs", advice: "keep it", drill }
    assert.deepInclude(ended(over("Failed"), pod(16, left)), {
      outcome: "failed",
      reason: "Differs",
      message: "it differs; keep it"
    })
    const away = { reason: "BrokerUnreachable", message: "no broker", drill }
    assert.deepInclude(ended(over("Failed"), pod(20, away)), { outcome: "incomplete", reason: "BrokerUnreachable" })
    const { result: _, ...stopped } = drill
    for (const [exitCode, left] of [
      [21, { reason: "Interrupted", drill: stopped }],
      [137, undefined],
      [11, { reason: "SecretUnusable", message: "no Secret" }]
    ] as const) {
      assert.strictEqual(ended(over("Failed"), pod(exitCode, left)).outcome, "incomplete", String(exitCode))
    }
  })

  it("shows nothing about the backup where a person must first make a drill possible", () => {
    const drill = summary({ result: "Failed", records: 0 })
    const outcomeOf = (exitCode: number, reason: string) =>
      ended(over("Failed"), pod(exitCode, { reason, message: "m", drill })).outcome
    for (const [exitCode, reason] of [
      [1, "InternalError"],
      [2, "Usage"],
      [10, "MemoryTooSmall"],
      [11, "SecretUnusable"],
      [12, "KafkaAuthenticationFailed"],
      [12, "StorageAuthorizationFailed"],
      [18, "ProtocolFailure"],
      [19, "PreflightFailed"]
    ] as const) {
      assert.strictEqual(outcomeOf(exitCode, reason), "incomplete", reason)
    }
    for (const [exitCode, reason] of [
      [14, "ObjectNotFound"],
      [15, "CorruptBatch"],
      [16, "LiveDiffers"],
      [17, "SetIncomplete"]
    ] as const) {
      assert.strictEqual(outcomeOf(exitCode, reason), "failed", reason)
    }
  })

  it("says that there was nothing to drill", () => {
    const left = { notes: ["there is no verified backup"], drill: summary({ result: "NothingToDrill", records: 0 }) }
    assert.deepInclude(ended(over("Complete"), pod(0, left)), {
      outcome: "incomplete",
      reason: "NothingToDrill",
      message: "there is no verified backup"
    })
  })

  it("says what became of a Job that took too long, did not start, or is gone", () => {
    assert.include(ended(over("Failed", "DeadlineExceeded")).message, "spec.drill.maxBytes")
    const state = DrillJobState.read(job(), [], nowMillis, [], 30)
    assert.deepInclude(state._tag === "Ended" ? state.drill : {}, { outcome: "incomplete", reason: "PodNotStarted" })
    assert.deepInclude(DrillJobState.deleted(job(), [], nowMillis), { outcome: "incomplete", reason: "JobDeleted" })
  })
})
