import { describe, expect, it } from "vitest"
import * as RunQueue from "../../src/operator/RunQueue.ts"
import { makeRandom } from "../e2e/random.ts"

/** `runs` names the namespace of each active run. */
const load = (...runs: ReadonlyArray<string>): RunQueue.Load => ({
  total: runs.length,
  ofNamespace: (namespace) => runs.filter((run) => run === namespace).length
})
const none = load()

describe("the global budget of runs", () => {
  it("grants room until it is used up, and then reports how many are ahead and since when one waits", () => {
    const queue = RunQueue.make(2)
    expect(queue.ask("ns/a", 0, none, 5)).toEqual({ isGranted: true, before: 0, sinceMillis: 5 })
    expect(queue.ask("ns/b", 0, none, 5)).toEqual({ isGranted: true, before: 0, sinceMillis: 5 })
    expect(queue.ask("ns/c", 1, none, 6)).toEqual({ isGranted: false, before: 0, sinceMillis: 6 })
    expect(queue.ask("ns/d", 2, none, 7)).toEqual({ isGranted: false, before: 1, sinceMillis: 7 })
    expect(queue.length()).toBe(2)
  })

  it("serves a namespace in the order in which its runs became due, not in which they ask", () => {
    const queue = RunQueue.make(1)
    expect(queue.ask("ns/late", 20, load("ns"), 0).isGranted).toBe(false)
    expect(queue.ask("ns/early", 10, load("ns"), 0).isGranted).toBe(false)
    expect(queue.next(none)).toEqual(["ns/early"])
    expect(queue.ask("ns/late", 20, none, 0)).toMatchObject({ isGranted: false, before: 1 })
    expect(queue.ask("ns/early", 10, none, 0).isGranted).toBe(true)
  })

  it("serves the namespace with the fewest active runs first, however long others have waited", () => {
    const queue = RunQueue.make(3)
    const full = load("a", "a", "b")
    queue.ask("a/1", 1, full, 0)
    queue.ask("a/2", 2, full, 0)
    queue.ask("b/1", 3, full, 0)
    queue.ask("c/1", 9, full, 0)
    expect(queue.next(load("a", "b"))).toEqual(["c/1"])
    expect(queue.ask("a/1", 1, load("a", "b"), 0)).toMatchObject({ isGranted: false, before: 1 })
    expect(queue.next(none)).toEqual(["a/1", "b/1", "c/1"])
  })

  it("keeps the place of who asks again later", () => {
    const queue = RunQueue.make(1)
    queue.ask("ns/a", 10, load("ns"), 1)
    queue.ask("ns/b", 11, load("ns"), 2)
    expect(queue.ask("ns/a", 99, load("ns"), 3)).toEqual({ isGranted: false, before: 0, sinceMillis: 1 })
  })

  it("gives the room of a start that failed to the next", () => {
    const queue = RunQueue.make(1)
    expect(queue.ask("ns/a", 0, none, 0).isGranted).toBe(true)
    expect(queue.ask("ns/b", 1, none, 0).isGranted).toBe(false)
    expect(queue.next(none)).toEqual([])
    queue.settle("ns/a")
    expect(queue.next(none)).toEqual(["ns/b"])
    expect(queue.ask("ns/b", 1, none, 0).isGranted).toBe(true)
  })

  it("never starts more than the budget, however many ask", () => {
    const queue = RunQueue.make(3)
    const active: Array<string> = []
    const served: Array<string> = []
    for (let n = 0; n < 50; n++) queue.ask(`ns/${n}`, n, none, 0) // the first three are granted
    for (let n = 0; n < 3; n++) queue.settle(`ns/${n}`)
    active.push("ns", "ns", "ns")
    while (queue.length() > 0) {
      active.pop() // one ends
      for (const key of queue.next(load(...active))) {
        if (!queue.ask(key, 0, load(...active), 0).isGranted) continue
        served.push(key)
        queue.settle(key)
        active.push("ns")
      }
      expect(active.length).toBeLessThanOrEqual(3)
    }
    expect(served).toEqual(Array.from({ length: 47 }, (_, n) => `ns/${n + 3}`))
  })
})

interface Run {
  readonly key: string
  readonly dueMillis: number
}

const isBefore = (a: Run, b: Run) => a.dueMillis < b.dueMillis || (a.dueMillis === b.dueMillis && a.key < b.key)

const namespaceOf = ({ key }: Pick<Run, "key">) => key.split("/")[0]!

/** The order by the rule itself: again and again the longest waiting run of the namespace with the fewest. */
const byRule = (waiting: ReadonlyArray<Run>, active: ReadonlyArray<string>): ReadonlyArray<string> => {
  const left = [...waiting]
  const running = new Map<string, number>()
  const started = (namespace: string) => running.set(namespace, (running.get(namespace) ?? 0) + 1)
  active.forEach(started)
  const count = (run: Run) => running.get(namespaceOf(run)) ?? 0
  const isFirst = (a: Run, b: Run) => (count(a) - count(b) || a.dueMillis - b.dueMillis || (a.key < b.key ? -1 : 1)) < 0
  const order: Array<string> = []
  while (left.length > 0) {
    const first = left.reduce((best, run) => (isFirst(run, best) ? run : best))
    left.splice(left.indexOf(first), 1)
    order.push(first.key)
    started(namespaceOf(first))
  }
  return order
}

/** A life of the queue by a seed: runs become due, ask in any order, start, fail to start and end. */
const played = (seed: number) => {
  const random = makeRandom(seed)
  const limit = random.between(1, 5)
  const queue = RunQueue.make(limit)
  const active: Array<string> = []
  const starting: Array<Run> = []
  let waiting: Array<Run> = []
  /** Runs of other namespaces that started while this one waited and its namespace had none, by key. */
  const overtaken = new Map<string, number>()
  const now = () => load(...active)
  let most = 0
  let due = 0

  const ask = (run: Run) => {
    const { before, isGranted } = queue.ask(run.key, run.dueMillis, now(), due)
    const order = byRule(waiting, [...active, ...starting.map(namespaceOf)])
    const place = order.indexOf(run.key)
    const room = limit - active.length - starting.length
    expect({ seed, isGranted, before }).toEqual({ seed, isGranted: place < room, before: place < room ? 0 : place })
    if (!isGranted) return
    waiting = waiting.filter((other) => other !== run)
    starting.push(run)
    // A run for which there is room now, too, only has to ask.
    const called = queue.next(now())
    const isFirst = (one: Run) =>
      waiting.every((other) => namespaceOf(other) !== namespaceOf(one) || other === one || isBefore(one, other))
    for (const other of waiting.filter((one) => isFirst(one) && !called.includes(one.key))) {
      const own = namespaceOf(other)
      if (own === namespaceOf(run) || [...active, ...starting.map(namespaceOf)].includes(own)) continue
      const isLater = run.dueMillis > other.dueMillis
      if (isLater) overtaken.set(other.key, (overtaken.get(other.key) ?? 0) + 1)
    }
  }

  for (let step = 0; step < 60; step++) {
    const what = random.between(1, 10)
    if (what <= 4) {
      const namespace = random.choose(["a", "a", "a", "b", "c"])
      const run = { key: `${namespace}/${step}`, dueMillis: (due += random.between(0, 2)) }
      waiting.push(run)
      ask(run)
    } else if (what <= 6 && waiting.length > 0) {
      ask(random.choose(waiting))
    } else if (what === 7 && starting.length > 0) {
      queue.settle(starting.splice(random.between(0, starting.length - 1), 1)[0]!.key)
    } else if (what === 8 && active.length > 0) {
      active.splice(random.between(0, active.length - 1), 1)
    } else if (starting.length > 0) {
      const [run] = starting.splice(random.between(0, starting.length - 1), 1)
      queue.settle(run!.key)
      active.push(namespaceOf(run!))
    }
    const room = Math.max(0, limit - active.length - starting.length)
    const order = byRule(waiting, [...active, ...starting.map(namespaceOf)])
    expect({ seed, next: queue.next(now()) }).toEqual({ seed, next: order.slice(0, room) })
    expect(queue.length()).toBe(waiting.length)
    most = Math.max(most, active.length + starting.length)
  }
  return { limit, most, overtaken: Math.max(0, ...overtaken.values()) }
}

describe("in every life of the queue", () => {
  const lives = Array.from({ length: 200 }, (_, seed) => played(seed))

  it("room goes by the rule: fewest active runs of the namespace, then longest due; and the bound is kept", () => {
    for (const { limit, most } of lives) expect(most).toBeLessThanOrEqual(limit)
    expect(lives.some(({ limit, most }) => most === limit && limit > 1)).toBe(true)
  })

  it("no run that became due later starts before the first of a namespace that has none", () => {
    expect(Math.max(...lives.map(({ overtaken }) => overtaken))).toBe(0)
  })
})
