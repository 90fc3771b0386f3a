import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { createServer, type Server } from "node:http"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { stringify } from "yaml"
import { Fleet } from "../../scripts/services/Fleet.ts"
import * as Ports from "../../scripts/services/Ports.ts"
import * as Tools from "../../scripts/services/Tools.ts"
import * as OperatorMetrics from "../../src/telemetry/OperatorMetrics.ts"
import { describeWithTools, run } from "../harness/tools.ts"
import { quiet } from "../operator/world.ts"
import { lifeOfAnOperator } from "../telemetry/lifeOfAnOperator.ts"
import { filledIn, panels } from "./dashboard.ts"
import type { Json } from "./manifests.ts"
import { absent, record, type Recorded } from "./recordedMetrics.ts"

describeWithTools(["prometheus", "promtool"], "the dashboard over an operator's metrics in a real Prometheus", () => {
  const fleet = new Fleet()
  let recorded: Recorded
  let address: string
  let page: Server
  let pageText: string

  beforeAll(async () => {
    recorded = await Effect.runPromise(
      Effect.scoped(record).pipe(Effect.provide(quiet), Effect.provide(TestClock.layer()))
    )
    pageText = await Effect.runPromise(
      Effect.gen(function* () {
        const metrics = yield* OperatorMetrics.OperatorMetrics
        yield* lifeOfAnOperator(metrics)
        return yield* metrics.text
      }).pipe(Effect.provide(OperatorMetrics.layer("test")))
    )
    const [port = 0, pagePort = 0] = await Ports.free(2)
    page = createServer((_, response) =>
      response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8").end(pageText)
    ).listen(pagePort, "127.0.0.1")
    writeFileSync(join(fleet.folder, "metrics.txt"), recorded.text)
    writeFileSync(
      join(fleet.folder, "prometheus.yaml"),
      stringify({
        scrape_configs: [
          { job_name: "page", scrape_interval: "1s", static_configs: [{ targets: [`127.0.0.1:${pagePort}`] }] }
        ]
      })
    )
    const made = await run(
      "promtool",
      ["tsdb", "create-blocks-from", "openmetrics", "--quiet", "metrics.txt", "data"],
      {
        cwd: fleet.folder
      }
    )
    assert.strictEqual(made.code, 0, made.stderr + made.stdout)
    address = `http://127.0.0.1:${port}`
    const prometheus = fleet.start("prometheus", Tools.program("prometheus"), [
      "--config.file=prometheus.yaml",
      "--storage.tsdb.path=data",
      "--storage.tsdb.retention.time=50y",
      `--web.listen-address=127.0.0.1:${port}`
    ])
    await prometheus.ready(async () => (await fetch(`${address}/-/ready`).catch(() => undefined))?.ok === true, 60_000)
  }, 180_000)
  afterAll(async () => {
    page?.close()
    await fleet.stop()
  })

  const ask = async (path: string, query: Readonly<Record<string, string | number>>): Promise<ReadonlyArray<Json>> => {
    const params = new URLSearchParams(
      Object.fromEntries(Object.entries(query).map(([key, value]) => [key, String(value)]))
    )
    const answer = (await (await fetch(`${address}/api/v1/${path}`, { method: "POST", body: params })).json()) as Json
    assert.strictEqual(answer["status"], "success", `${query["query"]}: ${answer["error"]}`)
    assert.isUndefined(answer["warnings"], `${query["query"]}: ${answer["warnings"]}`)
    return answer["data"].result
  }

  /** What a target of a panel shows: of graphs over the whole time, of numbers and tables at its end. */
  const shown = ({ expr, instant }: Json): Promise<ReadonlyArray<Json>> => {
    const { fromMillis, untilMillis } = recorded
    const [start, end] = [Math.ceil(fromMillis / 1000), Math.floor(untilMillis / 1000)]
    const query = filledIn(expr as string, `${end - start}s`)
    return instant === true ? ask("query", { query, time: end }) : ask("query_range", { query, start, end, step: 30 })
  }

  it("is asked of an operator that has every metric", () => {
    assert.deepStrictEqual(absent(recorded), [])
  })

  describe.each(panels.map((panel) => [panel["title"] as string, panel] as const))("%s", (_, panel) => {
    it("has an answer to each query, with all labels of its legend", async () => {
      for (const target of panel["targets"] as ReadonlyArray<Json>) {
        const series = await shown(target)
        assert.isNotEmpty(series, target["expr"])
        const values = series.flatMap(({ value, values }) => (values ?? [value]) as ReadonlyArray<[number, string]>)
        assert.isTrue(
          values.some(([, value]) => Number.isFinite(Number(value))),
          `${target["expr"]} is never a number`
        )
        for (const [, label] of ((target["legendFormat"] ?? "") as string).matchAll(/\{\{(\w+)\}\}/gu)) {
          for (const { metric } of series) assert.property(metric, label!, target["expr"])
        }
      }
    })
  })

  const number = async (title: string): Promise<number> => {
    const [target] = panels.find((panel) => panel["title"] === title)!["targets"] as ReadonlyArray<Json>
    const [series] = await shown(target!)
    return Number(series!["value"][1])
  }

  it("counts in its first row what had happened at the end", async () => {
    // `missing`, `slow` and `stuck` fail, and so they never have a success; `suspended` has none either.
    assert.strictEqual(await number("Last run failed"), 3)
    assert.strictEqual(await number("Never backed up"), 4)
    assert.strictEqual(await number("Overdue"), 3)
    assert.strictEqual(await number("Suspended"), 1)
    assert.strictEqual(await number("Failed restores"), 1)
    assert.strictEqual(await number("Leaders"), 1)
  })

  it("tells why runs failed though a reason's counter begins with its first count", async () => {
    const { targets } = panels.find((panel) => panel["title"] === "Why runs failed")!
    const series = await shown(targets[0])
    const missing = series.find(({ metric }) => metric.name === "missing")!
    assert.deepInclude(missing["metric"], { resource_namespace: "kafka-backup", reason: "TopicMissing" })
    assert.strictEqual(Number(missing["value"][1]), 3)
  })

  it("counts restores that were over before the first scrape that knew of them", async () => {
    const { targets } = panels.find((panel) => panel["title"] === "Restores that ended in a day")!
    const atEnd = (await shown(targets[0])).map(({ metric, values }) => [metric.outcome, Number(values.at(-1)[1])])
    assert.deepStrictEqual(Object.fromEntries(atEnd), { success: 1, failed: 1, dry_run: 0, interrupted: 0 })
  })

  it("reads pages that Prometheus takes as they are", async () => {
    for (let n = 0; n < 100 && (await ask("query", { query: "up == 1" })).length === 0; n++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const [added] = await ask("query", { query: "scrape_samples_post_metric_relabeling" })
    const samples = pageText.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    assert.strictEqual(Number(added!["value"][1]), samples.length)
    const checked = await run("promtool", ["check", "metrics"], { input: pageText })
    assert.strictEqual(checked.stderr, "", checked.stderr)
    assert.strictEqual(checked.code, 0)
  })
})
