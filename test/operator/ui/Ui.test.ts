import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { TestClock } from "effect/testing"
import * as Health from "../../../src/operator/Health.ts"
import * as HealthServer from "../../../src/operator/HealthServer.ts"
import { Watched } from "../../../src/operator/Watched.ts"
import * as OperatorMetrics from "../../../src/telemetry/OperatorMetrics.ts"
import { backups, nowMillis, others, sources } from "./resources.ts"

const services = Layer.mergeAll(Health.layer, Watched.layer, OperatorMetrics.layer("1.2.3"))
const address = { host: "127.0.0.1", port: 0 }
const withPage = HealthServer.layer(address, { namespace: "backup-system" }).pipe(Layer.provideMerge(services))
const withoutPage = HealthServer.layer(address).pipe(Layer.provideMerge(services))

const request = (path: string, method = "GET") =>
  Effect.gen(function* () {
    const server = yield* HttpServer.HttpServer
    const url = `${HttpServer.formatAddress(server.address)}${path}`
    return yield* Effect.promise(async () => {
      const response = await fetch(url, { method, redirect: "manual" })
      return {
        status: response.status,
        header: (name: string) => response.headers.get(name),
        body: await response.text()
      }
    })
  })

const shown = Effect.gen(function* () {
  yield* TestClock.setTime(nowMillis)
  yield* (yield* Health.Health).become({ _tag: "Leading" })
  yield* (yield* Watched).show(sources([...backups(), ...others()]))
})

describe("the page under /ui", () => {
  it.effect("is not there unless it is asked for", () =>
    Effect.gen(function* () {
      yield* shown
      for (const path of ["/ui", "/ui/style.css", "/ui/KafkaBackup/shop/orders"]) {
        assert.strictEqual((yield* request(path)).status, 404)
      }
    }).pipe(Effect.provide(withoutPage))
  )

  it.effect("lets nothing run, nothing be kept, and nobody frame it", () =>
    Effect.gen(function* () {
      yield* shown
      for (const path of [
        "/ui",
        "/ui/style.css",
        "/ui/icon.svg",
        "/ui/KafkaBackup/shop/orders",
        "/ui/KafkaBackup/a/b"
      ]) {
        const { header } = yield* request(path)
        const policy = header("content-security-policy") ?? ""
        for (const part of ["default-src 'none'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"]) {
          assert.include(policy.split("; "), part)
        }
        assert.notMatch(policy, /unsafe|script-src|\*/)
        assert.strictEqual(header("cache-control"), "no-store")
        assert.strictEqual(header("x-content-type-options"), "nosniff")
        assert.strictEqual(header("x-frame-options"), "DENY")
        assert.isNull(header("access-control-allow-origin"))
        assert.isNull(header("set-cookie"))
      }
    }).pipe(Effect.provide(withPage))
  )

  it.effect("answers GET and HEAD, and nothing that could change something", () =>
    Effect.gen(function* () {
      yield* shown
      const head = yield* request("/ui", "HEAD")
      assert.deepStrictEqual([head.status, head.body], [200, ""])
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        assert.strictEqual((yield* request("/ui", method)).status, 404, method)
        assert.strictEqual((yield* request("/ui/KafkaBackup/shop/orders", method)).status, 404, method)
      }
    }).pipe(Effect.provide(withPage))
  )

  it.effect("sends an address with a slash at its end to the one without, under which the links are right", () =>
    Effect.gen(function* () {
      yield* shown
      for (const [path, to] of [
        ["/ui/", "/ui"],
        ["/ui/?q=a%26b&refresh=off", "/ui?q=a%26b&refresh=off"],
        ["/ui/KafkaBackup/shop/orders/", "/ui/KafkaBackup/shop/orders"]
      ] as const) {
        const { header, status } = yield* request(path)
        assert.strictEqual(status, 308, path)
        const { pathname, search } = new URL(header("location") ?? "", `http://a${path}`)
        assert.strictEqual(`${pathname}${search}`, to)
        // Behind an ingress the pages have another root.
        assert.strictEqual(
          new URL(header("location") ?? "", `http://a/ops${path}`).pathname.startsWith("/ops/ui"),
          true
        )
        assert.strictEqual((yield* request(to)).status, 200)
      }
    }).pipe(Effect.provide(withPage))
  )

  it.effect("shows one resource, and says so where there is none, whatever the address", () =>
    Effect.gen(function* () {
      yield* shown
      const orders = yield* request("/ui/KafkaBackup/shop/orders")
      assert.strictEqual(orders.status, 200)
      assert.include(orders.body, "s3://backups/production/hourly")
      for (const path of [
        "KafkaBackup/shop/none",
        "Secret/shop/orders",
        "KafkaBackup/shop%2Forders/x",
        "KafkaBackup/a/%3Cb%3E"
      ]) {
        const { body, status } = yield* request(`/ui/${path}`)
        assert.strictEqual(status, 404, path)
        assert.include(body, "There is no such resource")
        assert.notInclude(body, "<b>")
      }
      assert.strictEqual((yield* request("/ui/KafkaBackup/%ff/x")).status >= 400, true)
      assert.strictEqual((yield* request("/ui?page=1e99&q=%00&show=%3Cscript%3E")).status, 200)
    }).pipe(Effect.provide(withPage))
  )

  it.effect("is loaded again every 30 s, until that is turned off, and links keep it so", () =>
    Effect.gen(function* () {
      yield* shown
      assert.match((yield* request("/ui")).body, /http-equiv="refresh" content="30"/)
      const { body } = yield* request("/ui?refresh=off&q=orders")
      assert.notInclude(body, 'http-equiv="refresh"')
      assert.include(body, 'href="ui/KafkaBackup/shop/orders?refresh=off"')
      assert.include(body, 'href="ui?q=orders"')
    }).pipe(Effect.provide(withPage))
  )

  it.effect("of a replica that stands by names the leader, and is full once it leads itself", () =>
    Effect.gen(function* () {
      const health = yield* Health.Health
      yield* health.become({ _tag: "Standby", leader: "pod-b_0b0b6f1e-1111-2222-3333-444455556666" })
      assert.include((yield* request("/ui")).body, "kubectl port-forward -n backup-system pod/pod-b 8080")
      yield* shown
      assert.include((yield* request("/ui")).body, "resources need attention")
    }).pipe(Effect.provide(withPage))
  )
})
