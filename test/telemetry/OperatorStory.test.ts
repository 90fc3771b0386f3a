import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { families, prefix } from "../../src/telemetry/OperatorFamilies.ts"
import { hourly, metric, story, world } from "../operator/world.ts"
import { exposition } from "./exposition.ts"

/** Not of the operator's work: the client of a real API server and the sampler of the process have them. */
const measuredElsewhere = new Set([
  "api_requests_total",
  "api_request_duration_seconds",
  "event_loop_lag_seconds",
  // Fairness.test.ts
  "queued_since_timestamp_seconds",
  // operator/restore/Story.test.ts
  ...Object.keys(families).filter((name) => name.startsWith("restore")),
  // operator/drill/Story.test.ts
  "restorable",
  ...Object.keys(families).filter((name) => name.startsWith("drill")),
  // operator/offsets/Story.test.ts
  ...Object.keys(families).filter((name) => name.startsWith("offset"))
])

describe("the metrics of an operator at work", () => {
  story(
    "hold every documented family once a run succeeded and one failed, and forget the resource when it is deleted",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      const { metrics } = yield* start({ elect: true })
      yield* kubectl.apply(hourly("orders", { retention: { backups: 1 } }))
      yield* kubectl.apply(hourly("missing", { topics: ["no-such-topic"] }))
      yield* advance("20 minutes")
      yield* kubectl.apply(hourly("suspended", { suspend: true }))
      yield* advance("60 minutes")

      const text = yield* metrics
      const seen = new Set([...exposition(text).keys()].map((name) => name.slice(prefix.length)))
      assert.deepStrictEqual(
        Object.keys(families).filter((name) => !seen.has(name) && !measuredElsewhere.has(name)),
        []
      )
      const of = (name: string, ...labels: ReadonlyArray<string>) => metric(text, name, ...labels)
      assert.strictEqual(of("runs_total", 'name="orders"', 'outcome="success"'), 2)
      assert.strictEqual(of("runs_total", 'name="orders"', 'outcome="failed"'), 0)
      assert.strictEqual(of("runs_total", 'name="missing"', 'outcome="failed"'), 2)
      assert.strictEqual(of("run_failures_total", 'name="missing"', 'reason="TopicMissing"'), 2)
      assert.strictEqual(of("last_success_records", 'name="orders"'), 100)
      assert.isUndefined(of("last_success_timestamp_seconds", 'name="missing"'))
      assert.strictEqual(of("schedule_expected_interval_seconds", 'name="missing"'), 3600)
      assert.isUndefined(of("schedule_expected_interval_seconds", 'name="suspended"'))
      assert.strictEqual(of("ready{", 'name="orders"'), 1)
      assert.strictEqual(of("ready{", 'name="missing"'), 0)
      assert.strictEqual(of("leader "), 1)
      assert.strictEqual(of("suspended{", 'name="suspended"'), 1)
      assert.strictEqual(of("suspended{", 'name="orders"'), 0)
      assert.strictEqual(of("last_run_failed{", 'name="orders"'), 0)
      assert.strictEqual(of("last_run_failed{", 'name="missing"'), 1)
      assert.isUndefined(of("last_run_failed{", 'name="suspended"'))

      yield* kubectl.delete("orders")
      yield* advance("2 minutes")
      const after = yield* metrics
      assert.notInclude(after, 'name="orders"')
      assert.include(after, 'name="missing"')
    })
  )

  story(
    "are those of the leader only: a replica that stands by has no resource",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      const first = yield* start({ elect: true, name: "a" })
      yield* advance("1 minute")
      const second = yield* start({ elect: true, name: "b" })
      yield* kubectl.apply(hourly("orders"))
      yield* kubectl.apply(hourly("missing", { topics: ["no-such-topic"] }))
      yield* advance("12 minutes")
      assert.include(yield* first.metrics, 'name="orders"')
      assert.strictEqual(metric(yield* first.metrics, "runs_total", 'name="missing"', 'outcome="failed"'), 1)
      assert.notInclude(yield* second.metrics, "resource_namespace")
      yield* first.stop
      yield* advance("1 minute")
      assert.include(yield* second.metrics, 'name="orders"')
      assert.notInclude(yield* first.metrics, "resource_namespace")
      assert.strictEqual(metric(yield* second.metrics, "leader "), 1)
      // Its counters begin at 0; that the run failed is told by the gauge.
      assert.strictEqual(metric(yield* second.metrics, "runs_total", 'name="missing"', 'outcome="failed"'), 0)
      assert.strictEqual(metric(yield* second.metrics, "last_run_failed", 'name="missing"'), 1)
    })
  )
})
