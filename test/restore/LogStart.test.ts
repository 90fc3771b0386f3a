import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { BackupId } from "../../src/identity/BackupId.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import * as Backup from "../backup/world.ts"
import { aDrill, drill } from "../drill/world.ts"
import { aRestore, assertSame, inTime, layer, plain, restore, worlds } from "./world.ts"

/*
 * A backup that builds on an earlier one takes over whole segments, also one whose first records Kafka has deleted
 * since. What is restored of it is what a full backup of the same instant holds.
 */

const topics = ["events", "state"] as const

const write = (cluster: InMemoryCluster, text: string, batches: number) =>
  Effect.forEach(
    topics.flatMap((topic) => Array.from({ length: batches }, (_, batch) => [topic, batch] as const)),
    ([topic, batch]) =>
      Effect.gen(function* () {
        const records = Array.from({ length: 4 }, (_, i) => ({
          key: `key-${text}-${batch}-${i}`,
          value: i === 3 ? null : `${text} ${batch} ${i} `.repeat(12),
          timestamp: batch * 1000 + i
        }))
        yield* cluster.produce(topic, 0, records, { codec: "zstd" })
        if (batch % 4 !== 1) return
        const transaction = yield* cluster.beginTransaction()
        yield* transaction.produce(topic, 0, records.slice(0, 2))
        yield* batch % 8 === 1 ? transaction.commit : transaction.abort
      }),
    { discard: true }
  )

const run = (name: string, hour: number, isIncremental: boolean) => {
  const request = Backup.aRequest(`2026-11-23T${hour}:00:00Z`, isIncremental ? { incremental: {} } : {})
  const identity = { ...request.identity, owner: { uid: `uid-${name}`, namespace: "kafka", name } }
  return Effect.map(Backup.attempt({ ...request, identity }), ({ facts }) => facts)
}

/** An offset in the middle of a segment of the topic, which does not begin the backup. */
const insideOf = Effect.fnUntraced(function* (backupId: BackupId, topic: string) {
  const { store } = yield* worlds
  const { manifest } = yield* Catalogue.open(store, backupId)
  const segment = manifest.topics.find(({ name }) => name === topic)!.partitions[0]!.segments[1]!
  return Math.ceil((segment.start_offset + segment.end_offset) / 2)
})

/** A backup that was built on one of an hour before, and a full one of the same instant. */
const both = Effect.gen(function* () {
  const { source } = yield* worlds
  yield* source.createTopic("events")
  yield* source.createTopic("state", { configs: { "cleanup.policy": "compact,delete" } })
  yield* write(source, "old", 40)
  const first = yield* run("nightly", 12, true)
  const starts = new Map<string, number>()
  for (const topic of topics) {
    const start = yield* insideOf(first.backupId, topic)
    yield* source.deleteRecordsBefore(topic, 0, start)
    starts.set(topic, start)
  }
  yield* write(source, "new", 6)
  yield* TestClock.adjust("1 hour")
  const built = yield* run("nightly", 13, true)
  const full = yield* run("other", 13, false)
  const partitionOf = (topic: string) => built.topics.find(({ name }) => name === topic)!.partitions[0]!
  for (const topic of topics) {
    const { from, logStart, reused } = partitionOf(topic)
    assert.strictEqual(logStart, starts.get(topic), topic)
    assert.isBelow(from, logStart!)
    assert.isAbove(reused!.records, 0)
  }
  assert.isUndefined(full.topics[0]!.partitions[0]!.logStart)
  return { built, full, starts }
})

/** Restores one topic of the backup under another name. */
const restored = Effect.fnUntraced(function* (
  backupId: BackupId,
  topic: string,
  target: string,
  changes: Partial<RestoreRequest>
) {
  const owner = { uid: `restore-${target}`, namespace: "kafka", name: target }
  const topicMapping = new Map([[topic, target]])
  return yield* inTime(restore(aRestore(backupId, { owner, topics: [topic], topicMapping, ...changes })))
})

const kinds: Readonly<Record<string, (topic: string) => Partial<RestoreRequest>>> = {
  "with the old offsets": () => ({ offsets: "exact" }),
  "with new offsets": () => ({ offsets: "new" }),
  "until a time": () => ({ cut: { last: 30_001 } }),
  "from a time on": () => ({ cut: { first: 12_001, last: 30_001 } }),
  "with new offsets until a time": () => ({ offsets: "new", cut: { last: 30_001 } }),
  "with another number of partitions": (topic) => ({ offsets: "new", partitions: new Map([[topic, 3]]) })
}

describe("a backup with a segment that begins below the log's start", () => {
  for (const [kind, changes] of Object.entries(kinds)) {
    it.effect(
      `is restored like a full one of the same instant, ${kind}`,
      () =>
        Effect.gen(function* () {
          const { source, target } = yield* worlds
          const { built, full } = yield* both
          for (const topic of topics) {
            yield* restored(built.backupId, topic, `built-${topic}`, changes(topic))
            yield* restored(full.backupId, topic, `full-${topic}`, changes(topic))
            const partitions = kind.includes("partitions") ? 3 : 1
            yield* assertSame(target, target, `full-${topic}`, partitions, `built-${topic}`)
            assert.isAbove((yield* plain(target, `built-${topic}`, 0)).length, 10)
            if (kind === "with the old offsets") yield* assertSame(source, target, topic, 1, `built-${topic}`)
          }
        }).pipe(Effect.provide(layer)),
      120_000
    )
  }

  it.effect("is verified whole, counts what a restore writes, and is drilled", () =>
    Effect.gen(function* () {
      const { store, target } = yield* worlds
      const { built, starts } = yield* both
      const set = yield* Catalogue.open(store, built.backupId)
      const { broken, problems } = yield* Verification.verify(store, set, "records")
      assert.deepStrictEqual([broken, problems], [[], []])
      const { records } = yield* restored(built.backupId, "events", "again", { offsets: "exact" })
      assert.strictEqual(records, (yield* plain(target, "again", 0)).length)
      const facts = yield* inTime(
        drill(aDrill({ resource: { uid: "uid-nightly", namespace: "kafka", name: "nightly" } }))
      )
      for (const topic of topics) {
        const piece = facts.plan!.pieces.find((each) => each.source === topic)!
        assert.deepStrictEqual([piece.from, piece.exact.start], [starts.get(topic), starts.get(topic)])
      }
    }).pipe(Effect.provide(layer))
  )
})
