import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as Attempts from "../../src/manifest/Attempts.ts"
import * as Claims from "../../src/manifest/Claims.ts"
import * as OwnerLock from "../../src/manifest/OwnerLock.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import * as SealedJson from "../../src/manifest/SealedJson.ts"
import { SetFacts } from "../../src/manifest/SetFacts.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, assertHoldsAll, attempt, dyingAt, fill, layer, someTopics, world } from "./world.ts"

const slot = (hour: number) => `2026-11-23T${String(hour).padStart(2, "0")}:00:00Z`
const owner = aRequest(slot(0)).identity.owner
/** Keys of everything but the index, which each pass writes anew. */
const unindexed = (keys: ReadonlyArray<string>) => keys.filter((key) => !key.startsWith("_kafka-backup/index/"))
const states = (store: ObjectStoreShape) =>
  Effect.map(Catalogue.entries(store), (entries) => entries.map((entry) => `${entry.backupId.slice(-6)} ${entry._tag}`))

const fourSets = Effect.gen(function* () {
  const { cluster } = yield* world
  yield* fill(cluster)
  for (const hour of [1, 2, 3, 4]) yield* attempt(aRequest(slot(hour), { topics: ["payments"] }))
})

describe("Retention", () => {
  it.live("keeps the newest successes after each run, whole and readable", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      for (const hour of [1, 2, 3, 4]) yield* attempt(aRequest(slot(hour), { retainedBackups: 2 }))
      assert.deepStrictEqual(yield* states(store), ["030000 Complete", "040000 Complete"])
      yield* assertHoldsAll(cluster, store, "nightly-20261123-030000", someTopics)
      assert.isFalse((yield* memory.keys).some((key) => key.startsWith("nightly-20261123-01")))
    }).pipe(Effect.provide(layer))
  )

  it.live("knows by the store's clock how old a backup is, where the machine's runs fast", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* fourSets
      const day = 86_400_000
      const rules = { keep: undefined, time: { maxAgeMillis: day } }
      const pass = OwnerLock.holding(store, owner, "test", RetentionPass.run(store, owner, rules))
      const fast = (millis: number) =>
        Effect.updateService(Clock.Clock, (clock): Clock.Clock => {
          const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() + millis
          return {
            currentTimeMillisUnsafe,
            currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
            currentTimeNanosUnsafe: () => BigInt(currentTimeMillisUnsafe()) * 1_000_000n,
            currentTimeNanos: Effect.sync(() => BigInt(currentTimeMillisUnsafe()) * 1_000_000n),
            monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
            monotonicTimeNanos: clock.monotonicTimeNanos,
            sleep: (duration) => clock.sleep(duration)
          }
        })
      const right = yield* Clock.currentTimeMillis
      const dated: ObjectStoreShape = {
        ...store,
        list: (prefix) => Stream.map(store.list(prefix), (info) => ({ ...info, modifiedMillis: right }))
      }
      const late = OwnerLock.holding(dated, owner, "test", RetentionPass.run(dated, owner, rules)).pipe(fast(30 * day))
      assert.lengthOf((yield* late).removed, 0)
      assert.lengthOf((yield* pass).removed, 0)
      // And without the store's word the newest is left.
      assert.lengthOf((yield* pass.pipe(fast(30 * day))).kept, 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("touches no set of other owners, no unfinished run and no foreign file", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* fourSets
      const others = { identity: { owner: { uid: "uid-2", name: "nightly" }, slot: slot(0) } }
      yield* attempt(aRequest(slot(0), others))
      yield* Effect.exit(attempt(aRequest(slot(5)), { store: dyingAt(store, 12, "after").store }))
      yield* store.put(ObjectKey.make("nightly-20261123-010000x/manifest.json"), [
        Buffer.from(`{"backup_id":"x","created_at":1,"topics":[]}`)
      ])
      yield* store.put(ObjectKey.make("notes.txt"), [Buffer.from("mine")])
      const before = unindexed(yield* memory.keys)
      yield* RetentionPass.run(store, owner, { keep: 1 })
      const doomed = ["nightly-20261123-010000/", "nightly-20261123-020000/", "nightly-20261123-030000/"]
      assert.deepStrictEqual(
        unindexed(yield* memory.keys),
        before.filter((key) => !doomed.some((folder) => key.startsWith(folder)))
      )
    }).pipe(Effect.provide(layer))
  )

  it.live.each(["run", "everything"] as const)(
    "finishes a removal that was interrupted at any call, and never lists a half-removed set (%s)",
    (thoroughness) =>
      Effect.gen(function* () {
        const { cluster, memory, store } = yield* world
        yield* fourSets
        const content = yield* Effect.forEach(yield* memory.keys, (key) =>
          Effect.map(store.get(ObjectKey.make(key)), (bytes) => [ObjectKey.make(key), bytes] as const)
        )
        const asBefore = Effect.gen(function* () {
          for (const key of yield* memory.keys) yield* store.delete(ObjectKey.make(key))
          for (const [key, bytes] of content) yield* store.put(key, [bytes])
        })
        for (let n = 1; ; n++) {
          yield* asBefore
          const exit = yield* Effect.exit(
            RetentionPass.run(dyingAt(store, n, "after").store, owner, { keep: 2 }, thoroughness)
          )
          for (const entry of yield* Catalogue.entries(store)) {
            if (entry._tag === "Complete") yield* assertHoldsAll(cluster, store, entry.backupId, { payments: 1 })
          }
          yield* RetentionPass.run(store, owner, { keep: 2 }, thoroughness)
          assert.deepStrictEqual(yield* states(store), ["030000 Complete", "040000 Complete"], `call ${n}`)
          if (exit._tag === "Success") break
        }
      }).pipe(Effect.provide(layer))
  )

  it.live("keeps an object of a removed set that a kept set names", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fourSets
      // As an incremental set would: the newest manifest names the first set's segments.
      const first = yield* Catalogue.open(store, "nightly-20261123-010000")
      const key = ObjectKey.make("nightly-20261123-040000/manifest.json")
      const shared = JSON.stringify({ ...first.manifest, backup_id: "nightly-20261123-040000" })
      yield* memory.tamper(key, () => Buffer.from(shared))
      const factsKey = ObjectKey.make("nightly-20261123-040000/kb-meta.json")
      const {
        manifestSha256: _seal,
        references: _none,
        ...unsealed
      } = (yield* Catalogue.open(store, "nightly-20261123-040000")).facts!
      yield* memory.tamper(factsKey, () => SealedJson.seal(SetFacts, unsealed))
      yield* RetentionPass.run(store, owner, { keep: 1 })
      assert.deepStrictEqual(yield* states(store), ["010000 Retired", "040000 Complete"])
      yield* assertHoldsAll(cluster, store, "nightly-20261123-040000", { payments: 1 })
    }).pipe(Effect.provide(layer))
  )

  it.effect("removes an unfinished run of any resource after seven days without a write, and says so", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* TestClock.setTime(Date.parse("2026-11-23T06:00:00Z"))
      const others = { owner: { uid: "uid-2", namespace: "gone", name: "weekly" }, slot: slot(1) }
      const claim = yield* Claims.take(store, others)
      yield* Attempts.begin(store, claim, { startedMillis: 0, host: "a killed pod" })
      const pass = OwnerLock.holding(store, owner, "test", RetentionPass.run(store, owner, { keep: 1 }))
      yield* TestClock.adjust("6 days")
      assert.deepStrictEqual((yield* pass).notes, [])
      // It resumes once more.
      yield* Attempts.begin(store, claim, { startedMillis: 0, host: "another pod" })
      yield* TestClock.adjust("6 days")
      assert.deepStrictEqual((yield* pass).notes, [])
      assert.isNotEmpty(yield* memory.keys)
      yield* TestClock.adjust("25 hours")
      const before = yield* memory.keys
      assert.lengthOf((yield* RetentionPass.preview(store, owner, { keep: 1 })).notes, 1)
      assert.deepStrictEqual(yield* memory.keys, before)
      const { notes, removed } = yield* pass
      assert.deepStrictEqual(notes, [
        "retention removes the unfinished run weekly-20261123-010000 of gone/weekly: nothing was written to it for 7 days"
      ])
      assert.deepStrictEqual(removed, [])
      assert.deepStrictEqual(
        (yield* memory.keys).filter((key) => !key.startsWith("_kafka-backup/index/")),
        []
      )
      assert.strictEqual(yield* Claims.take(store, others), claim, "its slot may run again")
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "collects the unfinished runs of its own name at the end of a run, and does not ask about other names",
    () =>
      Effect.gen(function* () {
        const { memory, store } = yield* world
        yield* TestClock.setTime(Date.parse("2026-11-23T06:00:00Z"))
        for (const name of ["nightly", "weekly"]) {
          yield* Claims.take(store, { owner: { uid: `uid of ${name}`, name }, slot: slot(1) })
        }
        yield* TestClock.adjust("8 days")
        yield* OwnerLock.holding(store, owner, "test", RetentionPass.run(store, owner, { keep: 1 }, "run"))
        const left = (yield* memory.keys).filter((key) => !key.startsWith("_kafka-backup/"))
        assert.deepStrictEqual(left.join(), "weekly-20261123-010000/claim.json")
      }).pipe(Effect.provide(layer))
  )

  it.effect("takes no run for abandoned because its own clock is wrong", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const millis = Date.parse("2026-11-23T06:00:00Z")
      // The store dates objects by its own clock.
      const dated = {
        ...store,
        list: (prefix: string) => Stream.map(store.list(prefix), (info) => ({ ...info, modifiedMillis: millis }))
      }
      yield* TestClock.setTime(millis)
      yield* Claims.take(store, { owner: { uid: "uid-2", name: "weekly" }, slot: slot(1) })
      yield* TestClock.adjust("400 days")
      const before = yield* memory.keys
      yield* OwnerLock.holding(dated, owner, "test", RetentionPass.run(dated, owner, { keep: 1 }))
      const left = (yield* memory.keys).filter((key) => !key.startsWith("_kafka-backup/index/"))
      assert.deepStrictEqual(left, before)
    }).pipe(Effect.provide(layer))
  )

  it.live("does not count a newest backup whose manifest was changed", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fourSets
      yield* memory.tamper(ObjectKey.make("nightly-20261123-040000/manifest.json"), (bytes) =>
        Buffer.from(Buffer.from(bytes).toString("utf8").replace(`"record_count":2`, `"record_count":1`))
      )
      const { notes } = yield* RetentionPass.run(store, owner, { keep: 1 })
      assert.include(notes.join("; "), "nightly-20261123-040000/manifest.json is not the one that was committed")
      assert.deepStrictEqual(yield* states(store), ["030000 Complete", "040000 Complete"])
      yield* assertHoldsAll(cluster, store, "nightly-20261123-030000", { payments: 1 })
    }).pipe(Effect.provide(layer))
  )

  it.live("accepts no loss by the id of another resource's backup, and says so", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(aRequest(slot(1), { topics: ["payments", "idle"] }))
      yield* cluster.deleteTopic("payments")
      yield* attempt(aRequest(slot(2), { topics: ["*"] }))
      const accepting = (acceptedLoss: string) => RetentionPass.run(store, owner, { keep: 1, acceptedLoss })
      const { notes } = yield* accepting("another-20261123-020000")
      assert.include(
        notes.join("; "),
        `"another-20261123-020000" is neither a backup of this resource nor topic:PATTERN`
      )
      assert.deepStrictEqual(yield* states(store), ["010000 Complete", "020000 Complete"])
      yield* accepting("nightly-20261123-020000")
      assert.deepStrictEqual(yield* states(store), ["020000 Complete"])
    }).pipe(Effect.provide(layer))
  )

  it.live(
    "holds nothing back for topics that may go, and does not warn of them, until the confirmation is withdrawn",
    () =>
      Effect.gen(function* () {
        const { cluster, store } = yield* world
        yield* cluster.createTopic("orders", { partitions: 1 })
        yield* cluster.produce("orders", 0, [{ value: "1" }])
        const daily = Effect.fnUntraced(function* (day: number, acceptedLoss?: string) {
          yield* cluster.createTopic(`logs-${day}`, { partitions: 1 })
          yield* cluster.produce(`logs-${day}`, 0, [{ value: "1" }])
          if (day > 1) yield* cluster.deleteTopic(`logs-${day - 1}`)
          const { facts, retention } = yield* attempt(aRequest(slot(day), { retainedBackups: 1, acceptedLoss }))
          return [facts.notes, retention.heldBack.map(({ backupId }) => backupId), retention.notes]
        })
        const accepting = "nightly-20261101-000000, topic:logs-*"
        for (const day of [1, 2, 3]) assert.deepStrictEqual(yield* daily(day, accepting), [[], [], []])
        assert.deepStrictEqual(yield* states(store), ["030000 Complete"])
        const [warnings, heldBack] = yield* daily(4)
        assert.include(warnings!.join(), "topic logs-3 is no longer in the cluster")
        assert.deepStrictEqual(heldBack, ["nightly-20261123-030000"])
        assert.deepStrictEqual(yield* daily(5, "topic:log"), [
          [
            "topic logs-4 is no longer in the cluster, or the principal may no longer describe it; nightly-20261123-040000 holds 1 record of it"
          ],
          ["nightly-20261123-040000", "nightly-20261123-030000"],
          []
        ])
        assert.deepStrictEqual(yield* daily(6, "topic:logs-*"), [[], [], []])
        assert.deepStrictEqual(yield* states(store), ["060000 Complete"])
      }).pipe(Effect.provide(layer))
  )

  it.live("does not count a backup whose manifest cannot be read, and removes none that it would have pushed out", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* fourSets
      yield* memory.tamper(ObjectKey.make("nightly-20261123-040000/manifest.json"), (bytes) => bytes.subarray(0, 100))
      const outcome = yield* RetentionPass.run(store, owner, { keep: 1 })
      assert.deepStrictEqual<ReadonlyArray<string>>(outcome.removed, [
        "nightly-20261123-010000",
        "nightly-20261123-020000"
      ])
      assert.include(outcome.notes.join(), "nightly-20261123-040000 is damaged and does not count for retention")
      assert.strictEqual(outcome.damaged?.sets, 1)
      const other = yield* RetentionPass.run(store, { uid: "uid-2", name: "nightly" }, { keep: 1 })
      assert.deepStrictEqual(other.blocked, [], "another owner's retention goes on")
    }).pipe(Effect.provide(layer))
  )

  it.live("minds no file of another application, and no other tool's broken backup", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* fourSets
      for (const content of ["{}", "not json", ""]) {
        yield* store.put(ObjectKey.make("web-app/manifest.json"), [Buffer.from(content)])
        const outcome = yield* RetentionPass.preview(store, owner, { keep: 1 })
        assert.deepStrictEqual([outcome.removed.length, outcome.blocked], [3, []], content)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("does not undo a backup by a defect, and reads no foreign file without bound", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const broken = { ...store, folders: Stream.die("a defect") }
      let calls = 0
      const brokenLater = Object.defineProperty({ ...store }, "folders", {
        get: () => (++calls > 1 ? broken.folders : store.folders)
      })
      const { facts, retention } = yield* attempt(aRequest(slot(1), { retainedBackups: 1 }), { store: brokenLater })
      assert.strictEqual(facts.totals.topics, 3)
      assert.include(retention.notes.join(), "retention did not finish: internal error")
      yield* Catalogue.open(store, facts.backupId)

      let given = 0
      const endless = {
        ...store,
        folders: Stream.make("huge"),
        read: () => Stream.forever(Stream.sync(() => (given++, new Uint8Array(16 * 1024 * 1024))))
      }
      const outcome = yield* RetentionPass.preview(endless, owner, { keep: 1 })
      assert.deepStrictEqual([outcome.blocked, outcome.removed], [[], []])
      assert.isBelow(given, 20)
    }).pipe(Effect.provide(layer))
  )

  it.live("takes a copy of a backup's folder for nothing: it pushes no backup out and stays where it is", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* fourSets
      for (const key of (yield* memory.keys).filter((found) => found.startsWith("nightly-20261123-040000/"))) {
        const copy = key.replace("-040000/", "-050000/")
        yield* store.put(ObjectKey.make(copy), [yield* store.get(ObjectKey.make(key))])
      }
      const outcome = yield* RetentionPass.run(store, owner, { keep: 2 })
      assert.deepStrictEqual(outcome.kept.toSorted(), ["nightly-20261123-030000", "nightly-20261123-040000"])
      assert.isTrue((yield* memory.keys).some((key) => key.startsWith("nightly-20261123-050000/")))
      const error = yield* Effect.flip(Catalogue.open(store, "nightly-20261123-050000"))
      assert.include(error.message, "belongs to backup nightly-20261123-040000")
    }).pipe(Effect.provide(layer))
  )

  it.live("does not count a damaged backup, does not remove it, and removes no good one for it", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* fourSets
      const segment = (yield* memory.keys).find((key) => key.startsWith("nightly-20261123-040000/topics/"))!
      yield* store.delete(ObjectKey.make(segment))
      const outcome = yield* RetentionPass.run(store, owner, { keep: 1 })
      assert.deepStrictEqual<ReadonlyArray<string>>(outcome.removed, [
        "nightly-20261123-010000",
        "nightly-20261123-020000"
      ])
      assert.include(outcome.notes.join(), "nightly-20261123-040000 is damaged and does not count for retention")
      assert.deepStrictEqual(yield* states(store), ["030000 Complete", "040000 Complete"])
    }).pipe(Effect.provide(layer))
  )

  it.live("lets a damaged backup go once it would go if it were whole, and what newer ones need of it stays", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* fourSets
      const key = (yield* memory.keys).find((one) => one.startsWith("nightly-20261123-020000/topics/"))!
      const place = { key, topic: "payments", partition: 0, firstOffset: 0, lastOffset: 0, detail: "SHA-256 differs" }
      yield* DamageMarking.mark(store, owner, { found: [{ ...place, sinceMillis: 0 }], right: new Set<string>() })
      const first = yield* RetentionPass.run(store, owner, { keep: 3 }, "run")
      assert.deepStrictEqual<ReadonlyArray<string>>(first.removed, [])
      assert.include(
        first.notes.join(),
        "nightly-20261123-020000 is damaged and does not count for retention: payments"
      )
      assert.deepStrictEqual(
        yield* states(store),
        ["010000", "020000", "030000", "040000"].map((id) => `${id} Complete`)
      )
      const second = yield* RetentionPass.run(store, owner, { keep: 2 }, "run")
      assert.deepStrictEqual<ReadonlyArray<string>>(second.removed, [
        "nightly-20261123-010000",
        "nightly-20261123-020000"
      ])
      assert.include(second.notes.join(), "nightly-20261123-020000 is damaged and goes, because no rule would keep")
      assert.deepStrictEqual(yield* states(store), ["030000 Complete", "040000 Complete"])
    }).pipe(Effect.provide(layer))
  )

  it.live("trusts the index in a run, finds damage all the same, and counts a backup again that was repaired", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* fourSets
      const key = ObjectKey.make((yield* memory.keys).find((one) => one.startsWith("nightly-20261123-040000/topics/"))!)
      const whole = yield* store.get(key)
      yield* store.delete(key)
      const pass = RetentionPass.run(store, owner, { keep: 1 }, "run")
      const first = yield* pass
      assert.strictEqual(first.removed.length, 2)
      assert.include(first.notes.join(), `nightly-20261123-040000 is damaged and does not count for retention: ${key}`)
      assert.deepStrictEqual((yield* pass).notes, first.notes, "the damage is still known")
      yield* store.put(key, [whole])
      assert.deepStrictEqual((yield* RetentionPass.run(store, owner, { keep: 3 }, "run")).notes, [])
      yield* attempt(aRequest(slot(5), { topics: ["payments"], retainedBackups: 1 }))
      assert.deepStrictEqual(yield* states(store), ["050000 Complete"])
    }).pipe(Effect.provide(layer))
  )

  it.live("reads the backups themselves where the index is missing, damaged, or does not know a backup", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* fourSets
      const index = Effect.map(memory.keys, (keys) =>
        keys.filter((key) => key.startsWith("_kafka-backup/index/uid-1/"))
      )
      const before = yield* store.get(ObjectKey.make((yield* index)[0]!))
      yield* attempt(aRequest(slot(5), { topics: ["payments"] }))
      for (const change of [() => undefined, (bytes: Uint8Array) => bytes.subarray(7), () => before]) {
        const [only, ...others] = yield* index
        assert.deepStrictEqual(others, [])
        yield* memory.tamper(only!, change)
        const { kept } = yield* RetentionPass.run(store, owner, { keep: undefined }, "run")
        assert.strictEqual(kept.length, 5)
        assert.deepStrictEqual((yield* RetentionPass.preview(store, owner, { keep: 2 })).removed.length, 3)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live(
    "collects what paused attempts wrote after their backups were removed, and nothing that may be another's",
    () =>
      Effect.gen(function* () {
        const { memory, store } = yield* world
        yield* fourSets
        yield* RetentionPass.run(store, owner, { keep: 1 })
        const wrote = Effect.fnUntraced(function* (hour: string, ...more: ReadonlyArray<string>) {
          const folder = `nightly-20261123-${hour}0000`
          const segment = "topics/payments/partition=0/segment-00000000000000000000-000001.bin.zst"
          for (const name of [segment, "attempts/000001.json", "plan.json", "kb-meta.json", ...more]) {
            yield* store.put(ObjectKey.make(`${folder}/${name}`), [Buffer.from("x")])
          }
          return folder
        })
        const before = unindexed(yield* memory.keys)
        const collected = [yield* wrote("01"), yield* wrote("02", "checkpoint/000001-000001.json")]
        // With a stranger's file in it; of a run that nobody knows.
        const left = [yield* wrote("03", "notes.txt"), yield* wrote("09")]
        // A run reads no records for it.
        assert.deepStrictEqual((yield* RetentionPass.run(store, owner, { keep: 1 }, "run")).notes, [])
        assert.isTrue((yield* memory.keys).some((key) => key.startsWith(collected[0]!)))
        const previewed = yield* RetentionPass.preview(store, owner, { keep: 1 })
        const { notes, removed } = yield* RetentionPass.run(store, owner, { keep: 1 })
        assert.deepStrictEqual([notes, removed], [previewed.notes, []])
        assert.deepStrictEqual(
          notes.map((note) => note.split(" ", 1)[0]),
          collected
        )
        assert.deepStrictEqual(
          unindexed(yield* memory.keys).filter((key) => !left.some((folder) => key.startsWith(folder))),
          before
        )
        for (const folder of left) assert.isTrue((yield* memory.keys).includes(ObjectKey.make(`${folder}/plan.json`)))
      }).pipe(Effect.provide(layer))
  )

  it.live("never removes the run's own backup, however old its slot is", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* fourSets
      const old = yield* attempt(aRequest(slot(0), { topics: ["payments"], retainedBackups: 2 }))
      assert.deepStrictEqual<ReadonlyArray<string>>(old.retention.removed, [
        "nightly-20261123-010000",
        "nightly-20261123-020000",
        "nightly-20261123-030000"
      ])
      assert.deepStrictEqual(yield* states(store), ["000000 Complete", "040000 Complete"])
      // Found again, it is no longer the newest, and stays all the same.
      yield* attempt(aRequest(slot(5), { topics: ["payments"] }))
      yield* attempt(aRequest(slot(0), { topics: ["payments"], retainedBackups: 1 }))
      assert.deepStrictEqual(yield* states(store), ["000000 Complete", "050000 Complete"])
    }).pipe(Effect.provide(layer))
  )

  it.live("goes on where a part of a backup was removed by hand, and no longer counts it", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* fourSets
      for (const gone of ["manifest.json", "kb-meta.json"]) {
        yield* store.delete(ObjectKey.make(`nightly-20261123-020000/${gone}`))
      }
      const { retention } = yield* attempt(aRequest(slot(5), { topics: ["payments"], retainedBackups: 2 }))
      assert.deepStrictEqual(retention.notes, ["nightly-20261123-020000 has no manifest any more and is no backup"])
      assert.deepStrictEqual(yield* states(store), ["020000 Incomplete", "040000 Complete", "050000 Complete"])
      assert.lengthOf(retention.kept, 2)
    }).pipe(Effect.provide(layer))
  )
})
