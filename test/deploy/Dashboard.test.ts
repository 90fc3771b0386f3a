import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { configMap } from "../../scripts/ArgoCd.ts"
import { dashboardJson } from "../../scripts/dashboard/Dashboard.ts"
import { families, type Family, prefix } from "../../src/telemetry/OperatorFamilies.ts"
import * as RunMetrics from "../../src/worker/RunMetrics.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import { dashboard, panels, text } from "./dashboard.ts"
import { type Json, root } from "./manifests.ts"

const runbooks = readFileSync(join(root, "docs/guides/operations.md"), "utf8")

/** The phase of a KafkaRestore says the same. */
const notShown = new Set(["restore_ready"])

const exprs = panels.flatMap(({ targets, title }) =>
  (targets as ReadonlyArray<Json>).map(({ expr }) => ({ title: title as string, expr: expr as string }))
)

/** The families that an expression names, with those of a matcher on `__name__`. */
const named = (expr: string): ReadonlyArray<string> => {
  const [, alternatives = ""] = /__name__=~"\w+?\(([\w|]+)\)"/u.exec(expr) ?? []
  const plain = expr.replaceAll(/__name__=~"[^"]+"/gu, "")
  return [
    ...alternatives.split("|").filter((name) => name !== ""),
    ...[...plain.matchAll(/kafka_backup_operator_(\w+)/gu)].map(([, name]) => name!.replace(/_bucket$/u, ""))
  ]
}

const familyOf = (name: string): Family | undefined => (families as Readonly<Record<string, Family>>)[name]

describe("generated files of deploy/", () => {
  it("are what `npm run reference` makes now", () => {
    assert.strictEqual(text, dashboardJson(), "deploy/monitoring/dashboard.json is out of date: npm run reference")
    const argo = readFileSync(join(root, "deploy/argocd/argocd-cm.yaml"), "utf8")
    assert.strictEqual(argo, configMap(), "deploy/argocd/argocd-cm.yaml is out of date: npm run reference")
  })
})

describe("the dashboard", () => {
  it("names no metric and no label that the operator does not have", () => {
    for (const { expr, title } of exprs.filter((each) => !/kafka_backup_(?:run|circuit)_/u.test(each.expr))) {
      const used = named(expr)
      assert.isNotEmpty(used, title)
      const labels = new Set<string>()
      for (const name of used) {
        const family = familyOf(name)
        if (family === undefined) assert.fail(`${title}: there is no metric ${prefix}${name}`)
        assert.strictEqual(family.type === "histogram", expr.includes(`${name}_bucket`), title)
        for (const label of family.labels) labels.add(label)
      }
      const matched = [...expr.matchAll(/(\w+)=~?"/gu)].map(([, label]) => label!).filter((one) => one !== "__name__")
      const grouped = [...expr.matchAll(/(?:by|on) \(([\w, ]+)\)/gu)].flatMap(([, by]) => by!.split(", "))
      for (const label of [...matched, ...grouped]) if (label !== "le") assert.include([...labels], label, title)
    }
  })

  it.effect("names no metric of a run that its pods do not have", () =>
    Effect.gen(function* () {
      const progress = {
        ...RunProgress.make(),
        interruptions: [{ target: "s", openings: 1, waitedMillis: 1, cause: "" }]
      }
      const page = yield* RunMetrics.text(progress, 0)
      const names = new Set([...page.matchAll(/^# TYPE (\w+)/gmu)].map(([, name]) => name))
      const used = exprs.flatMap(({ expr }) =>
        [...expr.matchAll(/kafka_backup_(?!operator)\w+/gu)].map(([name]) => name)
      )
      assert.isNotEmpty(used)
      for (const name of used) assert.isTrue(names.has(name), name)
    })
  )

  it("shows every metric of the operator, but for what another one says as well", () => {
    const shown = new Set(exprs.flatMap(({ expr }) => named(expr)))
    const missing = Object.keys(families).filter((name) => !shown.has(name) && !notShown.has(name))
    assert.deepStrictEqual(missing, [])
  })

  it("says in each panel what it means and what to do, and names only runbooks that there are", () => {
    for (const { description, title } of panels) assert.isAtLeast((description as string).length, 40, title)
    const all = panels.map(({ description }) => description as string).join("\n")
    const linked = [...all.matchAll(/Runbook: (?:docs\/guides\/operations\.md, )?(\w+)\./gu)].map(([, name]) => name!)
    assert.isAtLeast(linked.length, 10)
    for (const name of linked) assert.include(runbooks, `### ${name}\n`)
  })

  it("has room for each panel: none covers another, and each has a number of its own", () => {
    const all = dashboard["panels"] as ReadonlyArray<Json>
    assert.strictEqual(new Set(all.map(({ id }) => id)).size, all.length)
    const taken = new Map<string, string>()
    for (const { gridPos, title } of all) {
      assert.isAtMost(gridPos.x + gridPos.w, 24, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.isUndefined(taken.get(`${x} ${y}`), `${title} lies on ${taken.get(`${x} ${y}`)}`)
          taken.set(`${x} ${y}`, title)
        }
      }
    }
  })

  it("fits where kubectl apply keeps the last version of a ConfigMap: 256 KiB", () => {
    assert.isBelow(Buffer.byteLength(JSON.stringify(text)), 250_000)
  })
})
