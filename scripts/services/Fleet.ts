import { spawn } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { createConnection } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/**
 * Reads "+ <group>" and "- <group>" lines; when its input ends, which happens however the parent died, it ends the
 * process groups that are still listed and removes the data folder given as $1.
 */
const watchdog = `
trap '' INT TERM HUP
groups=" "
while read -r sign group; do
  case "$sign" in
    +) groups="$groups$group " ;;
    -) groups=$(printf '%s' "$groups" | sed "s/ $group / /") ;;
  esac
done
if [ -n "$(printf '%s' "$groups" | tr -d ' ')" ]; then
  for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
  sleep 3
  for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
  sleep 1
fi
rm -rf -- "$1"
`

/** How a process ended: by itself with a code, by a signal, or it never began. */
export interface End {
  readonly code?: number
  readonly signal?: NodeJS.Signals
  /** Why it could not be started. */
  readonly error?: string
}

export interface Surroundings {
  /** Default: the fleet's folder. */
  readonly cwd?: string
  /** True: the process inherits no environment variables. */
  readonly isAlone?: boolean
}

export interface Started {
  readonly name: string
  /** -1 when it never began. */
  readonly pid: number
  /** Both of its outputs. */
  readonly logFile: string
  readonly ended: Promise<End>
  /**
   * Resolves once `test(log)` holds; rejects when the process ends first or the time is over, with the end of its log.
   */
  readonly ready: (test: (log: string) => boolean | Promise<boolean>, timeoutMillis: number) => Promise<void>
}

const pause = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis))

const signal = (id: number, what: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(id, what)
  } catch {
    return false
  }
}

/** True while the process is there; of a negative id, while any process of that group is. */
export const isAlive = (id: number): boolean => signal(id, 0)

/** True when something accepts connections there. */
export const accepts = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host, port })
    const answer = (yes: boolean) => {
      socket.destroy()
      resolve(yes)
    }
    socket.setTimeout(1_000, () => answer(false))
    socket.once("connect", () => answer(true))
    socket.once("error", () => answer(false))
  })

/**
 * Processes that live as long as this one and not longer. Each leads its own process group, so Ctrl-C in the terminal
 * reaches only us and we stop them in order; a watchdog stops them if we are killed without a chance to.
 */
export class Fleet {
  /** Data and logs of all members; removed at the end. */
  readonly folder = mkdtempSync(join(tmpdir(), "kafka-backup-services-"))
  readonly #members = new Set<number>()
  readonly #watchdog = spawn("/bin/sh", ["-c", watchdog, "watchdog", this.folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true
  })
  readonly #afterwards: Array<() => void> = []
  #stopping: Promise<void> | undefined

  constructor() {
    this.#watchdog.unref()
    this.#watchdog.stdin.on("error", () => {})
  }

  start(
    name: string,
    program: string,
    args: ReadonlyArray<string>,
    env: Readonly<Record<string, string>> = {},
    { cwd = this.folder, isAlone = false }: Surroundings = {}
  ): Started {
    const logFile = join(this.folder, `${name}.log`)
    const log = openSync(logFile, "a")
    const child = spawn(program, args, {
      cwd,
      env: isAlone ? env : { ...process.env, ...env },
      stdio: ["ignore", log, log],
      detached: true
    })
    closeSync(log)
    let end: string | undefined
    const ended = new Promise<End>((resolve) => {
      child.once("error", (error) => {
        end = error.message
        resolve({ error: error.message })
      })
      child.once("exit", (code, signal) => {
        end = signal === null ? `exit code ${code}` : `signal ${signal}`
        resolve({ ...(code === null ? {} : { code }), ...(signal === null ? {} : { signal }) })
      })
    })
    const pid = child.pid
    if (pid !== undefined) {
      this.#members.add(pid)
      this.#watchdog.stdin.write(`+ ${pid}\n`)
      void ended.then(() => {
        this.#members.delete(pid)
        this.#watchdog.stdin.write(`- ${pid}\n`)
      })
    }
    const ready: Started["ready"] = async (test, timeoutMillis) => {
      const deadline = performance.now() + timeoutMillis
      if (pid === undefined) await ended
      for (;;) {
        const text = readFileSync(logFile, "utf8")
        const tail = () => text.split("\n").slice(-25).join("\n")
        if (end !== undefined)
          throw new Error(`${name} ended (${end}) before it was ready. Its log ends with:\n${tail()}`)
        if (await test(text)) return
        if (performance.now() > deadline) {
          throw new Error(`${name} was not ready after ${timeoutMillis / 1000} s. Its log ends with:\n${tail()}`)
        }
        await pause(150)
      }
    }
    return { name, pid: pid ?? -1, logFile, ended, ready }
  }

  /** Leaves something to do once all members have ended; not when we are killed. */
  afterwards(work: () => void): void {
    this.#afterwards.push(work)
  }

  /** Asks all members to end, insists after 10 s, and removes the data folder. May be called twice. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop())
  }

  async #stop(): Promise<void> {
    const groups = [...this.#members.keys()]
    const allGone = async (millis: number): Promise<boolean> => {
      const deadline = performance.now() + millis
      while (groups.some((group) => isAlive(-group))) {
        if (performance.now() > deadline) return false
        await pause(50)
      }
      return true
    }
    for (const group of groups) signal(-group, "SIGTERM")
    if (!(await allGone(10_000))) {
      for (const group of groups) signal(-group, "SIGKILL")
      await allGone(5_000)
    }
    this.#watchdog.stdin.end()
    for (const work of this.#afterwards) work()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
