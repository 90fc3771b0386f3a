import type { Kind } from "../Kind.ts"
import type { Delta } from "../KubernetesApi.ts"
import type { KubeObject } from "../Objects.ts"
import type { Change } from "./ObjectTable.ts"

/** One open watch. */
export interface Watcher {
  readonly kind: Kind
  readonly client: symbol
  readonly isMatch: (object: KubeObject) => boolean
  /** Everything that matches now. */
  readonly snapshot: () => ReadonlyArray<KubeObject>
  readonly deliver: (delta: Delta<KubeObject>) => void
}

/** The open watches, and the deltas that are held back from them. */
export interface Watches {
  readonly open: (watcher: Watcher) => void
  readonly close: (watcher: Watcher) => void
  readonly publish: (change: Change) => void
  /** Holds back the deltas of this kind, or of every kind, from now on. */
  readonly hold: (kind?: Kind) => void
  /** Delivers the first `count` held deltas of each watch; without `count` all of them, and stops holding. */
  readonly release: (count?: number) => void
  /** Loses history: held deltas are dropped, and each watch starts again with a snapshot. */
  readonly relist: (kind?: Kind) => void
  readonly closeAllOf: (client: symbol) => void
}

const deltaOf = (isMatch: Watcher["isMatch"], { after, before, last }: Change): Delta<KubeObject> | undefined => {
  if (after !== undefined && isMatch(after)) return { _tag: "Upsert", object: after }
  return before !== undefined && isMatch(before) ? { _tag: "Delete", object: last } : undefined
}

export const make = (): Watches => {
  /** Each watch with its held deltas. */
  const watches = new Map<Watcher, Array<Delta<KubeObject>>>()
  let isAllHeld = false
  const held = new Set<string>()
  const isHeld = ({ plural }: Kind) => isAllHeld || held.has(plural)

  return {
    open: (watcher) => void watches.set(watcher, []),
    close: (watcher) => void watches.delete(watcher),
    publish: (change) => {
      for (const [watcher, waiting] of watches) {
        if (watcher.kind.plural !== change.kind.plural) continue
        const delta = deltaOf(watcher.isMatch, change)
        if (delta === undefined) continue
        if (isHeld(watcher.kind) || waiting.length > 0) waiting.push(delta)
        else watcher.deliver(delta)
      }
    },
    hold: (kind) => {
      if (kind === undefined) isAllHeld = true
      else held.add(kind.plural)
    },
    release: (count) => {
      if (count === undefined) {
        isAllHeld = false
        held.clear()
      }
      for (const [watcher, waiting] of watches) waiting.splice(0, count ?? waiting.length).forEach(watcher.deliver)
    },
    relist: (kind) => {
      for (const [watcher, waiting] of watches) {
        if (kind !== undefined && watcher.kind.plural !== kind.plural) continue
        waiting.splice(0)
        watcher.deliver({ _tag: "Snapshot", items: watcher.snapshot() })
      }
    },
    closeAllOf: (client) => {
      for (const watcher of watches.keys()) if (watcher.client === client) watches.delete(watcher)
    }
  }
}
