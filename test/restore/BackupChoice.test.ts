import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import * as BackupRef from "../../src/resource/BackupRef.ts"
import * as BackupChoice from "../../src/restore/BackupChoice.ts"
import * as Restore from "../../src/restore/Restore.ts"
import * as SpecRequest from "../../src/restore/SpecRequest.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import * as Backup from "../backup/world.ts"
import { origin, restorable } from "./restorable.ts"
import { inTime, layer, options, systems, worlds } from "./world.ts"

const backUp = (slot: string, name = "nightly") =>
  Effect.map(
    Backup.attempt(Backup.aRequest(slot, { identity: { owner: { uid: "uid-1", namespace: "kafka", name }, slot } })),
    ({ facts }) => facts.backupId
  )

const chosen = (resource: BackupRef.Restorable) =>
  Effect.flatMap(systems, (opened) => BackupChoice.resolve(opened, resource)).pipe(Effect.scoped)

const set = (backupId: string, startedMillis: number) => ({ backupId, facts: { startedMillis } })

describe("BackupChoice.choose", () => {
  const sets = [set("c", 300), set("a", 100), set("b", 200)] as never as Parameters<typeof BackupChoice.choose>[0]

  it.each([
    ["takes the newest without a time", undefined, "c"],
    ["takes the one that was started exactly at the time", 200, "b"],
    ["takes the oldest that was started later", 101, "b"],
    ["takes the oldest of all for a time before all of them", 0, "a"],
    ["takes none when all were started earlier", 301, undefined]
  ] as const)("%s", (_, atMillis, backupId) => {
    assert.strictEqual<string | undefined>(BackupChoice.choose(sets, atMillis)?.backupId, backupId)
  })

  it("takes none of none", () => {
    assert.isUndefined(BackupChoice.choose([], undefined))
  })
})

describe("a restore with backupRef", () => {
  it.effect("takes the newest backup of its KafkaBackup, and of no other resource", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      yield* backUp("2026-11-23T12:00:00Z")
      const newest = yield* backUp("2026-11-23T13:00:00Z")
      yield* Backup.attempt(
        Backup.aRequest("2026-11-23T14:00:00Z", {
          identity: { owner: { uid: "uid-2", namespace: "kafka", name: "nightly" }, slot: "2026-11-23T14:00:00Z" }
        })
      )
      const found = yield* chosen(restorable())
      assert.strictEqual(found?.backupId, newest)
      assert.strictEqual(found?.why, "it is the newest of 2 complete backups of KafkaBackup nightly")
    }).pipe(Effect.provide(layer))
  )

  it.effect("goes on with the backup that it began with, however many there are by then", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      for (let at = 0; at < 30; at++) yield* source.produce("orders", 0, [{ key: `${at}`, value: "x".repeat(300) }])
      const first = yield* backUp("2026-11-23T12:00:00Z")
      const opened = yield* systems
      const attempt = Effect.gen(function* () {
        const request = SpecRequest.request(restorable(), yield* BackupChoice.resolve(opened, restorable()))
        const prepared = yield* Restore.prepare(opened, request)
        return yield* Restore.run(opened, request, prepared, { ...options, patienceMillis: 1000 })
      })
      yield* target.inject({ _tag: "ConnectionLost" }, { operation: "produce", after: 3, times: 100_000 })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(inTime(attempt))))
      yield* target.clearFaults
      yield* source.produce("orders", 0, [{ key: "later", value: "y" }])
      const second = yield* backUp("2026-11-23T13:00:00Z")
      assert.notStrictEqual(first, second)
      const done = yield* inTime(attempt)
      assert.strictEqual(done.resolved.backupId, first)
      assert.strictEqual(done.resolved.why, "it was chosen when this restore began to write")
      assert.lengthOf(yield* target.committed("orders", 0), 30)
      // Another question is answered anew.
      const other = yield* chosen(restorable({ pitr: { timestamp: "1970-01-01T00:00:00Z" } }))
      assert.match(other?.why ?? "", /^it is the oldest that was started at 1970-01-01T00:00:00Z or later, of 2/)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("says what is there when no backup is, and when none reaches the time", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      const none = yield* Effect.flip(chosen(restorable()))
      assert.match(none.message, /KafkaBackup nightly has no complete backup in /)
      yield* backUp("2026-11-23T12:00:00Z")
      const late = yield* Effect.flip(chosen(restorable({ pitr: { timestamp: "2099-01-01T00:00:00Z" } })))
      assert.match(
        late.message,
        /until 2099-01-01T00:00:00Z, and the newest backup of KafkaBackup nightly, nightly-20261123-120000, was started/
      )
      // Asked for by name, the newest is taken, and the plan refuses it.
      const latest = yield* chosen(
        restorable({ backupRef: { name: "nightly", select: "Latest" }, pitr: { timestamp: "2099-01-01T00:00:00Z" } })
      )
      assert.strictEqual(latest?.backupId, "nightly-20261123-120000")
    }).pipe(Effect.provide(layer))
  )

  it.effect("leaves out a backup whose facts are damaged, and names it", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      const { memory } = yield* Backup.world
      yield* source.createTopic("orders")
      const first = yield* backUp("2026-11-23T12:00:00Z")
      const second = yield* backUp("2026-11-23T13:00:00Z")
      yield* memory.tamper(ObjectKey.make(`${second}/kb-meta.json`), () => Buffer.from("{}"))
      const found = yield* chosen(restorable())
      assert.strictEqual(found?.backupId, first)
      assert.include(found?.why, `not readable, and left out: ${second}`)
    }).pipe(Effect.provide(layer))
  )

  for (const [what, change] of [
    ["cut off", (bytes: Uint8Array) => bytes.subarray(0, bytes.byteLength - 30)],
    [
      "altered",
      (bytes: Uint8Array) =>
        Buffer.from(
          Buffer.from(bytes)
            .toString("utf8")
            .replace(/"created_at":\d/, '"created_at":9')
        )
    ]
  ] as const) {
    it.effect(`passes over a backup whose manifest is ${what}, and is refused only where all are`, () =>
      Effect.gen(function* () {
        const { source } = yield* worlds
        const { memory } = yield* Backup.world
        yield* source.createTopic("orders")
        const first = yield* backUp("2026-11-23T12:00:00Z")
        const second = yield* backUp("2026-11-23T13:00:00Z")
        yield* memory.tamper(ObjectKey.make(`${second}/manifest.json`), change)
        const found = yield* chosen(restorable())
        assert.strictEqual(found?.backupId, first)
        assert.include(found?.why, `passed over, because their manifest, or another document, is damaged: ${second}`)
        yield* Restore.prepare(yield* systems, SpecRequest.request(restorable(), found))
        yield* memory.tamper(ObjectKey.make(`${first}/manifest.json`), change)
        const last = yield* chosen(restorable())
        assert.strictEqual(last?.backupId, second)
        const refused = yield* Effect.exit(Restore.prepare(yield* systems, SpecRequest.request(restorable(), last)))
        assert.isTrue(Exit.isFailure(refused))
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  }

  it.effect("passes over backups that are known to be damaged in what is restored, and says so", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      const { store } = yield* Backup.world
      for (const topic of ["mails", "orders"]) {
        yield* source.createTopic(topic, { partitions: 2 })
        for (const partition of [0, 1]) yield* source.produce(topic, partition, [{ value: "x" }])
      }
      const ids = []
      for (const hour of [12, 13, 14]) ids.push(yield* backUp(`2026-11-23T${hour}:00:00Z`))
      const [first, second, third] = ids
      const mark = (backupId: string | undefined, topic: string, partition: number) =>
        Effect.gen(function* () {
          const { manifest } = yield* Catalogue.open(store, backupId!)
          const { key } = manifest.topics.find(({ name }) => name === topic)!.partitions[partition]!.segments[0]!
          const place = { key, topic, partition, firstOffset: 0, lastOffset: 0, detail: "SHA-256 differs" }
          const found = [{ ...place, sinceMillis: 0 }]
          return yield* DamageMarking.mark(store, origin, { found, right: new Set<string>() })
        })
      yield* mark(third, "orders", 1)
      const found = yield* chosen(restorable())
      assert.strictEqual(found?.backupId, second)
      assert.strictEqual(
        found?.why,
        `it is the newest of 3 complete backups of KafkaBackup nightly; passed over, because what is restored is damaged in them: ${third}`
      )
      assert.strictEqual((yield* chosen(restorable({ excludeTopics: ["orders"] })))?.backupId, third)
      const part = { topics: ["orders"], sourcePartitions: { orders: [0] } }
      assert.strictEqual((yield* chosen(restorable(part)))?.backupId, third)
      const recreate = { ...part, existingTopics: "Recreate", confirmRecreate: ["orders"] }
      assert.strictEqual((yield* chosen(restorable(recreate)))?.backupId, second, "the topic goes with all partitions")
      const early = { pitr: { timestamp: "1970-01-01T00:00:00Z" } }
      assert.strictEqual((yield* chosen(restorable(early)))?.backupId, first)
      yield* mark(first, "mails", 0)
      assert.strictEqual((yield* chosen(restorable(early)))?.backupId, second)
      // Where all are damaged, the restore is refused before it writes, with what is damaged.
      yield* mark(second, "orders", 1)
      const last = yield* chosen(restorable())
      assert.strictEqual(last?.backupId, third)
      const refused = yield* Effect.flip(Restore.prepare(yield* systems, SpecRequest.request(restorable(), last)))
      assert.match(
        refused.message,
        /is damaged: \S+ was found damaged at 1970-01-01T00:00:00.*Z: SHA-256 differs \(if it was repaired since/
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("passes over a backup of which retention noticed that objects are missing", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      const { memory, store } = yield* Backup.world
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, [{ value: "x" }])
      const first = yield* backUp("2026-11-23T12:00:00Z")
      const second = yield* backUp("2026-11-23T13:00:00Z")
      const key = (yield* memory.keys).find((one) => one.startsWith(`${second}/topics/`))!
      const content = yield* store.get(key)
      yield* store.delete(key)
      yield* RetentionPass.run(store, origin, { keep: 1 })
      assert.strictEqual((yield* chosen(restorable()))?.backupId, first)
      yield* store.put(key, [content])
      assert.strictEqual((yield* chosen(restorable()))?.backupId, second, "it was put back since")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("looks at the objects of the others, too, once retention has noticed that some are missing", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      const { memory, store } = yield* Backup.world
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, [{ value: "x" }])
      const first = yield* backUp("2026-11-23T12:00:00Z")
      const second = yield* backUp("2026-11-23T13:00:00Z")
      const third = yield* backUp("2026-11-23T14:00:00Z")
      const lose = Effect.fnUntraced(function* (backupId: string) {
        yield* store.delete((yield* memory.keys).find((one) => one.startsWith(`${backupId}/topics/`))!)
      })
      yield* lose(second)
      yield* RetentionPass.run(store, origin, { keep: 3, checkedPercent: 100 }, "run")
      assert.strictEqual((yield* chosen(restorable()))?.backupId, third)
      yield* lose(third)
      assert.strictEqual((yield* chosen(restorable()))?.backupId, first)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
