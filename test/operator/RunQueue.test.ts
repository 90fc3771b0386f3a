import { describe, expect, it } from "vitest"
import * as RunQueue from "../../src/operator/RunQueue.ts"

describe("the global budget of runs", () => {
  it("grants room until it is used up, and then says how many are ahead", () => {
    const queue = RunQueue.make(2)
    expect(queue.ask("ns/a", 0, 0)).toEqual({ isGranted: true, before: 0 })
    expect(queue.ask("ns/b", 0, 0)).toEqual({ isGranted: true, before: 0 })
    expect(queue.ask("ns/c", 1, 0)).toEqual({ isGranted: false, before: 0 })
    expect(queue.ask("ns/d", 2, 0)).toEqual({ isGranted: false, before: 1 })
    expect(queue.length()).toBe(2)
  })

  it("serves in the order in which runs became due, not in which they ask", () => {
    const queue = RunQueue.make(1)
    expect(queue.ask("ns/late", 20, 1).isGranted).toBe(false)
    expect(queue.ask("ns/early", 10, 1).isGranted).toBe(false)
    expect(queue.next(0)).toEqual(["ns/early"])
    expect(queue.ask("ns/late", 20, 0)).toEqual({ isGranted: false, before: 1 })
    expect(queue.ask("ns/early", 10, 0).isGranted).toBe(true)
  })

  it("keeps the place of who asks again later", () => {
    const queue = RunQueue.make(1)
    queue.ask("ns/a", 10, 1)
    queue.ask("ns/b", 11, 1)
    expect(queue.ask("ns/a", 99, 1)).toEqual({ isGranted: false, before: 0 })
  })

  it("gives the room of a start that failed to the next", () => {
    const queue = RunQueue.make(1)
    expect(queue.ask("ns/a", 0, 0).isGranted).toBe(true)
    expect(queue.ask("ns/b", 1, 0).isGranted).toBe(false)
    expect(queue.next(0)).toEqual([])
    queue.settle("ns/a")
    expect(queue.next(0)).toEqual(["ns/b"])
    expect(queue.ask("ns/b", 1, 0).isGranted).toBe(true)
  })

  it("never starts more than the budget, however many ask", () => {
    const queue = RunQueue.make(3)
    let active = 0
    const served: Array<string> = []
    for (let n = 0; n < 50; n++) queue.ask(`ns/${n}`, n, 0) // the first three are granted
    active = 3
    for (let n = 0; n < 3; n++) queue.settle(`ns/${n}`)
    while (queue.length() > 0) {
      active-- // one ends
      for (const key of queue.next(active)) {
        if (!queue.ask(key, 0, active).isGranted) continue
        served.push(key)
        queue.settle(key)
        active++
      }
      expect(active).toBeLessThanOrEqual(3)
    }
    expect(served).toEqual(Array.from({ length: 47 }, (_, n) => `ns/${n + 3}`))
  })
})
