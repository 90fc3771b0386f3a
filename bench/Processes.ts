import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"

/** What one program took, from its start to its end. */
export interface Usage {
  /** Seconds by the clock. */
  readonly seconds: number
  /** User and system CPU of all its threads, and of all that it started, in seconds. Absent without /proc. */
  readonly cpuSeconds?: number
  /** Largest resident memory of one process, in bytes. Absent without /proc. */
  readonly peakBytes?: number
}

export interface Finished extends Usage {
  readonly output: string
}

/** How often the counters are read; what the process uses after the last read is lost, which is less than this. */
const reconcileMillis = 20

/** Clock ticks per second of /proc/<pid>/stat. Source: USER_HZ, which is 100 on every Linux port that Node runs on. */
const ticksPerSecond = 100

interface Counters {
  /** By process id, of the process and all that it started: what was counted when it was last seen. */
  readonly cpuSeconds: Map<number, number>
  readonly peakBytes: Map<number, number>
}

/** The processes that a process has started and that still run, and what those have started. */
const startedBy = (pid: number): ReadonlyArray<number> => {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const own = threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").split(" ").filter(Boolean).map(Number)
    )
    return own.flatMap((child) => [child, ...startedBy(child)])
  } catch {
    return []
  }
}

/** User and system CPU of all threads of a process so far, or of one, in seconds; undefined where it cannot be read. */
export const cpuSecondsOf = (pid: number | undefined, thread?: string): number | undefined => {
  try {
    // The name in parentheses may hold blanks; utime and stime are the 12th and 13th field after it.
    const stat = readFileSync(`/proc/${pid}/${thread === undefined ? "" : `task/${thread}/`}stat`, "latin1")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return undefined
  }
}

/** Reads what the kernel counts for a process; leaves `counters` as they were when the process is gone. */
const look = (pid: number, counters: Counters): void => {
  try {
    const cpuSeconds = cpuSecondsOf(pid)
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]
    if (peak === undefined || cpuSeconds === undefined) return
    counters.cpuSeconds.set(pid, cpuSeconds)
    counters.peakBytes.set(pid, Number(peak) * 1024)
  } catch {
    // No /proc here, or the process has just ended.
  }
}

/** CPU of all processes; the largest memory that one of them had, which for a program with helpers is too little. */
const usageOf = ({ cpuSeconds, peakBytes }: Counters): Pick<Usage, "cpuSeconds" | "peakBytes"> =>
  cpuSeconds.size === 0
    ? {}
    : {
        cpuSeconds: [...cpuSeconds.values()].reduce((sum, seconds) => sum + seconds, 0),
        peakBytes: Math.max(...peakBytes.values())
      }

const running = new Set<ChildProcess>()

/** Ends what `measured` has started and what still runs. */
export const endAll = (): void => {
  for (const child of running) child.kill("SIGTERM")
}

/** Called when a program has started; what it gives is called when the program has ended. */
export type Watch = (pid: number) => () => void

/** Runs a program to its end. Rejects with the end of its output when it fails. */
export const measured = (
  program: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  watch?: Watch
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const counters: Counters = { cpuSeconds: new Map(), peakBytes: new Map() }
    const started = performance.now()
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] })
    running.add(child)
    const { pid } = child
    const unwatch = pid === undefined ? undefined : watch?.(pid)
    const timer = setInterval(() => {
      if (pid !== undefined) for (const each of [pid, ...startedBy(pid)]) look(each, counters)
    }, reconcileMillis)
    let output = ""
    let complaints = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-4_000)))
    const end = () => {
      clearInterval(timer)
      unwatch?.()
      running.delete(child)
    }
    child.once("error", (error) => {
      end()
      reject(error)
    })
    let seconds = 0
    child.once("exit", () => {
      seconds = (performance.now() - started) / 1000
    })
    child.once("close", (code, signal) => {
      end()
      if (code === 0) return resolve({ seconds, ...usageOf(counters), output })
      reject(new Error(`${program} ended with ${signal ?? `exit code ${code}`}:\n${output.slice(-2_000)}${complaints}`))
    })
  })
