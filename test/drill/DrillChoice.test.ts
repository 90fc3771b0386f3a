import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as DrillChoice from "../../src/drill/DrillChoice.ts"
import type { ManifestTopic } from "../../src/manifest/Manifest.ts"

const Size = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))
/** By topic, by partition: the sizes of its segments. */
const Sizes = Schema.Array(Schema.Array(Schema.Array(Size)))
const Number_ = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 }))
const Bytes = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5000 }))

const segment = (n: number, size: number) => ({
  key: `${n}`,
  start_offset: n * 10,
  end_offset: n * 10 + 9,
  start_timestamp: 0,
  end_timestamp: 0,
  record_count: 10,
  compressed_size: size
})

const topicsOf = (sizes: typeof Sizes.Type): ReadonlyArray<ManifestTopic> =>
  sizes.map((partitions, t) => ({
    name: `topic-${String(t).padStart(3, "0")}`,
    partitions: partitions.map((segments, partition_id) => ({
      partition_id,
      segments: segments.map((size, n) => segment(n, size))
    }))
  }))

const bytesOf = (topics: ReadonlyArray<ManifestTopic>, choice: DrillChoice.Choice) =>
  choice.topics.reduce(
    (sum, { name, runs }) =>
      sum +
      runs.reduce((n, { from, partition, until }) => {
        const held = topics.find((topic) => topic.name === name)!.partitions[partition]!.segments
        return n + held.slice(from, until).reduce((total, { compressed_size = 0 }) => total + compressed_size, 0)
      }, 0),
    0
  )

const uneven: ReadonlyArray<ReadonlyArray<number>> = [[5, 5, 5, 5], [5, 5, 5, 5], [7]]

describe("DrillChoice.choose", () => {
  it.prop(
    "takes whole runs with both ends of each partition, once, and counts them",
    [Sizes, Number_, Bytes],
    ([sizes, number, maxBytes]) => {
      const topics = topicsOf(sizes)
      const choice = DrillChoice.choose(topics, number, { maxBytes, maxRuns: 500 })
      assert.strictEqual(choice.bytes, bytesOf(topics, choice))
      const withRecords = topics.filter(({ partitions }) => partitions.some(({ segments }) => segments.length > 0))
      assert.sameMembers(
        [...choice.topics.map(({ name }) => name), ...choice.leftOut],
        withRecords.map(({ name }) => name)
      )
      for (const { name, runs } of choice.topics) {
        const byPartition = Map.groupBy(runs, ({ partition }) => partition)
        for (const [partition, some] of byPartition) {
          const { length } = topics.find((topic) => topic.name === name)!.partitions[partition]!.segments
          assert.strictEqual(some[0]!.from, 0)
          assert.strictEqual(some.at(-1)!.until, length)
          assert.isAtMost(some.length, 2)
          if (some.length === 2) assert.isBelow(some[0]!.until, some[1]!.from)
        }
      }
    }
  )

  it.prop(
    "keeps to its bounds, but for the two segments that it takes in any case",
    [Sizes, Number_, Bytes],
    ([sizes, number, maxBytes]) => {
      const { bytes, topics } = DrillChoice.choose(topicsOf(sizes), number, { maxBytes, maxRuns: 3 })
      const runs = topics.reduce((sum, topic) => sum + topic.runs.length, 0)
      assert.isAtMost(runs, 3)
      const isLeast = topics.length === 1 && runs <= 2
      if (!isLeast) assert.isAtMost(bytes, maxBytes)
      else assert.isAtMost(bytes, Math.max(maxBytes, 200))
    }
  )

  it.prop("takes everything where everything fits", [Sizes, Number_], ([sizes, number]) => {
    const topics = topicsOf(sizes)
    const choice = DrillChoice.choose(topics, number, { maxBytes: 1e9, maxRuns: 100_000 })
    assert.deepStrictEqual(choice.leftOut, [])
    const all = sizes.flat(2).reduce((sum, size) => sum + size, 0)
    assert.strictEqual(choice.bytes, all)
  })

  it("comes to every partition and every topic in turn", () => {
    const topics = topicsOf([uneven, uneven, uneven])
    const first = Array.from({ length: 3 }, (_, n) => DrillChoice.choose(topics, 40 + n, { maxBytes: 1, maxRuns: 500 }))
    assert.sameMembers(
      first.map((choice) => choice.topics[0]!.name),
      topics.map(({ name }) => name)
    )
    const partitions = Array.from({ length: 3 }, (_, n) =>
      DrillChoice.choose(topics.slice(0, 1), 40 + n, { maxBytes: 1, maxRuns: 500 })
    ).map((choice) => choice.topics[0]!.runs[0]!.partition)
    assert.sameMembers(partitions, [0, 1, 2])
  })

  it("grows from the newest segment backwards, and leaves the middle out", () => {
    const [{ runs }] = DrillChoice.choose(topicsOf([[[5, 5, 5, 5, 5]]]), 0, { maxBytes: 17, maxRuns: 500 }).topics as [
      DrillChoice.ChosenTopic
    ]
    assert.deepStrictEqual(runs, [
      { partition: 0, from: 0, until: 1 },
      { partition: 0, from: 3, until: 5 }
    ])
  })
})
