import { Effect, Exit, Stream } from "effect"
import type { RunRequest } from "../../../src/backup/RunRequest.ts"
import * as BackupId from "../../../src/identity/BackupId.ts"
import { ownerOf as owned, type Resource } from "../../../src/manifest/Adoption.ts"
import { slotText } from "../../../src/identity/RunIdentity.ts"
import { aRequest } from "../world.ts"
import * as Laws from "./Laws.ts"
import * as Pod from "./Pod.ts"
import * as Records from "./Records.ts"
import * as RereadingLaws from "./RereadingLaws.ts"
import * as RetentionLaws from "./RetentionLaws.ts"
import { touch, type World } from "./World.ts"

/* Runs: those that succeed, those that die and are gone on with, and two attempts of one at the same time. */

const minute = 60_000

/** A slot is due now. */
const newSlot = (world: World): string => {
  world.slotMillis = Math.max(world.slotMillis + minute, Math.floor(world.time.nowMillis / minute) * minute)
  world.time.nowMillis = Math.max(world.time.nowMillis, world.slotMillis)
  return slotText(world.slotMillis)
}

/** How much a run reads again: nothing, little, everything. */
const percents = [0, 2, 100] as const

const request = (world: World, resource: Resource, slot: string, isFull: boolean): RunRequest => {
  const { fullEvery, isIncremental, retained, settings } = world.spec
  const { adopting } = resource
  return {
    ...aRequest(slot),
    identity: { owner: owned(resource), slot },
    adopting,
    settings,
    percentPerRun: percents[Math.floor(Date.parse(slot) / minute) % percents.length]!,
    // No step takes so long that a checkpoint is due by time.
    checkpointIntervalMillis: 600_000,
    ...retained,
    ...(isIncremental && !isFull ? { incremental: { fullEvery } } : {})
  }
}

export const backupIdOf = ({ name }: Resource, slot: string) => BackupId.forSlot(name, Date.parse(slot))

/** The lock of a process that died has expired by the time of the next step. */
export const expireLocks = ({ store }: World) =>
  store.list("_kafka-backup/locks/").pipe(Stream.runForEach(({ key }) => store.delete(key)))

/** What the run must hold that begins now or goes on. */
const expect = Effect.fnUntraced(function* (world: World, resource: Resource, slot: string) {
  const backupId = backupIdOf(resource, slot)
  const { high = world.skewMillis, low = world.skewMillis } = world.skews.get(backupId) ?? {}
  world.skews.set(backupId, { high: Math.max(high, world.skewMillis), low: Math.min(low, world.skewMillis) })
  yield* world.versions.has(`${backupId}/plan.json`)
    ? Records.goesOn(world, backupId)
    : Records.remember(world, backupId)
})

/** One run that nothing disturbs: it must succeed, read no more than it has to, and equal a full one. */
export const run = Effect.fnUntraced(function* (world: World, a: number, isFull = false) {
  const { resource, touched } = world
  const slot = newSlot(world)
  yield* expect(world, resource, slot)
  const before = yield* RetentionLaws.before(world)
  const asked = request(world, resource, slot, isFull)
  const knownDamage = yield* RereadingLaws.recorded(world)
  for (const [key, { isSeen }] of world.damaged) if (isSeen) knownDamage.add(key)
  const exit = yield* Effect.exit(Pod.backup(world, Pod.make(world), asked))
  yield* expireLocks(world)
  if (Exit.isFailure(exit)) return world.problems.push(`the run fails: ${String(exit.cause).slice(0, 500)}`)
  const { facts } = exit.value
  world.touched = asked.incremental === undefined ? "everything" : new Set()
  Laws.cost(world, exit.value, asked, touched)
  yield* Laws.namesNothingMissing(world, facts.backupId, knownDamage)
  yield* RetentionLaws.after(world, before, asked.retainedBackups)
  yield* RereadingLaws.after(world, exit.value, asked)
  if (a % 4 === 0) yield* differential(world, asked, facts.backupId)
})

/** A full backup of the same instant, in a store of its own, gives the same records. */
const differential = Effect.fnUntraced(function* (world: World, asked: RunRequest, backupId: string) {
  const { store } = yield* world.stores.named(`full ${++world.scratch}`)
  const { incremental: _none, percentPerRun: _neither, ...full } = asked
  const pod = { ...Pod.make(world), store }
  const exit = yield* Effect.exit(Pod.backup(world, pod, full))
  if (Exit.isFailure(exit)) return world.problems.push(`the full run fails: ${String(exit.cause).slice(0, 500)}`)
  yield* Laws.equalsFull(world, backupId, store)
})

/** One that dies at some call to the store. */
export const runKilled = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const { resource } = world
  const slot = newSlot(world)
  yield* expect(world, resource, slot)
  const pod = Pod.dying(world, 1 + (a % 90), b % 2 === 0 ? "before" : "after")
  const exit = yield* Effect.exit(Pod.backup(world, pod, request(world, resource, slot, b % 10 === 0)))
  yield* expireLocks(world)
  if (Exit.isFailure(exit)) world.unfinished = { slot, resource }
  touch(world)
})

/**
 * Goes on with the run that died last, and may die again. What Kafka lost since the plan is a failure or a gap, never a
 * wrong backup: the laws say so.
 */
export const resume = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  if (world.unfinished === undefined) return
  const { resource, slot } = world.unfinished
  yield* expect(world, resource, slot)
  const pod = a % 3 === 0 ? Pod.dying(world, 1 + (b % 60), b % 2 === 0 ? "before" : "after") : Pod.make(world)
  const exit = yield* Effect.exit(Pod.backup(world, pod, request(world, resource, slot, false)))
  yield* expireLocks(world)
  if (Exit.isSuccess(exit)) world.unfinished = undefined
  touch(world)
})

/** Two attempts of one slot, as of a pod that stood still and the one that replaced it. */
export const raceOfAttempts = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const { resource } = world
  const slot = newSlot(world)
  yield* expect(world, resource, slot)
  const asked = request(world, resource, slot, b % 5 === 0)
  const again = (pod: Pod.Pod) => Pod.backup(world, pod, asked)
  const exits = yield* Pod.race(world, 1 + (a % 120), again, again)
  yield* expireLocks(world)
  const failures = exits.flatMap((exit) => (Exit.isFailure(exit) ? [String(exit.cause).slice(0, 300)] : []))
  if (failures.length === exits.length) world.problems.push(`neither attempt succeeds: ${failures.join("; ")}`)
  touch(world)
})

/** A run that is due now, for a pod of the caller's. */
export const slotNow = Effect.fnUntraced(function* (world: World) {
  const { resource } = world
  const slot = newSlot(world)
  yield* expect(world, resource, slot)
  return (pod: Pod.Pod) => Pod.backup(world, pod, request(world, resource, slot, false))
})
