import { Effect } from "effect"
import type { AccessReading, Acl, Quota, ScramUser } from "../kafka/AccessRules.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { ClusterMetadata, StoredQuota } from "../manifest/ClusterMetadata.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"

/** What is captured of the cluster beside records, as the spec says. */
export interface Captured {
  readonly acls: boolean
  readonly users: boolean
  readonly quotas: boolean
}

/** Most entries of one kind: a plan that every shard reads stays small. Of more, none are kept. */
export const mostEntries = 20_000

/** How long a run waits for one kind. The brokers that it needs have just answered. */
const patience = "10 seconds"

/** The names that ACLs may be about. */
export interface Concerned {
  readonly topics: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
}

/** The topics of a plan, and the groups that have offsets in them. */
export const concernedBy = ({ groups, topics }: Pick<RunPlan, "groups" | "topics">): Concerned => ({
  topics: new Set(topics.map(({ name }) => name)),
  groups: new Set(groups?.map(({ groupId }) => groupId))
})

/** Whether an ACL is about one of the names, by itself, by its beginning, or because it is about all. Pure. */
export const concerns = ({ groups, topics }: Concerned, { name, pattern, resource }: Acl): boolean => {
  const names = resource === "topic" ? topics : groups
  if (pattern === "prefixed") return [...names].some((one) => one.startsWith(name))
  return name === "*" || names.has(name)
}

type Missing = { readonly state: "noAuthorizer" | "notAllowed" | "failed" | "tooMany"; readonly detail: string }

const tooMany = (count: number): Missing => ({
  state: "tooMany",
  detail: `there are ${count}, and a backup keeps ${mostEntries} at most`
})

const inBounds = <A>(entries: ReadonlyArray<A>) =>
  entries.length > mostEntries ? tooMany(entries.length) : { state: "captured" as const, entries }

/** Whatever goes wrong here is said, and is no reason to have no backup. */
const orMissing = <A>(what: string, captured: Effect.Effect<A, KafkaError>): Effect.Effect<A | Missing> =>
  captured.pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.succeed<Missing>({ state: "failed", detail: `the brokers did not list ${what} in time` })
    }),
    Effect.catch(({ reason }) =>
      Effect.succeed<Missing>({
        state: reason._tag === "KafkaAuthorizationFailed" ? "notAllowed" : "failed",
        detail: reason.message
      })
    )
  )

const aclsOf = (access: AccessReading, concerned: Concerned) =>
  Effect.map(access.acls, (found) => {
    if (found._tag === "NoAuthorizer") {
      const detail = "the brokers have no authorizer: everybody may do everything"
      return { state: "noAuthorizer", detail } satisfies Missing as Missing
    }
    // An ACL that is not understood may be one that denies.
    if (found.unknown > 0) {
      const detail = `${found.unknown} ACLs have a meaning that this version does not know`
      return { state: "failed", detail } satisfies Missing as Missing
    }
    return inBounds(found.acls.filter((acl) => concerns(concerned, acl)).toSorted(byText))
  })

const byText = (a: Acl | ScramUser | Quota, b: Acl | ScramUser | Quota) =>
  JSON.stringify(a) < JSON.stringify(b) ? -1 : 1

/** A quota without a number limits nothing. */
const hasValues = ({ values }: StoredQuota) => Object.keys(values).length > 0

/** What the spec asks for of the cluster, where the principal may see it. Never fails. */
export const capture = Effect.fn("Capturing.capture")(function* (
  access: AccessReading,
  wanted: Captured,
  concerned: Concerned
) {
  const acls = wanted.acls ? yield* orMissing("ACLs", aclsOf(access, concerned)) : undefined
  const users = wanted.users
    ? yield* orMissing(
        "users",
        Effect.map(access.scramUsers, (found) => inBounds(found.toSorted(byText)))
      )
    : undefined
  const quotas = wanted.quotas
    ? yield* orMissing(
        "client quotas",
        Effect.map(access.quotas, (found) => inBounds(found.filter(hasValues).toSorted(byText)))
      )
    : undefined
  return {
    ...(acls === undefined ? {} : { acls }),
    ...(users === undefined ? {} : { users }),
    ...(quotas === undefined ? {} : { quotas })
  } satisfies ClusterMetadata as ClusterMetadata
})

/** The plan with what was captured for it. */
export const withMetadata = Effect.fnUntraced(function* (
  access: AccessReading,
  wanted: Captured | undefined,
  plan: RunPlan
) {
  if (wanted === undefined || (!wanted.acls && !wanted.users && !wanted.quotas)) return plan
  return { ...plan, clusterMetadata: yield* capture(access, wanted, concernedBy(plan)) } satisfies RunPlan as RunPlan
})
