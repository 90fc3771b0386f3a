import { Effect } from "effect"
import { isSameOwner } from "../../../src/identity/RunIdentity.ts"
import * as Sets from "./Sets.ts"
import type { World } from "./World.ts"

/*
 * What retention must leave: the newest backups that are whole, as many as are asked for; each damaged one that would be
 * among them if it were whole (docs/adr/0043); and those that are pinned.
 */

interface Standing {
  readonly backupId: string
  readonly completedMillis: number
  readonly isOwn: boolean
  /** No records are missing, no object has another size, and what says so is right. */
  readonly isWhole: boolean
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
  const left = new Set(Sets.folders(world))
  // What a run has healed and put back counts.
  const present = yield* before(world)
  const known = new Set(present.map(({ backupId }) => backupId))
  const all = newestFirst([...present, ...earlier.filter(({ backupId }) => !known.has(backupId))])
  let newer = 0
  for (const { backupId, isOwn, isWhole } of all) {
    if (newer >= (keep ?? 1)) break
    if (isOwn && !left.has(backupId)) {
      const what = isWhole ? "is" : "would be, if it were whole,"
      world.problems.push(
        `retention has removed ${backupId}, which ${what} among the newest ${keep ?? 1} that are whole`
      )
    }
    if (isWhole) newer++
  }
  for (const { backupId } of earlier) {
    if (world.pinned.has(backupId) && !left.has(backupId))
      world.problems.push(`retention has removed ${backupId}, which is pinned`)
  }
})
