import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import * as Backup from "../backup/world.ts"
import { aRestore, inTime, layer, plain, restore, slot, worlds } from "./world.ts"

const long = (value: number) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value))
  return bytes.toString("hex")
}

const hex = (text: string) => Buffer.from(text).toString("hex")

const readable = (headers: ReadonlyArray<ReadonlyArray<string | null | undefined>>) =>
  headers.map(([key, value]) => [Buffer.from(key!, "hex").toString(), value])

/** Two partitions whose logs begin late; one record carries the offset of an earlier restore. */
const fill = Effect.gen(function* () {
  const { source } = yield* worlds
  yield* source.createTopic("orders", { partitions: 2 })
  for (const partition of [0, 1]) {
    yield* source.produce(
      "orders",
      partition,
      Array.from({ length: 30 }, (_, i) => ({
        key: `key ${i}`,
        value: "v",
        timestamp: 1000 + i,
        headers: i % 7 === 3 ? [["x-original-offset", "12"] as const] : [["trace", `${i}`] as const]
      }))
    )
  }
  yield* source.deleteRecordsBefore("orders", 1, 5)
})

const backUp = (settings: { readonly includeOffsetHeaders: boolean; readonly sourceClusterId?: string }) =>
  Effect.map(
    Backup.attempt(Backup.aRequest(slot, { settings: { compression: "zstd", compressionLevel: 3, ...settings } })),
    ({ facts }) => facts.backupId
  )

const assertHeaders = Effect.fnUntraced(function* (request: RestoreRequest, cluster: string | undefined) {
  const { source, target } = yield* worlds
  for (const partition of [0, 1]) {
    const expected = (yield* plain(source, "orders", partition)).map(({ headers, offset, timestamp }) => [
      ...readable(headers),
      ...(readable(headers).some(([key]) => key === "x-original-offset") ? [] : [["x-original-offset", long(offset)]]),
      ["x-original-timestamp", long(timestamp)],
      ...(cluster === undefined ? [] : [["x-source-cluster", hex(cluster)]]),
      ["x-source-partition", partition === 0 ? "00000000" : "01000000"]
    ])
    const found = yield* plain(target, "orders", partition)
    assert.deepStrictEqual(
      found.map(({ headers }) => readable(headers)),
      expected
    )
    if (request.offsets !== "new") assert.strictEqual(found[0]!.offset, partition === 0 ? 0 : 5)
  }
})

describe("headers with the original offset", () => {
  for (const offsets of ["exact", "new"] as const) {
    for (const includeOffsetHeaders of [true, false]) {
      const kind = includeOffsetHeaders ? "has them already" : "has none"
      it.effect(`come once to each record of a backup that ${kind}, with offsets ${offsets}`, () =>
        Effect.gen(function* () {
          yield* fill
          const backupId = yield* backUp({ includeOffsetHeaders })
          const request = aRestore(backupId, { offsets, includesOriginalOffset: true })
          yield* inTime(restore(request))
          yield* assertHeaders(request, undefined)
          // The proof of the second attempt compares with them, too.
          yield* inTime(restore(request))
        }).pipe(Effect.provide(layer))
      )
    }
  }

  it.effect("keep the name of the source cluster that the backup has beside them", () =>
    Effect.gen(function* () {
      yield* fill
      const backupId = yield* backUp({ includeOffsetHeaders: true, sourceClusterId: "shop" })
      const request = aRestore(backupId, { includesOriginalOffset: true })
      yield* inTime(restore(request))
      yield* assertHeaders(request, "shop")
    }).pipe(Effect.provide(layer))
  )

  it.effect("are not restored unless they are asked for", () =>
    Effect.gen(function* () {
      yield* fill
      const { source, target } = yield* worlds
      yield* inTime(restore(aRestore(yield* backUp({ includeOffsetHeaders: true }))))
      assert.deepStrictEqual(yield* plain(target, "orders", 1), yield* plain(source, "orders", 1))
    }).pipe(Effect.provide(layer))
  )
})
