import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { BackupSet } from "../../src/manifest/Catalogue.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Needs from "../../src/restore/Needs.ts"
import * as DescribedNeeds from "../../src/cli/DescribedNeeds.ts"
import { backUp, layer, worlds } from "./world.ts"

const records = (count: number) => Array.from({ length: count }, (_, at) => ({ key: `${at}`, value: "x" }))

/** A backup of a topic with a log that begins at 3, holes in another one, and a configuration of one cluster alone. */
const scene = Effect.gen(function* () {
  const { source, store } = yield* worlds
  yield* source.createTopic("orders", {
    partitions: 2,
    configs: { "leader.replication.throttled.replicas": "*", "retention.ms": "1000" }
  })
  yield* source.produce("orders", 0, records(5))
  yield* source.deleteRecordsBefore("orders", 0, 3)
  yield* source.createTopic("plain")
  yield* source.produce("plain", 0, records(4))
  return yield* Catalogue.open(store, yield* backUp)
})

/** The same backup, whose logs begin so much later. */
const later = (set: BackupSet, by: number): BackupSet => ({
  ...set,
  facts: {
    ...set.facts!,
    topics: set.facts!.topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map((one) => ({ ...one, from: one.from + by, until: one.until + by }))
    }))
  }
})

describe("Needs.of", () => {
  it.effect("counts what the old offsets take, and names the configurations that no topic gets", () =>
    Effect.gen(function* () {
      const { gaps, recordBytes, topics } = Needs.of(yield* scene)
      assert.strictEqual(gaps, 0)
      assert.isAbove(recordBytes ?? 0, 0)
      assert.deepInclude(topics[0], {
        topic: "orders",
        fillerOffsets: 3,
        holes: 0,
        configurationsLeftOut: ["leader.replication.throttled.replicas"]
      })
      assert.deepInclude(topics[1], { topic: "plain", fillerOffsets: 0, holes: 0, seconds: 0, bytes: 0 })
    }).pipe(Effect.provide(layer))
  )

  it.effect("estimates time and bytes by offset, and says where the old offsets would need too much", () =>
    Effect.gen(function* () {
      const set = yield* scene
      const { topics } = Needs.of(later(set, 500_000_000))
      // Three partitions: two of orders, one of plain.
      const [orders, plain] = topics
      assert.strictEqual(orders?.fillerOffsets, 1_000_000_003)
      assert.closeTo(orders?.seconds ?? 0, 128, 1)
      assert.closeTo(orders?.bytes ?? 0, 600_000_000, 1_000)
      assert.closeTo(plain?.seconds ?? 0, 64, 1)
      const costly = Needs.of(later(set, 3_000_000_000))
      assert.deepInclude(costly.topics[1], {
        fillerOffsets: 0,
        renumbered: { reason: "tooManyFillers", fillers: 3_000_000_000 }
      })
      assert.match(
        DescribedNeeds.text(costly),
        /plain +0 +0 +0\.0 s +0 B +new offsets, because a partition has 3000000000 offsets without a record/
      )
    }).pipe(Effect.provide(layer))
  )
})
