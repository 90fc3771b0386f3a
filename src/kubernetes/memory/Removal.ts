import * as Kinds from "../Kind.ts"
import { namespaces } from "../Kind.ts"
import type { Propagation } from "../KubernetesApi.ts"
import type { KubeObject, OwnerReference } from "../Objects.ts"
import type { ObjectTable, Stored } from "./ObjectTable.ts"
import { timestamp } from "./timestamp.ts"

const foreground = "foregroundDeletion"

/** Deletion: finalizers, garbage collection and the end of namespaces, all without delay. */
export interface Removal {
  readonly remove: (stored: Stored, propagation: Propagation, nowMillis: number) => void
  /** Removes an object that is being deleted and has no finalizer left in this state. True when it was removed. */
  readonly released: (state: Stored, nowMillis: number) => boolean
  /** After a creation: removes an object whose owners are all gone. */
  readonly collected: (stored: Stored, nowMillis: number) => void
  /** Marks a namespace as terminating, and keeps its objects. */
  readonly terminate: (namespace: Stored, nowMillis: number) => void
}

/** Owners of other kinds are assumed to exist. */
const isKnown = ({ apiVersion, kind }: OwnerReference) =>
  Object.values(Kinds).some((known) => known.apiVersion === apiVersion && known.kind === kind)

const isDeleting = ({ object }: Stored) => object.metadata.deletionTimestamp !== undefined
const finalizersOf = ({ object }: Stored) => object.metadata.finalizers ?? []

export const make = (table: ObjectTable): Removal => {
  /** Deleted namespaces, which are removed as soon as they are empty. */
  const emptying = new Set<string>()

  const keep = (stored: Stored, metadata: Partial<KubeObject["metadata"]>, more: Partial<KubeObject> = {}) =>
    table.keep(stored.kind, { ...stored.object, ...more, metadata: { ...stored.object.metadata, ...metadata } })

  const mark = (stored: Stored, finalizers: ReadonlyArray<string>, nowMillis: number): Stored =>
    isDeleting(stored)
      ? stored
      : keep(stored, {
          deletionTimestamp: timestamp(nowMillis),
          finalizers,
          ...(stored.object.metadata.generation === undefined
            ? {}
            : { generation: stored.object.metadata.generation + 1 })
        })

  const isOwnerless = ({ object }: Stored): boolean => {
    const owners = object.metadata.ownerReferences ?? []
    return owners.length > 0 && owners.every((owner) => isKnown(owner) && table.byUid(owner.uid) === undefined)
  }

  const drop = (stored: Stored, nowMillis: number): void => {
    const { namespace, ownerReferences = [], uid = "" } = stored.object.metadata
    table.drop(stored)
    for (const dependent of table.dependents(uid))
      if (isOwnerless(dependent)) remove(dependent, "Background", nowMillis)
    for (const owner of ownerReferences) {
      const waiting = table.byUid(owner.uid)
      if (waiting !== undefined) unblock(waiting, nowMillis)
    }
    if (namespace !== undefined) leaveNamespace(namespace, nowMillis)
  }

  const leaveNamespace = (name: string, nowMillis: number): void => {
    const namespace = table.read(namespaces, undefined, name)
    if (namespace === undefined || !emptying.has(name) || table.inNamespace(name).length > 0) return
    emptying.delete(name)
    drop(namespace, nowMillis)
  }

  /** A foreground deletion completes when the last dependent is gone. */
  const unblock = (owner: Stored, nowMillis: number): void => {
    if (!finalizersOf(owner).includes(foreground) || table.dependents(owner.object.metadata.uid ?? "").length > 0)
      return
    const finalizers = finalizersOf(owner).filter((each) => each !== foreground)
    if (finalizers.length === 0) drop(owner, nowMillis)
    else keep(owner, { finalizers })
  }

  const orphan = (uid: string): void => {
    for (const dependent of table.dependents(uid)) {
      const left = (dependent.object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid)
      keep(dependent, { ownerReferences: left })
    }
  }

  const terminate = (namespace: Stored, nowMillis: number): void => {
    if (isDeleting(namespace)) return
    keep(namespace, { deletionTimestamp: timestamp(nowMillis) }, { status: { phase: "Terminating" } })
  }

  const removeNamespace = (namespace: Stored, nowMillis: number): void => {
    const { name } = namespace.object.metadata
    terminate(namespace, nowMillis)
    emptying.add(name)
    for (const { object } of table.inNamespace(name)) {
      const still = table.byUid(object.metadata.uid ?? "")
      if (still !== undefined) remove(still, "Background", nowMillis)
    }
    leaveNamespace(name, nowMillis)
  }

  const remove = (stored: Stored, propagation: Propagation, nowMillis: number): void => {
    if (stored.kind.plural === namespaces.plural) return removeNamespace(stored, nowMillis)
    const uid = stored.object.metadata.uid ?? ""
    if (propagation === "Orphan") orphan(uid)
    const dependents = propagation === "Foreground" ? table.dependents(uid) : []
    const finalizers = [...finalizersOf(stored), ...(dependents.length > 0 ? [foreground] : [])]
    if (finalizers.length === 0) return drop(stored, nowMillis)
    mark(stored, finalizers, nowMillis)
    for (const dependent of dependents) {
      const still = table.byUid(dependent.object.metadata.uid ?? "")
      if (still !== undefined) remove(still, "Foreground", nowMillis)
    }
  }

  const released = (state: Stored, nowMillis: number): boolean => {
    if (!isDeleting(state) || finalizersOf(state).length > 0 || state.kind.plural === namespaces.plural) return false
    drop(state, nowMillis)
    return true
  }

  const collected = (stored: Stored, nowMillis: number): void => {
    if (isOwnerless(stored)) remove(stored, "Background", nowMillis)
  }

  return { remove, released, collected, terminate }
}
