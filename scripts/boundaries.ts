import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import * as Cache from "./services/Cache.ts"

/*
 * Checks who imports whom (.dependency-cruiser.mjs): the rooms of src, and that nothing in src, scripts and bench
 * imports in circles. The tool reports success even when it cannot read a single file, so this also checks that it read
 * every module.
 */

interface Cruise {
  readonly modules: ReadonlyArray<{ readonly source: string; readonly dependencies: ReadonlyArray<unknown> }>
  readonly summary: {
    readonly violations: ReadonlyArray<{
      readonly from: string
      readonly to: string
      readonly comment?: string
      readonly rule: { readonly name: string; readonly severity: string }
      readonly cycle?: ReadonlyArray<{ readonly name: string }>
    }>
    readonly ruleSetUsed: { readonly forbidden: ReadonlyArray<{ readonly name: string; readonly comment?: string }> }
  }
}

const folders = ["src", "scripts", "bench"]
const tool = join(Cache.root, "node_modules", "dependency-cruiser", "bin", "dependency-cruiser.mjs")
const made = spawnSync(
  process.execPath,
  [tool, ...folders, "--config", ".dependency-cruiser.mjs", "--output-type", "json"],
  { cwd: Cache.root, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 }
)
if (made.stdout === "") throw new Error(`dependency-cruiser printed nothing: ${made.stderr}`)
const cruise = JSON.parse(made.stdout) as Cruise

const files = folders.flatMap((folder) =>
  readdirSync(join(Cache.root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`)
)
const read = new Set(cruise.modules.filter(({ dependencies }) => dependencies.length > 0).map(({ source }) => source))
const sources = new Set(cruise.modules.map(({ source }) => source))
const unread = files.filter((name) => !sources.has(name))
// Nearly every module imports something; when most seem not to, the parser does not read TypeScript.
const isBlind = read.size < files.length / 2

const reason = (rule: string): string =>
  cruise.summary.ruleSetUsed.forbidden.find(({ name }) => name === rule)?.comment ?? ""
const violations = cruise.summary.violations.filter(({ rule }) => rule.severity === "error")
const shownPerRule = 10
for (const rule of new Set(violations.map(({ rule }) => rule.name))) {
  const broken = violations.filter((violation) => violation.rule.name === rule)
  for (const violation of broken.slice(0, shownPerRule)) {
    const way = violation.cycle?.map(({ name }) => name).join(" -> ") ?? violation.to
    console.log(`${rule}: ${violation.from} -> ${way}`)
  }
  if (broken.length > shownPerRule) console.log(`${rule}: and ${broken.length - shownPerRule} more`)
  console.log(`  because ${reason(rule)}`)
}
for (const name of unread) console.log(`not read: ${name}`)
if (isBlind) console.log(`imports were found in only ${read.size} of ${files.length} modules: is @swc/core installed?`)
console.log(`${sources.size} modules read, ${violations.length} violations`)
if (violations.length > 0 || unread.length > 0 || isBlind) process.exitCode = 1
