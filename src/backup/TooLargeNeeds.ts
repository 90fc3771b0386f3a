import { Effect } from "effect"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Collecting from "./Collecting.ts"

/*
 * A pass removes backups of which others may need objects, as their manifests say. Where there is no memory for such a
 * manifest, all that it may name stays, and the pass goes on with the rest.
 */

/** What a pass is going to do, once it is known which folders stay. */
export interface Planned<D> {
  readonly decided: D
  readonly collection: Collecting.Collection
  /** Folders that stay, by their names, and which backup may need what is in them, and why nobody knows. */
  readonly held: ReadonlyMap<string, string>
}

/**
 * The collection for what `decide` says where these folders stay; a message where it needs a manifest that nobody can
 * read. Each further round holds all folders that one more backup may need.
 */
export const plan = Effect.fn("TooLargeNeeds.plan")(function* <D extends { readonly demand: Collecting.Demand }>(
  store: ObjectStoreShape,
  decide: (held: ReadonlyMap<string, string>) => D
) {
  const held = new Map<string, string>()
  for (;;) {
    const decided = decide(held)
    const { going, needs, retired } = decided.demand
    const found = yield* Collecting.plan(store, decided.demand).pipe(
      Effect.catchReason("CatalogueError", "DocumentUnreadable", (reason) => Effect.succeed(reason))
    )
    if (!("_tag" in found)) return { decided, collection: found, held } satisfies Planned<D> as Planned<D>
    const need = needs.find(({ backupId }) => found.isTooLarge === true && found.key.startsWith(`${backupId}/`))
    const wanted = new Set<string>([...going, ...retired.map(({ backupId }) => backupId)])
    const more = (need?.references ?? []).filter((folder) => wanted.has(folder) && !held.has(folder))
    if (more.length === 0) return found.message
    for (const folder of more) held.set(folder, `${need?.backupId} may need objects of it: ${found.message}`)
  }
})
