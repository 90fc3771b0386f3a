import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { layer, world } from "../backup/world.ts"
import { countedRun } from "./countedRun.ts"
import { assertFigures, perOne, ratio } from "./figures.ts"

/** `topics` topics of `partitions` partitions with two records each. */
const many = Effect.fnUntraced(function* (topics: number, partitions: number) {
  const { cluster } = yield* world
  for (let n = 0; n < topics; n++) {
    const name = `topic-${String(n).padStart(4, "0")}`
    yield* cluster.createTopic(name, { partitions })
    for (let partition = 0; partition < partitions; partition++) {
      const records = [0, 1].map((i) => ({ key: `${i}`, value: `value of ${n} ${partition} ${i}`, timestamp: 1 }))
      yield* cluster.produce(name, partition, records)
    }
  }
})

/** What a run of few topics costs, and what each partition beyond it does in a run of more. */
const costs = Effect.fnUntraced(function* (topics: readonly [number, number], partitions: number) {
  const run = (n: number) => Effect.andThen(many(n, partitions), countedRun({})).pipe(Effect.provide(layer))
  const few = yield* run(topics[0])
  const all = yield* run(topics[1])
  const more = all.objects - few.objects
  assert.strictEqual(more, (topics[1] - topics[0]) * partitions)
  return {
    "requests to Kafka": few.kafka,
    "requests to the store": few.storage,
    "file calls": few.files,
    "requests to Kafka for one more partition": perOne(few.kafka, all.kafka, more),
    "requests to the store for one more partition": perOne(few.storage, all.storage, more),
    "file calls for one more partition": perOne(few.files, all.files, more)
  }
})

describe("the requests, file calls, copies and buffers of a run", () => {
  it.live("are those of the table, for small partitions in few topics", () =>
    Effect.map(costs([2, 12], 20), (found) => assertFigures("small partitions, 20 in each topic", found))
  )

  it.live("are those of the table, for topics of one partition", () =>
    Effect.map(costs([20, 120], 1), (found) => assertFigures("small partitions, 1 in each topic", found))
  )

  for (const compression of ["none", "lz4", "zstd"] as const) {
    it.live(`are those of the table, for records of 1 KiB that are stored with compression ${compression}`, () =>
      Effect.gen(function* () {
        const { cluster } = yield* world
        const partitions = 4
        yield* cluster.createTopic("large", { partitions })
        for (let batch = 0; batch < 32; batch++) {
          const records = Array.from({ length: 1000 }, (_, i) => ({
            key: `key-${batch}-${i}`,
            value: `${batch} ${(i * 7919) % 1000} `.repeat(200).slice(0, 1024),
            timestamp: 1
          }))
          yield* cluster.produce("large", batch % partitions, records)
        }
        const settings = { compression, compressionLevel: 3, includeOffsetHeaders: false }
        const found = yield* countedRun({ settings })
        const megabytes = found.payloadBytes / 1e6
        assertFigures(`records of 1 KiB, compression ${compression}`, {
          "requests to Kafka": found.kafka,
          "bytes copied for each byte of keys and values": ratio(found.memory.copiedBytes, found.payloadBytes),
          "buffers for each MB": ratio(found.memory.buffers, megabytes),
          "bytes of buffers for each byte of keys and values": ratio(found.memory.bufferBytes, found.payloadBytes),
          "file calls": found.files
        })
      }).pipe(Effect.provide(layer))
    )
  }
})
