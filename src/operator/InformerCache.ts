import { deflateRawSync, inflateRawSync } from "node:zlib"
import type { Delta, ObjectRef } from "../kubernetes/KubernetesApi.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"

/** `namespace/name`. */
export type Key = string

const keyAt = ({ name, namespace }: ObjectRef): Key => `${namespace ?? ""}/${name}`

export const keyOf = ({ metadata }: KubeObject): Key => keyAt(metadata)

/** What one watch covers: a namespace, or with `undefined` all of them. */
export type Scope = string | undefined

/** The objects of one kind as last reported, found by the resource that they belong to. */
export interface InformerCache<A extends KubeObject> {
  readonly get: (key: Key) => A | undefined
  readonly ofOwner: (owner: Key) => ReadonlyArray<A>
  /** Of `get`, without the object. */
  readonly versionOf: (key: Key) => string | undefined
  readonly keys: () => IterableIterator<Key>
  readonly values: () => IterableIterator<A>
  readonly size: () => number
  /** False until the first snapshot of every scope is in. */
  readonly isSynced: () => boolean
  /**
   * Takes in what the watch of a scope reported; gives the owners whose objects may have changed. An echo of what was
   * learnt changes nothing: otherwise every write of the operator would cause a reconcile, and one that writes would
   * never come to rest.
   */
  readonly absorb: (delta: Delta<A>, scope?: Scope) => ReadonlyArray<Key>
  /**
   * Takes in the answer to a write of the operator, so that the next reconcile sees it although the watch lags. An
   * object whose deletion the watch has reported already stays gone: answers and watches arrive in any order.
   */
  readonly learn: (object: A) => void
}

/** Deletions that are remembered: answers to writes are on their way for seconds, not for this many deletions. */
const maxEnded = 4096

/** How objects are kept between two reads. */
export interface Form<A> {
  readonly pack: (object: A) => unknown
  readonly unpack: (packed: unknown) => A
}

const plain = <A>(): Form<A> => ({ pack: (object) => object, unpack: (packed) => packed as A })

/** Below this many characters deflating saves less than it costs. */
const smallLength = 4096

/**
 * Objects as text, large ones deflated: a KafkaBackup with a hundred entries of history takes a twentieth of what it
 * takes as an object, and is read every few minutes at most.
 */
export const packed = <A extends KubeObject>(): Form<A> => ({
  pack: (object) => {
    const text = JSON.stringify(object)
    // A copy: what zlib gives is the front of a piece of memory of 16 KiB or more.
    return text.length < smallLength ? text : new Uint8Array(deflateRawSync(text, { level: 1 }))
  },
  unpack: (packed) =>
    JSON.parse(typeof packed === "string" ? packed : inflateRawSync(packed as Uint8Array).toString("utf8")) as A
})

interface Held {
  readonly owner: Key
  /** What is read without unpacking it. */
  readonly metadata: Pick<KubeObject["metadata"], "uid" | "resourceVersion">
  readonly packed: unknown
}

/** A cache whose objects belong to the resource that `ownerOf` names; objects without owner are not kept. */
export const make = <A extends KubeObject>(
  ownerOf: (object: A) => Key | undefined,
  scopes: ReadonlyArray<Scope> = [undefined],
  form: Form<A> = plain()
): InformerCache<A> => {
  const objects = new Map<Key, Held>()
  const owned = new Map<Key, Set<Key>>()
  const synced = new Set<Scope>()
  /** By uid. */
  const ended = new Set<string>()

  const remember = ({ metadata: { uid } }: A) => {
    if (uid === undefined) return
    ended.add(uid)
    const [oldest = ""] = ended.size > maxEnded ? ended : []
    ended.delete(oldest)
  }

  const put = (received: A): Key | undefined => {
    const owner = ownerOf(received)
    if (owner === undefined) return undefined
    const object = slim(received)
    const key = keyOf(object)
    const known = objects.get(key)
    if (known !== undefined && isOlder(object, known)) return undefined
    const { resourceVersion, uid } = object.metadata
    objects.set(key, { owner, metadata: given({ uid, resourceVersion }), packed: form.pack(object) })
    const siblings = owned.get(owner)
    if (siblings === undefined) owned.set(owner, new Set([key]))
    else siblings.add(key)
    return owner
  }

  const drop = (key: Key): Key | undefined => {
    const known = objects.get(key)
    if (known === undefined) return undefined
    objects.delete(key)
    const { owner } = known
    const siblings = owned.get(owner)
    siblings?.delete(key)
    if (siblings?.size === 0) owned.delete(owner)
    return owner
  }

  const replace = (items: ReadonlyArray<A>, others: ReadonlyArray<ObjectRef>, scope: Scope): ReadonlyArray<Key> => {
    synced.add(scope)
    const present = new Set([...items.map(keyOf), ...others.map(keyAt)])
    const isCovered = (key: Key) => scope === undefined || key.startsWith(`${scope}/`)
    const touched = [...objects.keys()].filter((key) => isCovered(key) && !present.has(key)).map(drop)
    return [...new Set([...touched, ...items.map((item) => put(item) ?? ownerOf(item))])].filter(
      (owner) => owner !== undefined
    )
  }

  return {
    get: (key) => {
      const held = objects.get(key)
      return held === undefined ? undefined : form.unpack(held.packed)
    },
    versionOf: (key) => objects.get(key)?.metadata.resourceVersion,
    ofOwner: (owner) => [...(owned.get(owner) ?? [])].map((key) => form.unpack(objects.get(key)!.packed)),
    keys: () => objects.keys(),
    values: function* () {
      for (const { packed } of objects.values()) yield form.unpack(packed)
    },
    size: () => objects.size,
    isSynced: () => scopes.every((scope) => synced.has(scope)),
    absorb: (delta, scope) => {
      if (delta._tag === "Snapshot") return replace(delta.items, delta.others ?? [], scope)
      const { object } = delta
      if (delta._tag === "Delete") remember(object)
      else ended.delete(object.metadata.uid ?? "")
      const known = objects.get(keyOf(object))
      // The end of an earlier object of this name says nothing about its successor.
      const isOther = known !== undefined && known.metadata.uid !== object.metadata.uid && !isOlder(known, object)
      if (delta._tag === "Upsert" && known !== undefined && isKnown(object, known)) return []
      const owner = delta._tag === "Upsert" ? put(object) : isOther ? undefined : drop(keyOf(object))
      return owner === undefined ? [] : [owner]
    },
    learn: (object) => {
      if (!ended.has(object.metadata.uid ?? "")) put(object)
    }
  }
}

/** The API server's own bookkeeping is half of an object, and the operator does not read it. */
const slim = <A extends KubeObject>(object: A): A => {
  if (!("managedFields" in object.metadata)) return object
  const { managedFields: _, ...metadata } = object.metadata as A["metadata"] & { readonly managedFields: unknown }
  return { ...object, metadata }
}

type Versioned = Pick<Held, "metadata">

const isKnown = ({ metadata }: Versioned, known: Versioned): boolean =>
  metadata.uid === known.metadata.uid &&
  metadata.resourceVersion !== undefined &&
  metadata.resourceVersion === known.metadata.resourceVersion

/**
 * Resource versions of one kind are numbers that grow (KEP-5504); where they are not, the one reported later is the
 * newer.
 */
const isOlder = (a: Versioned, b: Versioned): boolean => {
  const [left, right] = [Number(a.metadata.resourceVersion), Number(b.metadata.resourceVersion)]
  return left < right
}
