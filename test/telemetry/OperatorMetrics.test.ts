import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { families, prefix } from "../../src/telemetry/OperatorFamilies.ts"
import * as OperatorMetrics from "../../src/telemetry/OperatorMetrics.ts"
import type { ResourceRef, ResourceState } from "../../src/telemetry/OperatorReport.ts"
import { exposition } from "./exposition.ts"
import { lifeOfAnOperator } from "./lifeOfAnOperator.ts"

const nightly: ResourceRef = { namespace: "orders", name: "nightly" }
const hourly: ResourceRef = { namespace: "orders", name: "hourly" }

const completed: ResourceState = {
  phase: "Completed",
  isReady: true,
  lastSuccess: { atMillis: 1_764_000_000_500, sizeBytes: 4096, records: 12 },
  expected: { intervalSeconds: 3600, sinceMillis: 1_763_000_000_000 }
}

const test = (name: string, body: (metrics: OperatorMetrics.OperatorMetrics["Service"]) => Effect.Effect<void>) =>
  it.effect(name, () =>
    Effect.gen(function* () {
      yield* body(yield* OperatorMetrics.OperatorMetrics)
    }).pipe(Effect.provide(OperatorMetrics.layer("1.2.3")))
  )

const lines = (metrics: OperatorMetrics.OperatorMetrics["Service"]) =>
  Effect.map(metrics.text, (text) => text.trimEnd().split("\n"))

const of = ({ name, namespace }: ResourceRef) => `resource_namespace="${namespace}",name="${name}"`

describe("the operator's metrics", () => {
  test("hold every documented family, with exactly the documented labels, after one run", (metrics) =>
    Effect.gen(function* () {
      yield* lifeOfAnOperator(metrics)
      const seen = exposition(yield* metrics.text)
      assert.deepStrictEqual(
        [...seen].map(([name, { help, labels, type }]) => ({ name, type, help, labels: [...labels].toSorted() })),
        Object.entries(families).map(([name, { help, labels, type }]) => ({
          name: prefix + name,
          type,
          help,
          labels: labels.toSorted()
        }))
      )
    }))

  test("are valid text for Prometheus, whatever a name is", (metrics) =>
    Effect.gen(function* () {
      yield* lifeOfAnOperator(metrics)
      yield* metrics.resource({ namespace: "a", name: 'quote " backslash \\ end\nof line' }, completed)
      const families = exposition(yield* metrics.text)
      assert.isAtLeast(
        [...families.values()].reduce((sum, { samples }) => sum + samples, 0),
        60
      )
    }))

  test("say of a resource when it succeeded last, and when the next success is expected", (metrics) =>
    Effect.gen(function* () {
      yield* metrics.resource(nightly, completed)
      const text = yield* lines(metrics)
      for (const line of [
        `last_success_timestamp_seconds{${of(nightly)}} 1764000000.5`,
        `last_success_size_bytes{${of(nightly)}} 4096`,
        `last_success_records{${of(nightly)}} 12`,
        `schedule_expected_interval_seconds{${of(nightly)}} 3600`,
        `scheduled_since_timestamp_seconds{${of(nightly)}} 1763000000`,
        `ready{${of(nightly)}} 1`
      ]) {
        assert.include(text, prefix + line)
      }
    }))

  test("say what is known of the stored data, and nothing before anything is known", (metrics) =>
    Effect.gen(function* () {
      yield* metrics.resource(nightly, completed)
      assert.notMatch(yield* metrics.text, /damaged_backups\{|data_verified\{|oldest_read_\w+\{|stored_bytes\{/)
      yield* metrics.resource(nightly, {
        ...completed,
        damagedBackups: 0,
        lockedBackups: 2,
        isDataVerified: false,
        oldestReadMillis: 1_764_000_000_500,
        storedBytes: 7
      })
      yield* metrics.runEnded(nightly, { outcome: "success", durationSeconds: 4, verifiedBytes: 30, healedObjects: 2 })
      yield* metrics.runEnded(nightly, { outcome: "success", durationSeconds: 4 })
      const text = yield* lines(metrics)
      for (const line of [
        `damaged_backups{${of(nightly)}} 0`,
        `locked_backups{${of(nightly)}} 2`,
        `data_verified{${of(nightly)}} 0`,
        `oldest_read_timestamp_seconds{${of(nightly)}} 1764000000.5`,
        `stored_bytes{${of(nightly)}} 7`,
        `run_verified_bytes_total{${of(nightly)}} 30`,
        `run_healed_objects_total{${of(nightly)}} 2`
      ]) {
        assert.include(text, prefix + line)
      }
      yield* metrics.resource(nightly, { ...completed, isDataVerified: true })
      assert.include(yield* lines(metrics), `${prefix}data_verified{${of(nightly)}} 1`)
      assert.notInclude(yield* metrics.text, "stored_bytes{")
    }))

  test("say of drills what is known, and forget them with the spec or the resource", (metrics) =>
    Effect.gen(function* () {
      const state = {
        isRestorable: false,
        lastPassedMillis: 1_764_000_000_500,
        estimatedSeconds: 7,
        expected: undefined
      }
      yield* metrics.drill(nightly, state)
      yield* metrics.drillEnded(nightly, { outcome: "incomplete", reason: "Interrupted", durationSeconds: 4 })
      const text = yield* lines(metrics)
      for (const line of [
        `restorable{${of(nightly)}} 0`,
        `drill_last_passed_timestamp_seconds{${of(nightly)}} 1764000000.5`,
        `drill_estimated_restore_seconds{${of(nightly)}} 7`,
        `drill_last_duration_seconds{${of(nightly)}} 4`,
        `drills_total{${of(nightly)},outcome="incomplete"} 1`,
        `drills_total{${of(nightly)},outcome="passed"} 0`,
        `drill_failures_total{${of(nightly)},reason="Interrupted"} 1`
      ]) {
        assert.include(text, prefix + line)
      }
      assert.notInclude(text.join(), "drill_expected_interval_seconds")
      yield* metrics.drill(nightly, { ...state, isRestorable: undefined })
      assert.notInclude(yield* metrics.text, `restorable{${of(nightly)}}`)
      yield* metrics.drill(hourly, state)
      yield* metrics.forgetDrills(nightly)
      yield* metrics.forget(hourly)
      assert.notInclude(yield* metrics.text, "resource_namespace")
    }))

  test("expect no success of a resource that is suspended or has no schedule any more", (metrics) =>
    Effect.gen(function* () {
      yield* metrics.resource(nightly, completed)
      const { expected: _, ...suspended } = completed
      yield* metrics.resource(nightly, suspended)
      const text = yield* metrics.text
      assert.notInclude(text, "schedule_expected_interval_seconds")
      assert.notInclude(text, "scheduled_since_timestamp_seconds")
      assert.include(text, "last_success_timestamp_seconds")
    }))

  test("have a resource's counters at 0 before its first run, so that the first failure is an increase", (metrics) =>
    Effect.gen(function* () {
      yield* metrics.resource(nightly, { phase: "Pending", isReady: false })
      assert.include(yield* lines(metrics), `${prefix}runs_total{${of(nightly)},outcome="failed"} 0`)
      yield* metrics.runEnded(nightly, { outcome: "failed", reason: "KafkaAuthorizationFailed", durationSeconds: 3 })
      const text = yield* lines(metrics)
      assert.include(text, `${prefix}runs_total{${of(nightly)},outcome="failed"} 1`)
      assert.include(text, `${prefix}run_failures_total{${of(nightly)},reason="KafkaAuthorizationFailed"} 1`)
      assert.include(text, `${prefix}runs_total{${of(nightly)},outcome="success"} 0`)
    }))

  test("forget every series of a deleted resource, and those of no other", (metrics) =>
    Effect.gen(function* () {
      yield* metrics.resource(hourly, completed)
      const before = yield* metrics.text
      yield* lifeOfAnOperator(metrics, nightly)
      yield* metrics.forget(nightly)
      yield* metrics.forgetRestore(nightly)
      yield* metrics.forgetOffsets("KafkaOffsetReset", nightly)
      yield* metrics.forgetOffsets("KafkaOffsetRollback", nightly)
      const text = yield* metrics.text
      assert.notInclude(text, 'name="nightly"')
      const ofHourly = (all: string) => all.split("\n").filter((line) => line.includes('name="hourly"'))
      assert.deepStrictEqual(ofHourly(text), ofHourly(before))
      assert.include(text, `${prefix}resources{phase="Completed"} 1`)
    }))

  test("forget all resources when another replica takes over", (metrics) =>
    Effect.gen(function* () {
      yield* lifeOfAnOperator(metrics, nightly)
      yield* metrics.resource(hourly, completed)
      yield* metrics.forgetAll
      const text = yield* metrics.text
      assert.notInclude(text, "resource_namespace")
      assert.include(text, `${prefix}resources{phase="Completed"} 0`)
    }))

  test("begin again at 0 for a resource that is made anew under the same name", (metrics) =>
    Effect.gen(function* () {
      yield* lifeOfAnOperator(metrics, nightly)
      yield* metrics.forget(nightly)
      yield* metrics.resource(nightly, completed)
      const text = yield* lines(metrics)
      assert.include(text, `${prefix}runs_total{${of(nightly)},outcome="success"} 0`)
      assert.notInclude(text.join("\n"), "run_failures_total")
    }))

  test("keep the reasons that pods claim to have within bounds", (metrics) =>
    Effect.gen(function* () {
      const reasons = [...Array.from({ length: 100 }, (_, n) => `Reason${n}`), "no reason at all", "x".repeat(500), ""]
      for (const reason of reasons) {
        yield* metrics.runEnded(nightly, { outcome: "failed", reason, durationSeconds: 1 })
      }
      const failures = (yield* lines(metrics)).filter((line) => line.startsWith(`${prefix}run_failures_total{`))
      assert.lengthOf(failures, 33)
      assert.include(failures, `${prefix}run_failures_total{${of(nightly)},reason="Other"} ${reasons.length - 32}`)
    }))

  test("count resources by phase, each once", (metrics) =>
    Effect.gen(function* () {
      yield* metrics.resource(nightly, completed)
      yield* metrics.resource(hourly, { ...completed, phase: "Running" })
      yield* metrics.resource(nightly, { ...completed, phase: "Failed" })
      const text = yield* lines(metrics)
      for (const [phase, count] of Object.entries({ Pending: 0, Running: 1, Completed: 0, Failed: 1 })) {
        assert.include(text, `${prefix}resources{phase="${phase}"} ${count}`)
      }
    }))

  test("count a change of leadership once, however often it is said", (metrics) =>
    Effect.gen(function* () {
      for (const isLeader of [false, true, true, false, true]) yield* metrics.leadership(isLeader)
      const text = yield* lines(metrics)
      assert.include(text, `${prefix}leader 1`)
      assert.include(text, `${prefix}leader_transitions_total 3`)
    }))

  it("never use a label that a scrape has of its own", () => {
    for (const { labels } of Object.values(families)) {
      for (const label of labels) assert.notInclude(["namespace", "job", "instance", "pod", "service", "le"], label)
    }
  })
})
