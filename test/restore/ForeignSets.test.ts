import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { files, json } from "../segment/kbak/jsonSegments.ts"
import * as Backup from "../backup/world.ts"
import { foreignSet } from "./foreignSet.ts"
import { aRestore, inTime, layer, plain, restore, slot, worlds } from "./world.ts"

const minute = 60_000

/** Two partitions, of several segments each, out of order in time, with holes. The second begins late. */
const fill = Effect.gen(function* () {
  yield* TestClock.setTime(Date.parse(slot))
  const { source } = yield* worlds
  yield* source.createTopic("orders", { partitions: 3 })
  for (const partition of [0, 1]) {
    for (let i = 0; i < 20; i++) {
      const transaction = yield* source.beginTransaction()
      yield* transaction.produce(
        "orders",
        partition,
        Array.from({ length: 8 }, (_, n) => ({
          key: `key ${n}`,
          value: n === 3 ? null : `${i} ${"x".repeat(90)}`,
          // The middle of every batch is an hour later than its first and last record.
          timestamp: (1000 + i + (n === 4 ? 60 : 0)) * minute,
          headers: [["trace", null] as const, ["ü", "é"] as const]
        }))
      )
      yield* transaction.commit
    }
  }
  yield* source.deleteRecordsBefore("orders", 1, 12)
  const settings = { compression: "zstd", compressionLevel: 3, includeOffsetHeaders: true } as const
  return (yield* Backup.attempt(Backup.aRequest(slot, { settings }))).facts.backupId
})

const added = new Set(["x-original-offset", "x-original-timestamp"].map((key) => Buffer.from(key).toString("hex")))

/** What the target holds, without the headers that the tool added at backup: they are restored with their records. */
const held = Effect.fnUntraced(function* (partition: number) {
  const { target } = yield* worlds
  return (yield* plain(target, "orders", partition)).map((record) => {
    const own = record.headers.filter(([key]) => !added.has(key as string))
    assert.strictEqual(record.headers.length, own.length + 2, "each header that the tool added is there once")
    return { ...record, headers: own }
  })
})

describe("a backup of another tool", () => {
  it.effect("comes back at its old offsets, with segments of other backups and without fields that may be absent", () =>
    Effect.gen(function* () {
      const backupId = yield* fill
      const { source, store, target } = yield* worlds
      const { topics } = yield* foreignSet(store, backupId, "theirs")
      assert.isAbove(topics[0]!.partitions[0]!.segments.length, 2)
      yield* inTime(restore(aRestore("theirs")))
      for (const partition of [0, 1]) {
        assert.deepStrictEqual(yield* held(partition), yield* plain(source, "orders", partition))
      }
      assert.lengthOf(yield* plain(target, "orders", 1), 20 * 8 - 11)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is cut by the timestamps of its records, not by those of its manifest", () =>
    Effect.gen(function* () {
      const backupId = yield* fill
      const { source, store } = yield* worlds
      yield* foreignSet(store, backupId, "theirs")
      const cut = { last: 1030 * minute }
      yield* inTime(restore(aRestore("theirs", { cut })))
      for (const partition of [0, 1]) {
        const expected = (yield* plain(source, "orders", partition)).filter(({ timestamp }) => timestamp <= cut.last)
        assert.deepStrictEqual(yield* held(partition), expected)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("gets no second header with the original offset", () =>
    Effect.gen(function* () {
      const backupId = yield* fill
      const { store, target } = yield* worlds
      yield* foreignSet(store, backupId, "theirs")
      yield* inTime(restore(aRestore("theirs", { includesOriginalOffset: true, offsets: "new" })))
      for (const { headers } of yield* plain(target, "orders", 0)) {
        const keys = headers.map(([key]) => Buffer.from(key as string, "hex").toString())
        const expected = ["trace", "ü", "x-original-offset", "x-original-timestamp", "x-source-partition"]
        assert.deepStrictEqual(keys, expected)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("comes back when its segments have the older JSON form, of every compression", () =>
    Effect.gen(function* () {
      const backupId = yield* fill
      const { source, store } = yield* worlds
      const { topics } = yield* foreignSet(store, backupId, "older", (records, sequence) => {
        const [suffix, pack] = files[sequence % files.length]!
        const plainRecords = records.map(({ headers, key, offset, timestamp, value }) => ({
          offset: BigInt(offset),
          timestamp,
          key: key && Buffer.from(key),
          value: value && Buffer.from(value),
          headers: headers.map(
            ({ key: name, value: content }) => [Buffer.from(name), content && Buffer.from(content)] as const
          )
        }))
        return { suffix, bytes: pack(json(plainRecords)) }
      })
      const keys = topics.flatMap(({ partitions }) =>
        partitions.flatMap(({ segments }) => segments.map(({ key }) => key))
      )
      for (const [suffix] of files) assert.isTrue(keys.some((key) => key.endsWith(suffix)))
      yield* inTime(restore(aRestore("older")))
      for (const partition of [0, 1]) {
        assert.deepStrictEqual(yield* held(partition), yield* plain(source, "orders", partition))
      }
    }).pipe(Effect.provide(layer))
  )
})
