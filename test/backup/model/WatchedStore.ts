import { Clock, Effect } from "effect"
import type { InMemoryStore } from "../../../src/storage/InMemoryObjectStore.ts"
import type { ObjectKey, ObjectStoreShape } from "../../../src/storage/ObjectStore.ts"

/*
 * A store that tells how often each of its objects was written, so that what was read once is read again only after a
 * change; and that remembers what somebody did to an object behind everybody's back.
 */

export interface WatchedStore {
  readonly store: ObjectStoreShape
  /** The objects that are there. The number changes with the content. */
  readonly versions: ReadonlyMap<string, number>
  /** Objects that are not what was stored. Undefined content: it is gone. */
  readonly damaged: ReadonlyMap<string, Damage>
  /** Replaces or removes an object. */
  readonly damage: (key: string, change: (bytes: Uint8Array) => Uint8Array | undefined) => Effect.Effect<void>
}

export interface Damage {
  /** True where the store does not have it, or with another size: any listing tells. */
  readonly isSeen: boolean
  readonly original: Uint8Array
  /** Absent where it is gone. */
  readonly present?: Uint8Array
}

/** `clock` is the store's own. */
export const make = (memory: InMemoryStore, clock: Clock.Clock): WatchedStore => {
  const versions = new Map<string, number>()
  const damaged = new Map<string, Damage>()
  let version = 0
  const { store } = memory
  return {
    versions,
    damaged,
    store: {
      ...store,
      put: (key, pieces, options) =>
        store.put(key, pieces, options).pipe(
          Effect.provideService(Clock.Clock, clock),
          Effect.tap(() =>
            Effect.sync(() => {
              versions.set(key, ++version)
              damaged.delete(key)
            })
          )
        ),
      delete: (key) =>
        Effect.tap(store.delete(key), () =>
          Effect.sync(() => {
            versions.delete(key)
            damaged.delete(key)
          })
        )
    },
    damage: (key, change) => {
      const tampered = memory.tamper(key as ObjectKey, (bytes) => {
        const changed = change(bytes.slice())
        const original = damaged.get(key)?.original ?? bytes
        // Whoever puts it back repairs it.
        if (changed !== undefined && Buffer.compare(changed, original) === 0) damaged.delete(key)
        else {
          const isSeen = changed === undefined || changed.byteLength !== original.byteLength
          damaged.set(key, { isSeen, original, ...(changed === undefined ? {} : { present: changed.slice() }) })
        }
        if (changed === undefined) versions.delete(key)
        else versions.set(key, ++version)
        return changed
      })
      // An object of the machine's date would keep its folder from ever being abandoned.
      return Effect.provideService(tampered, Clock.Clock, clock)
    }
  }
}
