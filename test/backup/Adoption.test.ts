import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import type { RetentionOutcome } from "../../src/backup/RetentionOutcome.ts"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as WholeRemoval from "../../src/backup/WholeRemoval.ts"
import type { Owner } from "../../src/identity/RunIdentity.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as OwnerLock from "../../src/manifest/OwnerLock.ts"
import * as SealedJson from "../../src/manifest/SealedJson.ts"
import { SetFacts } from "../../src/manifest/SetFacts.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, attempt, dyingAt, fill, layer, world } from "./world.ts"

const slot = (hour: number) => `2026-11-23T${String(hour).padStart(2, "0")}:00:00Z`
const earlier = { uid: "uid-1", namespace: "kafka", name: "nightly" }
const later = { ...earlier, uid: "uid-2" }
/** It takes over from one that made no backup. */
const last = { ...earlier, uid: "uid-3" }
const hourMillis = 3_600_000

const run = (owner: Owner, hour: number, more: Parameters<typeof aRequest>[1] = {}) =>
  Effect.map(
    attempt(aRequest(slot(hour), { topics: ["payments"], identity: { owner, slot: slot(hour) }, ...more })),
    ({ facts, retention }): { readonly facts: SetFacts; readonly retention: RetentionOutcome } => ({
      facts,
      retention
    })
  )

/** Dates a backup: started and completed this many hours before now, by hand. */
const dated = Effect.fnUntraced(function* (backupId: string, hoursAgo: number) {
  const { memory, store } = yield* world
  const { manifestSha256: _seal, ...facts } = (yield* Catalogue.open(store, backupId)).facts!
  const millis = Date.now() - hoursAgo * hourMillis
  const moved = { ...facts, startedMillis: millis, completedMillis: millis }
  yield* memory.tamper(ObjectKey.make(`${backupId}/kb-meta.json`), () => SealedJson.seal(SetFacts, moved))
})

/** Backups of the earlier resource, so many hours ago, the oldest first; their ids end in 01, 02 … */
const made = Effect.fnUntraced(function* (...hoursAgo: ReadonlyArray<number>) {
  const { cluster } = yield* world
  yield* fill(cluster)
  for (const [n, hours] of hoursAgo.entries()) {
    yield* run(earlier, n + 1)
    yield* dated(`nightly-20261123-0${n + 1}0000`, hours)
  }
})

const held = Effect.gen(function* () {
  const { store } = yield* world
  return (yield* Catalogue.entries(store)).map((entry) => `${entry.backupId.slice(-6, -4)} ${entry._tag}`)
})

const adopting = (createdHoursAgo = 1) => ({
  sourceClusterId: undefined,
  createdMillis: Date.now() - createdHoursAgo * hourMillis
})

describe("a resource with the name of an earlier one", () => {
  it.live("counts its backups for retention, and compares its first backup with the earlier one's last", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* made(12, 11, 10)
      yield* cluster.deleteTopic("payments")
      yield* cluster.createTopic("payments", { partitions: 1 })
      const { facts, retention } = yield* run(later, 5, { adopting: adopting(), retainedBackups: 1 })
      assert.match(facts.notes.join(), /topic payments .*nightly-20261123-030000/u)
      // The newest that holds the records stays, as for one resource.
      assert.deepStrictEqual(yield* held, ["03 Complete", "05 Complete"])
      assert.deepStrictEqual(
        retention.heldBack.map(({ backupId }) => backupId.slice(-6, -4)),
        ["03"]
      )
      assert.deepInclude(retention.catalogue, { total: 2, adopted: 1 })
    }).pipe(Effect.provide(layer))
  )

  it.live("removes none of the backups of one that may be between two runs in another cluster", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* made(4, 3, 1.5)
      const { retention } = yield* run(later, 5, { adopting: adopting(), retainedBackups: 1 })
      assert.deepInclude(retention.catalogue, { total: 4, adopted: 3 })
      const cleaned = yield* WholeRemoval.run(store, { ...later, adopting: adopting() })
      assert.match(cleaned.notes.join(), /^3 backups of an earlier resource .* at work in another cluster$/u)
      assert.deepStrictEqual(yield* held, ["01 Complete", "02 Complete", "03 Complete"])
    }).pipe(Effect.provide(layer))
  )

  it.live("lets go of them once the other one has made another backup", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* made(12, 11, 10)
      yield* run(later, 5, { adopting: adopting() })
      yield* run(earlier, 6)
      const rules = { keep: 1 }
      const before = yield* held
      const { catalogue, removed } = yield* RetentionPass.run(store, { ...later, adopting: adopting() }, rules)
      assert.deepStrictEqual([catalogue?.total, removed, yield* held], [1, [], before])
    }).pipe(Effect.provide(layer))
  )

  it.live("finishes what the earlier one had begun to remove, and waits for a lock of its", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* made(12, 11, 10)
      for (let n = 5; n < 100 && !(yield* held).includes("01 BeingRemoved"); n++) {
        yield* Effect.exit(RetentionPass.run(dyingAt(store, n, "after").store, earlier, { keep: 2 }))
        for (const key of yield* memory.keys) if (key.includes("/locks/")) yield* store.delete(key)
      }
      assert.include(yield* held, "01 BeingRemoved")
      const atWork = yield* Effect.forkChild(
        OwnerLock.holding(store, earlier, "a clean-up that is at work", Effect.sleep("300 millis")),
        { startImmediately: true }
      )
      yield* run(later, 5, { adopting: adopting(), retainedBackups: 1 })
      assert.isDefined(atWork.pollUnsafe(), "the lock was free before anything was removed")
      assert.deepStrictEqual(yield* held, ["05 Complete"])
    }).pipe(Effect.provide(layer))
  )

  it.live.each([
    ["everything", (store: ObjectStoreShape) => WholeRemoval.run(store, { ...last, adopting: adopting() }), []],
    [
      "older ones",
      (store: ObjectStoreShape) => RetentionPass.run(store, { ...last, adopting: adopting() }, { keep: 1 }),
      ["05 Complete"]
    ]
  ] as const)("finishes what one had begun to remove that made no backup itself: %s", ([_what, removal, left]) =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* made(12, 11)
      yield* run(last, 5, { adopting: adopting() })
      const between = { ...later, adopting: adopting(3) }
      for (let n = 5; n < 100 && !(yield* held).includes("01 BeingRemoved"); n++) {
        yield* Effect.exit(RetentionPass.run(dyingAt(store, n, "after").store, between, { keep: 1 }))
        for (const key of yield* memory.keys) if (key.includes("/locks/")) yield* store.delete(key)
      }
      assert.include(yield* held, "01 BeingRemoved")
      const written: Array<string> = []
      const put: ObjectStoreShape["put"] = (key, ...rest) => {
        written.push(key)
        return store.put(key, ...rest)
      }
      yield* removal({ ...store, put })
      assert.deepStrictEqual(yield* held, [...left])
      const isOfOthers = (key: string) => /uid-[12]\/|-0[12]0000\//u.test(key)
      assert.deepStrictEqual(
        (yield* memory.keys).filter((key) => left.length === 0 || isOfOthers(key)),
        []
      )
      // It may be at work.
      assert.isTrue(written.some((key) => key.includes("/locks/uid-2/")))
    }).pipe(Effect.provide(layer))
  )

  it.live("is found by hand without its uid, and all of its backups with it", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* made(12, 11)
      yield* run(later, 5, { adopting: adopting() })
      const byHand = {
        namespace: "kafka",
        name: "nightly",
        adopting: { sourceClusterId: undefined, createdMillis: undefined }
      }
      const pruned = yield* RetentionPass.run(store, byHand, { keep: 2 })
      assert.deepStrictEqual(pruned.removed.join(), "nightly-20261123-010000")
      const { removed } = yield* WholeRemoval.run(store, byHand)
      assert.lengthOf(removed, 2)
      assert.deepStrictEqual(yield* memory.keys, [])
    }).pipe(Effect.provide(layer))
  )

  it.live("leaves nothing of the earlier one, once retention removed its last backup", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* made(12, 11)
      yield* run(later, 5, { adopting: adopting(), retainedBackups: 1 })
      assert.deepStrictEqual(yield* held, ["05 Complete"])
      yield* WholeRemoval.run(store, { ...later, adopting: adopting() })
      assert.deepStrictEqual(yield* memory.keys, [])
    }).pipe(Effect.provide(layer))
  )

  it.live("leaves nothing of the earlier one, wherever the removal of everything was cut off", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const resource = { ...later, adopting: adopting() }
      for (let n = 1; ; n += 3) {
        yield* made(12, 11)
        // Its id comes before theirs.
        yield* run(later, 0, { adopting: adopting() })
        const died = yield* Effect.exit(WholeRemoval.run(dyingAt(store, n, "after").store, resource))
        for (const key of yield* memory.keys) if (key.includes("/locks/")) yield* store.delete(key)
        yield* WholeRemoval.run(store, resource)
        assert.deepStrictEqual(yield* memory.keys, [], `cut off at call ${n}`)
        for (const key of yield* memory.keys) yield* store.delete(key)
        if (Exit.isSuccess(died)) break
      }
    }).pipe(Effect.provide(layer))
  )
})
