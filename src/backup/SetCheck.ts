import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import type * as ObjectSizes from "../manifest/ObjectSizes.ts"
import * as Presence from "../manifest/Presence.ts"
import * as Seal from "../manifest/Seal.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

/** What a check of one set found: nothing, damage, no memory for it, or that it is no longer a backup. */
export type Found =
  | { readonly _tag: "Whole" }
  | { readonly _tag: "Damaged"; readonly problem: string }
  | { readonly _tag: "TooLarge"; readonly why: string }
  | { readonly _tag: "Gone" }

const damaged = (problem: string) => Effect.succeed<Found>({ _tag: "Damaged", problem })

/**
 * Compares a set with its manifest: objects that are missing or have another size, or a manifest that was changed, was
 * lost, or cannot be read.
 */
export const check = Effect.fnUntraced(
  function* (store: ObjectStoreShape, backupId: BackupId, sizes: ObjectSizes.Sizes) {
    const set = yield* Catalogue.openById(store, backupId)
    const changed = (yield* Seal.manifestProblems(store, set)).map(({ detail, key }) => `${key} ${detail}`)
    const problems = changed.length > 0 ? changed : yield* Presence.problems(store, set, sizes)
    const [first] = problems
    if (first === undefined) return { _tag: "Whole" } satisfies Found as Found
    const others = problems.length - 1
    const more =
      others === 0 ? "" : `, and ${others} more ${others === 1 ? "object is" : "objects are"} missing or altered`
    return { _tag: "Damaged", problem: `${first}${more}` } satisfies Found as Found
  },
  Effect.catchReason("CatalogueError", "DocumentUnreadable", ({ isTooLarge, message: why }) =>
    isTooLarge === true ? Effect.succeed<Found>({ _tag: "TooLarge", why }) : damaged(why)
  ),
  Effect.catchReason("CatalogueError", "SetIncomplete", ({ backupId, state }) =>
    // It was a backup: somebody has lost its manifest since.
    state === "unfinished"
      ? damaged(`${backupId} has no manifest any more; put manifest.json back if there is a copy of it`)
      : Effect.succeed<Found>({ _tag: "Gone" })
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
