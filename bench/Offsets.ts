import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import * as KafkaJsSinks from "../src/kafka/KafkaJsSinks.ts"
import { KafkaSinks } from "../src/kafka/KafkaSink.ts"
import * as Fillers from "../src/restore/Fillers.ts"
import * as Holes from "../src/restore/Holes.ts"
import { type HandmadeTopic, writeSet } from "../test/e2e/handmadeSet.ts"
import { cpuSecondsOf, measured } from "./Processes.ts"
import { cell, table } from "./Table.ts"
import { type Place, provide, remove } from "./Topics.ts"

/*
 * What it costs to give a restored log its old offsets where no record has one. Backups of one or two records are
 * restored by the command line, as a user would do it; what the same takes without such offsets is subtracted.
 */

/** What some offsets without a record took. */
export interface Cost {
  readonly what: string
  readonly offsets: number
  /** Seconds by the clock. */
  readonly seconds: number
  /** Of the broker, user and system. Absent where the broker is not ours. */
  readonly brokerSeconds?: number
  /** Bytes of batches for one offset, as they are sent and kept. */
  readonly bytes: number
}

const claim = "kafka-backup-bench"

/** A control marker in a batch of its own: the header of 61 bytes, and a record of 17. Source: KIP-98. */
const markerBytes = 78

const at = (offset: number) => ({ offset, key: `k${offset}`, value: `v${offset}` })

/** A log that begins at this offset. */
const begun = (start: number): HandmadeTopic => ({ name: `bench-start-${start}`, records: [at(start)] })

/** A log with so many offsets without a record between two records. */
const holed = (holes: number): HandmadeTopic => ({ name: `bench-holes-${holes}`, records: [at(0), at(holes + 1)] })

const restores = { count: 0 }

/** Restores the topic's backup by the command line; gives the seconds by the clock, and those of the broker's CPU. */
const restored = async (
  command: ReadonlyArray<string>,
  place: Place,
  brokerPid: number | undefined,
  topic: HandmadeTopic,
  folder: string
) => {
  const [program = "", ...first] = command
  const backupId = topic.name
  mkdirSync(join(folder, claim), { recursive: true })
  writeSet(join(folder, claim), backupId, [topic])
  const file = join(folder, "offsets.yaml")
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaRestore",
      metadata: { name: `bench-offsets-${process.pid}-${++restores.count}` },
      spec: {
        backupId,
        offsets: "Exact",
        targetCluster: { bootstrapServers: place.bootstrap.split(",") },
        storage: { storageType: "pvc", pvc: { claimName: claim } }
      }
    })
  )
  await remove(place, topic.name)
  const before = cpuSecondsOf(brokerPid)
  const { seconds } = await measured(program, [...first, "restore", "-f", file, "--volumes", folder])
  const after = cpuSecondsOf(brokerPid)
  await remove(place, topic.name)
  rmSync(join(folder, claim), { recursive: true, force: true })
  return { seconds, ...(before === undefined || after === undefined ? {} : { brokerSeconds: after - before }) }
}

/** Takes so many offsets by transactions without records, as a restore does without Alter on the cluster. */
const byTransactions = async (place: Place, brokerPid: number | undefined, count: number): Promise<Cost> => {
  const topic = { what: "", source: "none", partitions: 1, records: 0, keyBytes: 0, valueBytes: 0 } as const
  const name = "bench-transactions"
  await remove(place, name)
  await provide(place, { ...topic, name })
  const take = Effect.gen(function* () {
    const sink = yield* (yield* KafkaSinks).open({ bootstrapServers: place.bootstrap.split(",") })
    const empty = yield* sink.emptyTransactions(Holes.transactionalIds({ name }))
    const before = cpuSecondsOf(brokerPid)
    const started = performance.now()
    for (let from = 0; from < count; from += 1000) {
      const answer = yield* empty({ topic: name, partition: 0 }, from, Math.min(count, from + 1000))
      if (answer._tag !== "Appended" || answer.baseOffset !== from) throw new Error(`not taken: offset ${from}`)
    }
    const seconds = (performance.now() - started) / 1000
    const after = cpuSecondsOf(brokerPid)
    return { seconds, ...(before === undefined || after === undefined ? {} : { brokerSeconds: after - before }) }
  })
  const taken = await take.pipe(Effect.scoped, Effect.provide(KafkaJsSinks.layer()), Effect.runPromise)
  await remove(place, name)
  return { what: "inside of a log, empty transactions", offsets: count, bytes: markerBytes, ...taken }
}

/** Offsets of each kind, each with what it took. `say` is told of each. */
export const run = async (
  command: ReadonlyArray<string>,
  place: Place,
  brokerPid: number | undefined,
  folder: string,
  say: (line: string) => void
): Promise<ReadonlyArray<Cost>> => {
  const restore = (topic: HandmadeTopic) => restored(command, place, brokerPid, topic, folder)
  // The first one finds the broker's classes not loaded yet.
  await restore(begun(0))
  const nothing = await restore(begun(0))
  const costOf = async (what: string, offsets: number, bytes: number, topic: HandmadeTopic): Promise<Cost> => {
    const whole = await restore(topic)
    say(`${what}, ${offsets} offsets: ${whole.seconds.toFixed(1)} s`)
    return {
      what,
      offsets,
      bytes,
      seconds: whole.seconds - nothing.seconds,
      ...(whole.brokerSeconds === undefined || nothing.brokerSeconds === undefined
        ? {}
        : { brokerSeconds: whole.brokerSeconds - nothing.brokerSeconds })
    }
  }
  const { section } = Fillers.batch(0, Fillers.recordsPerBatch)
  const fillerBytes = (61 + section.bytes.length) / Fillers.recordsPerBatch
  const costs = [
    await costOf("before a log's start", 100_000_000, fillerBytes, begun(100_000_000)),
    await costOf("before a log's start", 1_000_000_000, fillerBytes, begun(1_000_000_000)),
    await costOf("inside of a log, markers", 200_000, markerBytes, holed(200_000))
  ]
  return [...costs, await byTransactions(place, brokerPid, 10_000)]
}

/** As a table for people. */
export const show = (costs: ReadonlyArray<Cost>): string =>
  table([
    ["offsets without a record", "count", "seconds", "each second", "broker CPU s", "broker ns each", "bytes each"],
    ...costs.map(({ brokerSeconds, bytes, offsets, seconds, what }) => [
      what,
      cell(offsets),
      cell(seconds, 1),
      cell(offsets / seconds),
      cell(brokerSeconds, 1),
      cell(brokerSeconds === undefined ? undefined : (brokerSeconds / offsets) * 1e9),
      cell(bytes, 2)
    ])
  ])
