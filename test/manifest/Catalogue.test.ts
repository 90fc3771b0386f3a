import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"

/**
 * As the format's other tools write it: fields of older and newer versions, unknown ones, nothing of ours beside it.
 */
const foreignManifest = {
  backup_id: "peer-1",
  created_at: 1_700_000_000_000,
  source_cluster_id: null,
  source_brokers: [],
  compression: "zstd",
  future_field: { a: 1 },
  topics: [
    {
      name: "orders",
      original_partition_count: null,
      partitions: [
        {
          partition_id: 0,
          pruned: [],
          segments: [
            {
              key: "older/topics/orders/partition=0/segment-000001.zst",
              start_offset: 0,
              end_offset: 9,
              start_timestamp: 5,
              end_timestamp: 4,
              record_count: 10
            }
          ]
        }
      ]
    }
  ]
}

describe("Catalogue", () => {
  it.effect("reads sets of other tools, shows damaged sets and ignores foreign files", () =>
    Effect.gen(function* () {
      const { store } = yield* (yield* InMemoryObjectStores).named("catalogue")
      const put = (key: string, text: string) => store.put(ObjectKey.make(key), [Buffer.from(text)])
      yield* put("peer-1/manifest.json", JSON.stringify(foreignManifest))
      yield* put("peer-2/manifest.json", "")
      yield* put("peer-3/manifest.json", `{"backup_id": "peer-3"}`)
      yield* put("holiday-pictures/sunset.jpg", "jpg")
      yield* put("readme.txt", "hello")
      const entries = yield* Catalogue.entries(store)
      assert.deepStrictEqual(
        entries.map((entry) => [entry.backupId, entry._tag]),
        [
          ["peer-1", "Complete"],
          ["peer-2", "Unreadable"],
          ["peer-3", "Unreadable"]
        ]
      )
      const set = yield* Catalogue.open(store, "peer-1")
      assert.isUndefined(set.facts)
      assert.strictEqual(set.manifest.topics[0]!.partitions[0]!.segments[0]!.record_count, 10)
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect("names the backup that was probably meant and the newest ones where there is none of an id", () =>
    Effect.gen(function* () {
      const { store } = yield* (yield* InMemoryObjectStores).named("catalogue")
      const open = (id: string) => Effect.map(Effect.flip(Catalogue.open(store, id)), ({ message }) => message)
      assert.match(yield* open("shop-20260301-060000"), /^there is no backup shop-20260301-060000 in .+; no complete/)
      const manifest = [new TextEncoder().encode("{}")]
      for (const hour of ["01", "02", "03", "04"]) {
        yield* store.put(BackupKeys.manifest(BackupId.make(`shop-20260301-${hour}0000`)), manifest)
      }
      yield* store.put(BackupKeys.manifest(BackupId.make("other-20270301-040000")), manifest)
      yield* store.put(BackupKeys.claim(BackupId.make("shop-20260301-050000")), manifest)
      assert.match(
        yield* open("shop-20260301-030001"),
        /did you mean shop-20260301-030000\? The newest there: shop-20260301-040000, shop-20260301-030000, shop-20260301-020000$/
      )
      assert.match(yield* open("unknown"), /; the newest there: other-20270301-040000, shop-20260301-040000, shop-/)
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect("finds no backup by a name that leads outside its folder", () =>
    Effect.gen(function* () {
      const { calls, store } = yield* (yield* InMemoryObjectStores).named("catalogue")
      for (const id of ["..", "../other", "a/b", "", ".", "_kafka-backup"]) {
        assert.strictEqual((yield* Effect.flip(Catalogue.open(store, id))).reason._tag, "SetNotFound", id)
      }
      assert.deepStrictEqual(yield* calls, [])
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )
})
