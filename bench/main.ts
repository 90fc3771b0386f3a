import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { availableParallelism, cpus, loadavg, totalmem } from "node:os"
import { join } from "node:path"
import * as Cache from "../scripts/services/Cache.ts"
import { Fleet } from "../scripts/services/Fleet.ts"
import { say } from "../scripts/services/Progress.ts"
import * as Services from "../scripts/services/Services.ts"
import * as Backends from "./Backends.ts"
import * as Backup from "./Backup.ts"
import * as Broker from "./Broker.ts"
import * as Compare from "./Compare.ts"
import * as Limits from "./Limits.ts"
import * as Offsets from "./Offsets.ts"
import { positionals, usage, values } from "./Options.ts"
import * as Profile from "./Profile.ts"
import * as Restore from "./Restore.ts"
import * as IncrementalBench from "./incremental/IncrementalBench.ts"
import * as OperatorBench from "./operator/OperatorBench.ts"
import { endAll, type Usage } from "./Processes.ts"
import { cell, table } from "./Table.ts"
import * as Threads from "./Threads.ts"
import * as Topics from "./Topics.ts"

/*
 * npm run bench [-- options]
 *
 * How fast `kafka-backup run` is, and how fast it could be at most: the built command line (npm run build) backs topics
 * up from a real broker to a directory and to object stores, and the parts of the work are measured by themselves on
 * the same data in the same minutes.
 */

const records = Number(values.records)
const repeat = Number(values.repeat)
const counts = [records, repeat, Number(values.topics), Number(values.resources), Number(values.idle)]
const isOperator = positionals[0] === "operator"
const isRestore = positionals[0] === "restore"
const isIncremental = positionals[0] === "incremental"
if (
  values.help ||
  positionals.length > Number(isOperator || isRestore || isIncremental) ||
  (values.fillers && !isRestore) ||
  (values.compare !== undefined && (positionals.length > 0 || values.compare.trim() === "")) ||
  !counts.every((n) => Number.isInteger(n) && n > 0)
) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

interface Row {
  readonly topic: Topics.BenchTopic
  readonly output: Backup.Output
  readonly format: Backup.Format
  readonly backend: Backends.Name
  readonly name: string
}

const outputs = ["zstd", "lz4", "none"] as const
const references = (["none", "lz4", "zstd"] as const).map((source) => Topics.reference(source, records))
const rowOf = (
  topic: Topics.BenchTopic,
  output: Backup.Output,
  backend: Backends.Name = "directory",
  format: Backup.Format = "records"
): Row => ({
  topic,
  output,
  format,
  backend,
  name: `${topic.what} ${topic.source} -> ${format === "batches" ? "batches " : ""}${output}${backend === "directory" ? "" : ` on ${backend}`}`
})
const isNamed = (name: string, text: string) => (text.startsWith("=") ? name === text.slice(1) : name.includes(text))
/** A source that is compressed is stored as it is, whatever the output says: one row of each. */
const ofBatches = [
  ...references.flatMap((topic) => {
    const outs = topic.source === "none" ? outputs : (["none"] as const)
    return outs.map((output) => rowOf(topic, output, "directory", "batches"))
  }),
  rowOf(Topics.reference("zstd", records), "none", "versitygw", "batches")
]
const rows = [
  ...[...references, Topics.small(records), Topics.large(records)].flatMap((topic) =>
    outputs.map((output) => rowOf(topic, output))
  ),
  ...Backends.servers.flatMap((backend) =>
    outputs.map((output) => rowOf(Topics.reference("none", records), output, backend))
  ),
  ...ofBatches,
  rowOf(Topics.many, "zstd"),
  rowOf(Topics.empty, "zstd")
]
  .filter(({ name }) => values.only.length === 0 || values.only.some((text) => isNamed(name, text)))
  .filter(({ backend }) => values.compare === undefined || backend === "directory")
const restoreRows = Restore.rows.filter(
  ({ name }) => values.only.length === 0 || values.only.some((text) => name.includes(text))
)
if ((isRestore ? restoreRows : rows).length === 0 && !isIncremental) {
  process.stderr.write("no row has such a name\n")
  process.exit(2)
}

interface Result extends Backup.BackupRun {
  readonly name: string
  readonly payloadBytes: number
  /** 1-minute load average when the row began: what else the machine had to do. */
  readonly load: number
}

const megabytesPerSecond = ({ payloadBytes, seconds }: Result): number | undefined =>
  payloadBytes < 1e8 ? undefined : payloadBytes / 1e6 / seconds

/** Of several runs the one in the middle by CPU seconds, which other work on the machine disturbs least. */
const median = <A extends Usage>(results: ReadonlyArray<A>): A =>
  results.toSorted((a, b) => (a.cpuSeconds ?? a.seconds) - (b.cpuSeconds ?? b.seconds))[
    Math.floor((results.length - 1) / 2)
  ]!

const show = (results: ReadonlyArray<Result>, limits: ReadonlyArray<Limits.Limit>): string =>
  [
    table([
      ["backup", "MB/s", "seconds", "CPU s", "peak MB", "stored MB", "load"],
      ...results.map((result) => [
        result.name,
        cell(megabytesPerSecond(result)),
        cell(result.seconds, 2),
        cell(result.cpuSeconds, 2),
        cell(result.peakBytes === undefined ? undefined : result.peakBytes / 1e6),
        cell(result.storedBytes / 1e6),
        cell(result.load, 1)
      ])
    ]),
    ...(limits.length === 0
      ? []
      : [
          table([
            ["limit", "MB/s", "CPU s per GB"],
            ...limits.map(({ cpuSecondsPerGigabyte, megabytesPerSecond, what }) => [
              what,
              cell(megabytesPerSecond),
              cell(cpuSecondsPerGigabyte, 2)
            ])
          ])
        ])
  ].join("\n\n")

const commandLine = (): ReadonlyArray<string> => {
  if (values.source) return [process.execPath, join(Cache.root, "src", "main.ts")]
  const built = spawnSync(process.execPath, [join(Cache.root, "scripts", "build.ts")], { encoding: "utf8" })
  if (built.status !== 0) throw new Error(`npm run build failed:\n${built.stdout}${built.stderr}`)
  return [process.execPath, join(Cache.root, "dist", "kafka-backup.mjs")]
}

const machine = `${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"}), ${Math.round(totalmem() / 1e9)} GB, Node ${process.versions.node}`

/** Keeps what was measured as JSON too. */
const keep = (measured: object): void => {
  const file = join(Cache.root, ".cache", "bench", `${new Date().toISOString().replaceAll(/[:.]/g, "-")}.json`)
  mkdirSync(join(Cache.root, ".cache", "bench"), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ machine, ...measured }, null, 2)}\n`)
  say(`written: ${file}`)
}

if (isOperator) {
  const fleet = new Fleet()
  try {
    const apiserver = Services.available().apiserver ?? (await Services.start(fleet, ["apiserver"])).apiserver
    if (apiserver === undefined) throw new Error("there is no control plane to measure on")
    const options = { resources: Number(values.resources), idleSeconds: Number(values.idle) }
    const phases = await OperatorBench.run(apiserver, commandLine(), options)
    console.log(`\n${machine}\n\n${OperatorBench.show(phases)}`)
    keep({ ...options, phases })
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  } finally {
    await fleet.stop()
  }
  process.exit()
}

const results: Array<Result> = []
const timelines: Array<string> = []
const profiles: Array<string> = []
const limits: Array<Limits.Limit> = []
const compared: Array<readonly [name: string, pairs: ReadonlyArray<Compare.Pair>]> = []
let broker: Broker.Broker | undefined

const cleanUp = async (): Promise<void> => {
  endAll()
  rmSync(values.storage, { recursive: true, force: true })
  await broker?.stop()
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => void cleanUp().then(() => process.exit(130)))
}

try {
  const command = commandLine()
  const isWanted = (name: Backends.Name) =>
    isIncremental ? name === "versitygw" : rows.some(({ backend }) => backend === name)
  broker = await Broker.open(Backends.servers.filter(isWanted))
  const { place, services } = broker
  if (values.fillers) {
    const costs = await Offsets.run(command, place, services.kafka?.pid, values.storage, say)
    console.log(`\n${machine}\n\n${Offsets.show(costs)}`)
    keep({ costs })
  } else if (isIncremental) {
    const loaded = await IncrementalBench.load(place, { topics: Number(values.topics), partitions: 5, records: 30 })
    const measured: Array<IncrementalBench.Measured> = []
    const names = ["directory", "versitygw"] as const
    for (const name of names.filter((one) => values.only.length === 0 || values.only.includes(one))) {
      const backend = await Backends.open(name, services, values.storage)
      if (backend === undefined) say(`${name}: left out, it is not here`)
      else {
        measured.push(...(await IncrementalBench.run(command, place, values.storage, backend, loaded, repeat, say)))
      }
    }
    await IncrementalBench.cleanUp(place)
    console.log(`\n${machine}\n\n${IncrementalBench.show(measured)}`)
    keep({ shape: loaded.shape, measured })
  } else if (isRestore) {
    let prepared: { readonly what: string; readonly backup: Restore.Prepared } | undefined
    for (const { codec, format, name, source } of restoreRows) {
      const topic = Topics.reference(source, records)
      say(`${topic.name}: loading ${topic.records} records, unless they are there`)
      await Topics.provide(place, topic)
      const what = `${source} ${format}`
      if (prepared?.what !== what) {
        prepared = { what, backup: await Restore.prepare(command, place, topic, format, values.storage) }
      }
      const { backup } = prepared
      const runs: Array<Result> = []
      while (runs.length < repeat) {
        const load = loadavg()[0] ?? 0
        const usage = await Restore.run(command, place, topic, backup, codec, values.storage)
        runs.push({ name, payloadBytes: Topics.payloadBytes(topic), storedBytes: 0, load, ...usage })
        say(`${name}: ${usage.seconds.toFixed(2)} s, ${cell(usage.cpuSeconds, 2)} CPU s`)
      }
      results.push(median(runs))
    }
  }
  const loaded = new Set<string>()
  for (const row of isRestore || isIncremental ? [] : rows) {
    if (!loaded.has(row.topic.name)) {
      say(`${row.topic.name}: loading ${row.topic.records} records, unless they are there`)
      await Topics.provide(place, row.topic)
      loaded.add(row.topic.name)
    }
    const backend = await Backends.open(row.backend, services, values.storage)
    if (backend === undefined) {
      say(`${row.name}: left out, there is no ${row.backend} here`)
      continue
    }
    if (values.compare !== undefined) {
      const pairs: Array<Compare.Pair> = []
      while (pairs.length < repeat) {
        const ours = await Backup.run(command, place, row.topic, row, values.storage, backend)
        await backend.empty()
        const folder = join(values.storage, "theirs")
        const theirs = await Compare.run(values.compare, place, row.topic, row.output, folder)
        pairs.push({ ours, theirs })
        say(`${row.name}: ours ${ours.seconds.toFixed(2)} s, theirs ${theirs.seconds.toFixed(2)} s`)
      }
      compared.push([row.name, pairs])
      continue
    }
    const runs: Array<Result> = []
    while (runs.length < repeat) {
      const load = loadavg()[0] ?? 0
      const watched = Threads.watch(services.kafka?.pid)
      const run = await Backup.run(command, place, row.topic, row, values.storage, backend, watched.begin)
      if (values.threads && runs.length === 0) timelines.push(Threads.show(row.name, watched.slices))
      runs.push({ name: row.name, payloadBytes: Topics.payloadBytes(row.topic), load, ...run })
      say(`${row.name}: ${run.seconds.toFixed(2)} s, ${cell(run.cpuSeconds, 2)} CPU s`)
    }
    results.push(median(runs))
    if (values.profile) {
      const { command: profiling, file } = Profile.profiled(command, row.name)
      await Backup.run(profiling, place, row.topic, row, values.storage, backend)
      profiles.push(Profile.show(row.name, Profile.selfTimes(Profile.read(file), Profile.modulesOf())))
      say(`written: ${file}`)
    }
    const isReference =
      row.topic.what === references[0]?.what && row.backend === "directory" && row.format === "records"
    if (!values["no-limits"] && isReference && row.output === "none") {
      if (row.topic.source === "none") limits.push(...(await Limits.ofBytes(join(values.storage, Backends.place))))
      limits.push(await Limits.consumer(place, row.topic))
    }
  }
  if (values.compare !== undefined) {
    console.log(`\n${machine}\n\n${Compare.show(compared)}`)
    keep({ records, compare: values.compare, compared })
  } else if (!values.fillers && !isIncremental) {
    console.log(`\n${machine}\n\n${[show(results, limits), ...timelines, ...profiles].join("\n\n")}`)
    keep({ records, results, limits })
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
} finally {
  await cleanUp()
}
