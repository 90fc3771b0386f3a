import { isSameOwner, type Owner } from "../identity/RunIdentity.ts"
import type { SetDigest } from "./SetFacts.ts"

/*
 * Which backups of earlier resources a resource has taken over: those with its namespace, name and sourceClusterId.
 * Only facts in storage decide, and nothing in storage changes. docs/adr/0018 has the reasons.
 */

/** What a resource needs to know of itself to adopt backups. */
export interface Adopting {
  readonly sourceClusterId: string | undefined
  /** When it was created, milliseconds since 1970. Without it, a resource with a uid adopts nothing. */
  readonly createdMillis: number | undefined
}

/** A resource that looks for its backups. Without `adopting` only those of its own owner are found. */
export type Resource = Owner & { readonly adopting?: Adopting | undefined }

/** A complete set, as far as adoption looks at it. */
export interface Candidate {
  readonly backupId: string
  readonly facts: SetDigest
}

/** The owner alone, as documents in storage name it. */
export const ownerOf = ({ name, namespace, uid }: Resource): Owner => ({
  ...(uid === undefined ? {} : { uid }),
  ...(namespace === undefined ? {} : { namespace }),
  name
})

/**
 * A backup that was started this long after a resource was created is not an earlier resource's, even if the clocks of
 * API server and node differ.
 */
const clockToleranceMillis = 300_000

/** An earlier resource, and those of its backups that were adopted, the one completed last first. */
export interface Earlier {
  readonly owner: Owner
  readonly sets: ReadonlyArray<Candidate>
}

export interface Adoption {
  readonly earlier: ReadonlyArray<Earlier>
  /** Resources of the same namespace and name whose backups are not this one's. */
  readonly others: ReadonlyArray<Owner>
}

const nothing: Adoption = { earlier: [], others: [] }

const isSameName = (a: Owner, b: Owner): boolean => a.namespace === b.namespace && a.name === b.name

const newestFirst = (sets: ReadonlyArray<Candidate>) =>
  sets.toSorted((a, b) => b.facts.completedMillis - a.facts.completedMillis)

/** The backups of each other resource with this namespace and name. */
const byOwner = (all: ReadonlyArray<Candidate>, resource: Resource): ReadonlyArray<Earlier> => {
  const groups = new Map<string, Array<Candidate>>()
  for (const set of all) {
    const { owner } = set.facts.identity
    if (isSameOwner(owner, resource) || !isSameName(owner, resource)) continue
    const key = owner.uid ?? ""
    groups.set(key, [...(groups.get(key) ?? []), set])
  }
  return [...groups.values()].map((sets) => ({ owner: sets[0]!.facts.identity.owner, sets: newestFirst(sets) }))
}

/**
 * Which backups of the same namespace and name belong to this resource as well. A resource of another Kubernetes
 * cluster may have the same name and share the storage: it is recognised because it makes backups after this one was
 * created, or, where no sourceClusterId says it, by another Kafka cluster. A manifest without uid has no time of its
 * creation: it adopts all, unless two resources were at work at the same time.
 */
export const of = (all: ReadonlyArray<Candidate>, resource: Resource): Adoption => {
  const { adopting } = resource
  if (adopting === undefined) return nothing
  const groups = byOwner(all, resource)
  const own = newestFirst(all.filter(({ facts }) => isSameOwner(facts.identity.owner, resource)))
  const clusterId = adopting.sourceClusterId === undefined ? own[0]?.facts.clusterId : undefined
  const isSameSource = ({ facts }: Candidate): boolean =>
    facts.settings.sourceClusterId === adopting.sourceClusterId &&
    (clusterId === undefined || facts.clusterId === undefined || facts.clusterId === clusterId)
  const matching = groups
    .map(({ owner, sets }) => ({ owner, sets: sets.filter(isSameSource) }))
    .filter(({ sets }) => sets.length > 0)
  const { createdMillis } = adopting
  const isAlive = ({ owner }: Earlier): boolean =>
    groups.some(
      (group) =>
        group.owner.uid === owner.uid &&
        group.sets.some(({ facts }) => facts.startedMillis > (createdMillis ?? 0) + clockToleranceMillis)
    )
  const earlier =
    resource.uid === undefined
      ? isMixed(matching, adopting)
        ? []
        : matching
      : createdMillis === undefined
        ? []
        : matching.filter((group) => !isAlive(group))
  const adopted = new Set(earlier.map(({ owner }) => owner))
  return { earlier, others: groups.map(({ owner }) => owner).filter((owner) => !adopted.has(owner)) }
}

/** True when the backups of two resources alternate, or come from different Kafka clusters: they are no successors. */
const isMixed = (groups: ReadonlyArray<Earlier>, { sourceClusterId }: Adopting): boolean => {
  const spans = groups
    .map(({ sets }) => ({
      from: Math.min(...sets.map(({ facts }) => facts.startedMillis)),
      to: sets[0]!.facts.completedMillis
    }))
    .toSorted((a, b) => a.from - b.from)
  const alternate = spans.some(({ from }, n) => n > 0 && from < spans[n - 1]!.to)
  const clusters = new Set(groups.flatMap(({ sets }) => sets.flatMap(({ facts }) => facts.clusterId ?? [])))
  return alternate || (groups.length > 1 && sourceClusterId === undefined && clusters.size > 1)
}

/**
 * True when an earlier resource has made no backup for twice as long as between its last two: it is not only between
 * two runs, in another cluster. Where a sourceClusterId names the source, nobody else makes these backups.
 */
export const isQuiet = ({ sets }: Earlier, { sourceClusterId }: Adopting, nowMillis: number): boolean => {
  const [last, before] = sets
  if (sourceClusterId !== undefined || last === undefined || before === undefined) return true
  const interval = last.facts.completedMillis - before.facts.completedMillis
  return nowMillis - last.facts.completedMillis >= 2 * interval
}

/** True when an owner is this resource or an earlier one that it adopts. */
export const owns = (resource: Resource, { earlier }: Adoption, owner: Owner): boolean =>
  isSameOwner(owner, resource) || earlier.some((one) => isSameOwner(one.owner, owner))

/**
 * Whether what an owner left behind is this resource's to remove: its own, that of an earlier resource that it adopts,
 * and that of one of its name of which no backup is left that another resource could adopt. `all` are the backups of
 * every resource.
 */
export const isLeftTo = (
  resource: Resource,
  adoption: Adoption,
  all: ReadonlyArray<Candidate>
): ((owner: Owner) => boolean) => {
  const isGone = (owner: Owner) => !all.some(({ facts }) => isSameOwner(facts.identity.owner, owner))
  return (owner) => owns(resource, adoption, owner) || (mayNeed(resource, owner) && isGone(owner))
}

/**
 * True when a backup may be this resource's, as far as its own facts say: enough to compare with it, not to remove it.
 */
export const mayBeOf = (resource: Resource, facts: SetDigest): boolean => {
  const { adopting } = resource
  if (isSameOwner(facts.identity.owner, resource)) return true
  return (
    adopting?.createdMillis !== undefined &&
    isSameName(facts.identity.owner, resource) &&
    facts.settings.sourceClusterId === adopting.sourceClusterId &&
    facts.startedMillis <= adopting.createdMillis
  )
}

/** True when an unreadable backup of this owner may hold what this resource's backups name. */
export const mayNeed = (resource: Resource, owner: Owner): boolean =>
  isSameOwner(owner, resource) || (resource.adopting !== undefined && isSameName(owner, resource))

const named = ({ name, namespace }: Owner) => (namespace === undefined ? name : `${namespace}/${name}`)

/**
 * Why backups that somebody might look for are not this resource's, for people. Empty where no backup has its name.
 */
export const hints = (all: ReadonlyArray<Candidate>, resource: Resource): ReadonlyArray<string> => {
  const { others } = of(all, resource)
  if (others.length > 0) {
    const uids = others.map(({ uid }) => uid ?? "none").join(", ")
    return [
      `storage has backups of ${named(resource)} by other resources (uid ${uids}): they were made at the same time, or from another source; to select those of one resource, set metadata.uid to its uid`
    ]
  }
  const namespaces = new Set(
    all.flatMap(({ facts: { identity } }) =>
      identity.owner.name === resource.name && identity.owner.namespace !== resource.namespace
        ? [identity.owner.namespace]
        : []
    )
  )
  if (namespaces.size === 0) return []
  const owners = [...namespaces].map((namespace) =>
    named({ name: resource.name, ...(namespace === undefined ? {} : { namespace }) })
  )
  const [namespace] = namespaces
  const remedy =
    namespaces.size > 1
      ? "set metadata.namespace to that of the resource that is meant"
      : namespace === undefined
        ? "remove metadata.namespace from the manifest"
        : `write namespace: ${namespace} under metadata in the manifest`
  return [`storage has backups of ${owners.join(", ")}: to select them, ${remedy}`]
}
