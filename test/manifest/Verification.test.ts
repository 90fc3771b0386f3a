import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import { ContentMismatch, ObjectStoreError } from "../../src/storage/ObjectStoreError.ts"
import { aRequest, attempt, fill, layer, world } from "../backup/world.ts"

const slot = "2026-11-23T12:00:00Z"
const aSet = (compression: "zstd" | "lz4" | "none" = "zstd") =>
  Effect.gen(function* () {
    const { cluster, memory, store } = yield* world
    yield* fill(cluster)
    const settings = { compression, compressionLevel: 1, includeOffsetHeaders: false }
    const { facts } = yield* attempt(aRequest(slot, { settings }))
    const set = yield* Catalogue.open(store, facts.backupId)
    const partition = set.manifest.topics.find((topic) => topic.name === "orders")!.partitions[1]!
    return { memory, store, set, partition, segment: partition.segments[0]! }
  })
const places = (found: Verification.Verification) =>
  found.problems.map((p) => `${p.topic}[${p.partition}] ${p.firstOffset}-${p.lastOffset}`)

describe("Verification", () => {
  it.live("finds no problem in an intact set, by its objects and by its records", () =>
    Effect.gen(function* () {
      for (const compression of ["zstd", "lz4", "none"] as const) {
        yield* Effect.gen(function* () {
          const { set, store } = yield* aSet(compression)
          for (const depth of ["objects", "records"] as const) {
            const found = yield* Verification.verify(store, set, depth)
            assert.deepStrictEqual(found.problems, [])
            assert.strictEqual(found.records, set.facts!.totals.records)
          }
        }).pipe(Effect.provide(layer))
      }
    })
  )

  it.live("names topic, partition and offsets of a flipped bit, wherever it is", () =>
    Effect.gen(function* () {
      const { memory, segment, set, store } = yield* aSet()
      const key = ObjectKey.make(segment.key)
      const size = segment.compressed_size!
      for (let at = 0; at < size; at += 97) {
        const flip = (bytes: Uint8Array) => bytes.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte))
        yield* memory.tamper(key, flip)
        const found = yield* Verification.verify(store, set, "records")
        assert.deepStrictEqual(places(found), [`orders[1] ${segment.start_offset}-${segment.end_offset}`], `byte ${at}`)
        yield* memory.tamper(key, flip)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("reports an object that fails the store's checksum as damaged, and checks the rest", () =>
    Effect.gen(function* () {
      const { segment, set, store } = yield* aSet()
      const detail = "it has CRC-32C AAAAAA==, the store says BBBBBB=="
      const refusing = {
        ...store,
        read: (key: ObjectKey) =>
          key === segment.key
            ? Stream.concat(
                store.read(key),
                Stream.fail(
                  new ObjectStoreError({
                    operation: "read",
                    location: store.location,
                    reason: new ContentMismatch({ key, detail })
                  })
                )
              )
            : store.read(key)
      }
      let checked = 0
      const found = yield* Verification.verify(refusing, set, "records", () => checked++)
      assert.deepStrictEqual(places(found), [`orders[1] ${segment.start_offset}-${segment.end_offset}`])
      assert.strictEqual(found.problems[0]!.detail, detail)
      assert.strictEqual(checked, found.segments)
    }).pipe(Effect.provide(layer))
  )

  it.live("notices a lost, a truncated and an exchanged segment", () =>
    Effect.gen(function* () {
      const { memory, partition, segment, set, store } = yield* aSet()
      const [first, second] = partition.segments
      const key = ObjectKey.make(segment.key)
      const original = yield* store.get(key)
      yield* memory.tamper(key, () => undefined)
      assert.include((yield* Verification.verify(store, set, "objects")).problems[0]!.detail, "is missing")
      yield* memory.tamper(key, () => original.subarray(0, original.length - 1))
      assert.include((yield* Verification.verify(store, set, "objects")).problems[0]!.detail, "bytes instead of")
      const other = yield* store.get(ObjectKey.make(second!.key))
      yield* memory.tamper(key, () => other)
      const exchanged = yield* Verification.verify(store, set, "records")
      assert.include(exchanged.problems.map((p) => p.detail).join(), "first offset")
      assert.strictEqual(exchanged.problems[0]!.firstOffset, first!.start_offset)
    }).pipe(Effect.provide(layer))
  )

  it.live("does not call damaged what a newer version wrote: it says so and proves nothing", () =>
    Effect.gen(function* () {
      const { set, store } = yield* aSet()
      const named = JSON.stringify(set.manifest).replaceAll(".bin.zst", ".avro.zst")
      const newer = { ...set, manifest: JSON.parse(named) as typeof set.manifest }
      const error = yield* Effect.flip(Verification.verify(store, newer, "records"))
      assert.isTrue(error._tag === "SegmentError" && error.reason._tag === "UnknownFormat")
      assert.include(error.message, "its name ends in .avro.zst")
    }).pipe(Effect.provide(layer))
  )

  it.live("notices a manifest that names fewer records than the run stored, or the same ones twice", () =>
    Effect.gen(function* () {
      const { set, store } = yield* aSet()
      const edit = (
        change: (
          segments: ReadonlyArray<(typeof set.manifest.topics)[0]["partitions"][0]["segments"][0]>
        ) => typeof segments
      ) => ({
        ...set,
        manifest: {
          ...set.manifest,
          topics: set.manifest.topics.map((topic) => ({
            ...topic,
            partitions: topic.partitions.map((partition) => ({ ...partition, segments: change(partition.segments) }))
          }))
        }
      })
      const less = yield* Verification.verify(
        store,
        edit((segments) => segments.slice(1)),
        "objects"
      )
      assert.include(less.problems[0]!.detail, "the run stored")
      const twice = yield* Verification.verify(
        store,
        edit((segments) => [...segments, segments[0]!]),
        "objects"
      )
      assert.isTrue(twice.problems.some((p) => p.detail.startsWith("overlaps")))
    }).pipe(Effect.provide(layer))
  )

  it.live("compares the bounds of timestamps with the records, but in backups of other tools", () =>
    Effect.gen(function* () {
      const { segment, set, store } = yield* aSet()
      const changed = (change: { readonly start_timestamp?: number; readonly end_timestamp?: number }) => ({
        ...set,
        manifest: {
          ...set.manifest,
          topics: set.manifest.topics.map((topic) => ({
            ...topic,
            partitions: topic.partitions.map((partition) => ({
              ...partition,
              segments: partition.segments.map((one) => (one.key === segment.key ? { ...one, ...change } : one))
            }))
          }))
        }
      })
      const { end_timestamp: last, start_timestamp: first } = segment
      for (const [change, detail] of [
        [{ start_timestamp: first + 1 }, `smallest timestamp is ${first}, but the manifest says ${first + 1}`],
        [{ end_timestamp: last - 1 }, `largest timestamp is ${last}, but the manifest says ${last - 1}`]
      ] as const) {
        const other = changed(change)
        assert.deepStrictEqual((yield* Verification.verify(store, other, "objects")).problems, [])
        const found = yield* Verification.verify(store, other, "records")
        assert.deepStrictEqual(
          found.problems.map(({ detail, key }) => [key, detail]),
          [[segment.key, detail]]
        )
        const foreign = yield* Verification.verify(store, { ...other, facts: undefined }, "records")
        assert.deepStrictEqual(foreign.problems, [])
      }
    }).pipe(Effect.provide(layer))
  )
})
