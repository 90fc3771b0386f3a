import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Catalogue from "./Catalogue.ts"
import type * as ObjectSizes from "./ObjectSizes.ts"
import * as Presence from "./Presence.ts"
import * as Seal from "./Seal.ts"
import * as Verification from "./Verification.ts"

/** What a check of one set found: nothing, damage, no memory for it, or that it is no longer a backup. */
export type Found =
  | { readonly _tag: "Whole" }
  /** `lost` are the keys of objects that are not there, or have another size. */
  | { readonly _tag: "Damaged"; readonly problem: string; readonly lost: ReadonlyArray<string> }
  | { readonly _tag: "TooLarge"; readonly why: string }
  | { readonly _tag: "Gone" }

const damaged = (problem: string, lost: ReadonlyArray<string> = []): Found => ({ _tag: "Damaged", problem, lost })

/** What is said of a set that was complete and has no manifest now. */
export const lostManifest = (backupId: string): string =>
  `${backupId} has no manifest any more; put manifest.json back if there is a copy of it`

/** Compares an opened set with its seal and with storage: see `check`. */
export const ofSet = Effect.fn("SetCheck.ofSet")(function* (
  store: ObjectStoreShape,
  set: Catalogue.BackupSet,
  sizes: ObjectSizes.Sizes = new Map(),
  recorded: ReadonlySet<string> = new Set()
) {
  const [changed] = yield* Seal.manifestProblems(store, set)
  if (changed !== undefined) return damaged(`${changed.key} ${changed.detail}`)
  const problems = yield* Presence.problems(store, set, sizes)
  const [first] = problems
  if (first === undefined) {
    const known = Verification.locatedSegments(set).find(({ segment: { key } }) => recorded.has(key))
    if (known !== undefined) return damaged(`${known.segment.key} is known to be damaged`)
    return { _tag: "Whole" } satisfies Found as Found
  }
  const others = problems.length - 1
  const more = others < 1 ? "" : `, and ${others} more ${others === 1 ? "object is" : "objects are"} missing or altered`
  return damaged(
    `${first.key} ${first.detail}${more}`,
    problems.map(({ key }) => key)
  )
})

/**
 * Compares a set with its manifest: objects that are missing or have another size, or a manifest that was changed, was
 * lost, or cannot be read; and objects that are `recorded` as damaged of other sets. By a manifest that was changed no
 * object is looked for. No object is read.
 */
export const check = Effect.fn("SetCheck.check")(
  function* (
    store: ObjectStoreShape,
    backupId: BackupId,
    sizes: ObjectSizes.Sizes = new Map(),
    recorded: ReadonlySet<string> = new Set()
  ) {
    return yield* ofSet(store, yield* Catalogue.openById(store, backupId), sizes, recorded)
  },
  Effect.catchReason("CatalogueError", "DocumentUnreadable", ({ isTooLarge, message: why }) =>
    Effect.succeed<Found>(isTooLarge === true ? { _tag: "TooLarge", why } : damaged(why))
  ),
  Effect.catchReason("CatalogueError", "SetIncomplete", ({ backupId, state }) =>
    // It was a backup: somebody has lost its manifest since.
    Effect.succeed<Found>(state === "unfinished" ? damaged(lostManifest(backupId)) : { _tag: "Gone" })
  ),
  Effect.catchReason("CatalogueError", "SetNotFound", () => Effect.succeed<Found>({ _tag: "Gone" }))
)

/**
 * Whether the facts of a set whose manifest is there say that it was completed: they have a checksum of their own, and
 * hold the fingerprint of the manifest. False where only the manifest could tell which facts count.
 */
export const isComplete = (store: ObjectStoreShape, backupId: BackupId) =>
  Catalogue.factsOf(store, backupId).pipe(
    Effect.map((facts) => facts?.backupId === backupId && facts.manifestSha256 !== undefined),
    Effect.catchTag("CatalogueError", () => Effect.succeed(false))
  )
