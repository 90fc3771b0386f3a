import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Cache from "./services/Cache.ts"
import { Fleet } from "./services/Fleet.ts"
import { say } from "./services/Progress.ts"
import * as Services from "./services/Services.ts"
import * as Tools from "./services/Tools.ts"
import * as TestReport from "./TestReport.ts"

/*
 * npm test [-- --no-services] [-- arguments for vitest, such as a file or -t name]
 *
 * Unit tests, then integration tests against real services if this machine can run them. The last line is always
 * "N passed, N failed, N skipped", over all kinds of tests.
 */

/** Minutes for each kind of tests instead of the usual ones: `npm run soak` needs more. */
const wanted = process.env["KBO_LIMIT_MINUTES"]
/** After this the run is stopped and counts as failed: a hung worker must not hang a build. */
const limitMinutes =
  wanted === undefined
    ? { unit: 20, integration: 50, cluster: 50, faults: 50 }
    : { unit: Number(wanted), integration: Number(wanted), cluster: Number(wanted), faults: Number(wanted) }
const lanes = ["integration", "cluster", "faults"] as const

const folder = mkdtempSync(join(tmpdir(), "kafka-backup-test-"))
const passedOn = process.argv.slice(2).filter((argument) => argument !== "--no-services")
const isOff = process.argv.includes("--no-services") || process.env["KBO_SERVICES"] === "off"
const areRequired = process.env["CI"] === "true" || process.env["KBO_REQUIRE_SERVICES"] === "1"

const running = new Set<ChildProcess>()
const failures: Array<string> = []
let fleet: Fleet | undefined

const vitest = async (
  project: keyof typeof limitMinutes,
  env: Readonly<Record<string, string>> = {}
): Promise<TestReport.Count> => {
  const file = join(folder, `${project}.json`)
  const entry = join(Cache.root, "node_modules", "vitest", "vitest.mjs")
  const options = ["--project", project, "--passWithNoTests", "--reporter=default", "--reporter=json"]
  const code = await new Promise<number>((resolve, reject) => {
    const child = spawn(process.execPath, [entry, "run", ...options, `--outputFile.json=${file}`, ...passedOn], {
      cwd: Cache.root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "inherit", "inherit"]
    })
    running.add(child)
    const timer = setTimeout(() => {
      say(`${project} tests took more than ${limitMinutes[project]} minutes: stopping them`)
      child.kill("SIGTERM")
      setTimeout(() => child.kill("SIGKILL"), 10_000).unref()
    }, limitMinutes[project] * 60_000)
    child.once("error", reject)
    child.once("exit", (exitCode) => {
      clearTimeout(timer)
      running.delete(child)
      resolve(exitCode ?? 1)
    })
  })
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as TestReport.Report) : undefined
  failures.push(...TestReport.failures(report, code, Cache.root).map((failure) => `${project}: ${failure}`))
  return TestReport.count(report, code)
}

/** Environment of the integration tests: the addresses of services, or that there are none. */
const services = async (): Promise<Readonly<Record<string, string>>> => {
  if (isOff) {
    say("integration tests are skipped: services are switched off (--no-services or KBO_SERVICES=off)")
    return { KBO_SERVICES: "off" }
  }
  await Tools.install()
  const announced = Services.announced()
  if (announced !== undefined && Services.names.every((name) => announced[name] !== undefined)) {
    say("integration tests use the services of the running `npm run services`")
    return { ...Services.toEnvironment(announced) }
  }
  say(
    "integration tests: starting services (the first time they are downloaded and compiled, which takes about 15 minutes)"
  )
  fleet = new Fleet()
  const started = await Services.start(fleet, [...Services.names, ...Services.optional])
  const file = join(folder, "services.json")
  Services.announce(started, file)
  for (const [name, reason] of Object.entries(started.missing)) {
    const isOptional = Services.optional.some((one) => one === name)
    const consequence = areRequired && !isOptional ? "its tests will fail" : "its tests are skipped"
    say(`${name} is not available here, ${consequence}: ${reason.split("\n")[0]}`)
  }
  return { ...Services.toEnvironment(started), KBO_SERVICES_FILE: file }
}

const cleanUp = async (): Promise<void> => {
  await fleet?.stop()
  rmSync(folder, { recursive: true, force: true })
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    for (const child of running) child.kill("SIGTERM")
    void cleanUp().then(() => process.exit(130))
  })
}

const counts: Array<TestReport.Count> = []
try {
  say("unit tests")
  counts.push(await vitest("unit"))
  const env = await services()
  say("integration tests; those that mostly wait, for a cluster or for what is disturbed, run in parallel")
  counts.push(...(await Promise.all(lanes.map((lane) => vitest(lane, env)))))
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  counts.push({ passed: 0, failed: 1, skipped: 0 })
} finally {
  await cleanUp()
}

if (isOff && areRequired) say("services are required (CI=true or KBO_REQUIRE_SERVICES=1) but switched off")
const total = TestReport.sum(counts)
if (failures.length > 0) console.log(`\n--- what failed\n${failures.join("\n")}\n--- end of what failed`)
if (!TestReport.isGood(total)) process.exitCode = 1
console.log(TestReport.closingLine(total))
