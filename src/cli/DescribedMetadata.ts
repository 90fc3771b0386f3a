import type { MetadataFacts, PartFacts } from "../manifest/ClusterMetadata.ts"
import * as Format from "../status/Format.ts"

/** What `describe` says of ACLs, users and quotas. Pure. */

const names = { acls: "ACLs", users: "SCRAM users", quotas: "Client quotas" } as const

const said = ({ count, detail }: PartFacts): string =>
  count === undefined ? `none${detail === undefined ? "" : `: ${detail}`}` : Format.count(count)

/** One fact for each kind that was asked for. */
export const facts = (metadata: MetadataFacts | undefined): ReadonlyArray<readonly [string, string]> =>
  (Object.keys(names) as ReadonlyArray<keyof typeof names>).flatMap((kind) => {
    const part = metadata?.[kind]
    return part === undefined ? [] : [[names[kind], said(part)] as const]
  })
