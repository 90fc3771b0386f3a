import type { Key } from "./InformerCache.ts"

/** Active runs, as far as they count towards the budget: of all resources, and of those of one namespace. */
export interface Load {
  readonly total: number
  readonly ofNamespace: (namespace: string) => number
}

/** The place of a run that waits. */
export interface Place {
  readonly isGranted: boolean
  /** Runs that start before it, as things are now. */
  readonly before: number
  /** When it first asked, in milliseconds since 1970. */
  readonly sinceMillis: number
}

/**
 * The global budget of concurrent runs. Resources whose run is due and finds no room wait. Room goes to the namespace
 * with the fewest active runs, and within it, or between equal ones, to the run that has been due for longest: so no
 * namespace starves another, and no run starves. Lives in the leader's memory: after a restart every resource that is
 * due asks again.
 */
export interface RunQueue {
  /** Asks for room. Asking again keeps the place. Instants are milliseconds since 1970. */
  readonly ask: (key: Key, dueMillis: number, load: Load, nowMillis: number) => Place
  /** Ends what `ask` began: the run exists now and counts as active, or it will not exist. */
  readonly settle: (key: Key) => void
  /** Resources for which there is room now, in order: to be reconciled. */
  readonly next: (load: Load) => ReadonlyArray<Key>
  /** Waiting resources. */
  readonly length: () => number
  /** Most runs that may be active. */
  readonly limit: number
}

interface Waiting {
  readonly key: Key
  readonly dueMillis: number
  readonly sinceMillis: number
}

const namespaceOf = (key: Key): string => key.slice(0, key.indexOf("/"))

const compare = (a: Waiting, b: Waiting): number =>
  a.dueMillis - b.dueMillis || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

/** How many of the sorted `list` come before `one`. */
const rankIn = (list: ReadonlyArray<Waiting>, one: Waiting): number => {
  let from = 0
  let until = list.length
  while (from < until) {
    const middle = (from + until) >> 1
    if (compare(list[middle]!, one) < 0) from = middle + 1
    else until = middle
  }
  return from
}

export const make = (maxRuns: number): RunQueue => {
  const waiting = new Map<Key, Waiting>()
  /** The same by namespace, in the order of `compare`. */
  const queues = new Map<string, Array<Waiting>>()
  /** Granted, but the run does not exist yet. */
  const starting = new Set<Key>()

  const room = ({ total }: Load) => Math.max(0, maxRuns - total - starting.size)
  const runsOf = (namespace: string, load: Load) => {
    let count = load.ofNamespace(namespace)
    for (const key of starting) if (namespaceOf(key) === namespace) count++
    return count
  }

  const enter = (one: Waiting) => {
    waiting.set(one.key, one)
    const namespace = namespaceOf(one.key)
    const list = queues.get(namespace)
    if (list === undefined) queues.set(namespace, [one])
    else list.splice(rankIn(list, one), 0, one)
  }

  const leave = (key: Key) => {
    const one = waiting.get(key)
    if (one === undefined) return
    waiting.delete(key)
    const namespace = namespaceOf(key)
    const list = queues.get(namespace)!
    list.splice(rankIn(list, one), 1)
    if (list.length === 0) queues.delete(namespace)
  }

  /**
   * How many start before `one`. The level of a waiting run is the number of active runs that its namespace has when
   * its turn comes; the order is that of levels, then of `compare`. Counted without sorting, since all of a thousand
   * may ask at once.
   */
  const ahead = (one: Waiting, load: Load): number => {
    const own = namespaceOf(one.key)
    const level = runsOf(own, load) + rankIn(queues.get(own)!, one)
    let count = 0
    for (const [namespace, list] of queues) {
      const lower = Math.min(list.length, Math.max(0, level - runsOf(namespace, load)))
      const equal = level >= runsOf(namespace, load) ? list[lower] : undefined
      count += lower + (equal !== undefined && compare(equal, one) < 0 ? 1 : 0)
    }
    return count
  }

  return {
    limit: maxRuns,
    ask: (key, dueMillis, load, nowMillis) => {
      if (starting.has(key)) return { isGranted: true, before: 0, sinceMillis: nowMillis }
      const known = waiting.get(key)
      const one = known ?? { key, dueMillis, sinceMillis: nowMillis }
      if (known === undefined) enter(one)
      const before = ahead(one, load)
      const isGranted = before < room(load)
      if (isGranted) {
        leave(key)
        starting.add(key)
      }
      return { isGranted, before: isGranted ? 0 : before, sinceMillis: one.sinceMillis }
    },
    settle: (key) => {
      leave(key)
      starting.delete(key)
    },
    // Called after every event of every resource: mostly there is no room, or no resource waits.
    next: (load) => {
      const free = room(load)
      if (waiting.size === 0 || free === 0) return []
      const heads = [...queues].map(([namespace, list]) => ({ list, at: 0, level: runsOf(namespace, load) }))
      const chosen: Array<Key> = []
      while (chosen.length < free) {
        const first = heads
          .filter(({ at, list }) => at < list.length)
          .reduce<(typeof heads)[number] | undefined>(
            (best, head) =>
              best === undefined ||
              head.level < best.level ||
              (head.level === best.level && compare(head.list[head.at]!, best.list[best.at]!) < 0)
                ? head
                : best,
            undefined
          )
        if (first === undefined) break
        chosen.push(first.list[first.at]!.key)
        first.at++
        first.level++
      }
      return chosen
    },
    length: () => waiting.size
  }
}
