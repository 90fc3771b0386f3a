import { spawnSync } from "node:child_process"
import { join } from "node:path"
import * as Cache from "./services/Cache.ts"

/*
 * npm run check [-- --fast]
 *
 * The checks that every change must pass, on a laptop and in CI. A failed check prints how to repair it. --fast leaves
 * out the tests.
 */

interface Step {
  readonly name: string
  readonly command: ReadonlyArray<string>
  readonly repair: string
  readonly isSlow?: boolean
}

const bin = (name: string): string => join(Cache.root, "node_modules", ".bin", name)
const node = process.execPath

const steps: ReadonlyArray<Step> = [
  { name: "format", command: [bin("oxfmt"), "--check"], repair: "npm run fix" },
  {
    name: "line width",
    command: [node, "scripts/width.ts"],
    repair: "break the lines of comments and pages above; the formatter leaves them as they are"
  },
  {
    name: "lint",
    command: [bin("oxlint"), "--type-aware", "--deny-warnings"],
    repair: "npm run fix repairs what it can; correct the rest by hand. Rules: .oxlintrc.json"
  },
  { name: "types", command: [bin("tsc"), "-p", "."], repair: "correct the type errors above" },
  {
    name: "dead code",
    command: [bin("knip"), "--no-progress"],
    repair: "delete unused code, and do not export what only its own file uses"
  },
  {
    name: "boundaries",
    command: [node, "scripts/boundaries.ts"],
    repair: "import only from allowed rooms, and break circles; the rules and their reasons: .dependency-cruiser.mjs"
  },
  { name: "drift", command: [node, "scripts/crd.ts", "--check"], repair: "npm run crd, and commit what it writes" },
  { name: "chart", command: [node, "scripts/chart.ts", "--check"], repair: "npm run chart, and commit what it writes" },
  {
    name: "version",
    command: [node, "scripts/versions.ts", "--check"],
    repair: "node scripts/versions.ts, and commit what it writes"
  },
  {
    name: "lock file",
    command: [node, "scripts/lockfile.ts", "--check"],
    repair: "node scripts/lockfile.ts, and commit package-lock.json"
  },
  {
    name: "unit tests",
    command: [node, "node_modules/vitest/vitest.mjs", "run", "--project", "unit"],
    repair: "npx vitest run --project unit <file>",
    isSlow: true
  }
]

const isFast = process.argv.includes("--fast")
const failures: Array<Step> = []
for (const step of steps.filter(({ isSlow }) => !(isFast && isSlow === true))) {
  const [program = "", ...args] = step.command
  const since = performance.now()
  // Tools with a shebang must find the Node that runs this script, not an older one of the system.
  const path = `${join(Cache.root, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`
  const done = spawnSync(program, args, { cwd: Cache.root, env: { ...process.env, PATH: path }, encoding: "utf8" })
  const seconds = ((performance.now() - since) / 1000).toFixed(1)
  const isFine = done.status === 0
  console.log(`${isFine ? "ok    " : "FAILED"} ${step.name} (${seconds} s)`)
  if (!isFine) {
    failures.push(step)
    console.log(`${done.stdout}${done.stderr}${done.error?.message ?? ""}`.trimEnd())
    console.log(`       to repair: ${step.repair}\n`)
  }
}

if (failures.length > 0) {
  console.log(`${failures.length} of the checks failed: ${failures.map(({ name }) => name).join(", ")}`)
  process.exitCode = 1
} else console.log("all checks passed")
