import { Effect } from "effect"
import { clusterMetadataName } from "../manifest/BackupKeys.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import type { MetadataFacts, PartFacts } from "../manifest/ClusterMetadata.ts"
import * as MetadataDocument from "../manifest/MetadataDocument.ts"
import * as Format from "../status/Format.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

/** What `describe` says of ACLs, users and quotas. */

const names = { acls: "ACLs", users: "SCRAM users", quotas: "Client quotas" } as const

const kinds = Object.keys(names) as ReadonlyArray<keyof typeof names>

/** Why what the run captured cannot be restored any more; undefined where it can, and where it captured nothing. */
export const lost = Effect.fn("DescribedMetadata.lost")(function* (store: ObjectStoreShape, set: BackupSet) {
  const metadata = set.facts?.clusterMetadata
  if (!kinds.some((kind) => (metadata?.[kind]?.count ?? 0) > 0)) return undefined
  return yield* MetadataDocument.read(store, set).pipe(
    Effect.map((document) =>
      document === undefined ? `the manifest does not name ${clusterMetadataName} any more` : undefined
    ),
    Effect.catchReason("CatalogueError", "DocumentUnreadable", ({ message }) => Effect.succeed(message))
  )
})

const said = ({ count, detail }: PartFacts, why: string | undefined): string => {
  if (count === undefined) return `none${detail === undefined ? "" : `: ${detail}`}`
  return why === undefined || count === 0 ? Format.count(count) : `${Format.count(count)}, now lost: ${why}`
}

/** One fact for each kind that was asked for. `why`: see `lost`. Pure. */
export const facts = (
  metadata: MetadataFacts | undefined,
  why: string | undefined
): ReadonlyArray<readonly [string, string]> =>
  kinds.flatMap((kind) => {
    const part = metadata?.[kind]
    return part === undefined ? [] : [[names[kind], said(part, why)] as const]
  })
