import type { Delta, ObjectRef } from "../kubernetes/KubernetesApi.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"

/** `namespace/name`. */
export type Key = string

const keyAt = ({ name, namespace }: ObjectRef): Key => `${namespace ?? ""}/${name}`

export const keyOf = ({ metadata }: KubeObject): Key => keyAt(metadata)

/** What one watch covers: a namespace, or with `undefined` all of them. */
export type Scope = string | undefined

/** The objects of one kind as last heard of, found by the resource that they belong to. */
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
   * Takes in what the watch of a scope told; gives the owners whose objects may have changed. An echo of what was learnt changes
   * nothing: without that every write of ours would be a reason to look, and a look that writes again would never come to rest.
   */
  readonly absorb: (delta: Delta<A>, scope?: Scope) => ReadonlyArray<Key>
  /**
   * Takes in what a write of ours came back with, so that the next look sees it although the watch lags. What the watch has told the
   * end of already stays gone: answers and watches arrive in any order.
   */
  readonly learn: (object: A) => void
}

/** Ends of objects that are memory: answers to writes are on their way for seconds, not for this many deletions. */
const maxEnded = 4096

/** How objects are kept between two looks at them. */
export interface Form<A> {
  readonly keep: (object: A) => unknown
  readonly giveBack: (kept: unknown) => A
}

const asItIs = <A>(): Form<A> => ({ keep: (object) => object, giveBack: (kept) => kept as A })

interface Held {
  readonly owner: Key
  /** What is asked of it without looking at it. */
  readonly metadata: Pick<KubeObject["metadata"], "uid" | "resourceVersion">
  readonly kept: unknown
}

/** A cache whose objects belong to the resource that `ownerOf` names; objects without owner are not kept. */
export const make = <A extends KubeObject>(
  ownerOf: (object: A) => Key | undefined,
  scopes: ReadonlyArray<Scope> = [undefined],
  form: Form<A> = asItIs()
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

  const put = (given: A): Key | undefined => {
    const owner = ownerOf(given)
    if (owner === undefined) return undefined
    const object = slim(given)
    const key = keyOf(object)
    const known = objects.get(key)
    if (known !== undefined && isOlder(object, known)) return undefined
    const { resourceVersion, uid } = object.metadata
    const metadata = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion })
    }
    objects.set(key, { owner, metadata, kept: form.keep(object) })
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
      return held === undefined ? undefined : form.giveBack(held.kept)
    },
    versionOf: (key) => objects.get(key)?.metadata.resourceVersion,
    ofOwner: (owner) => [...(owned.get(owner) ?? [])].map((key) => form.giveBack(objects.get(key)!.kept)),
    keys: () => objects.keys(),
    values: function* () {
      for (const { kept } of objects.values()) yield form.giveBack(kept)
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

/** What the API server keeps for its own bookkeeping is half of an object, and nobody here reads it. */
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

/** Resource versions of one kind are numbers that grow (KEP-5504); where they are not, the later told is the newer. */
const isOlder = (a: Versioned, b: Versioned): boolean => {
  const [left, right] = [Number(a.metadata.resourceVersion), Number(b.metadata.resourceVersion)]
  return left < right
}
