import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Seal from "../../src/manifest/Seal.ts"
import * as SealedJson from "../../src/manifest/SealedJson.ts"
import { SetFacts } from "../../src/manifest/SetFacts.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as RunReporting from "../../src/backup/RunReporting.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import { aRequest, attempt, layer, world } from "../backup/world.ts"

/** One bit of each byte takes seconds; `npm run soak` flips them all. */
const everyBit = process.env["KBO_BITS"] === "all"
const drawn = Number(process.env["KBO_BITS"] ?? Math.floor(Math.random() * 8))

const backupId = "nightly-20261123-120000"
const request = aRequest("2026-11-23T12:00:00Z")

/** A small backup with everything that one can have: two topics, configurations, groups, a report. */
const small = Effect.gen(function* () {
  const { cluster, memory, store } = yield* world
  yield* cluster.createTopic("orders", { partitions: 2, configs: { "cleanup.policy": "compact" } })
  yield* cluster.createTopic("constructor", { partitions: 1 })
  yield* cluster.produce("orders", 0, [{ key: "a", value: "1" }])
  yield* cluster.produce("constructor", 0, [{ value: "2" }])
  yield* cluster.commitGroupOffsets("readers", [
    { topic: "orders", partition: 0, offset: 1 },
    { topic: "constructor", partition: 0, offset: 1 }
  ])
  const progress = RunProgress.make()
  const success = yield* attempt(request, { progress })
  const context = { startedMillis: 0, progress, parts: new Map(), backup: undefined, identity: request.identity, store }
  yield* RunReporting.keep(RunReporting.ofSuccess(context, 0, success), store)
  return { memory, store, keys: (yield* memory.keys).filter((key) => key.startsWith(`${backupId}/`)) }
})

/** What `verify --deep` says: whole, damaged, or that the backup cannot be opened at all. */
const verdict = (store: ObjectStoreShape) =>
  Catalogue.open(store, backupId).pipe(
    Effect.flatMap((set) => Verification.verify(store, set, "records")),
    Effect.map((found) => (found.isForeign ? "foreign" : Verification.isWhole(found) ? "whole" : "damaged")),
    Effect.exit,
    Effect.map((exit) => (Exit.isSuccess(exit) ? exit.value : "unreadable"))
  )

const json = (bytes: Uint8Array): any => JSON.parse(Buffer.from(bytes).toString("utf8"))
const bytesOf = (value: unknown) => Buffer.from(`${JSON.stringify(value)}\n`)
/** As manifests were written before they were compact. */
const indented = (value: unknown) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`)

describe("the seal of a backup", () => {
  it.live("leaves a backup as it was committed whole, and holds topics of any name", () =>
    Effect.gen(function* () {
      const { keys, store } = yield* small
      assert.strictEqual(yield* verdict(store), "whole")
      assert.isAbove(keys.length, 7, keys.join())
      const groups = json(yield* store.get(ObjectKey.make(`${backupId}/consumer-groups-snapshot.json`)))
      assert.deepStrictEqual(groups.groups[0].offsets, { orders: { "0": 1 }, constructor: { "0": 1 } })
    }).pipe(Effect.provide(layer))
  )

  it.live("breaks where a name in the manifest is altered so that no store takes it", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* small
      const manifest = ObjectKey.make(`${backupId}/manifest.json`)
      const good = Buffer.from(yield* store.get(manifest)).toString("utf8")
      for (const name of ["plan.json", "topics/orders/partition=0/"]) {
        // One bit more, and an "o" is the control character DEL.
        const altered = good.replace(name, name.replace("o", "\u007f"))
        assert.notStrictEqual(altered, good)
        yield* memory.tamper(manifest, () => Buffer.from(altered))
        assert.strictEqual(yield* verdict(store), "damaged", name)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live(
    `breaks at every byte of every file, whichever bit flips (${everyBit ? "all bits" : `bit ${drawn}`})`,
    () =>
      Effect.gen(function* () {
        const { keys, memory, store } = yield* small
        let flips = 0
        for (const key of keys) {
          const good = Buffer.from(yield* store.get(ObjectKey.make(key)))
          for (let at = 0; at < good.length; at++) {
            for (const bit of everyBit ? [0, 1, 2, 3, 4, 5, 6, 7] : [(at + drawn) % 8]) {
              const flipped = Buffer.from(good)
              flipped[at]! ^= 1 << bit
              yield* memory.tamper(ObjectKey.make(key), () => flipped)
              const said = yield* verdict(store)
              if (said === "whole" || said === "foreign") assert.fail(`${key}: byte ${at}, bit ${bit}: ${said}`)
              flips++
            }
          }
          yield* memory.tamper(ObjectKey.make(key), () => good)
        }
        assert.isAbove(flips, 5_000)
        assert.strictEqual(yield* verdict(store), "whole")
      }).pipe(Effect.provide(layer)),
    600_000
  )

  it.live("breaks when a file is taken away, added, or exchanged for another backup's", () =>
    Effect.gen(function* () {
      const { keys, memory, store } = yield* small
      yield* attempt(aRequest("2026-11-23T13:00:00Z"))
      for (const name of keys) {
        const key = ObjectKey.make(name)
        const good = yield* store.get(key)
        // The report may be missing: it is written after the backup is complete.
        if (!name.endsWith("/report.json")) {
          yield* store.delete(key)
          assert.include(["damaged", "unreadable"], yield* verdict(store), `without ${name}`)
        }
        const other = ObjectKey.make(name.replace("-120000/", "-130000/"))
        const exchanged = yield* Effect.option(store.get(other))
        if (exchanged._tag === "Some" && !name.includes("/topics/")) {
          yield* memory.tamper(key, () => exchanged.value)
          yield* store.put(key, [exchanged.value])
          assert.include(["damaged", "unreadable"], yield* verdict(store), `exchanged ${name}`)
        }
        yield* store.put(key, [good])
      }
      const stranger = ObjectKey.make(`${backupId}/topics/orders/note.txt`)
      yield* store.put(stranger, [Buffer.from("hello")])
      assert.strictEqual(yield* verdict(store), "damaged")
      yield* store.delete(stranger)
      // What a killed attempt leaves does no harm.
      yield* store.put(
        ObjectKey.make(`${backupId}/topics/orders/partition=0/segment-00000000000000000000-000007.bin`),
        []
      )
      assert.strictEqual(yield* verdict(store), "whole")
    }).pipe(Effect.provide(layer))
  )

  it.live("breaks when a manifest is edited, however well", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* small
      const key = ObjectKey.make(`${backupId}/manifest.json`)
      const good = yield* store.get(key)
      const edits: ReadonlyArray<readonly [string, (manifest: any) => void]> = [
        ["a topic added", (m) => m.topics.push({ name: "more", original_partition_count: 1, partitions: [] })],
        ["a topic removed", (m) => m.topics.pop()],
        [
          "a configuration",
          (m) => (m.topics.find((t: any) => t.configurations).configurations["cleanup.policy"] = "delete")
        ],
        ["a partition count", (m) => (m.topics[0].original_partition_count += 1)],
        ["a timestamp", (m) => (m.topics[0].partitions[0].segments[0].start_timestamp -= 1)],
        ["its documents forgotten", (m) => delete m.kb_documents],
        ["a field added", (m) => (m.remark = "hello")]
      ]
      for (const [name, edit] of edits) {
        const manifest = json(good)
        edit(manifest)
        yield* memory.tamper(key, () => bytesOf(manifest))
        assert.strictEqual(yield* verdict(store), "damaged", name)
      }
      for (const form of [Buffer.from(JSON.stringify(json(good))), indented(json(good))]) {
        yield* memory.tamper(key, () => form)
        assert.strictEqual(yield* verdict(store), "damaged", "the same content in another form")
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("holds for a manifest that was written with indentation, and breaks when its form is changed", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* small
      const [manifest, facts] = ["manifest.json", "kb-meta.json"].map((name) => ObjectKey.make(`${backupId}/${name}`))
      const { kb_documents: documents, ...rest } = json(yield* store.get(manifest!))
      const before = json(yield* store.get(facts!)).content as SetFacts
      const sealed = SealedJson.seal(SetFacts, { ...before, manifestSha256: Seal.sha256(indented(rest)) })
      const older = { ...rest, kb_documents: { ...documents, "kb-meta.json": Seal.sha256(sealed) } }
      yield* memory.tamper(facts!, () => Buffer.from(sealed))
      yield* memory.tamper(manifest!, () => indented(older))
      assert.strictEqual(yield* verdict(store), "whole")
      yield* memory.tamper(manifest!, () => bytesOf(older))
      assert.strictEqual(yield* verdict(store), "damaged")
    }).pipe(Effect.provide(layer))
  )

  it.live("is asked of no backup that another tool, or version 0.1, made", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* small
      const manifest = ObjectKey.make(`${backupId}/manifest.json`)
      const { kb_documents: _, ...old } = json(yield* store.get(manifest))
      yield* memory.tamper(manifest, () => bytesOf(old))
      const facts = ObjectKey.make(`${backupId}/kb-meta.json`)
      const { attempt: _attempt, manifestSha256: _sha, ...before } = json(yield* store.get(facts)).content as SetFacts
      yield* memory.tamper(facts, () => Buffer.from(SealedJson.seal(SetFacts, before)))
      assert.strictEqual(yield* verdict(store), "whole")
      for (const name of ["kb-meta.json", "claim.json"]) yield* store.delete(ObjectKey.make(`${backupId}/${name}`))
      assert.strictEqual(yield* verdict(store), "foreign")
    }).pipe(Effect.provide(layer))
  )
})
