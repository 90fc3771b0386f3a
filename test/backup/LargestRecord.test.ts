import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as LargestRecord from "../../src/manifest/LargestRecord.ts"
import type { StoredRecord } from "../../src/segment/StoredRecord.ts"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"
import { aRequest, attempt, fill, layer, storedRecords, world } from "./world.ts"

const noon = "2026-11-23T12:00:00Z"

/** Length in the record stream. Source: docs/storage-format.md. */
const lengthOf = ({ headers, key, value }: StoredRecord) =>
  30 +
  (key?.length ?? 0) +
  (value?.length ?? 0) +
  headers.reduce((sum, header) => sum + 6 + header.key.length + (header.value?.length ?? 0), 0)

describe("the largest record of each partition", () => {
  for (const includeOffsetHeaders of [false, true]) {
    it.effect(`is in the facts of a run that was killed, offset headers: ${includeOffsetHeaders}`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.parse(noon))
        const { cluster, store } = yield* world
        yield* fill(cluster)
        yield* cluster.produce("orders", 1, [{ key: "large", value: "x".repeat(30_000) }])
        const settings = { compression: "zstd", compressionLevel: 3, includeOffsetHeaders } as const
        const request = aRequest(noon, { settings })
        // Everything is stored and remembered by then: the next attempt knows it from the checkpoints alone.
        const diesProving = {
          ...store,
          head: (key: ObjectKey) => (key.includes("/topics/") ? Effect.die("killed") : store.head(key))
        }
        yield* Effect.exit(attempt(request, { store: diesProving }))
        const { facts } = yield* attempt(request)
        for (const { name, partitions } of facts.topics) {
          for (const { largestRecordBytes, partition } of partitions) {
            const records = yield* storedRecords(store, facts.backupId, name, partition)
            const expected = records.length === 0 ? undefined : Math.max(...records.map(lengthOf))
            assert.strictEqual(largestRecordBytes, expected, `${name}[${partition}]`)
          }
        }
        const manifest = Buffer.from(yield* store.get(BackupKeys.manifest(facts.backupId))).toString()
        assert.isTrue([...manifest.matchAll(/segment-[0-9]{20}-([0-9]{6})/g)].every(([, by]) => by === "000001"))
        assert.notInclude(manifest, "largestRecordBytes")
      }).pipe(Effect.provide(layer))
    )
  }

  it("is the largest that is known where an earlier version stored a part, and unknown where there is none", () => {
    assert.deepStrictEqual(LargestRecord.of([{ largestRecordBytes: 31 }, { largestRecordBytes: 40 }]), {
      largestRecordBytes: 40
    })
    assert.deepStrictEqual(LargestRecord.of([{ largestRecordBytes: 31 }, {}]), { largestRecordBytes: 31 })
    assert.deepStrictEqual(LargestRecord.of([{}]), {})
    assert.deepStrictEqual(LargestRecord.of([]), {})
  })
})
