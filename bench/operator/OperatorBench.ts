import { loadavg } from "node:os"
import { say } from "../../scripts/services/Progress.ts"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import { cell, table } from "../Table.ts"
import * as Cluster from "./Cluster.ts"
import { OperatorProcess, type Series } from "./OperatorProcess.ts"
import * as Requests from "./Requests.ts"

/*
 * npm run bench -- operator
 *
 * What the operator needs for many KafkaBackups: its built process, with its ServiceAccount's rights, on a
 * real control plane. Nothing is run by the Jobs: their pods succeed at once.
 */

export interface Options {
  /** KafkaBackups, each with an hourly schedule. */
  readonly resources: number
  readonly idleSeconds: number
}

/** One phase as it was measured. */
export interface Phase {
  readonly name: string
  readonly seconds: number
  readonly cpuSeconds: number
  readonly rssMiB: number
  readonly peakMiB: number
  /** The worst 99th percentile of the event loop's lag, of five seconds each, in milliseconds. */
  readonly lagMillis: number
  readonly reconciles: number
  readonly reads: number
  readonly writes: number
  readonly requests: Readonly<Record<string, number>>
  /** 1-minute load average at its end. */
  readonly load: number
  readonly notes: ReadonlyArray<string>
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const maxConcurrentRuns = 10
/** NODE_OPTIONS of the operator's container. */
const nodeOptions = "--max-old-space-size=160 --max-semi-space-size=2"
/** The rest of its environment that memory depends on. */
const allocator = { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "65536", MALLOC_TRIM_THRESHOLD_: "65536" }
const mib = 1024 * 1024

/** Measures what happens until `work` is done. */
const phase = async (
  name: string,
  operator: OperatorProcess,
  work: () => Promise<ReadonlyArray<string>>,
  isFromStart = false
): Promise<Phase> => {
  const before: Series = isFromStart ? new Map() : await operator.series()
  const used = isFromStart ? 0 : operator.counters().cpuSeconds
  if (!isFromStart) operator.forgetPeak()
  let lagMillis = 0
  const sampling = setInterval(() => {
    void operator.series().then(
      (series) => {
        const lag = series.get('kafka_backup_operator_event_loop_lag_seconds{statistic="p99"}') ?? 0
        lagMillis = Math.max(lagMillis, lag * 1000)
      },
      () => {}
    )
  }, 5000)
  const since = performance.now()
  try {
    const notes = await work()
    const seconds = (performance.now() - since) / 1000 + (isFromStart ? operator.readySeconds : 0)
    const after = await operator.series()
    const { cpuSeconds, peakBytes, rssBytes } = operator.counters()
    const requests = Requests.between(before, after)
    const measured = {
      name,
      seconds,
      cpuSeconds: cpuSeconds - used,
      rssMiB: rssBytes / mib,
      peakMiB: peakBytes / mib,
      lagMillis,
      reconciles: Requests.reconciles(after) - Requests.reconciles(before),
      reads: Requests.count(requests, Requests.isRead),
      writes: Requests.count(requests, Requests.isWrite),
      requests,
      load: loadavg()[0] ?? 0,
      notes
    }
    say(`${name}: ${JSON.stringify(measured)}`)
    return measured
  } finally {
    clearInterval(sampling)
  }
}

/** Waits until every resource was reconciled and no request was sent for three seconds. */
const atRest = async (operator: OperatorProcess, resources: number): Promise<void> => {
  let quiet = 0
  let last = -1
  while (quiet < 6) {
    if (!operator.isRunning) throw new Error(`the operator ended:\n${operator.log}`)
    const series = await operator.series()
    const now = Requests.reconciles(series) + Requests.total(series)
    quiet = now === last && Requests.reconciles(series) >= resources ? quiet + 1 : 0
    last = now
    await pause(500)
  }
}

export const run = async (
  apiserver: ApiServer,
  command: ReadonlyArray<string>,
  { idleSeconds, resources }: Options
): Promise<ReadonlyArray<Phase>> => {
  const cluster = new Cluster.Cluster(apiserver)
  const phases: Array<Phase> = []
  let operator: OperatorProcess | undefined
  const start = () =>
    OperatorProcess.start(
      command,
      [
        "--image=kafka-backup:bench",
        "--no-leader-election",
        `--watch-namespace=${Cluster.namespace}`,
        `--max-concurrent-runs=${maxConcurrentRuns}`
      ],
      { KUBECONFIG: cluster.kubeconfig, NODE_OPTIONS: nodeOptions, ...allocator }
    )
  const restarted = async (name: string) => {
    await operator?.stop()
    const started = await start()
    operator = started
    phases.push(
      await phase(
        name,
        started,
        async () => {
          await atRest(started, resources)
          return [`ready after ${started.readySeconds.toFixed(1)} s`]
        },
        true
      )
    )
    return started
  }
  const cleanUp = async () => {
    await operator?.stop()
    await cluster.end()
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => void cleanUp().then(() => process.exit(130)))
  }
  try {
    await cluster.prepare()
    // Late enough for all that comes before.
    const slot = new Date(Date.now() + (40 + resources * 0.05 + idleSeconds) * 1000)
    slot.setUTCSeconds(60, 0)
    say(`making ${resources} KafkaBackups, due at ${slot.toISOString()}`)
    await cluster.create(resources, `${slot.getUTCMinutes()} * * * *`)
    cluster.watchJobs()
    await restarted("first start")
    const running = await restarted("second start")
    phases.push(
      await phase("idle", running, async () => {
        await pause(idleSeconds * 1000)
        return []
      })
    )
    if (Date.now() > slot.getTime()) throw new Error("the slot came before the end of idleness: too slow a machine")
    phases.push(
      await phase("the slot of all", running, async () => {
        await pause(slot.getTime() - Date.now())
        let seen = await cluster.jobs()
        while (seen.succeeded < resources && Date.now() - slot.getTime() < 1_800_000) {
          await pause(2000)
          if (!running.isRunning) throw new Error(`the operator ended:\n${running.log}`)
          seen = await cluster.jobs()
        }
        const seconds = (Date.now() - slot.getTime()) / 1000
        await atRest(running, 0)
        return [
          `${seen.made} Jobs, ${seen.succeeded} of them succeeded, never more than ${seen.mostActive} active`,
          `all over after ${seconds.toFixed(0)} s; longest wait in the queue ${((seen.lastMadeMillis - slot.getTime()) / 1000).toFixed(0)} s`
        ]
      })
    )
    const after = await restarted("start with the Jobs")
    await after.stop()
    say("filling histories")
    await cluster.fillHistories(resources)
    const full = await restarted("start with full histories")
    phases.push(
      await phase("idle with full histories", full, async () => {
        await pause(Math.min(60, idleSeconds) * 1000)
        return []
      })
    )
    const errors = [...cluster.errors, ...cluster.nodeErrors]
    if (errors.length > 0) say(`${errors.length} errors of the node, such as ${String(errors[0])}`)
    return phases
  } finally {
    await cleanUp()
  }
}

export const show = (phases: ReadonlyArray<Phase>): string =>
  [
    table([
      ["phase", "seconds", "CPU s", "RSS MiB", "peak MiB", "lag p99 ms", "reconciles", "reads", "writes", "load"],
      ...phases.map((one) => [
        one.name,
        cell(one.seconds, 1),
        cell(one.cpuSeconds, 1),
        cell(one.rssMiB),
        cell(one.peakMiB),
        cell(one.lagMillis),
        cell(one.reconciles),
        cell(one.reads),
        cell(one.writes),
        cell(one.load, 1)
      ])
    ]),
    ...phases.map(({ name, notes, requests }) =>
      [`${name}:`, ...notes, ...Object.entries(requests).map(([request, count]) => `${count} ${request}`)].join("\n  ")
    )
  ].join("\n\n")
