import { assert } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import { KafkaSinks } from "../../src/kafka/KafkaSink.ts"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Restore from "../../src/restore/Restore.ts"
import { defaultMaxFillerOffsets } from "../../src/resource/RestoreTuningSpec.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import * as Backup from "../backup/world.ts"

/** A second cluster beside the one that is backed up. */

export const layer = Backup.layer
export const slot = "2026-11-23T12:00:00Z"
const targetServer = "target:9092"

export const worlds = Effect.gen(function* () {
  const { cluster, store } = yield* Backup.world
  return { source: cluster, target: yield* (yield* InMemoryKafka).cluster(targetServer), store }
})

export const aRestore = (backupId: string, changes: Partial<RestoreRequest> = {}): RestoreRequest => ({
  owner: { uid: "restore-1", namespace: "kafka", name: "back" },
  backupId,
  topics: ["*"],
  excludeTopics: [],
  topicMapping: new Map(),
  createTopics: true,
  offsets: "auto",
  maxFillerOffsets: defaultMaxFillerOffsets,
  acceptsGaps: false,
  retentionHold: 86_400_000,
  deletesCreated: false,
  configs: { fromBackup: true, overrides: new Map() },
  bytesPerSecond: undefined,
  recordsPerSecond: undefined,
  ...changes
})

export const { formats } = Backup

export type Format = (typeof formats)[number]

export const backUpAs = (format: Format) =>
  Effect.map(
    Backup.attempt(Backup.aRequest(slot, { settings: Backup.settingsOf(format) })),
    ({ facts }) => facts.backupId
  )

export const backUp = backUpAs("records")

export const systems = Effect.gen(function* () {
  const { store } = yield* worlds
  const target = { bootstrapServers: [targetServer] }
  return {
    store,
    sink: yield* (yield* KafkaSinks).open(target),
    source: yield* (yield* KafkaSources).open(target)
  }
})

/** Its topics are created with this `max.message.bytes`, whatever a restore asks for: it may know no better. */
export const limitedTo = (bytes: string) =>
  Effect.map(systems, (opened) => {
    const createTopics: typeof opened.sink.createTopics = (topics, more) =>
      opened.sink.createTopics(
        topics.map((each) => ({ ...each, configs: { ...each.configs, "max.message.bytes": bytes } })),
        more
      )
    return { ...opened, sink: { ...opened.sink, createTopics } }
  })

export const options: Restore.Options = {
  openPartitions: 3,
  batchBytes: 400,
  leastStoredBytes: 0,
  batchMemoryBytes: 32 * 1024 * 1024,
  patienceMillis: 600_000,
  onAppended: () => {}
}

/** One attempt, with batches so small that a partition has many. */
export const restore = Effect.fnUntraced(function* (
  request: RestoreRequest,
  more: Pick<Restore.Options, "onRemoved"> = {},
  given: typeof systems = systems
) {
  const opened = yield* given
  const prepared = yield* Restore.prepare(opened, request)
  return yield* Restore.run(opened, request, prepared, { ...options, ...more })
}, Effect.scoped)

export const plain = (cluster: InMemoryCluster, topic: string, partition: number) =>
  Effect.map(cluster.committed(topic, partition), (records) =>
    records.map(({ headers, key, offset, timestamp, value }) => ({
      offset,
      timestamp,
      key: key?.toString("hex") ?? null,
      value: value?.toString("hex") ?? null,
      headers: headers.map(([name, text]) => [name.toString("hex"), text?.toString("hex") ?? null])
    }))
  )

/** Both partitions hold the same records with the same offsets, and their logs begin and end at the same ones. */
export const assertSame = Effect.fnUntraced(function* (
  source: InMemoryCluster,
  target: InMemoryCluster,
  topic: string,
  partitions: number,
  targetTopic: string = topic
) {
  const sources = yield* KafkaSources
  const there = yield* sources.open({ bootstrapServers: [source.wire.location] })
  const here = yield* sources.open({ bootstrapServers: [target.wire.location] })
  for (let partition = 0; partition < partitions; partition++) {
    assert.deepStrictEqual(
      yield* plain(target, targetTopic, partition),
      yield* plain(source, topic, partition),
      `${topic}[${partition}]`
    )
    for (const kind of ["logStart", "lastStable"] as const) {
      const [should] = yield* there.offsets([{ topic, partition }], kind)
      const [is] = yield* here.offsets([{ topic: targetTopic, partition }], kind)
      assert.strictEqual(is?.offset, should?.offset, `${kind} of ${topic}[${partition}]`)
    }
  }
}, Effect.scoped)

/** Time passes while the effect waits for it. */
export const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (let i = 0; i < 20_000 && fiber.pollUnsafe() === undefined; i++) {
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* TestClock.adjust("250 millis")
    }
    return yield* Fiber.join(fiber)
  })
