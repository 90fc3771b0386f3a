import type { Key } from "./InformerCache.ts"

/**
 * The global budget of concurrent runs. Resources whose run is due and finds no room wait in the order in which they
 * became due, so none starves. Lives in the leader's memory: after a restart every resource that is due asks again.
 */
export interface RunQueue {
  /** Asks for room; `before` counts the resources ahead that wait too. Asking again keeps the place. */
  readonly ask: (
    key: Key,
    dueMillis: number,
    activeRuns: number
  ) => { readonly isGranted: boolean; readonly before: number }
  /** Ends what `ask` began: the run exists now and counts as active, or it will not exist. */
  readonly settle: (key: Key) => void
  /** Resources for which there is room now, in order: to be reconciled. */
  readonly next: (activeRuns: number) => ReadonlyArray<Key>
  /** Waiting resources. */
  readonly length: () => number
}

export const make = (maxRuns: number): RunQueue => {
  const waiting = new Map<Key, number>()
  /** Granted, but the run does not exist yet. */
  const starting = new Set<Key>()
  const inOrder = () => [...waiting].toSorted(([a, at], [b, bt]) => at - bt || (a < b ? -1 : 1)).map(([key]) => key)
  /** How many are before it; without sorting, since all of a thousand may ask at once. */
  const ahead = (key: Key, at: number) => {
    let count = 0
    for (const [other, theirs] of waiting) if (theirs < at || (theirs === at && other < key)) count++
    return count
  }
  const room = (activeRuns: number) => Math.max(0, maxRuns - activeRuns - starting.size)

  return {
    ask: (key, dueMillis, activeRuns) => {
      if (starting.has(key)) return { isGranted: true, before: 0 }
      const sinceMillis = waiting.get(key) ?? dueMillis
      waiting.set(key, sinceMillis)
      const before = ahead(key, sinceMillis)
      if (before >= room(activeRuns)) return { isGranted: false, before }
      waiting.delete(key)
      starting.add(key)
      return { isGranted: true, before: 0 }
    },
    settle: (key) => {
      waiting.delete(key)
      starting.delete(key)
    },
    // Called after every event of every resource: mostly there is no room, or no resource waits.
    next: (activeRuns) => (waiting.size === 0 || room(activeRuns) === 0 ? [] : inOrder().slice(0, room(activeRuns))),
    length: () => waiting.size
  }
}
