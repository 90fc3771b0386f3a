import { mkdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import * as Cache from "../scripts/services/Cache.ts"
import { cell, table } from "./Table.ts"

/** What V8's sampling profiler writes. Source: Chrome DevTools Protocol, `Profiler.Profile`. */
export interface CpuProfile {
  readonly nodes: ReadonlyArray<{
    readonly id: number
    /** `lineNumber` is counted from 0. */
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }>
  /** The node of each sample, and the microseconds before it. */
  readonly samples: ReadonlyArray<number>
  readonly timeDeltas: ReadonlyArray<number>
}

/** The path of the module that a line of a file comes from. */
export type ModuleOf = (url: string, line: number) => string

/** What the main thread did by itself in one function, in microseconds. */
export interface SelfTime {
  readonly name: string
  /** Of the product; else the package, "Node", or "V8". */
  readonly room: string
  readonly micros: number
}

const roomOf = (path: string): string =>
  /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/u.exec(path)?.[1] ??
  /^src\/([^/]+?)(?:\.ts)?(?:\/|$)/u.exec(path)?.[1] ??
  path

/** Time without samples: others had the cores, so that the profiler, a thread too, or the main thread did not run. */
const unseen = "(not sampled)"

/** What a sample stands for at most: twice the usual time between two. In microseconds. */
const longestDelta = (timeDeltas: ReadonlyArray<number>): number =>
  2 * (timeDeltas.toSorted((a, b) => a - b)[Math.floor(timeDeltas.length / 2)] ?? 0)

/** Every function that was met, the one with the most time first. Pure. */
export const selfTimes = ({ nodes, samples, timeDeltas }: CpuProfile, moduleOf: ModuleOf): ReadonlyArray<SelfTime> => {
  const longest = longestDelta(timeDeltas)
  const micros = new Map<number, number>()
  let unseenMicros = 0
  for (const [at, id] of samples.entries()) {
    const delta = timeDeltas[at] ?? 0
    micros.set(id, (micros.get(id) ?? 0) + Math.min(delta, longest))
    unseenMicros += Math.max(0, delta - longest)
  }
  const found = new Map<string, SelfTime>()
  for (const { callFrame, id } of nodes) {
    const { functionName, lineNumber, url } = callFrame
    // What has no file is V8's own work, such as "(garbage collector)", or a function of V8.
    const path = url === "" ? "V8" : url.startsWith("node:") ? "Node" : moduleOf(url, lineNumber)
    const name = functionName === "" ? `(anonymous in ${path})` : functionName
    const key = `${path} ${name}`
    const before = found.get(key)?.micros ?? 0
    found.set(key, { name, room: roomOf(path), micros: before + (micros.get(id) ?? 0) })
  }
  const all = [...found.values(), { name: unseen, room: "V8", micros: unseenMicros }]
  return all.toSorted((a, b) => b.micros - a.micros)
}

/** Most functions in a table. */
const mostLines = 25

/** Where the main thread's time went: by room, and in the functions that took the most. Pure. */
export const show = (name: string, all: ReadonlyArray<SelfTime>): string => {
  const named = (name: string) => (one: SelfTime) => one.room === "V8" && one.name === name
  const [isIdle, isUnseen] = [named("(idle)"), named(unseen)]
  const busy = all.filter((one) => !isIdle(one) && !isUnseen(one))
  const sum = (some: ReadonlyArray<SelfTime>) => some.reduce((micros, one) => micros + one.micros, 0)
  const cells = (micros: number) => [cell(micros / 1e6, 2), cell((100 * micros) / (sum(busy) || 1), 1)]
  const rooms = [...Map.groupBy(busy, ({ room }) => room)]
    .map(([room, some]) => [room, sum(some)] as const)
    .filter(([, micros]) => micros > 0)
    .toSorted(([, a], [, b]) => b - a)
  return [
    table([
      [`${name}: main thread`, "seconds", "% of busy"],
      ...rooms.slice(0, mostLines).map(([room, micros]) => [room, ...cells(micros)]),
      ["busy", ...cells(sum(busy))],
      ["not sampled", cell(sum(all.filter(isUnseen)) / 1e6, 2), ""],
      ["idle", cell(sum(all.filter(isIdle)) / 1e6, 2), ""]
    ]),
    table([
      [`${name}: self time of`, "seconds", "% of busy"],
      ...busy.slice(0, mostLines).map(({ micros, name, room }) => [`${room}: ${name}`, ...cells(micros)])
    ])
  ].join("\n\n")
}

/** A line of the bundle names the file that the lines after it come from. */
const marker = /^\/\/ ((?:src|node_modules|\.\.)\/\S+)$/u

/** Modules of the files of dist/, which the build has marked, and of sources. */
export const modulesOf = (): ModuleOf => {
  const marked = new Map<string, ReadonlyArray<string>>()
  const read = (file: string): ReadonlyArray<string> => {
    let module = relative(Cache.root, file)
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => (module = marker.exec(line)?.[1] ?? module))
  }
  return (url, line) => {
    if (!url.startsWith("file:")) return url
    const file = fileURLToPath(url)
    const lines = marked.get(file) ?? read(file)
    marked.set(file, lines)
    return lines[line] ?? relative(Cache.root, file)
  }
}

/** Where profiles are kept: any viewer of V8's profiles shows them as a flame graph. */
const folder = join(Cache.root, ".cache", "bench", "profiles")

/** The command, run by Node with its profiler on, and the file that it writes at its end. */
export const profiled = (command: ReadonlyArray<string>, row: string) => {
  mkdirSync(folder, { recursive: true })
  const name = `${row.replaceAll(/[^A-Za-z0-9]+/gu, "-")}.cpuprofile`
  const [node = "", ...rest] = command
  const options = ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}`]
  return { command: [node, ...options, ...rest], file: join(folder, name) }
}

export const read = (file: string): CpuProfile => JSON.parse(readFileSync(file, "utf8")) as CpuProfile
