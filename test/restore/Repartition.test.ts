import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { KeyPartitioner, murmur2 } from "../../src/segment/records/KeyPartitioner.ts"
import { random } from "../segment/arbitraryRecords.ts"
import { stream } from "../segment/plainRecords.ts"
import { aRestore, backUp, inTime, layer, plain, restore, slot, worlds } from "./world.ts"

/** The algorithm once more, with BigInts and a slice: what the one under test is compared with. */
const slowMurmur2 = (key: Buffer): bigint => {
  const word = (value: bigint) => BigInt.asUintN(32, value)
  const m = 0x5bd1e995n
  let hash = word(0x9747b28cn ^ BigInt(key.length))
  let at = 0
  for (; at + 4 <= key.length; at += 4) {
    let k = word(BigInt(key.readUInt32LE(at)) * m)
    k = word((k ^ (k >> 24n)) * m)
    hash = word(hash * m) ^ k
  }
  const rest = key.subarray(at)
  for (let i = rest.length - 1; i >= 0; i--) hash ^= BigInt(rest[i]!) << BigInt(8 * i)
  if (rest.length > 0) hash = word(hash * m)
  hash = word((hash ^ (hash >> 13n)) * m)
  return hash ^ (hash >> 15n)
}

const slowPartition = (key: Buffer, count: number) => Number(slowMurmur2(key) & 0x7fff_ffffn) % count

describe("the partition of a key", () => {
  // Source: the vectors of Kafka's own UtilsTest.
  it.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107]
  ])("has the hash of the Java client (%s)", (key, hash) => {
    const bytes = Buffer.from(`xx${key}yy`)
    assert.strictEqual(murmur2(bytes, 2, key.length), hash)
  })

  it("is that of a second implementation, for keys of every length", () => {
    const next = random(77)
    for (let length = 0; length < 300; length++) {
      const key = Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)))
      const run = stream([{ offset: 1n, timestamp: 1n, key, value: null, headers: [] }])
      for (const count of [1, 3, 12, 10_000]) {
        assert.strictEqual(new KeyPartitioner(count, 5).of(run, 0), slowPartition(key, count))
      }
    }
  })
})

const minute = 60_000

/** Records with few keys and none, of times that jump, in three partitions; each source has a key of its own, too. */
const fill = Effect.fnUntraced(function* (next: () => number) {
  yield* TestClock.setTime(Date.parse(slot))
  const { source } = yield* worlds
  const below = (n: number) => Math.floor(next() * n)
  yield* source.createTopic("orders", { partitions: 3 })
  for (const partition of [0, 1, 2]) {
    for (let i = below(10); i >= 0; i--) {
      yield* source.produce(
        "orders",
        partition,
        Array.from({ length: 1 + below(20) }, (_, n) => ({
          key: next() < 0.2 ? null : `key ${partition} ${below(7)}`,
          value: `${i} ${n}`,
          timestamp: (1000 + below(50)) * minute
        }))
      )
    }
  }
  return yield* backUp
})

const expected = Effect.fnUntraced(function* (count: number, last: number) {
  const { source } = yield* worlds
  const targets = Array.from({ length: count }, () => new Array<{ readonly offset: number }>())
  for (const partition of [0, 1, 2]) {
    let unkeyed = partition
    for (const record of yield* plain(source, "orders", partition)) {
      if (record.timestamp > last) continue
      const at = record.key === null ? unkeyed++ % count : slowPartition(Buffer.from(record.key, "hex"), count)
      targets[at]!.push({ ...record, offset: targets[at]!.length })
    }
  }
  return targets
})

describe("a restore to another number of partitions", () => {
  for (let seed = 1; seed <= 25; seed++) {
    it.effect(`places records by key, keeps their order, and goes on after kills (seed ${seed})`, () =>
      Effect.gen(function* () {
        const next = random(seed * 104_729)
        const backupId = yield* fill(next)
        const { target } = yield* worlds
        const count = 1 + Math.floor(next() * 8)
        const last = next() < 0.5 ? Infinity : (1000 + Math.floor(next() * 50)) * minute
        const request = aRestore(backupId, {
          offsets: "new",
          partitions: new Map([["orders", count]]),
          ...(last === Infinity ? {} : { cut: { last } })
        })
        const should = yield* expected(count, last)
        if (should.flat().length === 0) return
        for (let kills = Math.floor(next() * 4); kills > 0; kills--) {
          const before = (yield* target.counters).produceRequests
          const appends = 1 + Math.floor(next() * 8)
          const attempt = yield* Effect.forkChild(restore(request), { startImmediately: true })
          while (attempt.pollUnsafe() === undefined && (yield* target.counters).produceRequests < before + appends) {
            yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
            yield* TestClock.adjust("100 millis")
          }
          yield* Fiber.interrupt(attempt)
        }
        const restored = yield* inTime(restore(request))
        assert.strictEqual(restored.records, should.flat().length)
        for (let partition = 0; partition < count; partition++) {
          assert.deepStrictEqual(yield* plain(target, "orders", partition), should[partition], `partition ${partition}`)
        }
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("names the partition that a record had, and is refused where it has no meaning", () =>
    Effect.gen(function* () {
      const backupId = yield* fill(random(5))
      const { target } = yield* worlds
      const wanted = { offsets: "new", partitions: new Map([["orders", 2]]), includesOriginalOffset: true } as const
      yield* inTime(restore(aRestore(backupId, wanted)))
      for (const partition of [0, 1]) {
        for (const { headers, key } of yield* plain(target, "orders", partition)) {
          const from = headers.find(([name]) => name === Buffer.from("x-source-partition").toString("hex"))?.[1]
          if (key !== null) assert.strictEqual(from?.slice(1, 2), Buffer.from(key, "hex").toString().slice(4, 5))
        }
      }
      const three = aRestore(backupId, { ...wanted, partitions: new Map([["orders", 3]]), owner: { name: "another" } })
      const differs = yield* Effect.flip(inTime(restore(three)))
      assert.include(differs.message, "topic orders has 2 partitions, and spec.partitions asks for 3")
      const refused = aRestore(backupId, { ...wanted, partitions: new Map([["other", 2]]) })
      const { message } = yield* Effect.flip(inTime(restore(refused)))
      assert.include(message, "partitions names other, which is not restored")
      const groups = { strategy: { _tag: "Exact" }, groups: ["*"] } as const
      const moved = yield* Effect.flip(inTime(restore(aRestore(backupId, { ...wanted, groups }))))
      assert.include(moved.message, "consumer groups cannot continue at their old offsets in orders")
    }).pipe(Effect.provide(layer))
  )
})
