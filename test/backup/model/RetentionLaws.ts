import { Effect } from "effect"
import { isSameOwner } from "../../../src/identity/RunIdentity.ts"
import { ObjectKey } from "../../../src/storage/ObjectStore.ts"
import * as Sets from "./Sets.ts"
import type { World } from "./World.ts"

/*
 * What retention must leave: the newest backups that are whole, as many as are asked for; each damaged one that would
 * be among them if it were whole (docs/adr/0043); and those that are pinned.
 */

interface Standing {
  readonly backupId: string
  readonly completedMillis: number
  readonly isOwn: boolean
  /** No object that it names is missing or has another size, and what says so is right. */
  readonly isWhole: boolean
}

const newestFirst = (sets: ReadonlyArray<Standing>) =>
  sets.toSorted((a, b) => b.completedMillis - a.completedMillis || (a.backupId < b.backupId ? 1 : -1))

const withoutDocuments = (bytes: Uint8Array): string => {
  const { kb_documents: _list, ...rest } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown>
  return JSON.stringify(rest)
}

/**
 * Whether a comparison with the manifest tells, which reads no object. A manifest whose list of documents is altered
 * still names the same records; the documents themselves are read by `verify`.
 */
const isNoticed = Effect.fnUntraced(function* (world: World, key: string) {
  const { isSeen, original } = world.damaged.get(key)!
  if (!Sets.isAboutAll(key)) return isSeen && key.includes("/topics/")
  if (!key.endsWith("/manifest.json")) return true
  const present = yield* Effect.orDie(world.store.get(ObjectKey.make(key)))
  return withoutDocuments(present) !== withoutDocuments(original)
})

export const before = Effect.fnUntraced(function* (world: World) {
  const found: Array<Standing> = []
  for (const { backupId, set } of yield* Sets.complete(world)) {
    if (set === undefined) continue
    const { completedMillis, identity } = set.facts
    const noticed = yield* Effect.filter(Sets.damageOf(world, set), (key) => isNoticed(world, key))
    const isOwn = isSameOwner(identity.owner, world.resource)
    found.push({ backupId, completedMillis, isOwn, isWhole: noticed.length === 0 })
  }
  return found
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
