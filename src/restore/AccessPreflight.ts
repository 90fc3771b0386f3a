import { Effect } from "effect"
import type { Quota } from "../kafka/AccessRules.ts"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import { clusterMetadataName } from "../manifest/BackupKeys.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import type { ClusterMetadata, PartFacts } from "../manifest/ClusterMetadata.ts"
import * as GroupsSnapshot from "../manifest/GroupsSnapshot.ts"
import * as MetadataDocument from "../manifest/MetadataDocument.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { PreparedAccess } from "./Access.ts"
import * as AclMapping from "./AclMapping.ts"
import * as DamagedMetadata from "./DamagedMetadata.ts"
import { groupPrefix } from "./Attempt.ts"
import { objection, type Objection } from "./Objection.ts"
import type { RestorePlan } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"

/** Most ACLs that a restore adds: patterns of many topics would fill the memory of the brokers. */
export const mostAcls = 10_000

interface Systems {
  readonly sink: KafkaSinkShape
  readonly store: ObjectStoreShape
}

type Kind = "acls" | "quotas"
const words: Readonly<Record<Kind, string>> = { acls: "ACLs", quotas: "client quotas" }

type Found<A> =
  | { readonly _tag: "Entries"; readonly entries: ReadonlyArray<A>; readonly notes: ReadonlyArray<string> }
  | { readonly _tag: "None"; readonly why: string }

/** What the backup has of a kind, by its document, or by its facts where it needed none. */
const ofBackup = <A>(
  part: { readonly state: string; readonly entries?: ReadonlyArray<A>; readonly detail?: string } | undefined,
  facts: PartFacts | undefined
): Found<A> => {
  if (part?.entries !== undefined) return { _tag: "Entries", entries: part.entries, notes: [] }
  const { detail, state } = part ?? facts ?? { state: "absent" }
  switch (state) {
    case "captured":
      // Without entries no document was written. With some, a program that rewrote the manifest dropped its name.
      return (facts?.count ?? 0) === 0
        ? { _tag: "Entries", entries: [], notes: [] }
        : { _tag: "None", why: `its manifest does not name ${clusterMetadataName} any more` }
    case "noAuthorizer":
      return { _tag: "Entries", entries: [], notes: [`the backup has no ACLs: ${detail}`] }
    case "absent":
      return { _tag: "None", why: "its run did not ask for any, or another version or tool made it" }
    default:
      return { _tag: "None", why: detail ?? "" }
  }
}

const notInBackup = (kind: Kind, backupId: string, why: string): Objection =>
  objection(
    "MetadataNotInBackup",
    `backup ${backupId} has no ${words[kind]}: ${why}`,
    `set ${kind}: None, or choose a backup that has them, as kafka-backup describe shows`
  )

const lacks = (operation: string, what: string): Objection =>
  objection(
    "TargetDenied",
    `permission denied: the principal lacks ${operation} on cluster, needed ${what}`,
    `grant the principal ${operation} on cluster`
  )

/** The answer, or an objection where a permission is missing. */
const orLacking = <A>(answer: Effect.Effect<A, KafkaError>, operation: string, what: string) =>
  answer.pipe(
    Effect.map((value) => ({ value })),
    Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () =>
      Effect.succeed({ objection: lacks(operation, what) })
    )
  )

interface Asked<A> {
  readonly objections: ReadonlyArray<Objection>
  readonly missing: A
}

const askAcls = Effect.fnUntraced(function* (
  { access }: KafkaSinkShape,
  wanted: ReturnType<typeof AclMapping.wanted>
): Effect.fn.Return<Asked<typeof wanted> & { readonly opposed: typeof wanted }, KafkaError> {
  const against = (...objections: ReadonlyArray<Objection>) => ({ objections, missing: wanted, opposed: [] })
  if (wanted.length === 0) return against()
  if (wanted.length > mostAcls) {
    const message = `the restored topics and groups would get ${wanted.length} ACLs, and a restore adds ${mostAcls} at most`
    return against(objection("TargetRefused", message, "set acls: None, or restore fewer topics"))
  }
  const found = yield* orLacking(access.acls, "Describe", "to compare ACLs")
  if ("objection" in found) return against(found.objection)
  if (found.value._tag === "NoAuthorizer") {
    const message = "the brokers of the target have no authorizer, and keep no ACLs"
    return against(objection("TargetRefused", message, "set acls: None"))
  }
  const missing = AclMapping.missing(wanted, found.value.acls)
  const isDenied = missing.length > 0 && !(yield* access.mayCreateAcls)
  const opposed = AclMapping.opposed(wanted, found.value.acls)
  return { objections: isDenied ? [lacks("Alter", "to create ACLs")] : [], missing, opposed }
})

const askQuotas = Effect.fnUntraced(function* (
  { access }: KafkaSinkShape,
  wanted: ReadonlyArray<Quota>
): Effect.fn.Return<
  Asked<typeof wanted> & { readonly different: ReadonlyArray<AclMapping.DifferentQuota> },
  KafkaError
> {
  if (wanted.length === 0) return { objections: [], missing: [], different: [] }
  const found = yield* orLacking(access.quotas, "DescribeConfigs", "to compare client quotas")
  if ("objection" in found) return { objections: [found.objection], missing: wanted, different: [] }
  const missing = AclMapping.missingQuotas(wanted, found.value)
  const different = AclMapping.differentQuotas(wanted, found.value)
  const codes = yield* access.alterQuotas(missing, { validateOnly: true })
  // Whatever else is wrong with a quota is found when its turn comes, and is no reason not to restore records.
  const isDenied = codes.some(({ errorCode }) => errorCode === ErrorCode.clusterAuthorizationFailed)
  return { objections: isDenied ? [lacks("AlterConfigs", "to set client quotas")] : [], missing, different }
})

/** The groups of the backup that have offsets in topics of the plan; not those in which restores remember. */
const groupsOf = Effect.fnUntraced(function* (store: ObjectStoreShape, set: BackupSet, plan: RestorePlan) {
  const sources = new Set(plan.topics.map(({ source }) => source))
  const groups = (yield* GroupsSnapshot.read(store, set.backupId)) ?? []
  return groups
    .filter(
      ({ groupId, offsets }) => !groupId.startsWith(groupPrefix) && offsets.some(({ topic }) => sources.has(topic))
    )
    .map(({ groupId }) => groupId)
})

/** The users that a person has to make, and what is to be known of them. */
const usersOf = Effect.fnUntraced(function* (
  { access }: KafkaSinkShape,
  users: Found<{ readonly name: string; readonly mechanisms: ReadonlyArray<string> }>,
  acls: ReturnType<typeof AclMapping.wanted>,
  quotas: ReadonlyArray<Quota>
) {
  if (users._tag === "None") {
    const note = `the backup does not know which users have SCRAM passwords: ${users.why}`
    return { users: [], notes: acls.length + quotas.length === 0 ? [] : [note] }
  }
  // Without permission to see those of the target, all are named.
  const there = yield* Effect.orElseSucceed(access.scramUsers, () => [])
  const names = new Set(there.map(({ name }) => name))
  return { users: AclMapping.usersToMake(users.entries, acls, quotas, names), notes: [] }
})

interface Preflight {
  readonly objections: ReadonlyArray<Objection>
  readonly prepared: PreparedAccess | undefined
}

/** Nothing is to be added. */
export const nothing: Preflight = { objections: [], prepared: undefined }

/** Decides which ACLs and quotas are to be added, and asks everything that can be asked beforehand. Changes nothing. */
export const prepare = Effect.fn("AccessPreflight.prepare")(function* (
  { sink, store }: Systems,
  request: Pick<RestoreRequest, "createsAcls" | "createsQuotas">,
  set: BackupSet,
  plan: RestorePlan
) {
  const { createsAcls = false, createsQuotas = false } = request
  if (!DamagedMetadata.isNeeded(request)) return nothing
  const opened = yield* MetadataDocument.read(store, set).pipe(
    Effect.map((document) => ({ document })),
    Effect.catchReason("CatalogueError", "DocumentUnreadable", ({ message }) =>
      Effect.succeed(DamagedMetadata.refused(set.backupId, message))
    )
  )
  if ("message" in opened) return { ...nothing, objections: [opened] }
  const { document } = opened
  const facts = set.facts?.clusterMetadata
  const found = {
    acls: ofBackup<NonNullable<Entries<"acls">>[number]>(document?.acls, facts?.acls),
    quotas: ofBackup<NonNullable<Entries<"quotas">>[number]>(document?.quotas, facts?.quotas),
    users: ofBackup<NonNullable<Entries<"users">>[number]>(document?.users, facts?.users)
  }
  const asked: ReadonlyArray<Kind> = [
    ...(createsAcls ? (["acls"] as const) : []),
    ...(createsQuotas ? (["quotas"] as const) : [])
  ]
  const without = asked.flatMap((kind) => {
    const one = found[kind]
    return one._tag === "None" ? [notInBackup(kind, set.backupId, one.why)] : []
  })
  const restored = { topics: plan.topics, groups: createsAcls ? yield* groupsOf(store, set, plan) : [] }
  const wantedAcls = createsAcls && found.acls._tag === "Entries" ? AclMapping.wanted(found.acls.entries, restored) : []
  const wantedQuotas = createsQuotas && found.quotas._tag === "Entries" ? found.quotas.entries : []
  const acls = yield* askAcls(sink, wantedAcls)
  const quotas = yield* askQuotas(sink, wantedQuotas)
  const { notes, users } = yield* usersOf(sink, found.users, wantedAcls, wantedQuotas)
  const ofAcls = createsAcls && found.acls._tag === "Entries" ? found.acls.notes : []
  const prepared: PreparedAccess = {
    ...(createsAcls ? { acls: { wanted: wantedAcls, missing: acls.missing, opposed: acls.opposed } } : {}),
    ...(createsQuotas
      ? { quotas: { wanted: wantedQuotas, missing: quotas.missing, different: quotas.different } }
      : {}),
    users,
    notes: [...ofAcls, ...notes]
  }
  return {
    objections: [...without, ...acls.objections, ...quotas.objections],
    prepared
  } satisfies Preflight as Preflight
})

type Entries<K extends keyof ClusterMetadata> = Extract<
  NonNullable<ClusterMetadata[K]>,
  { readonly state: "captured" }
>["entries"]
