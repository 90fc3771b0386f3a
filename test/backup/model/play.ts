import { Effect } from "effect"
import * as WholeRemoval from "../../../src/backup/WholeRemoval.ts"
import { BackupId } from "../../../src/identity/BackupId.ts"
import * as Claims from "../../../src/manifest/Claims.ts"
import { ownerOf, type Resource } from "../../../src/manifest/Adoption.ts"
import * as OwnerLock from "../../../src/manifest/OwnerLock.ts"
import * as RetentionPass from "../../../src/backup/RetentionPass.ts"
import * as KafkaActions from "./KafkaActions.ts"
import * as Laws from "./Laws.ts"
import * as Pod from "./Pod.ts"
import * as ResourceActions from "./ResourceActions.ts"
import * as RunActions from "./RunActions.ts"
import * as Sets from "./Sets.ts"
import { text, type Step } from "./Step.ts"
import * as StorageActions from "./StorageActions.ts"
import { foreign, make, type World } from "./World.ts"

export interface Options {
  readonly isJoining: boolean
}

const carryOut = (world: World, { a, action, b }: Step) => {
  switch (action) {
    case "produce":
      return KafkaActions.produce(world, a, b)
    case "transact":
      return KafkaActions.transact(world, a, b)
    case "compact":
      return KafkaActions.compact(world, a, b)
    case "dropTombstones":
      return KafkaActions.dropTombstones(world, a)
    case "deleteRecords":
      return KafkaActions.deleteRecords(world, a, b)
    case "recreate":
      return KafkaActions.recreate(world, a)
    case "grow":
      return KafkaActions.grow(world, a)
    case "configure":
      return KafkaActions.configure(world, a)
    case "loseTail":
      return KafkaActions.loseTail(world, a, b)
    case "run":
      return RunActions.run(world, a)
    case "runFull":
      return RunActions.run(world, a, true)
    case "runKilled":
      return RunActions.runKilled(world, a, b)
    case "resume":
      return RunActions.resume(world, a, b)
    case "raceOfAttempts":
      return RunActions.raceOfAttempts(world, a, b)
    case "raceWithPrune":
      return StorageActions.raceWithPrune(world, a, b)
    case "prune":
      return StorageActions.prune(world, a, b)
    case "pruneKilled":
      return StorageActions.pruneKilled(world, a, b)
    case "damage":
      return StorageActions.damage(world, a, b)
    case "pin":
      return StorageActions.pin(world, a)
    case "edit":
      return ResourceActions.edit(world, a, b)
    case "reown":
      return ResourceActions.reown(world, b)
    case "clockJump":
      return ResourceActions.clockJump(world, a)
    case "pass":
      return ResourceActions.pass(world, a, b)
  }
}

const minute = 60_000
const day = 24 * 60 * minute

/**
 * What may stay: locks, pins, what another resource of the name left that made no backup, and folders of which nobody
 * can tell that they are no backup: a run wrote everything but the manifest, or the claim is damaged.
 */
const mayStay = (world: World, { uid = "" }: Resource) => {
  const ofFolder = (key: string) => key.slice(0, key.indexOf("/"))
  const unknown = new Set(
    [...world.versions.keys()].flatMap((key) =>
      /\/kb-meta(-\d{6})?\.json$/u.test(key) && !world.versions.has(`${ofFolder(key)}/manifest.json`)
        ? [ofFolder(key)]
        : []
    )
  )
  for (const backupId of world.unclaimed) unknown.add(backupId)
  // Of an earlier resource only the facts, or what says whose the rest of a removed backup is, tell that this one has
  // taken it over; of a backup that is being removed, the claim does, too, as long as it is there.
  if (world.hasSuccessor) {
    for (const key of world.damaged.keys()) {
      const claim = `${ofFolder(key)}/claim.json`
      const isClaimed = world.versions.has(claim) && !world.damaged.has(claim)
      if (Sets.isAboutAll(key) || key.endsWith("/retired.json") || (key.endsWith("/tombstone.json") && !isClaimed)) {
        unknown.add(ofFolder(key))
      }
    }
  }
  return (key: string): boolean =>
    foreign.some(([name]) => name === key) ||
    unknown.has(ofFolder(key)) ||
    /^_kafka-backup\/(locks|pins)\//u.test(key) ||
    (/^_kafka-backup\/(index|preflight|runs|verified)\//u.test(key) &&
      (world.unclaimed.size > 0 || key.split("/")[2] !== uid))
}

/**
 * The torn backups that a removal of everything may stop at, and must name: those that do not say whose they are, and
 * those of an earlier resource no backup of which can be read. What such a resource made might show that it is at work
 * in another cluster, so nobody can prove that it was taken over (ADR 18); and a backup that cannot be read may need
 * any object of its name. People are told which one to put right or to move away.
 */
const mayBlock = Effect.fnUntraced(function* (world: World, resource: Resource) {
  const torn = [...world.damaged.keys()].filter(Sets.isAboutAll).map((key) => BackupId.make(key.split("/")[0]!))
  const sets = yield* Sets.complete(world)
  const readable = new Set(sets.map(({ set }) => set?.facts.identity.owner.uid))
  return yield* Effect.filter(torn, (backupId) =>
    Effect.map(
      Claims.claimant(world.store, backupId),
      (maker) => maker === undefined || (maker.uid !== resource.uid && !readable.has(maker.uid))
    )
  )
})

/**
 * Law 4: everything is removed, with what unfinished runs and earlier resources of the name have left. No unfinished
 * run holds anything back by then, whoever made it: none was written to for weeks.
 */
const removeAll = Effect.fnUntraced(function* (world: World) {
  world.skewMillis = 0
  world.time.nowMillis += 60 * day
  const { resource, store } = world
  yield* RunActions.run(world, 1)
  const held = <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Pod.on(Pod.make(world), OwnerLock.holding(store, ownerOf(resource), "prune", work, "fiveMinutes"))
  yield* held(RetentionPass.run(store, resource, { keep: 1 }))
  const { blocked, locked } = yield* held(WholeRemoval.run(store, resource))
  const blocking = yield* mayBlock(world, resource)
  const unexplained = [...blocked, ...locked.map(({ why }) => why)].filter(
    (why) => !blocking.some((backupId) => why.includes(`${backupId} may need objects`))
  )
  if (unexplained.length > 0) world.problems.push(`4: the removal of everything stops: ${unexplained[0]}`)
  if (blocked.length > 0) return
  const stays = mayStay(world, resource)
  const left = [...world.versions.keys()].filter((key) => !stays(key))
  if (left.length > 0)
    world.problems.push(`4: after the removal of everything ${left.length} objects are left: ${left[0]}`)
})

/** Carries the history out. Gives what went wrong, with the number of the step; empty where every law held. */
export const play = Effect.fnUntraced(function* (steps: ReadonlyArray<Step>, { isJoining }: Options) {
  const world = yield* make(isJoining)
  const told = (at: string) => world.problems.map((problem) => `${at}: ${problem}`)
  for (const [index, step] of steps.entries()) {
    world.time.nowMillis += 7 * minute
    yield* carryOut(world, step)
    yield* Laws.check(world)
    if (world.problems.length > 0) return told(`step ${index + 1} ${text(step)}`)
  }
  yield* removeAll(world)
  yield* Laws.check(world)
  return told("at the end")
})
