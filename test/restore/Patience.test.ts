import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Attempt from "../../src/restore/Attempt.ts"
import { BatchMemory } from "../../src/restore/BatchMemory.ts"
import * as Holes from "../../src/restore/Holes.ts"
import * as Pace from "../../src/restore/Pace.ts"
import * as PartitionRestore from "../../src/restore/PartitionRestore.ts"
import * as Restore from "../../src/restore/Restore.ts"
import { aRestore, assertSame, backUp, inTime, layer, options, systems, worlds } from "./world.ts"

const records = Array.from({ length: 100 }, (_, i) => ({ key: `key ${i}`, value: "x".repeat(50), timestamp: i }))

/** One partition of a topic that is there already, with a patience of 10 min. */
const scene = Effect.gen(function* () {
  const { source, target } = yield* worlds
  yield* source.createTopic("orders")
  yield* source.produce("orders", 0, records)
  const request = aRestore(yield* backUp)
  yield* target.createTopic("orders")
  const opened = yield* systems
  const { plan } = yield* Restore.prepare(opened, request)
  const [topic] = plan.topics
  const place = { plan, topic: topic!, partition: topic!.partitions[0]! }
  const tools: PartitionRestore.Tools = {
    ...opened,
    ...options,
    producer: (yield* Attempt.begin(opened.sink, request.owner)).producer,
    codec: "none",
    holes: Holes.byMarkers(opened.sink),
    memory: new BatchMemory(options.batchMemoryBytes),
    pace: Pace.make(request),
    inTurn: (writing) => writing,
    onAppended: () => {}
  }
  const run = (changes: Partial<PartitionRestore.Tools>) =>
    inTime(PartitionRestore.run(place, undefined, { ...tools, ...changes }))
  return { source, target, tools, run }
})

describe("the patience with a partition", () => {
  it.effect("does not count how long it waits until it may be written", () =>
    Effect.gen(function* () {
      const { run, source, target } = yield* scene
      yield* target.inject({ _tag: "ConnectionLost" }, { operation: "produce", times: 3 })
      yield* run({ inTurn: (writing) => Effect.andThen(Effect.sleep("15 minutes"), writing) })
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("does not count how long its log is read back, while that goes on", () =>
    Effect.gen(function* () {
      const { run, source, target, tools } = yield* scene
      const breaks = target.inject({ _tag: "ConnectionLost" }, { operation: "produce" })
      // Too few replicas: the log ends where the answers did.
      yield* target.inject({ _tag: "Code", code: 19 }, { operation: "produce", after: 10 })
      // Each reading takes longer than the patience, and the first batch after it fails, too.
      const read: typeof tools.source.read = (range) =>
        Stream.unwrap(Effect.as(Effect.andThen(Effect.sleep("15 minutes"), breaks), tools.source.read(range)))
      yield* run({ source: { ...tools.source, read } })
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("ends where it is written in vain, however often it has waited for that", () =>
    Effect.gen(function* () {
      const { run, target } = yield* scene
      yield* target.inject({ _tag: "ConnectionLost" }, { operation: "produce", after: 10, times: 1000 })
      const inTurn: PartitionRestore.Tools["inTurn"] = (writing) => Effect.andThen(Effect.sleep("20 seconds"), writing)
      const error = yield* Effect.flip(run({ inTurn }))
      assert.strictEqual(error._tag, "KafkaError")
      assert.isTrue(error.isRetryable)
      assert.isAbove((yield* target.committed("orders", 0)).length, 0)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
