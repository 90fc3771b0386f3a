import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { BackupId } from "../../src/identity/BackupId.ts"
import type { RunPlan } from "../../src/manifest/RunPlan.ts"
import * as ShardDeal from "../../src/manifest/ShardDeal.ts"

const planOf = (sizes: ReadonlyArray<ReadonlyArray<number>>, shards: number): RunPlan => ({
  version: 3,
  backupId: BackupId.make("nightly-20261123-120000"),
  identity: { owner: { name: "nightly" }, slot: "2026-11-23T12:00:00Z" },
  createdMillis: 1,
  bootstrapServers: ["kafka:9092"],
  settings: { compression: "zstd", compressionLevel: 3, includeOffsetHeaders: false },
  ...(shards === 1 ? {} : { shards }),
  topics: sizes.map((partitions, topic) => ({
    name: `topic-${topic}`,
    replicationFactor: 1,
    partitions: partitions.map((size, partition) => ({ partition, from: 7, until: 7 + size }))
  })),
  notes: []
})

const placesOf = (plan: RunPlan) =>
  plan.topics.flatMap(({ name, partitions }) => partitions.map(({ partition }) => `${name}/${partition}`))

const loadOf = (plan: RunPlan) =>
  plan.topics.reduce((n, { partitions }) => n + partitions.reduce((m, { from, until }) => m + until - from, 0), 0)

const Sizes = Schema.Array(Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))))
const Shards = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 64 }))

describe("ShardDeal", () => {
  it.prop("gives each partition to exactly one shard", { sizes: Sizes, shards: Shards }, ({ shards, sizes }) => {
    const plan = planOf(sizes, shards)
    const parts = Array.from({ length: shards }, (_, shard) => ShardDeal.part(plan, shard))
    assert.deepStrictEqual(parts.flatMap(placesOf).toSorted(), placesOf(plan).toSorted())
  })

  it.prop(
    "loads no shard with more than the average and one partition",
    { sizes: Sizes, shards: Shards },
    ({ shards, sizes }) => {
      const plan = planOf(sizes, shards)
      const most = loadOf(plan) / shards + Math.max(0, ...sizes.flat())
      for (let shard = 0; shard < shards; shard++) assert.isAtMost(loadOf(ShardDeal.part(plan, shard)), most)
    }
  )

  it("deals the largest first, and by the offsets that are read, not by those that are taken over", () => {
    const plan = planOf([[10, 100, 30, 60]], 2)
    assert.deepStrictEqual(
      [0, 1].map((shard) => loadOf(ShardDeal.part(plan, shard))),
      [100, 100]
    )
    const [topic] = plan.topics
    const taken = topic!.partitions.map((one) =>
      one.partition === 1 ? { ...one, reused: { until: one.until, logStart: one.from } } : one
    )
    const shardOf = ShardDeal.deal({ ...plan, topics: [{ ...topic!, partitions: taken }] })
    // 60 for itself, and 30 with 10: partition 1 has nothing to read, and goes to the lighter one.
    assert.deepStrictEqual(
      [0, 1, 2, 3].map((partition) => shardOf("topic-0", partition)),
      [1, 1, 1, 0]
    )
  })

  it("spreads partitions without records, too", () => {
    const plan = planOf([Array.from({ length: 40 }, () => 0)], 4)
    assert.deepStrictEqual(
      [0, 1, 2, 3].map((shard) => placesOf(ShardDeal.part(plan, shard)).length),
      [10, 10, 10, 10]
    )
  })

  it.prop(
    "numbers the attempts at different shards apart",
    { shards: Shards, rounds: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })) },
    ({ rounds, shards }) => {
      for (let shard = 0; shard < shards; shard++) {
        assert.strictEqual(ShardDeal.shardOf(shard + 1 + rounds * shards, shards), shard)
      }
    }
  )

  it.prop("leaves no shard of a plan to nobody", { shards: Shards, of: Shards }, ({ of, shards }) => {
    const all = Array.from({ length: of }, (_, index) => ShardDeal.shardsAt({ index, of }, shards)).flat()
    assert.deepStrictEqual(
      all.toSorted((a, b) => a - b),
      Array.from({ length: shards }, (_, shard) => shard)
    )
  })

  it("reads a seat as it is written, and nothing else", () => {
    assert.deepStrictEqual(ShardDeal.parseSeat("0/1"), { index: 0, of: 1 })
    assert.deepStrictEqual(ShardDeal.parseSeat("63/64"), { index: 63, of: 64 })
    for (const wrong of [
      "",
      "1",
      "1/",
      "/4",
      "4/4",
      "0/0",
      "0/65",
      "-1/4",
      "a/b",
      "1/4 ",
      "$(JOB_COMPLETION_INDEX)/4"
    ]) {
      assert.isUndefined(ShardDeal.parseSeat(wrong), wrong)
    }
  })
})
