import { Effect } from "effect"
import { isSameOwner } from "../../../src/identity/RunIdentity.ts"
import * as Sets from "./Sets.ts"
import type { World } from "./World.ts"

/*
 * What retention must leave: the newest backups that are not known to be damaged, as many as are asked for, and those
 * that are pinned.
 */

interface Standing {
  readonly backupId: string
  readonly completedMillis: number
  readonly isOwn: boolean
  /** No records are missing, no object has another size, and what says so is right. */
  readonly isWhole: boolean
  /** No object was altered, either: somebody may have read one that was, and recorded it. */
  readonly isSound: boolean
}

const newestFirst = (sets: ReadonlyArray<Standing>) =>
  sets.toSorted((a, b) => b.completedMillis - a.completedMillis || (a.backupId < b.backupId ? 1 : -1))

export const before = Effect.fnUntraced(function* (world: World) {
  return (yield* Sets.complete(world)).flatMap(({ backupId, set }): ReadonlyArray<Standing> => {
    if (set === undefined) return []
    const { completedMillis, identity } = set.facts
    const damage = Sets.damageOf(world, set)
    return [
      {
        backupId,
        completedMillis,
        isSound: damage.length === 0,
        isOwn: isSameOwner(identity.owner, world.resource),
        isWhole: damage.every(
          (key) => !Sets.isAboutAll(key) && !(key.includes("/topics/") && world.damaged.get(key)?.isSeen === true)
        )
      }
    ]
  })
})

/** `keep` is the number of backups to keep; absent where only other rules keep some. */
export const after = Effect.fnUntraced(function* (
  world: World,
  earlier: ReadonlyArray<Standing>,
  keep: number | undefined
) {
  const present = yield* before(world)
  const left = new Set(Sets.folders(world))
  const known = new Set(earlier.map(({ backupId }) => backupId))
  const whole = newestFirst([...earlier, ...present.filter(({ backupId }) => !known.has(backupId))]).filter(
    ({ isWhole }) => isWhole
  )
  const newest = new Set(whole.slice(0, keep ?? 1).map(({ backupId }) => backupId))
  const own = whole.filter(({ isOwn, isSound }) => isOwn && isSound).slice(0, keep ?? 1)
  for (const { backupId } of own) {
    if (newest.has(backupId) && !left.has(backupId)) {
      world.problems.push(`retention has removed ${backupId}, which is among the newest ${keep ?? 1} that are whole`)
    }
  }
  for (const { backupId } of earlier) {
    if (world.pinned.has(backupId) && !left.has(backupId))
      world.problems.push(`retention has removed ${backupId}, which is pinned`)
  }
})
