import { Effect } from "effect"
import type { TimeRules } from "../../../src/backup/KeepRules.ts"
import * as RetentionPass from "../../../src/backup/RetentionPass.ts"
import type { Rules } from "../../../src/backup/RetentionDecision.ts"
import { BackupId } from "../../../src/identity/BackupId.ts"
import { ownerOf } from "../../../src/manifest/Adoption.ts"
import * as OwnerLock from "../../../src/manifest/OwnerLock.ts"
import * as Pins from "../../../src/manifest/Pins.ts"
import { aRequest } from "../world.ts"
import * as Pod from "./Pod.ts"
import * as RetentionLaws from "./RetentionLaws.ts"
import * as RunActions from "./RunActions.ts"
import * as Sets from "./Sets.ts"
import { touch, type World } from "./World.ts"

/* Retention, and what other hands do in the store. */

const day = 24 * 3_600_000

const byTime: ReadonlyArray<TimeRules | undefined> = [
  undefined,
  undefined,
  { maxAgeMillis: day / 2 },
  { keep: { hourly: 2, daily: 2 } },
  { keep: { daily: 1, weekly: 1 } }
]

/** Rules that the numbers choose. */
export const rules = (a: number, b: number): Rules => {
  const time = byTime[b % byTime.length]
  return time === undefined ? { keep: 1 + (a % 3) } : { keep: a % 2 === 0 ? undefined : 1 + (a % 3), time }
}

const pass = (world: World, pod: Pod.Pod, asked: Rules) =>
  Pod.on(
    pod,
    OwnerLock.holding(
      pod.store,
      ownerOf(world.resource),
      "prune",
      RetentionPass.run(pod.store, world.resource, asked),
      "fiveMinutes"
    )
  )

/** What `act` removes may be the backup that was made last: by a clock that is wrong, others are newer. */
const removing = <A, E, R>(world: World, act: Effect.Effect<A, E, R>) => {
  const writtenAs = (backupId: string) => world.versions.get(`${backupId}/manifest.json`) ?? 0
  const [latest] = Sets.folders(world).toSorted((a, b) => writtenAs(b) - writtenAs(a))
  return Effect.tap(act, () =>
    Effect.sync(() => {
      // The next run then builds on one from before, and reads what came since again.
      if (latest !== undefined && !Sets.folders(world).includes(latest)) touch(world)
    })
  )
}

export const prune = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const asked = rules(a, b)
  const earlier = yield* RetentionLaws.before(world)
  yield* removing(world, pass(world, Pod.make(world), asked))
  yield* RetentionLaws.after(world, earlier, asked.keep)
})

export const pruneKilled = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const asked = rules(a, b)
  const earlier = yield* RetentionLaws.before(world)
  const dying = Pod.dying(world, 1 + (b % 60), a % 2 === 0 ? "before" : "after")
  yield* removing(world, Effect.exit(pass(world, dying, asked)))
  yield* RunActions.expireLocks(world)
  yield* RetentionLaws.after(world, earlier, asked.keep)
})

/** A run and a prune at the same time. */
export const raceWithPrune = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const asked = rules(a, b)
  const earlier = yield* RetentionLaws.before(world)
  const run = yield* RunActions.slotNow(world)
  const pruning = (pod: Pod.Pod) => pass(world, pod, asked)
  const n = 1 + (Math.floor(a / 3) % 90)
  const [first, second] =
    a % 3 === 0 ? yield* Pod.race(world, n, run, pruning) : yield* Pod.race(world, n, pruning, run)
  yield* RunActions.expireLocks(world)
  const exit = a % 3 === 0 ? first : second
  // By a clock that is wrong others may be newer: then the prune may remove a backup whose run has yet to look at it.
  const isRemoved = String(exit).includes("superseded") && !Sets.folders(world).some((id) => String(exit).includes(id))
  if (exit._tag === "Failure" && !isRemoved)
    world.problems.push(`the run beside a prune fails: ${String(exit.cause).slice(0, 500)}`)
  // The prune may have gone before the new one was there.
  yield* RetentionLaws.after(world, earlier, 1)
  touch(world)
})

export const pin = Effect.fnUntraced(function* (world: World, a: number) {
  const folders = Sets.folders(world)
  const backupId = folders[a % Math.max(1, folders.length)]
  if (backupId === undefined) return
  if (world.pinned.delete(backupId)) return yield* Pins.remove(world.store, BackupId.make(backupId))
  world.pinned.add(backupId)
  yield* Pins.create(world.store, BackupId.make(backupId), { reason: undefined, who: aRequest("").host })
})

/**
 * A byte flips, an object is gone or cut, or two are exchanged: any object of backups, of runs or of indexes, or a
 * ledger.
 */
export const damage = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const keys = [...world.versions.keys()]
    .filter((key) => /^nightly-\d{8}-\d{6}\/|^_kafka-backup\/(index|verified)\//u.test(key))
    .toSorted()
  // Mostly what holds records: documents are more.
  const segments = keys.filter((key) => key.includes("/topics/"))
  const among = b % 4 === 0 || segments.length === 0 ? keys : segments
  const key = among[(a * 31 + b) % Math.max(1, among.length)]
  if (key === undefined) return
  const other = among[(a * 17 + b * 7) % among.length]!
  touch(world)
  for (const one of a % 4 === 1 ? [key, other] : [key]) {
    if (one.endsWith("/claim.json")) world.unclaimed.add(one.slice(0, one.indexOf("/")))
  }
  switch (a % 4) {
    case 0:
      yield* world.damage(key, () => undefined)
      break
    case 1: {
      if (other === key) break
      const bytes = yield* Effect.orDie(world.store.get(key as never))
      const swapped = yield* Effect.orDie(world.store.get(other as never))
      yield* world.damage(key, () => swapped)
      yield* world.damage(other, () => bytes)
      break
    }
    case 2:
      yield* world.damage(key, (bytes) => bytes.subarray(0, Math.floor((bytes.byteLength * (b % 100)) / 100)))
      break
    default:
      yield* world.damage(key, (bytes) => {
        bytes[(b * 7919) % bytes.byteLength]! ^= 1 << (b % 8)
        return bytes
      })
  }
})
