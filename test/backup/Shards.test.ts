import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Exit, Stream } from "effect"

import * as PacedReads from "../../src/backup/PacedReads.ts"
import * as Run from "../../src/backup/Run.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Documents from "../../src/manifest/Documents.ts"
import { RunPlan } from "../../src/manifest/RunPlan.ts"
import type { SetFacts } from "../../src/manifest/SetFacts.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import { assertOneSet, backupId, clocked, madeBy, noon, seated, together } from "./shards.ts"
import { aRequest, assertHoldsAll, attempt, dyingAt, fill, layer, shardAttempt, someTopics, world } from "./world.ts"

const planKey = ObjectKey.make(`${backupId}/plan.json`)

/** What a backup holds, without when, by which attempt and in how many objects. */
const meaningOf = ({ topics, totals: { partitions, payloadBytes, records, topics: count } }: SetFacts) => ({
  // Each story has a cluster of its own.
  topics: topics.map((topic) => ({ ...topic, topicId: undefined })),
  totals: { partitions, payloadBytes, records, topics: count }
})

describe("a run of several shards", () => {
  it.effect("makes the backup that one process makes, and one of them commits it", () =>
    Effect.gen(function* () {
      const held: Array<unknown> = []
      for (const of of [1, 2, 3, 7]) {
        yield* Effect.gen(function* () {
          const { cluster, store } = yield* world
          yield* fill(cluster)
          const ended = yield* together(of)
          const [made, ...others] = madeBy(ended)
          assert.isUndefined(others[0])
          yield* assertHoldsAll(cluster, store, backupId, someTopics)
          const set = yield* assertOneSet(store, `${of} shards`)
          const { broken, problems } = yield* Verification.verify(store, set, "records")
          assert.deepStrictEqual([...broken, ...problems], [])
          assert.strictEqual(made!.addedElsewhere === undefined, of === 1)
          held.push([meaningOf(made!.facts), set.manifest.topics.map(({ name }) => name)])
        }).pipe(Effect.provide(layer))
      }
      for (const other of held) assert.deepStrictEqual(other, held[0])
    })
  )

  it.effect.each(["before", "after"] as const)(
    "loses and doubles nothing when one of its processes dies %s any call to storage",
    (when) =>
      Effect.gen(function* () {
        const of = 3
        for (let victim = 0; victim < of; victim++) {
          for (let n = 1; ; n++) {
            const calls = yield* Effect.gen(function* () {
              const { cluster, store } = yield* world
              yield* fill(cluster)
              const dying = dyingAt(store, n, when)
              yield* together(of, (index, start) => (index === victim && start === 1 ? { store: dying.store } : {}))
              const what = `shard ${victim}, ${when} call ${n}`
              yield* assertOneSet(store, what)
              yield* assertHoldsAll(cluster, store, backupId, someTopics)
              return dying.calls()
            }).pipe(Effect.provide(layer))
            if (calls < n) {
              assert.isAbove(n, 15)
              break
            }
          }
        }
      }),
    300_000
  )

  it.effect(
    "loses and doubles nothing when all of its processes die at different calls, again and again",
    () =>
      Effect.gen(function* () {
        for (let n = 1; n < 60; n += 3) {
          yield* Effect.gen(function* () {
            const { cluster, store } = yield* world
            yield* fill(cluster)
            yield* together(4, (index, start) =>
              start > 4 ? {} : { store: dyingAt(store, n + 5 * index + start, "after").store }
            )
            yield* assertOneSet(store, `call ${n}`)
            yield* assertHoldsAll(cluster, store, backupId, someTopics)
          }).pipe(Effect.provide(layer))
        }
      }),
    300_000
  )

  it.effect("deals as its plan says, however many processes there are later", () =>
    Effect.gen(function* () {
      for (const later of [1, 2, 5]) {
        yield* Effect.gen(function* () {
          const { cluster, store } = yield* world
          yield* fill(cluster)
          // One of three has read its shard, and the others never start.
          const first = yield* clocked(shardAttempt(seated(0, 3)))
          assert.isTrue(Run.isShardEnded(first))
          yield* together(later)
          const plan = yield* Documents.read(store, planKey, RunPlan)
          assert.deepStrictEqual([plan.version, plan.shards], [3, 3])
          yield* assertOneSet(store, `${later} processes`)
          yield* assertHoldsAll(cluster, store, backupId, someTopics)
        }).pipe(Effect.provide(layer))
      }
    })
  )

  it.effect("reads alone what a run without shards has planned, where the plan is older than the edit", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const diesReading = dyingAt(store, 25, "after")
      yield* Effect.exit(attempt(aRequest(noon), { store: diesReading.store }))
      assert.isUndefined((yield* Documents.read(store, planKey, RunPlan)).shards)
      const ended = yield* together(3)
      assert.lengthOf(madeBy(ended), 1)
      assert.lengthOf(
        ended.filter((one) => Run.isShardEnded(one) && one.shard.partitions === 0),
        2
      )
      yield* assertOneSet(store, "the old plan")
      yield* assertHoldsAll(cluster, store, backupId, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.effect("reads again what the store loses of a shard that had ended, and says so", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      for (const index of [0, 1]) {
        const ended = yield* clocked(shardAttempt(seated(index, 3)))
        assert.isTrue(Run.isShardEnded(ended))
      }
      const lost = (yield* memory.keys).find((key) => key.includes("/topics/"))
      yield* store.delete(lost!)
      const last = yield* clocked(Effect.exit(shardAttempt(seated(2, 3))))
      assert.include(String(Exit.isFailure(last) ? last.cause : ""), "is missing")
      const ended = yield* together(3)
      const { notes } = madeBy(ended)[0]!.facts
      assert.include(notes.join("; "), `${lost} is missing; the partition was read again`)
      yield* assertOneSet(store, "lost")
      yield* assertHoldsAll(cluster, store, backupId, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.effect("reads again, in the process that would commit, what nobody can read of another shard's documents", () =>
    Effect.gen(function* () {
      for (const document of ["/checkpoint/", "/shards/"]) {
        yield* Effect.gen(function* () {
          const { cluster, memory, store } = yield* world
          yield* fill(cluster)
          for (const index of [0, 1]) yield* clocked(shardAttempt(seated(index, 3)))
          const damaged = (yield* memory.keys).find((key) => key.includes(document))
          yield* memory.tamper(damaged!, (bytes) => bytes.with(bytes.length - 10, bytes.at(-10)! ^ 1))
          const made = yield* clocked(shardAttempt(seated(2, 3)))
          assert.isFalse(Run.isShardEnded(made), document)
          yield* assertOneSet(store, document)
          yield* assertHoldsAll(cluster, store, backupId, someTopics)
        }).pipe(Effect.provide(layer))
      }
    })
  )

  it.effect("gives up a store that alters every end of a shard that it takes", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const altering = {
        ...store,
        put: (...args: Parameters<typeof store.put>) =>
          store
            .put(...args)
            .pipe(
              Effect.tap(() =>
                args[0].includes("/shards/") ? memory.tamper(args[0], (bytes) => bytes.subarray(1)) : Effect.void
              )
            )
      }
      yield* clocked(shardAttempt(seated(0, 2), { store: altering }))
      const exit = yield* clocked(Effect.exit(shardAttempt(seated(1, 2), { store: altering })))
      assert.include(String(Exit.isFailure(exit) ? exit.cause : ""), "what shard 0 has stored of itself cannot be read")
      assert.isFalse((yield* memory.keys).some((key) => key.endsWith("/manifest.json")))
    }).pipe(Effect.provide(layer))
  )

  it.effect("makes one backup when two processes find at the same time that all shards have ended", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* clocked(shardAttempt(seated(0, 3)))
      yield* clocked(shardAttempt(seated(1, 3)))
      // Both look only when both have said that their shard has ended, and commit only when both have looked.
      let ends = 0
      let commits = 0
      const until = (isSo: () => boolean) => Effect.sleep("1 second").pipe(Effect.repeat({ until: isSo }))
      const meeting = {
        ...store,
        list: (prefix: string) =>
          prefix.endsWith("/shards/")
            ? Stream.unwrap(
                Effect.as(
                  until(() => ends === 2),
                  store.list(prefix)
                )
              )
            : store.list(prefix),
        put: (...args: Parameters<typeof store.put>) =>
          Effect.gen(function* () {
            if (args[0].endsWith("/manifest.json")) {
              commits++
              yield* until(() => commits === 2)
            }
            const stored = yield* store.put(...args)
            if (args[0].includes("/shards/")) ends++
            return stored
          })
      }
      const both = [shardAttempt(seated(2, 3), { store: meeting }), shardAttempt(seated(1, 3), { store: meeting })]
      const ended = yield* clocked(Effect.all(both, { concurrency: 2 }))
      assert.strictEqual(commits, 2)
      assert.lengthOf(madeBy(ended), 1)
      assert.lengthOf(
        ended.filter((one) => Run.isShardEnded(one) && one.notes[0] === "another shard has committed the backup"),
        1
      )
      yield* assertOneSet(store, "two commits")
      yield* assertHoldsAll(cluster, store, backupId, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.effect("waits for the plan of its first process, and makes one without it after two minutes", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const begun = yield* Clock.currentTimeMillis
      yield* clocked(shardAttempt(seated(1, 2)))
      assert.isAtLeast((yield* Clock.currentTimeMillis) - begun, 120_000)
      const { createdMillis } = yield* Documents.read(store, planKey, RunPlan)
      const since = yield* Clock.currentTimeMillis
      yield* clocked(shardAttempt(seated(0, 2)))
      assert.isBelow((yield* Clock.currentTimeMillis) - since, 60_000)
      assert.strictEqual((yield* Documents.read(store, planKey, RunPlan)).createdMillis, createdMillis)
      yield* assertHoldsAll(cluster, store, backupId, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.effect("stops while it waits for the plan", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* fill(cluster)
      const stop = yield* Deferred.make<void>()
      const ended = Effect.exit(shardAttempt(seated(1, 2), { stop }))
      const [exit] = yield* clocked(
        Effect.all([ended, Effect.delay(Deferred.succeed(stop, undefined), "5 seconds")], { concurrency: 2 })
      )
      assert.include(String(Exit.isFailure(exit) ? exit.cause : ""), "was interrupted")
    }).pipe(Effect.provide(layer))
  )

  it.effect("applies retention once, in the process that commits", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (const hour of [9, 10, 11]) {
        yield* clocked(attempt(aRequest(`2026-11-23T${String(hour).padStart(2, "0")}:00:00Z`)))
      }
      const ended = yield* together(3, undefined, { retainedBackups: 2 })
      assert.deepStrictEqual(
        madeBy(ended).flatMap(({ retention }) => retention.removed.map(String)),
        ["nightly-20261123-090000", "nightly-20261123-100000"]
      )
      assert.lengthOf(yield* Catalogue.entries(store), 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("shows of each process its own part, and what all read together", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const shown = [RunProgress.make(), RunProgress.make(), RunProgress.make()]
      yield* together(3, (index) => ({ progress: shown[index]! }))
      const sum = (of: (progress: RunProgress.RunProgress) => number) => shown.reduce((n, one) => n + of(one), 0)
      const run = shown[0]!.shard!.run
      assert.deepStrictEqual(
        shown.map(({ shard }) => shard),
        [0, 1, 2].map((index) => ({ index, of: 3, run }))
      )
      assert.deepStrictEqual([sum((one) => one.partitions), sum((one) => one.partitionsDone)], [6, 6])
      assert.deepStrictEqual([sum((one) => one.offsets), sum((one) => one.offsetsDone)], [run.offsets, run.offsets])
      const { facts } = yield* Catalogue.open(store, backupId)
      assert.strictEqual(
        sum((one) => one.records),
        facts!.totals.records
      )
    }).pipe(Effect.provide(layer))
  )

  it("has each process read at its share of the limits, and at no less than one per second", () => {
    const limits = { bytesPerSecond: 1000, recordsPerSecond: 3 }
    assert.deepStrictEqual(PacedReads.share(limits, { index: 3, of: 4 }), { bytesPerSecond: 250, recordsPerSecond: 1 })
    assert.deepStrictEqual(PacedReads.share(limits, undefined), limits)
    assert.deepStrictEqual(PacedReads.share({}, { index: 0, of: 2 }), {
      bytesPerSecond: undefined,
      recordsPerSecond: undefined
    })
  })
})
