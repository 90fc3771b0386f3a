import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as ManifestFile from "../../src/manifest/ManifestFile.ts"
import * as Seal from "../../src/manifest/Seal.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, attempt, fill, layer, world } from "../backup/world.ts"

const made = Effect.gen(function* () {
  const { cluster, memory, store } = yield* world
  yield* fill(cluster)
  const { facts } = yield* attempt(aRequest("2026-11-23T00:00:00Z"))
  return { memory, store, facts, key: BackupKeys.manifest(facts.backupId) }
})

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8")

describe("a manifest", () => {
  it.live("is read a single time to open a set and to compare it with its seal", () =>
    Effect.gen(function* () {
      const { facts, key, store } = yield* made
      let reads = 0
      const counting: ObjectStoreShape = {
        ...store,
        get: (one) => Effect.tap(store.get(one), () => Effect.sync(() => void (reads += one === key ? 1 : 0))),
        read: (one) => Stream.suspend(() => ((reads += one === key ? 1 : 0), store.read(one)))
      }
      const set = yield* Catalogue.openById(counting, facts.backupId)
      assert.deepStrictEqual(yield* Seal.manifestProblems(counting, set), [])
      assert.strictEqual(reads, 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("has the seal of its text without the list of documents, and none where the text ends in another way", () =>
    Effect.gen(function* () {
      const { facts, key, memory, store } = yield* made
      const good = text(yield* store.get(key))
      const sealed = (content: string) =>
        memory
          .tamper(key, () => Buffer.from(content))
          .pipe(
            Effect.andThen(ManifestFile.read(store, key)),
            Effect.map(({ sealedSha256 }) => sealedSha256)
          )
      const { kb_documents: documents, ...rest } = JSON.parse(good)
      const list = Object.entries(documents)
      assert.strictEqual(yield* sealed(good), facts.manifestSha256)
      // Whoever changes the list alone is found by the documents.
      assert.strictEqual(yield* sealed(Seal.manifestText({ ...rest, kb_documents: {} })), facts.manifestSha256)
      const others = [
        good.trimEnd(),
        `${good} `,
        ` ${good}`,
        good.replace('"kb_documents":', '"kb_documents": '),
        good.replace('"kb_documents":{', '"kb_documents":{"a":"b","a":"b",'),
        good.replace('"backup_id"', ' "backup_id"'),
        good.replace('"backup_id"', '"kb_documents":{},"backup_id"'),
        Seal.manifestText(rest),
        `${JSON.stringify({ kb_documents: Object.fromEntries(list), ...rest })}\n`,
        `${JSON.stringify({ ...rest, kb_documents: documents }, null, 2)}\n`
      ]
      for (const other of others) assert.notStrictEqual(yield* sealed(other), facts.manifestSha256, other)
    }).pipe(Effect.provide(layer))
  )

  it.live("drops what it does not know, at every place, and names what is wrong", () =>
    Effect.gen(function* () {
      const { facts, key, memory, store } = yield* made
      const good = JSON.parse(text(yield* store.get(key)))
      const expected = (yield* ManifestFile.read(store, key)).manifest
      const more = JSON.parse(JSON.stringify(good))
      const topic = more.topics.find((one: any) => one.partitions.length > 0)
      for (const place of [more, topic, topic.partitions[0], topic.partitions[0].segments[0]]) place.unknown = "more"
      yield* memory.tamper(key, () => Buffer.from(JSON.stringify(more)))
      assert.deepStrictEqual((yield* ManifestFile.read(store, key)).manifest, expected)
      const wrongs: ReadonlyArray<(manifest: any) => unknown> = [
        () => "text",
        () => null,
        (manifest) => ({ ...manifest, topics: "none" }),
        (manifest) => ({ ...manifest, topics: [...manifest.topics, 7] }),
        (manifest) => ({ ...manifest, topics: [{ ...manifest.topics[0], partitions: null }] }),
        (manifest) => ({ ...manifest, topics: [{ ...manifest.topics[0], partitions: [{ partition_id: 0 }] }] }),
        (manifest) => ({ ...manifest, created_at: "yesterday" })
      ]
      for (const wrong of wrongs) {
        yield* memory.tamper(key, () => Buffer.from(JSON.stringify(wrong(good))))
        const error = yield* Effect.flip(Catalogue.openById(store, facts.backupId))
        assert.strictEqual(error._tag, "CatalogueError")
        assert.match(error.message, /cannot be read: (Expected|Missing key)/u)
      }
    }).pipe(Effect.provide(layer))
  )
})
