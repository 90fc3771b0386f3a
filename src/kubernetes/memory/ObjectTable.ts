import type { Kind } from "../Kind.ts"
import type { KubeObject, OwnerReference } from "../Objects.ts"
import { tidy } from "./body.ts"
import { empty, type Ownership } from "./Ownership.ts"
import * as Tree from "./Tree.ts"

/** An object and its field owners. */
export interface Stored {
  readonly kind: Kind
  readonly object: KubeObject
  readonly owners: Ownership
}

/** One change, as a watch needs it. */
export interface Change {
  readonly kind: Kind
  readonly before: KubeObject | undefined
  readonly after: KubeObject | undefined
  /** `after`, or the last state of a deleted object; with the resourceVersion of this change. */
  readonly last: KubeObject
}

/** Objects by kind, namespace and name, under one version counter. Has no rules; listeners get every change at once. */
export interface ObjectTable {
  readonly version: () => string
  readonly read: (kind: Kind, namespace: string | undefined, name: string) => Stored | undefined
  /** Those of a kind, by namespace and name. */
  readonly all: (kind: Kind) => ReadonlyArray<Stored>
  readonly inNamespace: (namespace: string) => ReadonlyArray<Stored>
  readonly byUid: (uid: string) => Stored | undefined
  /** Objects that name this uid as an owner. */
  readonly dependents: (uid: string) => ReadonlyArray<Stored>
  readonly newUid: () => string
  /** Stores the object under a new resourceVersion; returns what was stored. */
  readonly keep: (kind: Kind, object: KubeObject, owners?: Ownership) => Stored
  /** Removes the object; `stored` may hold a last state that was never in the table. */
  readonly drop: (stored: Stored) => void
  readonly onChange: (listener: (change: Change) => void) => void
}

const ownersOf = ({ metadata }: KubeObject): ReadonlyArray<OwnerReference> => metadata.ownerReferences ?? []

const byPlace = (a: Stored, b: Stored): number => {
  const [left, right] = [a, b].map(({ object: { metadata } }) => `${metadata.namespace ?? ""}/${metadata.name}`)
  return left! < right! ? -1 : 1
}

export const make = (): ObjectTable => {
  const tables = new Map<string, Map<string, Stored>>()
  const uids = new Map<string, Stored>()
  /** By the uid of an owner: uids of what it owns. */
  const owned = new Map<string, Set<string>>()
  const listeners: Array<(change: Change) => void> = []
  let version = 1
  let lastUid = 0

  const tableOf = (kind: Kind) => {
    const address = `${kind.apiVersion}/${kind.plural}`
    const table = tables.get(address) ?? new Map<string, Stored>()
    tables.set(address, table)
    return table
  }
  const key = (namespace: string | undefined, name: string) => `${namespace ?? ""}/${name}`
  const read = (kind: Kind, namespace: string | undefined, name: string) =>
    tableOf(kind).get(key(kind.isNamespaced ? namespace : undefined, name))
  const publish = (change: Change) => listeners.forEach((listener) => listener(change))
  const withVersion = (object: KubeObject): KubeObject =>
    Tree.received(
      tidy({ ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } })
    ) as KubeObject

  const index = ({ object }: Stored, before: KubeObject | undefined) => {
    const uid = object.metadata.uid ?? ""
    for (const owner of before === undefined ? [] : ownersOf(before)) owned.get(owner.uid)?.delete(uid)
    for (const owner of ownersOf(object)) owned.set(owner.uid, (owned.get(owner.uid) ?? new Set()).add(uid))
  }

  return {
    version: () => String(version),
    read,
    all: (kind) => [...tableOf(kind).values()].sort(byPlace),
    inNamespace: (namespace) =>
      [...tables.values()].flatMap((table) =>
        [...table.values()].filter(({ object }) => object.metadata.namespace === namespace)
      ),
    byUid: (uid) => uids.get(uid),
    dependents: (uid) => [...(owned.get(uid) ?? [])].flatMap((each) => uids.get(each) ?? []),
    newUid: () => `00000000-0000-4000-8000-${String(++lastUid).padStart(12, "0")}`,
    keep: (kind, object, owners) => {
      const { name, namespace } = object.metadata
      const before = read(kind, namespace, name)
      const stored: Stored = { kind, object: withVersion(object), owners: owners ?? before?.owners ?? empty }
      tableOf(kind).set(key(namespace, name), stored)
      uids.set(stored.object.metadata.uid ?? "", stored)
      index(stored, before?.object)
      publish({ kind, before: before?.object, after: stored.object, last: stored.object })
      return stored
    },
    drop: ({ kind, object }) => {
      const { name, namespace, uid = "" } = object.metadata
      const before = read(kind, namespace, name)?.object ?? object
      tableOf(kind).delete(key(namespace, name))
      uids.delete(uid)
      for (const owner of ownersOf(before)) owned.get(owner.uid)?.delete(uid)
      publish({ kind, before, after: undefined, last: withVersion(object) })
    },
    onChange: (listener) => void listeners.push(listener)
  }
}
