import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import * as Ports from "../../scripts/services/Ports.ts"

/** The values of /metrics by series. */
export type Series = ReadonlyMap<string, number>

/** What the kernel counts for the process. */
export interface Counters {
  readonly cpuSeconds: number
  readonly rssBytes: number
  /** Since the start, or since `forgetPeak`. */
  readonly peakBytes: number
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** Clock ticks per second of /proc/<pid>/stat. Source: USER_HZ, which is 100 on every Linux port that Node runs on. */
const ticksPerSecond = 100

const readyWithinMillis = 120_000

/** One operator process of the built command line. */
export class OperatorProcess {
  readonly #child: ChildProcess
  readonly #address: string
  readonly #ended: Promise<number | null>
  #log = ""
  /** From its start until it was ready. */
  readySeconds = 0

  private constructor(child: ChildProcess, address: string) {
    this.#child = child
    this.#address = address
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.#log = (this.#log + chunk.toString()).slice(-8_000)))
    }
    this.#ended = new Promise((resolve) => child.once("close", resolve))
  }

  /** Resolves when it is ready: everything is listed, and nothing was reconciled before that. */
  static async start(
    command: ReadonlyArray<string>,
    args: ReadonlyArray<string>,
    env: Readonly<Record<string, string>>
  ): Promise<OperatorProcess> {
    const [port = 0] = await Ports.free(1)
    const [program = "", ...first] = command
    const since = performance.now()
    const child = spawn(program, [...first, "operator", `--listen=127.0.0.1:${port}`, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const started = new OperatorProcess(child, `http://127.0.0.1:${port}`)
    while (!(await started.#isReady())) {
      if (child.exitCode !== null || performance.now() - since > readyWithinMillis) {
        await started.stop()
        throw new Error(`the operator does not become ready:\n${started.#log}`)
      }
      await pause(20)
    }
    started.readySeconds = (performance.now() - since) / 1000
    return started
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.#address}/readyz`)).status === 200
    } catch {
      return false
    }
  }

  async series(): Promise<Series> {
    const text = await (await fetch(`${this.#address}/metrics`)).text()
    return new Map(
      text.split("\n").flatMap((line): ReadonlyArray<readonly [string, number]> => {
        const at = line.lastIndexOf(" ")
        return line === "" || line.startsWith("#") ? [] : [[line.slice(0, at), Number(line.slice(at + 1))]]
      })
    )
  }

  counters(): Counters {
    const { pid = 0 } = this.#child
    // The name in parentheses may hold blanks; utime and stime are the 12th and 13th field after it.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const status = readFileSync(`/proc/${pid}/status`, "latin1")
    const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) * 1024
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      rssBytes: bytes("VmRSS"),
      peakBytes: bytes("VmHWM")
    }
  }

  /** Resets the peak to what is resident now. */
  forgetPeak(): void {
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, "5")
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  get log(): string {
    return this.#log
  }

  async stop(): Promise<void> {
    if (this.isRunning) this.#child.kill("SIGTERM")
    await this.#ended
  }
}
