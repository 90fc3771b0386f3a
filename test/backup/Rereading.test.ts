import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Stream } from "effect"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as WholeRemoval from "../../src/backup/WholeRemoval.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Damage from "../../src/manifest/Damage.ts"
import * as Ledger from "../../src/manifest/Ledger.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import { ownerKey } from "../../src/identity/RunIdentity.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { ObjectStoreError, StorageAuthorizationFailed, StoreUnavailable } from "../../src/storage/ObjectStoreError.ts"
import { flip, idOf, keysOf, ofTheFuture, owner, slot } from "./stories.ts"
import { aRequest, assertHoldsAll, attempt, dyingAt, fill, layer, world } from "./world.ts"

const run = (hour: number, percentPerRun: number, changes: Parameters<typeof aRequest>[1] = {}) =>
  aRequest(slot(hour), { percentPerRun, ...changes })

const more = (cluster: InMemoryCluster, n: number) =>
  cluster.produce("orders", n % 3, [
    { key: `more-${n}`, value: `value ${n} `.repeat(200), timestamp: 1_700_000_100_000 }
  ])

const ledgerKeys = (store: ObjectStoreShape) =>
  store.list(BackupKeys.verifiedFolder(ownerKey(owner))).pipe(
    Stream.map(({ key }) => key),
    Stream.runCollect
  )

/** Every object that a kept set names, once. */
const allNamed = Effect.fnUntraced(function* (store: ObjectStoreShape) {
  const entries = yield* Catalogue.entries(store)
  const keys = new Set<string>()
  for (const { _tag, backupId } of entries) {
    if (_tag === "Complete") for (const key of yield* keysOf(store, backupId)) keys.add(key)
  }
  return keys
})

describe("A run that reads stored backups again", () => {
  it.live("reads every object of every kept backup within ceil(100 / share) runs", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      for (let hour = 1; hour <= 3; hour++) {
        yield* more(cluster, hour)
        yield* attempt(run(hour, 0))
      }
      assert.deepStrictEqual(yield* ledgerKeys(store), [])
      const waiting = yield* allNamed(store)
      const reads = new Set<string>()
      const watching: ObjectStoreShape = {
        ...store,
        read: (key) => Stream.suspend(() => (reads.add(key), store.read(key)))
      }
      const summaries = []
      for (let hour = 4; hour < 8; hour++) {
        const { verification, verificationNotes } = yield* attempt(run(hour, 25), { store: watching })
        const isFirst = hour === 4
        assert.match(verificationNotes.join(), isFirst ? /^the record .* begins with this run: there was none$/ : /^$/)
        summaries.push(verification!)
      }
      assert.deepStrictEqual(
        [...waiting].filter((key) => !reads.has(key)),
        []
      )
      const [first, last] = [summaries[0]!, summaries.at(-1)!]
      assert.isAtLeast(first.bytes, first.totalBytes / 4)
      assert.isBelow(first.bytes, first.totalBytes / 2)
      assert.strictEqual(first.remainingRuns, 3)
      assert.isAbove(last.totalBytes, first.totalBytes)
      assert.isAbove(last.oldestMillis!, 0)
      const { entries, number } = yield* Ledger.read(store, owner)
      assert.strictEqual(entries.count, (yield* allNamed(store)).size)
      assert.strictEqual(number, 4)
      assert.strictEqual((yield* ledgerKeys(store)).length, 1)
      yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(yield* memory.keys, [])
    }).pipe(Effect.provide(layer))
  )

  it.live("finds a flipped byte that only an older backup names, and retention does not count that backup", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(run(1, 25))
      yield* attempt(run(2, 25))
      yield* flip(store, (yield* keysOf(store, idOf(1)))[3]!)
      let found = 0
      for (let hour = 3; hour <= 6; hour++) {
        const { retention } = yield* attempt(run(hour, 25, { retainedBackups: 10 }))
        if (retention.damaged!.sets > 0) {
          assert.strictEqual(retention.damaged!.sets, 1)
          assert.include(retention.damaged!.text, `${idOf(1)}: orders[`)
          assert.isTrue(retention.notes.some((note) => note.startsWith(`${idOf(1)} is damaged and does not count`)))
          found ||= hour
        }
      }
      assert.isAbove(found, 0)
      assert.strictEqual((yield* Damage.read(store, idOf(1))).length, 1)
      assert.deepStrictEqual(yield* Damage.read(store, idOf(2)), [])
    }).pipe(Effect.provide(layer))
  )

  it.live("marks every backup that names a damaged object, at once, and takes it back when it is right again", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const incremental = { incremental: {} }
      yield* attempt(run(1, 100, incremental))
      yield* more(cluster, 1)
      yield* attempt(run(2, 100, incremental))
      const [key] = yield* keysOf(store, idOf(1))
      const right = yield* store.get(key!)
      yield* flip(store, key!)
      yield* more(cluster, 2)
      const third = yield* attempt(run(3, 100, { ...incremental, retainedBackups: 1 }))
      assert.deepStrictEqual(third.retention.removed, [])
      for (const hour of [1, 2, 3]) {
        const [damaged, ...others] = yield* Damage.read(store, idOf(hour))
        assert.deepStrictEqual([damaged?.key, others], [key as string, []], `${hour}`)
      }
      assert.strictEqual(third.retention.damaged?.sets, 3)
      yield* store.put(key!, [right])
      const fourth = yield* attempt(run(4, 100, incremental))
      assert.strictEqual(fourth.retention.damaged!.sets, 0)
      for (const hour of [1, 2, 3, 4]) assert.deepStrictEqual(yield* Damage.read(store, idOf(hour)), [], `${hour}`)
    }).pipe(Effect.provide(layer))
  )

  it.live("finds an object that is missing, and one that another program replaced by a format of the future", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(run(1, 100))
      const [missing, replaced] = yield* keysOf(store, idOf(1))
      yield* store.delete(missing!)
      yield* store.put(replaced!, [ofTheFuture(yield* store.get(replaced!))])
      const { verification } = yield* attempt(run(2, 100))
      assert.deepStrictEqual(
        (yield* Damage.read(store, idOf(1))).map(({ key }) => key).toSorted(),
        [missing!, replaced!].map(String).toSorted()
      )
      assert.strictEqual(verification!.isCutShort, undefined)
    }).pipe(Effect.provide(layer))
  )

  it.live("takes an object that is gone together with its backup for no damage", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(run(1, 100))
      yield* attempt(run(2, 100))
      const old = idOf(1)
      let isGone = false
      const removing: ObjectStoreShape = {
        ...store,
        read: (key) =>
          isGone || !key.startsWith(`${old}/topics/`)
            ? store.read(key)
            : Stream.unwrap(
                Effect.gen(function* () {
                  isGone = true
                  yield* Effect.orDie(RetentionPass.run(store, owner, { keep: 1, own: idOf(3) }))
                  return store.read(key)
                })
              )
      }
      const { retention, verification, verificationNotes } = yield* attempt(run(3, 100), { store: removing })
      assert.isTrue(isGone)
      assert.deepStrictEqual([retention.damaged!.sets, retention.notes, verificationNotes], [0, [], []])
      assert.isAbove(verification!.objects, 0)
      const next = yield* attempt(run(4, 100))
      assert.strictEqual(next.retention.damaged!.sets, 0)
      assert.strictEqual((yield* Ledger.read(store, owner)).entries.count, (yield* allNamed(store)).size)
    }).pipe(Effect.provide(layer))
  )

  it.live.each([
    ["lost", (store: ObjectStoreShape, key: ObjectKey) => store.delete(key)],
    ["damaged", (store: ObjectStoreShape, key: ObjectKey) => flip(store, key)]
  ] as const)("begins its record anew where it was %s", ([what, break_]) =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (let hour = 1; hour <= 12; hour++) yield* attempt(run(hour, hour === 12 ? 5 : 0))
      for (const key of yield* ledgerKeys(store)) yield* break_(store, key)
      const { verification, verificationNotes } = yield* attempt(run(13, 5))
      assert.strictEqual(
        verificationNotes.some((note) => note.includes("begins anew")),
        what === "damaged"
      )
      // It opens no more than ten manifests beside its own.
      assert.strictEqual(verification!.remainingRuns, undefined)
      assert.isTrue(verificationNotes.some((note) => note.startsWith("2 kept backups are not in the record")))
      const next = yield* attempt(run(14, 5))
      assert.isAbove(next.verification!.remainingRuns!, 0)
      assert.deepStrictEqual(next.verificationNotes, [])
      assert.strictEqual((yield* Ledger.read(store, owner)).entries.count, (yield* allNamed(store)).size)
    }).pipe(Effect.provide(layer))
  )

  it.live("reads once for each backup, and says the same when a repeat finds it complete", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(run(1, 30))
      const { verification } = yield* attempt(run(2, 30))
      const reads = new Set<string>()
      const watching: ObjectStoreShape = {
        ...store,
        read: (key) => Stream.suspend(() => (reads.add(key), store.read(key)))
      }
      const again = yield* attempt(run(2, 30), { store: watching })
      assert.isTrue(again.alreadyComplete)
      assert.deepStrictEqual(again.verification, verification)
      assert.deepStrictEqual(
        [...reads].filter((key) => key.includes("/topics/")),
        []
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("reads nothing more after a stop; the backup is complete, and what was read is remembered", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(run(1, 100))
      const stop = yield* Deferred.make<void>()
      let left = 3
      const stopping: ObjectStoreShape = {
        ...store,
        read: (key) =>
          !key.includes("/topics/")
            ? store.read(key)
            : Stream.unwrap(
                left-- > 0
                  ? Effect.succeed(store.read(key))
                  : Effect.andThen(Deferred.succeed(stop, undefined), Effect.never)
              )
      }
      const { alreadyComplete, verification } = yield* attempt(run(2, 100), { store: stopping, stop })
      assert.deepStrictEqual([alreadyComplete, verification!.isCutShort], [false, true])
      // Two are read at a time, so one that is not read to its end may hold one back that is.
      assert.include([2, 3], verification!.objects)
      const rest = yield* attempt(run(2, 100))
      assert.deepStrictEqual([rest.alreadyComplete, rest.verification!.isCutShort], [true, undefined])
    }).pipe(Effect.provide(layer))
  )

  it.live("is a success with a note when the store fails while it reads", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(run(1, 100))
      const failing: ObjectStoreShape = {
        ...store,
        read: (key) =>
          key.includes("/topics/")
            ? Stream.fail(
                new ObjectStoreError({
                  operation: "read",
                  location: store.location,
                  reason: new StoreUnavailable({ detail: "it is away" })
                })
              )
            : store.read(key)
      }
      const { retention, verification, verificationNotes } = yield* attempt(run(2, 100), { store: failing })
      assert.strictEqual(verification!.isCutShort, true)
      assert.strictEqual(verification!.objects, 0)
      assert.match(verificationNotes[0]!, /^stored backups were not read again as far as they should: .*away/)
      assert.deepStrictEqual([retention.damaged!.sets, retention.kept.length], [0, 2])
    }).pipe(Effect.provide(layer))
  )

  it.live("says when its record began, anew where it is lost, damaged, or listed and gone, and why", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const first = yield* attempt(run(1, 100))
      assert.deepStrictEqual(first.verificationNotes, [])
      let began = first.verification!.beganMillis!
      const second = yield* attempt(run(2, 100))
      assert.deepStrictEqual([second.verification!.beganMillis, second.verificationNotes], [began, []])
      const only = Effect.map(ledgerKeys(store), ([key]) => key!)
      const lost = Effect.flatMap(only, store.delete)
      const altered = Effect.flatMap(only, (key) => flip(store, key))
      const behind: ObjectStoreShape = {
        ...store,
        get: (key) => Effect.flatMap(only, (one) => store.get(key === one ? ObjectKey.make(`${key}.gone`) : key))
      }
      for (const [n, [harm, through, note]] of (
        [
          [lost, store, /^the record of what was read again begins with this run: there was none$/],
          [altered, store, /^the record of what was read again begins anew: its checksum is wrong$/],
          [Effect.void, behind, /begins anew: the storage lists it and does not have it$/]
        ] as const
      ).entries()) {
        yield* harm
        const { verification, verificationNotes } = yield* attempt(run(3 + n, 100), { store: through })
        assert.isAbove(verification!.beganMillis!, began)
        began = verification!.beganMillis!
        assert.lengthOf(verificationNotes, 1)
        assert.match(verificationNotes[0]!, note)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("goes on behind an object that the store refuses, names it, and says that it was not read for long", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(run(0, 0))
      const [bad] = yield* keysOf(store, idOf(0))
      const refusing: ObjectStoreShape = {
        ...store,
        read: (key) =>
          key === bad
            ? Stream.fail(
                new ObjectStoreError({
                  operation: "read",
                  location: store.location,
                  reason: new StorageAuthorizationFailed({ detail: "it is archived", advice: "restore it" })
                })
              )
            : store.read(key)
      }
      let read = 0
      let named = 0
      const oldest: Array<number> = []
      for (let hour = 1; hour <= 5; hour++) {
        const { verification, verificationNotes } = yield* attempt(run(hour, 50), { store: refusing })
        if (hour > 1) read += verification!.objects
        named += verificationNotes.filter((note) => note.startsWith(`${bad} was not read again: `)).length
        oldest.push(verification!.oldestMillis!)
        if (verificationNotes.some((note) => note.startsWith(bad!))) assert.isUndefined(verification!.remainingRuns)
      }
      assert.isAbove(read, 0)
      assert.isAbove(named, 1)
      assert.strictEqual(new Set(oldest).size, 1)
      assert.deepStrictEqual(yield* Damage.read(store, idOf(0)), [])
    }).pipe(Effect.provide(layer))
  )

  it.live("does not blame objects for an altered manifest", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (let hour = 1; hour <= 3; hour++) {
        yield* more(cluster, hour)
        yield* attempt(run(hour, 100, { incremental: {} }))
      }
      const key = BackupKeys.manifest(idOf(3))
      const text = Buffer.from(yield* store.get(key)).toString("utf8")
      const altered = text.replace(/"sha256":"([0-9a-f])/u, (_, digit) => `"sha256":"${digit === "0" ? "1" : "0"}`)
      assert.notStrictEqual(altered, text)
      yield* store.put(key, [Buffer.from(altered)])
      const { verificationNotes } = yield* attempt(run(4, 100))
      assert.isTrue(
        verificationNotes.some((note) => note.startsWith(`objects that no backup but ${idOf(3)} names are`))
      )
      for (const hour of [1, 2]) assert.deepStrictEqual(yield* Damage.read(store, idOf(hour)), [])
    }).pipe(Effect.provide(layer))
  )

  it.live("ends when its time is up, and the next run goes on where it was", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(run(1, 0))
      const slow: ObjectStoreShape = {
        ...store,
        read: (key) => (key.includes("/topics/") ? Stream.fromEffect(Effect.never) : store.read(key))
      }
      const cut = yield* attempt(run(2, 100, { longestRereadMillis: 20 }), { store: slow })
      assert.strictEqual(cut.verification!.isCutShort, true)
      assert.isTrue(cut.verificationNotes.some((note) => note.endsWith("the next run goes on")))
      const { verification } = yield* attempt(run(3, 100))
      assert.strictEqual(verification!.bytes, verification!.totalBytes)
    }).pipe(Effect.provide(layer))
  )

  it.live("leaves everything valid when it is killed at any call to storage after its backup is complete", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 1 })
      for (let n = 0; n < 3; n++) yield* cluster.produce("orders", 0, [{ key: `k-${n}`, value: "v".repeat(3000) }])
      for (const hour of [1, 2]) yield* attempt(run(hour, 100))
      yield* flip(store, (yield* keysOf(store, idOf(1)))[0]!)
      const counted = dyingAt(store, Infinity, "after")
      let atCommit = 0
      const counting: ObjectStoreShape = {
        ...counted.store,
        put: (key, pieces, options) =>
          Effect.tap(counted.store.put(key, pieces, options), () =>
            Effect.sync(() => {
              if (key.endsWith("/manifest.json")) atCommit = counted.calls()
            })
          )
      }
      yield* attempt(run(3, 5), { store: counting })
      const calls = counted.calls()
      assert.isAbove(calls, atCommit + 10)
      for (let n = atCommit + 1; n <= calls; n++) {
        const hour = 4 + ((n - atCommit) % 19)
        const when = n % 2 === 0 ? "before" : "after"
        const request = aRequest(`2026-11-${24 + Math.floor((n - atCommit) / 19)}T${slot(hour).slice(11)}`, {
          percentPerRun: 5,
          retainedBackups: 4
        })
        yield* Effect.exit(attempt(request, { store: dyingAt(store, n, when).store }))
        yield* store.list("_kafka-backup/locks/").pipe(Stream.runForEach(({ key }) => store.delete(key)))
        const exit = yield* Effect.exit(attempt(request))
        assert.isTrue(Exit.isSuccess(exit), `call ${n}`)
        const newest = BackupId.forSlot("nightly", Date.parse(request.identity.slot))
        yield* assertHoldsAll(cluster, store, newest, { orders: 1 })
      }
      const last = yield* attempt(run(1, 100, { identity: { owner, slot: "2026-12-30T00:00:00Z" } }))
      assert.deepStrictEqual(last.verificationNotes, [])
      assert.strictEqual((yield* Ledger.read(store, owner)).entries.count, (yield* allNamed(store)).size)
    }).pipe(Effect.provide(layer))
  )
})
