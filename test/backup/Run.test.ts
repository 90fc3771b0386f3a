import { assert, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Cause, Deferred, Effect, Exit, Fiber, type Layer, Option } from "effect"
import type { BackupFailure } from "../../src/backup/BackupFailure.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as Seal from "../../src/manifest/Seal.ts"
import * as SetRemoval from "../../src/manifest/SetRemoval.ts"
import { ObjectKey, ObjectStores } from "../../src/storage/ObjectStore.ts"
import { ObjectStoreError, StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import { temporaryVolume } from "../storage/temporaryVolume.ts"
import {
  aRequest,
  assertHoldsAll,
  attempt,
  dyingAt,
  fill,
  formats,
  layer,
  settingsOf,
  someTopics,
  storedRecords,
  world
} from "./world.ts"

const noon = "2026-11-23T12:00:00Z"
const reasonOf = (exit: Exit.Exit<unknown, BackupFailure>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.findErrorOption(exit.cause))?.reason._tag : "success"

describe("Run", () => {
  it.live("stores exactly what a read_committed consumer sees, whatever codec, transaction, header or hole", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* cluster.createTopic("compacted", { partitions: 1, configs: { "cleanup.policy": "compact" } })
      for (let i = 0; i < 10; i++) {
        yield* cluster.produce("compacted", 0, [
          { key: "a", value: `${i}` },
          { key: `b${i}`, value: null }
        ])
      }
      yield* cluster.compact("compacted", 0)
      const { facts } = yield* attempt(aRequest(noon))
      assert.strictEqual(facts.backupId, "nightly-20261123-120000")
      yield* assertHoldsAll(cluster, store, facts.backupId, { ...someTopics, compacted: 1 })
      assert.deepStrictEqual(
        facts.topics.map((topic) => [topic.name, topic.partitions.length]),
        [
          ["compacted", 1],
          ["idle", 2],
          ["orders", 3],
          ["payments", 1]
        ]
      )
      const counters = yield* cluster.counters
      assert.deepStrictEqual([counters.unreleased, counters.releasedTwice], [0, 0])
    }).pipe(Effect.provide(layer))
  )

  it.live("ends at the last stable offset and says which open transaction holds it back", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("payments", { partitions: 1 })
      yield* cluster.produce("payments", 0, [{ value: "before" }])
      const open = yield* cluster.beginTransaction()
      yield* open.produce("payments", 0, [{ value: "undecided" }])
      yield* cluster.produce("payments", 0, [{ value: "behind it" }])
      const { facts } = yield* attempt(aRequest(noon))
      const [partition] = facts.topics[0]!.partitions
      assert.deepStrictEqual([partition!.until, partition!.highWatermark], [1, 3])
      assert.strictEqual((yield* storedRecords(store, facts.backupId, "payments", 0)).length, 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("makes one set for one slot, however often it runs", () =>
    Effect.gen(function* () {
      const { cluster, memory } = yield* world
      yield* fill(cluster)
      const first = yield* attempt(aRequest(noon))
      const keys = yield* memory.keys
      yield* cluster.produce("orders", 0, [{ value: "later" }])
      const second = yield* attempt(aRequest(noon))
      assert.isTrue(second.alreadyComplete)
      assert.deepStrictEqual(second.facts, first.facts)
      assert.deepStrictEqual(yield* memory.keys, keys)
    }).pipe(Effect.provide(layer))
  )

  it.live("finds a complete set again whose plan was lost", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const { facts } = yield* attempt(aRequest(noon))
      yield* store.delete(ObjectKey.make(`${facts.backupId}/plan.json`))
      const again = yield* attempt(aRequest(noon))
      assert.deepStrictEqual([again.alreadyComplete, again.facts], [true, facts])
    }).pipe(Effect.provide(layer))
  )

  // Some 85 calls, and two attempts for each: half a minute where the machine is idle.
  it.live.each(["before", "after"].flatMap((when) => formats.map((format) => [when, format] as const)))(
    "loses and doubles nothing when the process dies %s any call to storage (%s)",
    ([when, format]) =>
      Effect.gen(function* () {
        for (let n = 1; ; n++) {
          const finished = yield* Effect.gen(function* () {
            const { cluster, store } = yield* world
            yield* fill(cluster)
            const dying = dyingAt(store, n, when as "after" | "before")
            const died = yield* Effect.exit(
              attempt(aRequest(noon, { settings: settingsOf(format) }), { store: dying.store })
            )
            yield* cluster.produce("orders", 1, [{ value: "after the plan" }])
            const { facts } = yield* attempt(aRequest(noon, { settings: settingsOf(format) }))
            const planned = facts.topics.find((topic) => topic.name === "orders")!.partitions[1]!.until
            const stored = yield* storedRecords(store, facts.backupId, "orders", 1)
            const committed = (yield* cluster.committed("orders", 1)).filter((record) => record.offset < planned)
            assert.deepStrictEqual(
              stored.map((r) => r.offset),
              committed.map((r) => r.offset),
              `${when} call ${n}`
            )
            yield* assertHoldsAll(cluster, store, facts.backupId, { payments: 1, idle: 2 })
            assert.strictEqual((yield* Catalogue.entries(store)).length, 1, `${when} call ${n}`)
            return Exit.isSuccess(died)
          }).pipe(Effect.provide(layer))
          if (finished) {
            assert.isAbove(n, 30)
            break
          }
        }
      }),
    180_000
  )

  it.live("resumes after the durable records instead of reading them again", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const stop = yield* Deferred.make<void>()
      const before = RunProgress.make()
      // Slow enough to be far from its end when the first segments are durable.
      const slow = yield* Effect.forkChild(
        Effect.exit(attempt(aRequest(noon, { recordsPerSecond: 300 }), { stop, progress: before }))
      )
      while (before.segments === 0 && slow.pollUnsafe() === undefined) yield* Effect.sleep("10 millis")
      yield* Deferred.succeed(stop, undefined)
      const interrupted = yield* Fiber.join(slow)
      assert.strictEqual(reasonOf(interrupted), "Interrupted")
      assert.deepStrictEqual(
        (yield* Catalogue.entries(store)).map((entry) => entry._tag),
        ["Incomplete"]
      )
      const progress = RunProgress.make()
      const { attempt: number, facts } = yield* attempt(aRequest(noon), { progress })
      assert.strictEqual(number, 2)
      assert.isBelow(progress.records, facts.totals.records)
      yield* assertHoldsAll(cluster, store, facts.backupId, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.live("reads again what a damaged checkpoint named, and says so", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      // Dies when the set is about to be proven: everything is stored and remembered by then.
      const diesProving = {
        ...store,
        head: (key: ObjectKey) => (key.includes("/topics/") ? Effect.die("killed") : store.head(key))
      }
      yield* Effect.exit(attempt(aRequest(noon), { store: diesProving }))
      const checkpoints = (yield* memory.keys).filter((key) => key.includes("/checkpoint/"))
      for (const key of checkpoints) {
        yield* memory.tamper(key, (bytes) => {
          const changed = bytes.slice()
          changed[changed.length - 10]! ^= 1
          return changed
        })
      }
      const { facts } = yield* attempt(aRequest(noon))
      yield* assertHoldsAll(cluster, store, facts.backupId, someTopics)
      assert.isAbove(checkpoints.length, 0)
      assert.include(facts.notes.join("\n"), "is damaged")
    }).pipe(Effect.provide(layer))
  )

  it.live("does not declare a set complete that the store lost or altered", () =>
    Effect.gen(function* () {
      for (const [what, change] of [
        ["lost", () => undefined],
        ["cut", (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 1)],
        ["altered", (bytes: Uint8Array) => bytes.map((byte, i) => (i === 50 ? byte ^ 1 : byte))]
      ] as const) {
        yield* Effect.gen(function* () {
          const { cluster, memory, store } = yield* world
          yield* fill(cluster)
          let puts = 0
          const unfaithful = {
            ...store,
            put: (...args: Parameters<typeof store.put>) =>
              store
                .put(...args)
                .pipe(
                  Effect.tap(() =>
                    args[0].includes("/topics/") && ++puts === 3 ? memory.tamper(args[0], change) : Effect.void
                  )
                )
          }
          assert.strictEqual(
            reasonOf(yield* Effect.exit(attempt(aRequest(noon), { store: unfaithful }))),
            "NotProven",
            what
          )
          assert.isFalse(
            (yield* memory.keys).some((key) => key.endsWith("/manifest.json")),
            what
          )
        }).pipe(Effect.provide(layer))
      }
    })
  )

  it.live("reads back from a volume what it stored, and finds one byte that was altered meanwhile", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* fill(cluster)
      const volume = yield* temporaryVolume
      const store = yield* (yield* ObjectStores).open({ _tag: "Directory", volume })
      let puts = 0
      const altered = {
        ...store,
        put: (...args: Parameters<typeof store.put>) =>
          store.put(...args).pipe(
            Effect.tap(({ key }) =>
              Effect.sync(() => {
                if (!key.includes("/topics/") || ++puts !== 3) return
                const bytes = readFileSync(join(volume, key))
                bytes[50]! ^= 1
                writeFileSync(join(volume, key), bytes)
              })
            )
          )
      }
      const exit = yield* Effect.exit(attempt(aRequest(noon), { store: altered }))
      assert.strictEqual(reasonOf(exit), "NotProven")
      assert.include(String(Exit.isFailure(exit) ? Cause.squash(exit.cause) : ""), "was altered after it was stored")
      const { facts } = yield* attempt(aRequest(noon), { store })
      assert.include(facts.notes.join("\n"), "was altered after it was stored; the partition was read again")
      yield* assertHoldsAll(cluster, store, facts.backupId, someTopics)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.live(
    "reads again, at the next attempt, what the store has lost or altered since, however often it dies then",
    () =>
      Effect.gen(function* () {
        for (let n = 1; ; n += 3) {
          const finished = yield* Effect.gen(function* () {
            const { cluster, memory, store } = yield* world
            yield* fill(cluster)
            const diesProving = {
              ...store,
              head: (key: ObjectKey) => (key.includes("/topics/") ? Effect.die("killed") : store.head(key))
            }
            yield* Effect.exit(attempt(aRequest(noon), { store: diesProving }))
            const [first, second] = (yield* memory.keys).filter((key) => key.includes("/topics/orders/"))
            yield* memory.tamper(first!, () => undefined)
            yield* memory.tamper(second!, (bytes) => bytes.subarray(1))
            const died = yield* Effect.exit(attempt(aRequest(noon), { store: dyingAt(store, n, "after").store }))
            const { alreadyComplete, facts } = yield* attempt(aRequest(noon))
            // The attempt that found the loss says so; one that died in between has told nobody.
            if (n === 1) assert.include(facts.notes.join("\n"), "was read again")
            if (n === 1) assert.isFalse(alreadyComplete)
            yield* assertHoldsAll(cluster, store, facts.backupId, someTopics)
            return Exit.isSuccess(died)
          }).pipe(Effect.provide(layer))
          if (finished) break
        }
      }),
    180_000
  )

  it.live("leaves a foreign set of the same id alone and takes the next second", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const foreign = ObjectKey.make("nightly-20261123-120000/manifest.json")
      yield* store.put(foreign, [Buffer.from("{}")])
      const other = aRequest(noon, { identity: { owner: { uid: "uid-2", name: "nightly" }, slot: noon } })
      const ours = yield* attempt(aRequest(noon))
      const theirs = yield* attempt(other)
      assert.deepStrictEqual(
        [ours.facts.backupId, theirs.facts.backupId],
        ["nightly-20261123-120001", "nightly-20261123-120002"]
      )
      assert.strictEqual(Buffer.from(yield* store.get(foreign)).toString(), "{}")
      assert.isTrue((yield* memory.keys).includes(foreign))
    }).pipe(Effect.provide(layer))
  )

  it.live("gives one set when two pods of one run work at the same time", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const exits = yield* Effect.all([Effect.exit(attempt(aRequest(noon))), Effect.exit(attempt(aRequest(noon)))], {
        concurrency: 2
      })
      const outcomes = exits.map(reasonOf)
      assert.include(outcomes, "success")
      for (const outcome of outcomes) assert.include(["success", "AttemptSuperseded"], outcome)
      const again = yield* attempt(aRequest(noon))
      yield* assertHoldsAll(cluster, store, again.facts.backupId, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.live("completes beside the facts that a killed attempt left before its manifest", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const diesBeforeManifest = {
        ...store,
        put: (...args: Parameters<typeof store.put>) =>
          args[0].endsWith("/manifest.json") ? Effect.die("killed") : store.put(...args)
      }
      yield* Effect.exit(attempt(aRequest(noon), { store: diesBeforeManifest }))
      const { facts } = yield* attempt(aRequest(noon))
      const left = (yield* memory.keys).filter((key) => key.includes("kb-meta"))
      assert.deepStrictEqual(
        left.map((key) => key.slice(key.indexOf("/") + 1)),
        ["kb-meta-000002.json", "kb-meta.json"]
      )
      const set = yield* Catalogue.open(store, facts.backupId)
      assert.strictEqual(set.facts?.attempt, 2)
      assert.deepStrictEqual((yield* Seal.inspect(store, set)).broken, [])
      yield* assertHoldsAll(cluster, store, facts.backupId, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.live("keeps a backup that cannot be compared with the previous one, and says so", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(aRequest("2026-11-23T11:00:00Z"))
      const refused = new StorageAuthorizationFailed({ detail: "403", advice: "" })
      const cannotLookBack = {
        ...store,
        get: (key: ObjectKey) =>
          key.startsWith("nightly-20261123-110000/")
            ? Effect.fail(new ObjectStoreError({ operation: "get", location: "memory", reason: refused }))
            : store.get(key)
      }
      const { facts } = yield* attempt(aRequest(noon), { store: cannotLookBack })
      assert.include(facts.notes.join("; "), "the backup was not compared with the previous one")
      yield* assertHoldsAll(cluster, store, facts.backupId, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.live("leaves no manifest of a backup that was finished by another attempt and removed while it stood still", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const request = aRequest(noon)
      const backupId = "nightly-20261123-120000"
      const services = yield* Effect.context<Layer.Success<typeof layer>>()
      for (const document of ["kb-meta.json", "manifest.json"]) {
        const standsStill = {
          ...store,
          put: (...args: Parameters<typeof store.put>) =>
            args[0] === `${backupId}/${document}`
              ? Effect.gen(function* () {
                  yield* Effect.orDie(attempt(request))
                  yield* Effect.orDie(
                    SetRemoval.remove(store, BackupId.make(backupId), request.identity.owner, new Set())
                  )
                  return yield* store.put(...args)
                }).pipe(Effect.provideContext(services))
              : store.put(...args)
        }
        const exit = yield* Effect.exit(attempt(request, { store: standsStill }))
        assert.strictEqual(reasonOf(exit), "AttemptSuperseded", document)
        assert.isFalse((yield* memory.keys).includes(ObjectKey.make(`${backupId}/manifest.json`)), document)
        // What the removed run left of its record and files must not matter to the next round.
        for (const key of yield* memory.keys) yield* store.delete(ObjectKey.make(key))
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("warns of topics and records that the backup before it held, and of offsets that no backup ever read", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      const at = (hour: number) => aRequest(`2026-11-23T${hour}:00:00Z`, { retainedBackups: 1 })
      const produce = (topic: string, values: number) =>
        cluster.produce(
          topic,
          0,
          Array.from({ length: values }, (_, i) => ({ value: `${i}` }))
        )
      for (const topic of ["gone", "again", "emptied", "kept"]) {
        yield* cluster.createTopic(topic, { partitions: 1 })
        yield* produce(topic, 50)
      }
      assert.deepStrictEqual((yield* attempt(at(12))).facts.notes, [])
      yield* cluster.deleteTopic("gone")
      yield* cluster.deleteTopic("again")
      yield* cluster.createTopic("again", { partitions: 1 })
      yield* produce("emptied", 10)
      yield* cluster.deleteRecordsBefore("emptied", 0, 60)
      const second = yield* attempt(at(13))
      const notes = second.facts.notes.join("\n")
      assert.match(notes, /topic gone is no longer in the cluster.*nightly-20261123-120000 holds 50 records of it/)
      assert.match(notes, /topic again was deleted and created again/)
      assert.match(notes, /topic emptied has no records left/)
      assert.match(notes, /topic emptied partition 0: Kafka deleted offsets 50 to 59 before any backup read them/)
      assert.notMatch(notes, /topic kept/)
      assert.deepStrictEqual<ReadonlyArray<string>>(
        second.retention.removed,
        [],
        "the first backup stays, though one is enough"
      )
      assert.deepStrictEqual(
        second.retention.heldBack.map(({ backupId }) => backupId),
        ["nightly-20261123-120000"]
      )
      // What was lost once is told once; what it is held back for stays true.
      const third = yield* attempt(at(14))
      assert.deepStrictEqual(third.facts.notes, [])
      assert.deepStrictEqual<ReadonlyArray<string>>(third.retention.removed, ["nightly-20261123-130000"])
      const accepted = yield* attempt({ ...at(15), acceptedLoss: "nightly-20261123-140000" })
      assert.deepStrictEqual<ReadonlyArray<string>>(accepted.retention.removed, [
        "nightly-20261123-120000",
        "nightly-20261123-140000"
      ])
      yield* Catalogue.open(store, "nightly-20261123-150000")
    }).pipe(Effect.provide(layer))
  )

  it.live("compares a run that resumes late with the backup that was the newest when it was planned", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      const topics = ["payments", "orders"]
      yield* fill(cluster)
      yield* attempt(aRequest("2026-11-23T10:00:00Z", { topics }))
      const diesProving = {
        ...store,
        head: (key: ObjectKey) => (key.includes("/topics/") ? Effect.die("killed") : store.head(key))
      }
      yield* Effect.exit(attempt(aRequest("2026-11-23T11:00:00Z", { topics }), { store: diesProving }))
      for (let n = 0; n < 50; n++) yield* cluster.produce("payments", 0, [{ value: "after the plan of 11:00" }])
      yield* attempt(aRequest(noon, { topics }))
      const late = yield* attempt(aRequest("2026-11-23T11:00:00Z", { topics }))
      assert.deepStrictEqual(late.facts.notes, [])
      const next = yield* attempt(aRequest("2026-11-23T13:00:00Z", { topics }))
      assert.deepStrictEqual(next.facts.notes, [])
    }).pipe(Effect.provide(layer))
  )

  it.live("records a gap if retention was faster, and still succeeds", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 1 })
      for (let i = 0; i < 10; i++) yield* cluster.produce("orders", 0, [{ value: `${i}` }])
      const diesWithData = {
        ...store,
        put: (...args: Parameters<typeof store.put>) =>
          args[0].includes("/topics/") ? Effect.die("killed") : store.put(...args)
      }
      yield* Effect.exit(attempt(aRequest(noon), { store: diesWithData }))
      yield* cluster.deleteRecordsBefore("orders", 0, 4)
      const { facts } = yield* attempt(aRequest(noon))
      assert.deepStrictEqual(
        facts.gaps.map(({ from, until }) => [from, until]),
        [[0, 4]]
      )
      assert.strictEqual((yield* storedRecords(store, facts.backupId, "orders", 0)).length, 6)
      assert.strictEqual(
        (yield* Catalogue.open(store, facts.backupId)).manifest.topics[0]!.partitions[0]!.gaps!.length,
        1
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("fails before any data on missing, denied and unmatched topics, and names all of them", () =>
    Effect.gen(function* () {
      const { cluster, memory } = yield* world
      yield* fill(cluster)
      const run = (topics: ReadonlyArray<string>) => Effect.exit(attempt(aRequest(noon, { topics })))
      const missing = yield* run(["orders", "nope", "neither"])
      assert.strictEqual(reasonOf(missing), "TopicMissing")
      assert.include(String(missing), "neither, nope")
      assert.strictEqual(reasonOf(yield* run(["zzz-*"])), "NoTopicsMatched")
      yield* cluster.deny("Read", "orders")
      yield* cluster.deny("Read", "payments")
      const denied = yield* run(["*"])
      assert.strictEqual(reasonOf(denied), "TopicAccessDenied")
      assert.include(String(denied), "orders, payments")
      assert.isFalse((yield* memory.keys).some((key) => key.includes("/topics/")))
    }).pipe(Effect.provide(layer))
  )
})
