import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as WholeRemoval from "../../src/backup/WholeRemoval.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Claims from "../../src/manifest/Claims.ts"
import * as OwnerLock from "../../src/manifest/OwnerLock.ts"
import * as Pins from "../../src/manifest/Pins.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import { aRequest, attempt, dyingAt, fill, layer, world } from "./world.ts"

const slot = (hour: number) => `2026-11-23T${String(hour).padStart(2, "0")}:00:00Z`
const identity = aRequest(slot(0)).identity
const owner = identity.owner
const payments = { topics: ["payments"] }

/** Two complete sets of the owner, one unfinished, one of somebody else, and foreign files. */
const stored = Effect.gen(function* () {
  const { cluster, store } = yield* world
  yield* fill(cluster)
  for (const hour of [1, 2]) yield* attempt(aRequest(slot(hour), payments))
  yield* Effect.exit(attempt(aRequest(slot(3)), { store: dyingAt(store, 12, "after").store }))
  yield* attempt(
    aRequest(slot(4), { ...payments, identity: { owner: { uid: "uid-2", name: "nightly" }, slot: slot(4) } })
  )
  yield* store.put(ObjectKey.make("nightly-20261123-050000/manifest.json"), [
    Buffer.from(`{"backup_id":"nightly-20261123-050000","created_at":1,"topics":[]}`)
  ])
  yield* store.put(ObjectKey.make("notes.txt"), [Buffer.from("mine")])
})

const isOwn = (key: string) =>
  /^nightly-20261123-0[123]0000\//.test(key) ||
  key.startsWith("_kafka-backup/runs/uid-1/") ||
  key.startsWith("_kafka-backup/index/uid-1/")

describe("WholeRemoval", () => {
  it.live("removes every set of the owner, unfinished ones and the records of its runs, and nothing else", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* stored
      // What a paused attempt wrote after its backup was removed by hand.
      const gone = "nightly-20261123-010000/"
      const segment = ObjectKey.make((yield* memory.keys).find((key) => key.startsWith(`${gone}topics/`))!)
      const bytes = yield* store.get(segment)
      yield* store.list(gone).pipe(Stream.runForEach(({ key }) => store.delete(key)))
      yield* store.put(segment, [bytes])
      const before = yield* memory.keys
      assert.isTrue(before.some((key) => key.startsWith("_kafka-backup/runs/uid-1/")))
      const said = yield* WholeRemoval.preview(store, owner)
      assert.deepStrictEqual(yield* memory.keys, before)
      const done = yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(done, said)
      assert.deepStrictEqual(
        done.removed,
        [3, 2].map((hour) => BackupId.make(`nightly-20261123-0${hour}0000`))
      )
      assert.deepStrictEqual(done.catalogue, { total: 0, sets: [] })
      assert.deepStrictEqual(
        yield* memory.keys,
        before.filter((key) => !isOwn(key))
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("finishes a removal that was interrupted at any call", () =>
    Effect.gen(function* () {
      for (let n = 1; ; n++) {
        const finished = yield* Effect.gen(function* () {
          const { memory, store } = yield* world
          yield* stored
          const exit = yield* Effect.exit(WholeRemoval.run(dyingAt(store, n, "after").store, owner))
          yield* WholeRemoval.run(store, owner)
          assert.deepStrictEqual((yield* memory.keys).filter(isOwn), [], `call ${n}`)
          return exit._tag === "Success"
        }).pipe(Effect.provide(layer))
        if (finished) break
      }
    })
  )

  it.live("keeps the records of an owner without uid: its name may return, its old runs must not", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const named = { owner: { name: "nightly" }, slot: slot(1) }
      yield* attempt(aRequest(slot(1), { ...payments, identity: named }))
      yield* WholeRemoval.run(store, named.owner)
      const left = yield* memory.keys
      assert.lengthOf(left, 1)
      assert.match(left[0]!, /^_kafka-backup\/runs\/_nightly\//)
      const again = yield* Effect.flip(attempt(aRequest(slot(1), { ...payments, identity: named })))
      assert.match(again.message, /was removed since/)
    }).pipe(Effect.provide(layer))
  )

  it.live("removes a damaged set of the owner, and nothing while one may be anybody's", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* stored
      const damage = (hour: number) =>
        memory.tamper(ObjectKey.make(`nightly-20261123-0${hour}0000/manifest.json`), (bytes) => bytes.subarray(0, 50))
      yield* damage(2)
      yield* damage(4)
      // Neither its claim nor its facts say whose it is.
      for (const name of ["claim", "kb-meta"]) {
        yield* memory.tamper(ObjectKey.make(`nightly-20261123-040000/${name}.json`), (bytes) => bytes.subarray(0, 50))
      }
      const before = yield* memory.keys
      const refused = yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(refused.removed, [])
      assert.match(refused.blocked.join(), /nightly-20261123-040000 may need objects of other backups/)
      assert.notInclude(refused.blocked.join(), "020000")
      assert.deepStrictEqual(yield* memory.keys, before)
      yield* memory.tamper(ObjectKey.make("nightly-20261123-040000/manifest.json"), () => undefined)
      assert.lengthOf((yield* WholeRemoval.run(store, owner)).removed, 3)
      assert.deepStrictEqual(
        (yield* Catalogue.entries(store)).map(({ _tag, backupId }) => [backupId.slice(-6), _tag]),
        [
          ["040000", "Incomplete"],
          ["050000", "Complete"]
        ]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("removes abandoned runs of an earlier resource, but none that may be a backup without its manifest", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const resource = { ...owner, adopting: { sourceClusterId: undefined, createdMillis: undefined } }
      const whole = OwnerLock.holding(store, owner, "test", WholeRemoval.run(store, resource))
      yield* TestClock.setTime(Date.parse("2026-11-23T06:00:00Z"))
      for (const hour of [1, 2, 3]) {
        yield* Claims.take(store, { owner: { ...owner, uid: "uid-0" }, slot: slot(hour) })
      }
      const mayBeWhole = ObjectKey.make("nightly-20261123-020000/kb-meta.json")
      yield* store.put(mayBeWhole, [Buffer.from("{}")])
      yield* Pins.create(store, BackupId.make("nightly-20261123-030000"), { reason: undefined, who: "test" })
      const before = yield* memory.keys
      yield* TestClock.adjust("6 days")
      assert.deepStrictEqual((yield* whole).notes, [])
      assert.deepStrictEqual(yield* memory.keys, before)
      yield* TestClock.adjust("2 days")
      const { notes } = yield* whole
      assert.match(notes.join("\n"), /nightly-20261123-020000 has no manifest .* put manifest.json back/u)
      assert.match(notes.join("\n"), /nightly-20261123-030000 .* stays: it is pinned/u)
      assert.match(notes.join("\n"), /removes the unfinished run nightly-20261123-010000 of kafka\/nightly: nothing/u)
      const isGone = (key: string) => key.startsWith("nightly-20261123-010000/")
      const [records, others] = [true, false].map((is) => before.filter((key) => key.includes("/runs/") === is))
      const left = yield* memory.keys
      assert.deepStrictEqual(
        left.filter((key) => !key.includes("/runs/")),
        others!.filter((key) => !isGone(key))
      )
      assert.lengthOf(
        left.filter((key) => key.includes("/runs/")),
        records!.length - 1
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("says that records of runs stay where the resource has no uid, why, and how to remove them", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const anonymous = { namespace: "kafka", name: "nightly" }
      const identified = { owner: anonymous, slot: slot(1) }
      const request = aRequest(slot(1), { ...payments, identity: identified })
      yield* attempt(request)
      const said = yield* WholeRemoval.preview(store, anonymous)
      const { notes, removed } = yield* WholeRemoval.run(store, anonymous)
      assert.deepStrictEqual([notes, removed.length], [said.notes, 1])
      const [record, ...others] = (yield* memory.keys).filter((key) => key.includes("/runs/"))
      assert.match(record!, /^_kafka-backup\/runs\/kafka_nightly\//u)
      assert.deepStrictEqual(others, [])
      assert.lengthOf(notes, 1)
      assert.match(
        notes[0]!,
        /^1 small record of a run stays in _kafka-backup\/runs\/kafka_nightly\/, .*RunAlreadyTaken.*delete that folder/u
      )
      const again = yield* Effect.flip(attempt(request))
      assert.strictEqual(again.reason._tag, "RunAlreadyTaken")
      yield* store.delete(ObjectKey.make(record!))
      yield* attempt(request)
    }).pipe(Effect.provide(layer))
  )

  it.live("ignores a damaged claim", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* stored
      yield* memory.tamper(ObjectKey.make("nightly-20261123-030000/claim.json"), (bytes) => bytes.subarray(0, 50))
      const { removed } = yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(removed.join(), "nightly-20261123-010000,nightly-20261123-020000")
    }).pipe(Effect.provide(layer))
  )

  it.live("does not wait for an unreadable folder of another name, which needs nothing of this resource", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* stored
      for (const name of ["manifest", "claim"]) {
        yield* store.put(ObjectKey.make(`photos-20261123-010000/${name}.json`), [Buffer.from("mine")])
      }
      const { blocked, removed } = yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(blocked, [])
      assert.lengthOf(removed, 3)
      assert.deepStrictEqual((yield* store.get(ObjectKey.make("photos-20261123-010000/claim.json"))).length, 4)
    }).pipe(Effect.provide(layer))
  )
})
