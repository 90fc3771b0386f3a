import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { loadavg } from "node:os"
import { join } from "node:path"
import type { Backend } from "../Backends.ts"
import type { Requests } from "../CountRequests.ts"
import { measured, type Usage } from "../Processes.ts"
import { cell, table } from "../Table.ts"
import type { Place } from "../Topics.ts"
import * as Load from "./Load.ts"

/*
 * What an incremental run costs over many small partitions: a full backup, then backups of nothing new, then backups of
 * one hundredth that is new; each a process of its own, from start to exit.
 */

export interface Measured extends Usage {
  readonly name: string
  readonly load: number
  readonly segments: number
  readonly newRecords: number
  readonly newStoredBytes: number
  /** Counted in a run of its own, which is not timed. */
  readonly requests?: Requests
}

interface Report {
  readonly outcome: string
  readonly totals: {
    readonly records: number
    readonly segments: number
    readonly newRecords?: number
    readonly newStoredBytes?: number
    readonly storedBytes: number
  }
}

const manifest = (place: Place, storage: object) => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaBackup",
  metadata: { name: "bench" },
  spec: {
    kafkaCluster: { bootstrapServers: place.bootstrap.split(",") },
    topics: [Load.pattern],
    storage,
    incremental: { enabled: true }
  }
})

const preload = new URL("../CountRequests.ts", import.meta.url).href

/** Every other run is counted and not timed: to count costs CPU. */
type How = "timed" | "counted"

const once = async (
  command: ReadonlyArray<string>,
  folder: string,
  backend: Backend,
  records: number,
  how: How
): Promise<Usage & { readonly report: Report; readonly requests?: Requests }> => {
  const [program = "", ...first] = command
  const [reportFile, requestsFile] = [join(folder, "report.json"), join(folder, "requests.json")]
  const counting = how === "counted" ? ["--import", preload] : []
  const usage = await measured(
    program,
    [
      ...counting,
      ...first,
      "run",
      "-f",
      join(folder, "backup.yaml"),
      "--volumes",
      folder,
      "--secrets",
      join(folder, "secrets"),
      "--report",
      reportFile
    ],
    { ...backend.env, ...(how === "counted" ? { KBO_BENCH_REQUESTS: requestsFile } : {}) }
  )
  const report = JSON.parse(readFileSync(reportFile, "utf8")) as Report
  if (report.outcome !== "success" || report.totals.records !== records) {
    throw new Error(`a backup of ${records} records is not what it should be: ${JSON.stringify(report)}`)
  }
  return {
    ...usage,
    report,
    ...(how === "counted" ? { requests: JSON.parse(readFileSync(requestsFile, "utf8")) as Requests } : {})
  }
}

const median = (all: ReadonlyArray<Measured>): Measured =>
  all.toSorted((a, b) => (a.cpuSeconds ?? a.seconds) - (b.cpuSeconds ?? b.seconds))[Math.floor((all.length - 1) / 2)]!

/** The topics of a bench: what they hold by now. */
export interface Loaded {
  readonly shape: Load.Shape
  records: number
  round: number
}

/** Makes the topics anew. The first partition has a hundred times as many records as the others. */
export const load = async (place: Place, shape: Load.Shape): Promise<Loaded> => {
  await Load.remove(place.bootstrap)
  await Load.create(place.bootstrap, shape)
  const records = await Load.fill(place.bootstrap, shape, 0, (n) => (n === 0 ? 100 : 1) * shape.records)
  return { shape, records, round: 0 }
}

/** Measures one store: a full backup, then `runs` of nothing new, then as many of a hundredth that is new. */
export const run = async (
  command: ReadonlyArray<string>,
  place: Place,
  folder: string,
  backend: Backend,
  loaded: Loaded,
  runs: number,
  say: (text: string) => void
): Promise<ReadonlyArray<Measured>> => {
  const { shape } = loaded
  mkdirSync(folder, { recursive: true })
  await backend.empty()
  writeFileSync(join(folder, "backup.yaml"), JSON.stringify(manifest(place, backend.spec)))
  const partitions = shape.topics * shape.partitions

  const measure = async (name: string, times: number, before: () => Promise<void>): Promise<Measured> => {
    const found: Array<Measured> = []
    let requests: Requests | undefined
    for (let n = 0; n <= times; n++) {
      await before()
      const load = loadavg()[0] ?? 0
      const {
        report,
        requests: counted,
        ...usage
      } = await once(command, folder, backend, loaded.records, n === times ? "counted" : "timed")
      requests ??= counted
      if (n === times) break
      const { newRecords = 0, newStoredBytes = 0, segments } = report.totals
      const { cpuSeconds, peakBytes, seconds } = usage
      found.push({
        name: `${backend.name}: ${name}`,
        load,
        seconds,
        ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
        ...(peakBytes === undefined ? {} : { peakBytes }),
        segments,
        newRecords,
        newStoredBytes
      })
      say(`${backend.name}: ${name}: ${seconds.toFixed(2)} s, ${cell(cpuSeconds, 2)} CPU s`)
    }
    return { ...median(found), ...(requests === undefined ? {} : { requests }) }
  }

  const nothing = () => Promise.resolve()
  const hundredth = async () => {
    loaded.round++
    const { round } = loaded
    // Three records in every tenth partition, or what is a hundredth of all.
    const each = Math.max(1, Math.round(shape.records / 10))
    loaded.records += await Load.fill(place.bootstrap, shape, round, (n) => ((n + round) % 10 === 0 ? each : 0))
  }
  const full = await once(command, folder, backend, loaded.records, "timed")
  const first: Measured = {
    name: `${backend.name}: full, ${partitions} partitions`,
    load: loadavg()[0] ?? 0,
    seconds: full.seconds,
    ...(full.cpuSeconds === undefined ? {} : { cpuSeconds: full.cpuSeconds }),
    ...(full.peakBytes === undefined ? {} : { peakBytes: full.peakBytes }),
    segments: full.report.totals.segments,
    newRecords: full.report.totals.records,
    newStoredBytes: full.report.totals.storedBytes
  }
  const idle = await measure("nothing new", runs, nothing)
  const some = await measure("1 % new", runs, hundredth)
  rmSync(join(folder, "report.json"), { force: true })
  return [first, idle, some]
}

/** Removes the topics. */
export const cleanUp = (place: Place): Promise<void> => Load.remove(place.bootstrap)

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, n]) => `${n} ${kind}`)
    .join(", ")

export const show = (all: ReadonlyArray<Measured>): string =>
  [
    table([
      ["backup", "seconds", "CPU s", "peak MB", "segments", "new records", "new kB", "load"],
      ...all.map((one) => [
        one.name,
        cell(one.seconds, 2),
        cell(one.cpuSeconds, 2),
        cell(one.peakBytes === undefined ? undefined : one.peakBytes / 1e6),
        cell(one.segments),
        cell(one.newRecords),
        cell(one.newStoredBytes / 1e3),
        cell(one.load, 1)
      ])
    ]),
    ...all.flatMap(({ name, requests }) =>
      requests === undefined
        ? []
        : [`${name}: Kafka ${listed(requests.kafka)}; storage ${listed(requests.storage) || "(no requests)"}`]
    )
  ].join("\n\n")
