import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { TestClock } from "effect/testing"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Cache from "../../../scripts/services/Cache.ts"
import type { KubeObject } from "../../../src/kubernetes/Objects.ts"
import * as Health from "../../../src/operator/Health.ts"
import * as HealthServer from "../../../src/operator/HealthServer.ts"
import { type Source, Watched } from "../../../src/operator/Watched.ts"
import * as OperatorMetrics from "../../../src/telemetry/OperatorMetrics.ts"
import { describeWith } from "../../harness/services.ts"
import * as Chromium from "./chromium.ts"
import { backup, backups, many, nowMillis, others, sources } from "./resources.ts"

/** Where the pictures are kept, for people. Ignored by git. */
const pictures = join(Cache.root, ".cache", "ui")

/** The address of a replica with these resources. */
const serve = (shown: ReadonlyArray<Source>, state: Health.Readiness = { _tag: "Leading" }) =>
  Effect.gen(function* () {
    const services = Layer.fresh(Layer.mergeAll(Health.layer, Watched.layer, OperatorMetrics.layer("test")))
    const server = Layer.fresh(HealthServer.layer({ host: "127.0.0.1", port: 0 }, { namespace: "backup-system" }))
    const context = yield* Layer.build(Layer.provideMerge(server, services))
    yield* Context.get(context, Health.Health).become(state)
    yield* Context.get(context, Watched).show(shown)
    return HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address)
  })

const hostile =
  '"><script>document.title="injected"</script><img src=x onerror="document.title=1"><style>*{display:none}</style>'

/** A resource whose texts try to be more than texts. */
const attack = (): KubeObject => {
  const { status } = backups()[1]! as KubeObject & { readonly status: { readonly conditions: ReadonlyArray<object> } }
  const conditions = status.conditions.map((condition) => ({ ...condition, message: hostile, reason: hostile }))
  return backup("shop", "attack", { ...status, location: hostile, conditions } as never, { schedule: hostile })
}

describeWith("browser", "the page of the operator in a browser", ({ browser }) => {
  it.effect("shows every state in light and dark, narrow and wide, without a complaint of the browser", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(nowMillis)
      mkdirSync(pictures, { recursive: true })
      const world = yield* serve(sources([...backups(), ...others(), attack()]))
      const crowd = yield* serve(sources([...many(1_000), ...others()]))
      const none = yield* serve(sources([]))
      const starting = yield* serve(sources(backups().slice(0, 1), false), { _tag: "Starting", waitingFor: ["jobs"] })
      const standby = yield* serve([], { _tag: "Standby", leader: "operator-7c5-abcde" })
      // It is closed before the servers, which would wait for its connections.
      const { page, requested, trouble } = yield* Chromium.open(browser)

      const look = (name: string, url: string, width: number, scheme: "light" | "dark") =>
        Effect.promise(async () => {
          await page.setViewport({ width, height: 900 })
          await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }])
          const response = await page.goto(url, { waitUntil: "load" })
          assert.strictEqual(response?.status(), 200, name)
          await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: !name.startsWith("crowd") })
          assert.isAtMost(await page.evaluate<number>("document.documentElement.scrollWidth"), width, name)
          assert.deepStrictEqual(await page.evaluate(Chromium.faintTexts), [], name)
          return page.evaluate<string>("document.querySelector('h1').innerText")
        })

      assert.include(yield* look("list-light-1600", `${world}/ui`, 1600, "light"), "7 of 15 resources need attention")
      yield* look("list-dark-1280", `${world}/ui`, 1280, "dark")
      yield* look("list-light-400", `${world}/ui`, 400, "light")
      yield* look("backup-light-1600", `${world}/ui/KafkaBackup/shop/carts`, 1600, "light")
      yield* look("backup-dark-400", `${world}/ui/KafkaBackup/shop/payments-archive`, 400, "dark")
      yield* look("restore-light-1280", `${world}/ui/KafkaRestore/shop/into-staging`, 1280, "light")
      assert.include(yield* look("none-light-1280", `${none}/ui`, 1280, "light"), "There is no KafkaBackup")
      assert.include(yield* look("starting-dark-1280", `${starting}/ui`, 1280, "dark"), "Not everything is known yet")
      assert.include(yield* look("standby-light-900", `${standby}/ui`, 900, "light"), "This replica shows nothing")

      // A text that tries to be markup is shown, and does nothing.
      assert.include(yield* look("attack-light-1280", `${world}/ui/KafkaBackup/shop/attack`, 1280, "light"), "attack")
      const shown = yield* Effect.promise(() => page.evaluate<string>("document.title + document.body.innerText"))
      assert.include(shown, hostile)
      assert.notInclude(shown.slice(0, 20), "injected")

      // A hundred at a time, however many there are.
      assert.include(yield* look("crowd-light-1600", `${crowd}/ui`, 1600, "light"), "of 1,003 resources")
      const rows = "document.querySelectorAll('tbody tr').length"
      assert.strictEqual(yield* Effect.promise(() => page.evaluate<number>(rows)), 100)
      yield* look("crowd-dark-1280-page-9", `${crowd}/ui?page=9`, 1280, "dark")

      assert.deepStrictEqual(trouble, [])
      assert.deepStrictEqual(
        requested.filter((url) => ![world, crowd, none, starting, standby].includes(new URL(url).origin)),
        []
      )
    })
  )

  it.effect("can be read by a screen reader and used with its form, and runs no script of whoever got one in", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(nowMillis)
      const world = yield* serve(sources([...backups().slice(3, 6), ...others()]))
      const { page, trouble } = yield* Chromium.open(browser)
      yield* Effect.promise(async () => {
        for (const width of [1280, 400]) {
          await page.setViewport({ width, height: 900 })
          await page.goto(`${world}/ui`, { waitUntil: "load" })
          const tree = await page.accessibility.snapshot({ interestingOnly: false })
          for (const role of ["main", "banner", "contentinfo", "navigation", "search"]) {
            assert.lengthOf(Chromium.withRole(tree, role), 1, `${role} at ${width}`)
          }
          assert.lengthOf(Chromium.withRole(tree, "table"), 3, `tables at ${width}`)
          assert.lengthOf(Chromium.withRole(tree, "rowheader"), 6, `names at ${width}`)
          assert.isAtLeast(Chromium.withRole(tree, "columnheader").length, 15, `columns at ${width}`)
          assert.isTrue(Chromium.withRole(tree, "progressbar").every(({ name }) => name?.startsWith("progress of ")))
        }
        await page.type("input[name=q]", "invo")
        await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click("button[type=submit]")])
        assert.strictEqual(new URL(page.url()).search, "?q=invo&namespace=")
        assert.deepStrictEqual(await page.evaluate("[...document.querySelectorAll('tbody th a')].map((a) => a.text)"), [
          "invoices"
        ])
        await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click("tbody th a")])
        assert.strictEqual(new URL(page.url()).pathname, "/ui/KafkaBackup/billing/invoices")
        await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(".crumbs a")])
        assert.strictEqual(new URL(page.url()).pathname, "/ui")
        assert.deepStrictEqual(trouble, [])

        // The policy holds, also against markup that got past the escaping.
        await page.evaluate(`new Promise((done) => {
          const script = document.createElement("script"); script.textContent = "document.title = 'injected'"
          const style = document.createElement("p"); style.setAttribute("style", "color: red")
          const image = new Image(); image.onerror = done; image.src = "http://127.0.0.1:9/x.png"
          document.body.append(script, style, image)
        })`)
        assert.notInclude(await page.evaluate<string>("document.title"), "injected")
        assert.isTrue(
          trouble.some((text) => /script/i.test(text) && /Content Security Policy/i.test(text)),
          trouble.join("\n")
        )
        assert.isTrue(
          trouble.some((text) => /style/i.test(text) && /Content Security Policy/i.test(text)),
          trouble.join("\n")
        )
        assert.isTrue(
          trouble.some((text) => /x\.png/.test(text)),
          trouble.join("\n")
        )
      })
    })
  )
})
