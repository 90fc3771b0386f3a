import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { assert, describe, it } from "@effect/vitest"
import { Fleet, isAlive } from "../../scripts/services/Fleet.ts"

interface Sleeper {
  readonly pid: number
  readonly folder: string
  readonly isThere: boolean
}

const startOwner = async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "ownerOfASleeper.ts")], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string]
  return { child, sleeper: JSON.parse(line) as Sleeper }
}

/** Looks again and again; the test's own timeout is the limit. */
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50))
}

describe("Fleet", () => {
  it("ends its processes and their children, and removes their data, when its owner is killed", async () => {
    const { child, sleeper } = await startOwner()
    assert.isTrue(isAlive(-sleeper.pid))
    assert.isTrue(sleeper.isThere)
    child.kill("SIGKILL")
    await until(() => !isAlive(-sleeper.pid))
    await until(() => !existsSync(sleeper.folder))
  })

  it("ends them before its owner ends when it is asked to stop", async () => {
    const { child, sleeper } = await startOwner()
    child.kill("SIGTERM")
    await once(child, "exit")
    assert.isFalse(isAlive(-sleeper.pid))
    assert.isFalse(existsSync(sleeper.folder))
  })

  it("says how a process ended, and what it said last, when it never became ready", async () => {
    const fleet = new Fleet()
    const process = fleet.start("broken", "/bin/sh", ["-c", "echo no such setting; exit 3"])
    const message = await process
      .ready(() => false, 10_000)
      .then(
        () => "ready",
        (error: Error) => error.message
      )
    await fleet.stop()
    assert.include(message, "broken ended (exit code 3)")
    assert.include(message, "no such setting")
  })

  it("says what is wrong when the program does not exist", async () => {
    const fleet = new Fleet()
    const message = await fleet
      .start("absent", "/no/such/program", [])
      .ready(() => true, 10_000)
      .then(
        () => "ready",
        (error: Error) => error.message
      )
    await fleet.stop()
    assert.include(message, "ENOENT")
  })

  it("reports how a process ended, and passes it no environment variables if it asks for none", async () => {
    const fleet = new Fleet()
    const script = 'echo "$ONE|$PATH|$PWD"; kill -TERM $$'
    const env = { ONE: "1", PATH: "/none" }
    const { ended, logFile } = fleet.start("alone", "/bin/sh", ["-c", script], env, { cwd: "/", isAlone: true })
    assert.deepStrictEqual(await ended, { signal: "SIGTERM" })
    assert.strictEqual(readFileSync(logFile, "utf8"), "1|/none|/\n")
    await fleet.stop()
  })

  it("does what was left for afterwards once its processes have ended, while their data is there", async () => {
    const fleet = new Fleet()
    const { pid } = fleet.start("sleeper", "/bin/sleep", ["3600"])
    let found: unknown
    fleet.afterwards(() => (found = { isAlive: isAlive(-pid), hasData: existsSync(fleet.folder) }))
    await fleet.stop()
    assert.deepStrictEqual(found, { isAlive: false, hasData: true })
  })
})
