import { readdirSync, readFileSync } from "node:fs"
import { cpuSecondsOf } from "./Processes.ts"
import { cell, table } from "./Table.ts"

/** CPU seconds since some moment: of the run's main thread, of its thread pool and its other threads, and of others. */
interface Counted {
  readonly main: number
  readonly pool: number
  readonly rest: number
  readonly broker: number
  /** Of all cores, seconds in which none had anything to do, waiting for a disk included. */
  readonly idle: number
}

/** What one slice of time was used for, in CPU seconds. */
export interface Slice extends Counted {
  readonly seconds: number
}

const sliceMillis = 500

const names = ["main", "pool", "rest", "broker", "idle"] as const

/** Idle seconds of all cores so far. Source: proc(5), the first line of /proc/stat, in hundredths of a second. */
const idleSeconds = (): number => {
  const fields = readFileSync("/proc/stat", "latin1").split("\n", 1)[0]!.trim().split(/\s+/u)
  return (Number(fields[4]) + Number(fields[5])) / 100
}

/** The thread's part of the work, by its name: Node calls the pool's threads so, and V8's helpers otherwise. */
const partOf = (pid: number, thread: string): "main" | "pool" | "rest" => {
  if (thread === String(pid)) return "main"
  const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, "latin1").trim()
  return name === "libuv-worker" ? "pool" : "rest"
}

const look = (pid: number, brokerPid: number | undefined): Counted => {
  const found = { main: 0, pool: 0, rest: 0 }
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      found[partOf(pid, thread)] += cpuSecondsOf(pid, thread) ?? 0
    } catch {
      // The thread has just ended.
    }
  }
  return { ...found, broker: cpuSecondsOf(brokerPid) ?? 0, idle: idleSeconds() }
}

/** Watches what the threads of a process do, half a second at a time, until it ends. Needs Linux's /proc. */
export const watch = (brokerPid: number | undefined) => {
  const slices: Array<Slice> = []
  return {
    slices,
    begin: (pid: number): (() => void) => {
      let before: Counted | undefined
      let beforeMillis = performance.now()
      const step = () => {
        try {
          const now = look(pid, brokerPid)
          const nowMillis = performance.now()
          const last = before
          if (last !== undefined) {
            slices.push({
              seconds: (nowMillis - beforeMillis) / 1000,
              main: now.main - last.main,
              pool: now.pool - last.pool,
              rest: now.rest - last.rest,
              broker: now.broker - last.broker,
              idle: now.idle - last.idle
            })
          }
          before = now
          beforeMillis = nowMillis
        } catch {
          // It has ended, or there is no /proc here.
        }
      }
      step()
      const timer = setInterval(step, sliceMillis)
      return () => clearInterval(timer)
    }
  }
}

const nothing: Slice = { seconds: 0, main: 0, pool: 0, rest: 0, broker: 0, idle: 0 }

const sumOf = (slices: ReadonlyArray<Slice>): Slice =>
  slices.reduce(
    (sum, slice) => ({
      seconds: sum.seconds + slice.seconds,
      main: sum.main + slice.main,
      pool: sum.pool + slice.pool,
      rest: sum.rest + slice.rest,
      broker: sum.broker + slice.broker,
      idle: sum.idle + slice.idle
    }),
    nothing
  )

/** Most lines of a timeline; a longer run has longer slices. */
const mostLines = 20

/** How many cores each part had in every slice, and over all of them. */
export const show = (name: string, slices: ReadonlyArray<Slice>): string => {
  const together = Math.ceil(slices.length / mostLines)
  const cores = (used: Slice) => names.map((part) => cell(used[part] / (used.seconds || 1), 2))
  let at = 0
  const rows = Array.from({ length: Math.ceil(slices.length / together) || 0 }, (_, i) => {
    const slice = sumOf(slices.slice(i * together, (i + 1) * together))
    at += slice.seconds
    return [`until ${at.toFixed(1)} s`, ...cores(slice)]
  })
  return table([[`${name}: cores of`, ...names], ...rows, ["all of it", ...cores(sumOf(slices))]])
}
