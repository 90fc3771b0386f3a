import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { program as image } from "../../scripts/image/Program.ts"
import { MemoryCgroup } from "../harness/MemoryCgroup.ts"
import type { Ended } from "./product.ts"

const MiB = 1024 * 1024

export interface LimitedEnd extends Ended {
  readonly peakBytes: number
  /** How many processes the kernel has killed; 0 without KBO_CGROUP. */
  readonly kills: number
}

/**
 * The built command as a process with little memory, started as the image starts it. Always: the process believes in a
 * limit, and says how much it had at most. With KBO_CGROUP (see MemoryCgroup.ts) the kernel enforces the limit.
 */
export class LimitedCommand {
  readonly #dist = mkdtempSync(join(tmpdir(), "kafka-backup-dist-"))

  build(): void {
    const script = fileURLToPath(new URL("../../scripts/build.ts", import.meta.url))
    const built = spawnSync(process.execPath, [script, this.#dist], { encoding: "utf8" })
    if (built.status !== 0) throw new Error(`the build failed:\n${built.stdout}${built.stderr}`)
  }

  run(name: string, mebibytes: number, args: ReadonlyArray<string>): Promise<LimitedEnd> {
    return new Promise((resolve, reject) => {
      const cgroup = MemoryCgroup.make(name, mebibytes * MiB)
      const preload = fileURLToPath(new URL("underLimit.mjs", import.meta.url))
      const flags = image.entrypoint.slice(1, -1)
      const command = [process.execPath, ...flags, "--import", preload, join(this.#dist, "kafka-backup.mjs"), ...args]
      const [program = "", ...rest] = cgroup === undefined ? command : cgroup.inside(command)
      const env = { ...process.env, KBO_TEST_MEMORY_LIMIT: String(mebibytes * MiB) }
      const child = spawn(program, rest, { env, stdio: ["ignore", "pipe", "pipe"] })
      let stdout = ""
      let stderr = ""
      child.stdout.on("data", (text: Buffer) => (stdout += text.toString()))
      child.stderr.on("data", (text: Buffer) => (stderr += text.toString()))
      child.once("error", reject)
      child.once("close", (code) => {
        const peakBytes = Number(/^peak (\d+) bytes/m.exec(stderr)?.[1])
        const kills = cgroup?.kills() ?? 0
        cgroup?.[Symbol.dispose]()
        resolve({ code: code ?? undefined, stdout, stderr, peakBytes, kills })
      })
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.#dist, { recursive: true, force: true })
  }
}
