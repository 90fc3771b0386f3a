import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { HttpServer } from "effect/http"
import { TestClock } from "effect/testing"
import * as Health from "../../src/operator/Health.ts"
import * as HealthServer from "../../src/operator/HealthServer.ts"
import { Watched } from "../../src/operator/Watched.ts"
import * as OperatorMetrics from "../../src/telemetry/OperatorMetrics.ts"
import { exposition } from "../telemetry/exposition.ts"

describe("a probe's answer", () => {
  it("is that the operator lives for as long as its heartbeat is at most 30 s old", () => {
    assert.isTrue(Health.liveness(0).isWell)
    assert.isTrue(Health.liveness(30_000).isWell)
    const stale = Health.liveness(30_001)
    assert.isFalse(stale.isWell)
    assert.include(stale.text, "no heartbeat for 30 s")
  })

  it("is ready while leading and while standing by, and says which", () => {
    assert.deepStrictEqual(Health.readiness({ _tag: "Leading" }), { isWell: true, text: "leading" })
    assert.deepStrictEqual(Health.readiness({ _tag: "Standby", leader: "pod-a" }), {
      isWell: true,
      text: "standing by: pod-a leads"
    })
    assert.deepStrictEqual(Health.readiness({ _tag: "Standby", leader: undefined }), {
      isWell: true,
      text: "standing by: who leads is not known yet"
    })
  })

  it("is not ready where nobody may do its work: the Lease is not to be had, or another operator's", () => {
    const unable = Health.readiness({ _tag: "Unable", why: "leases is forbidden" })
    assert.isFalse(unable.isWell)
    assert.include(unable.text, "leases is forbidden")
    assert.notInclude(unable.text, "another replica")
    const barred = Health.readiness({ _tag: "Barred", leader: "a", watches: "namespace x", wanted: "all namespaces" })
    assert.isFalse(barred.isWell)
    assert.match(barred.text, /^nobody works for all namespaces: a of another operator .* watches namespace x;/u)
  })

  it("is not ready while caches are empty, with what is waited for, nor while stopping", () => {
    assert.deepStrictEqual(Health.readiness({ _tag: "Starting", waitingFor: ["KafkaBackups", "Jobs"] }), {
      isWell: false,
      text: "starting: waiting for the caches of KafkaBackups, Jobs"
    })
    assert.isFalse(Health.readiness({ _tag: "Stopping" }).isWell)
  })
})

describe("the operator's health", () => {
  it.effect("goes with what its heartbeat runs beside", () =>
    Effect.gen(function* () {
      const health = yield* Health.Health
      const root = yield* Effect.forkChild(health.heartbeat)
      yield* TestClock.adjust("10 minutes")
      assert.isTrue((yield* health.live).isWell)
      yield* Fiber.interrupt(root)
      yield* TestClock.adjust("30 seconds")
      assert.isTrue((yield* health.live).isWell)
      yield* TestClock.adjust("2 seconds")
      assert.isFalse((yield* health.live).isWell)
    }).pipe(Effect.provide(Health.layer))
  )

  it.effect("is granted 30 s to begin", () =>
    Effect.gen(function* () {
      const health = yield* Health.Health
      yield* TestClock.adjust("30 seconds")
      assert.isTrue((yield* health.live).isWell)
      assert.isFalse((yield* health.ready).isWell)
      yield* TestClock.adjust("1 second")
      assert.isFalse((yield* health.live).isWell)
    }).pipe(Effect.provide(Health.layer))
  )
})

const get = (path: string) =>
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const url = HttpServer.formatAddress(address)
    return yield* Effect.promise(async () => {
      const response = await fetch(`${url}${path}`)
      return { status: response.status, type: response.headers.get("content-type"), body: await response.text() }
    })
  })

describe("the operator's HTTP server", () => {
  const app = HealthServer.layer({ host: "127.0.0.1", port: 0 }).pipe(
    Layer.provideMerge(Layer.mergeAll(Health.layer, Watched.layer, OperatorMetrics.layer("1.2.3")))
  )

  it.effect("answers probes with 200 or 503 and the reason", () =>
    Effect.gen(function* () {
      const health = yield* Health.Health
      assert.strictEqual((yield* get("/readyz")).status, 503)
      yield* health.become({ _tag: "Standby", leader: "pod-a" })
      const ready = yield* get("/readyz")
      assert.deepStrictEqual([ready.status, ready.body], [200, "standing by: pod-a leads\n"])
      assert.strictEqual((yield* get("/healthz")).status, 200)
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual((yield* get("/healthz")).status, 503)
    }).pipe(Effect.provide(app))
  )

  it.effect("serves the metrics as Prometheus takes them, and nothing else", () =>
    Effect.gen(function* () {
      const { body, status, type } = yield* get("/metrics")
      assert.strictEqual(status, 200)
      assert.strictEqual(type, "text/plain; version=0.0.4; charset=utf-8")
      assert.isTrue(exposition(body).has("kafka_backup_operator_build_info"))
      assert.strictEqual((yield* get("/")).status, 404)
    }).pipe(Effect.provide(app))
  )

  it.effect("says so when its address is taken", () =>
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const port = Number(new URL(HttpServer.formatAddress(address)).port)
      const second = HealthServer.layer({ host: "127.0.0.1", port })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.fresh(second))))
      assert.strictEqual(error._tag, "ServeError")
    }).pipe(Effect.provide(app))
  )
})
