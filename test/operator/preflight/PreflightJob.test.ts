import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Job, Pod } from "../../../src/kubernetes/Objects.ts"
import type { RunSummary } from "../../../src/outcome/RunSummary.ts"
import * as SummaryCodec from "../../../src/outcome/SummaryCodec.ts"
import * as JobTemplate from "../../../src/operator/jobs/JobTemplate.ts"
import * as ObservedChecks from "../../../src/operator/preflight/ObservedChecks.ts"
import * as PreflightJob from "../../../src/operator/preflight/PreflightJob.ts"
import { backup, identity } from "../jobs/fixtures.ts"

const settings = { image: "kafka-backup:test" }
const nowMillis = Date.parse("2026-11-25T12:00:00Z")
const made = (key: ReadonlyArray<string | number> = ["generation", 3], isQuick = false): Job =>
  Result.getOrThrow(PreflightJob.make(backup(), { key, isQuick }, settings))
const podSpec = (job: Job) => (job.spec as any).template.spec

const failure = { side: "storage", reason: "TargetMissing", message: "no bucket", advice: "create it" } as const

const told = (over: Partial<RunSummary>): string =>
  SummaryCodec.encode({
    version: 1,
    command: "check",
    outcome: "success",
    exitCode: 0,
    startedAt: "2026-11-25T11:59:00Z",
    completedAt: "2026-11-25T11:59:02Z",
    notes: [],
    check: { failures: [] },
    ...over
  })

const read = (condition: object, exitCode?: number, message?: string) => {
  const job = { ...made(), metadata: { ...made().metadata, uid: "j" }, status: { conditions: [condition] } } as Job
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: job.metadata.namespace, ownerReferences: [{ uid: "j" }] },
    status: {
      phase: "Failed",
      containerStatuses: [
        { name: "backup", state: { terminated: { exitCode, message, finishedAt: "2026-11-25T11:59:02Z" } } }
      ]
    }
  } as unknown as Pod
  return ObservedChecks.read(job, exitCode === undefined ? [] : [pod], nowMillis)
}

const complete = { type: "Complete", status: "True", lastTransitionTime: "2026-11-25T11:59:03Z" }
const failed = {
  type: "Failed",
  status: "True",
  reason: "PodFailurePolicy",
  lastTransitionTime: "2026-11-25T11:59:03Z"
}

describe("the Job of a check", () => {
  it("has a name that follows from owner and key, and the pod of a run but for what it runs", () => {
    assert.strictEqual(made().metadata.name, made(undefined, true).metadata.name)
    assert.notStrictEqual(made().metadata.name, made(["generation", 4]).metadata.name)
    assert.match(made().metadata.name, /-check-[0-9a-f]{16}$/u)
    const run = podSpec(
      Result.getOrThrow(JobTemplate.forRun({ backup: backup(), identity, cause: "schedule", settings }))
    )
    const { args: _, env: __, ports: ___, ...container } = podSpec(made()).containers[0]
    const { args: ____, env: _____, ports: ______, ...ofRun } = run.containers[0]
    assert.deepStrictEqual(container, ofRun)
    assert.deepStrictEqual(podSpec(made()).volumes, run.volumes)
    assert.deepStrictEqual(podSpec(made()).containers[0].args.slice(0, 2), ["check", "-f"])
    assert.deepStrictEqual(podSpec(made(undefined, true)).containers[0].args.slice(0, 2), ["check", "--quick"])
  })

  it("ends after two minutes at most, with one attempt", () => {
    assert.include(made().spec, { backoffLimit: 0, activeDeadlineSeconds: 120 })
  })

  it("is an answer where its pod gave one, and none where the pod was stopped or did not start", () => {
    const outcomeOf = (state: ObservedChecks.CheckState) => (state._tag === "Ended" ? state.check.outcome : state._tag)
    assert.strictEqual(outcomeOf(read(complete, 0, told({}))), "passed")
    const bad = { outcome: "failed", exitCode: 14, ...failure, check: { failures: [failure] } } as const
    const { side: _, ...rest } = bad
    const refused = read(failed, 14, told(rest))
    assert.strictEqual(outcomeOf(refused), "failed")
    assert.deepInclude(refused._tag === "Ended" ? refused.check : {}, {
      generation: 3,
      reason: "TargetMissing",
      message: "no bucket; create it",
      failures: [failure]
    })
    assert.strictEqual(outcomeOf(read(failed, 10)), "failed")
    assert.strictEqual(outcomeOf(read(complete, 0, "all good")), "incomplete")
    assert.strictEqual(outcomeOf(read(failed, 21, told({ outcome: "interrupted", exitCode: 21 }))), "incomplete")
    assert.strictEqual(outcomeOf(read({ ...failed, reason: "DeadlineExceeded" })), "incomplete")
  })
})
