import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { stringify } from "yaml"
import { describeWithTools, run } from "../harness/tools.ts"
import { type Json, objectsOf, one, root } from "./manifests.ts"

const groups: ReadonlyArray<Json> = one(objectsOf("monitoring/prometheus-rule.yaml"), "PrometheusRule")["spec"].groups

const tests = join(root, "test/deploy/alerts")
const files = readdirSync(tests).filter((name) => name.endsWith(".test.yaml"))

/** Without what a person reads: the tests are about when an alert fires, and where it goes. */
const bare = groups.map(({ rules, ...group }) => ({
  ...group,
  rules: (rules as ReadonlyArray<Json>).map((rule) => ({ ...rule, annotations: {} }))
}))

describeWithTools(["promtool"], "the alerts, to Prometheus", () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "kafka-backup-alerts-"))
    writeFileSync(join(folder, "whole.yaml"), stringify({ groups }))
    writeFileSync(join(folder, "rules.yaml"), stringify({ groups: bare }))
    for (const name of files) copyFileSync(join(tests, name), join(folder, name))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it("are valid, with their texts", async () => {
    const { code, stderr, stdout } = await run("promtool", ["check", "rules", "--lint-fatal", "whole.yaml"], {
      cwd: folder
    })
    assert.strictEqual(code, 0, stderr + stdout)
    assert.include(stdout, `SUCCESS: ${groups.flatMap(({ rules }) => rules as ReadonlyArray<Json>).length} rules found`)
  })

  it.each(files)("fire and stay quiet as %s says", async (name) => {
    const { code, stderr, stdout } = await run("promtool", ["test", "rules", name], { cwd: folder })
    assert.strictEqual(code, 0, stderr + stdout)
  })

  it("have a test each, of when they fire and of when they do not", () => {
    const all = files.map((name) => readFileSync(join(tests, name), "utf8")).join("\n")
    for (const { alert } of groups.flatMap(({ rules }) => rules as ReadonlyArray<Json>)) {
      assert.match(all, new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n`, "u"), `${alert} never fires in a test`)
      assert.include(all, `alertname: ${alert}, exp_alerts: [] }`, `${alert} is never quiet in a test`)
    }
  })
})
