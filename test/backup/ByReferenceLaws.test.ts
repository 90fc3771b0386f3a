import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as WholeRemoval from "../../src/backup/WholeRemoval.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import type { Owner } from "../../src/identity/RunIdentity.ts"
import type * as Adoption from "../../src/manifest/Adoption.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { ObjectStoreError, StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import * as ByReference from "./byReference.ts"
import { dyingAt, layer, world } from "./world.ts"

/*
 * Histories of sets that name objects of earlier sets: made, built on, removed by retention and as a whole, by two
 * resources of one name, with a death at any call, objects that the store keeps, lost manifests and days between. The
 * seed of a failure is in its message; KBO_SEED repeats it, KBO_HISTORIES sets how many there are.
 */

const [first, histories] = [Number(process.env["KBO_SEED"] ?? 1), Number(process.env["KBO_HISTORIES"] ?? 60)]
const steps = 25
const hour = 3_600_000
const start = Date.UTC(2026, 10, 23)

/** Numbers below `n` that follow from the seed (mulberry32). */
const random = (seed: number) => {
  let state = seed * 0x9e3779b1
  return (n: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

const owners: ReadonlyArray<Owner> = [
  { uid: "uid-1", namespace: "kafka", name: "nightly" },
  { uid: "uid-2", namespace: "kafka", name: "nightly" }
]

const foreign = ["notes.txt", "photos-20261123-010000/manifest.json", "nightly-20261123-005959/mine.txt"]

const holding = (store: ObjectStoreShape, held: ReadonlySet<string>): ObjectStoreShape => ({
  ...store,
  delete: (key) =>
    held.has(key)
      ? Effect.fail(
          new ObjectStoreError({
            operation: "delete",
            location: store.location,
            reason: new StorageAuthorizationFailed({ detail: "held", advice: "wait", locked: {} })
          })
        )
      : store.delete(key)
})

const history = Effect.fnUntraced(function* (seed: number) {
  const { memory, store } = yield* world
  const pick = random(seed)
  const told: Array<string> = []
  const sets = new Map<string, ByReference.MadeSet>()
  const runs: Array<ByReference.BegunRun> = []
  yield* TestClock.setTime(start)
  for (const key of foreign) yield* store.put(ObjectKey.make(key), [Buffer.from(`mine: ${key}`)])
  const says = () => `seed ${seed}: ${told.join("; ")}`

  const complete = Effect.map(Catalogue.entries(store), (entries) =>
    entries.flatMap(({ _tag, backupId }) => (_tag === "Complete" ? [backupId as string] : []))
  )
  const laws = Effect.gen(function* () {
    for (const backupId of yield* complete) {
      const set = sets.get(backupId)
      if (set !== undefined) assert.deepStrictEqual(yield* ByReference.missing(store, set), [], says())
    }
    for (const key of foreign) {
      assert.strictEqual(Buffer.from(yield* store.get(ObjectKey.make(key))).toString(), `mine: ${key}`, says())
    }
  })
  /** The newest set of this owner, or any set: the way of a resource that adopted others. */
  const baseFor = Effect.fnUntraced(function* (owner: Owner) {
    const there = (yield* complete).flatMap((backupId) => sets.get(backupId) ?? [])
    const own = there.filter((set) => set.owner === owner)
    const among = pick(6) === 0 ? there : own
    return pick(5) === 0 ? undefined : among.at(pick(4) === 0 ? pick(among.length || 1) : -1)
  })
  const making = () => ({
    drop: pick(3) === 0 ? pick(3) : 0,
    join: pick(3) === 0 ? 2 + pick(3) : 0,
    own: pick(4),
    bytes: 1 + pick(300),
    isOld: pick(6) === 0
  })
  const disturbed = Effect.fnUntraced(function* <E>(
    what: string,
    work: (store: ObjectStoreShape) => Effect.Effect<unknown, E>
  ) {
    const keys = yield* memory.keys
    const held = new Set(pick(5) === 0 ? Array.from({ length: 3 }, () => keys[pick(keys.length)]!) : [])
    const dies = pick(2) === 0 ? 1 + pick(pick(2) === 0 ? 60 : 250) : Infinity
    const when = pick(2) === 0 ? ("before" as const) : ("after" as const)
    const exit = yield* Effect.exit(work(dyingAt(holding(store, held), dies, when).store))
    told.push(`${what}${Exit.isSuccess(exit) ? "" : ` (died ${when} call ${dies})`}${held.size > 0 ? " (held)" : ""}`)
    yield* TestClock.adjust("10 minutes")
  })

  for (let step = 1; step <= steps; step++) {
    const owner = owners[pick(3) === 0 ? 1 : 0]!
    const slotMillis = start + step * hour
    const action = pick(12)
    if (action < 4) {
      const base = yield* baseFor(owner)
      const made = yield* ByReference.make(store, { owner, slotMillis, base, ...making() })
      sets.set(made.backupId, made)
      told.push(`${made.backupId} of ${owner.uid} on ${base?.backupId ?? "nothing"}`)
    } else if (action === 4) {
      runs.push(yield* ByReference.begin(store, { owner, slotMillis, base: yield* baseFor(owner) }))
      told.push(`run ${runs.at(-1)!.backupId} on ${runs.at(-1)!.base?.backupId ?? "nothing"}`)
    } else if (action === 5) {
      const run = runs.shift()
      if (run === undefined) continue
      const made = yield* ByReference.finish(store, run, making())
      sets.set(made.backupId, made)
      told.push(`run ${made.backupId} ends`)
    } else if (action < 9) {
      const keep = 1 + pick(4)
      const thoroughness = pick(3) === 0 ? "everything" : "run"
      yield* disturbed(`${owner.uid} keeps ${keep}, ${thoroughness}`, (disturbing) =>
        RetentionPass.run(disturbing, owner, { keep }, thoroughness)
      )
    } else if (action === 9) {
      // Unfinished runs are abandoned, and continue no more.
      runs.splice(0)
      yield* TestClock.adjust("8 days")
      told.push("8 days pass")
    } else if (action === 10) {
      const backupId = (yield* complete).filter((id) => sets.has(id)).at(-1 - pick(4))
      if (backupId === undefined) continue
      yield* store.delete(BackupKeys.manifest(BackupId.BackupId.make(backupId)))
      told.push(`the manifest of ${backupId} is lost`)
    } else {
      // No run of the owner is under way when everything of it is removed.
      if (runs.some((run) => run.owner === owner)) continue
      yield* disturbed(`all of ${owner.uid} go`, (disturbing) => WholeRemoval.run(disturbing, owner))
    }
    yield* laws
  }
  runs.splice(0)
  const resources: ReadonlyArray<Adoption.Resource> = [owners[0]!, owners[1]!]
  for (const resource of resources) {
    yield* disturbed(`at last all of ${resource.uid}`, (disturbing) => WholeRemoval.run(disturbing, resource))
    yield* laws
  }
  // What one of them needed of the other, or an unfinished run of the other builds on, goes in the second round.
  for (const resource of [...resources, ...resources]) {
    yield* WholeRemoval.run(store, resource)
    yield* laws
  }
  const left = (yield* memory.keys).filter((key) => !foreign.includes(key))
  assert.deepStrictEqual(left, [], says())
})

describe("Histories of sets that name objects of earlier sets", () => {
  it.effect(
    "keep every object that a kept set names, leave nothing when all are removed, and touch nothing foreign",
    () =>
      Effect.gen(function* () {
        for (let seed = first; seed < first + histories; seed++) yield* history(seed).pipe(Effect.provide(layer))
      }),
    600_000
  )
})
