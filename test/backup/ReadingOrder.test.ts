import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import * as ReadingOrder from "../../src/backup/ReadingOrder.ts"
import type { KafkaSourceShape } from "../../src/kafka/KafkaSource.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import { inTime } from "./inTime.ts"
import { aRequest, assertHoldsAll, attempt, layer, world } from "./world.ts"

const sizes = (order: ReadonlyArray<number>, open: number) => ReadingOrder.make(order, (n) => n, open)

/** What is open at each moment, if each takes as many steps as it is long. */
const simulated = (all: ReadonlyArray<number>, open: number) => {
  const order = sizes(all, open)
  const running: Array<{ left: number; size: number; ended: () => void }> = []
  const steps: Array<ReadonlyArray<number>> = []
  for (;;) {
    while (running.length < open) {
      const turn = order.next()
      if (turn === undefined) break
      running.push({ left: turn.one, size: turn.one, ended: turn.ended })
    }
    if (running.length === 0) return steps
    steps.push(running.map(({ size }) => size))
    for (const one of running.slice()) {
      if (--one.left > 0) continue
      one.ended()
      running.splice(running.indexOf(one), 1)
    }
  }
}

describe("the order of reading", () => {
  it("is that of the plan where no partition is much longer than others", () => {
    const order = sizes([3, 1, 2, 2, 3], 2)
    assert.deepStrictEqual(order.waiting, [3, 1, 2, 2, 3])
    assert.deepStrictEqual(
      Array.from({ length: 6 }, () => order.next()?.one),
      [3, 1, 2, 2, 3, undefined]
    )
  })

  it("begins with the longest, and leaves half of the places to the others while any of them waits", () => {
    const small = Array.from({ length: 500 }, () => 1)
    const steps = simulated([900, 1000, 1100, 1000, 1200, ...small], 4)
    assert.deepStrictEqual(steps[0], [1200, 1100, 1, 1])
    const isSmallDone = steps.findIndex((open) => !open.includes(1))
    assert.strictEqual(isSmallDone, small.length / 2)
    for (const open of steps) assert.isAtMost(open.filter((n) => n > 1).length, open.includes(1) ? 2 : 4)
    assert.lengthOf(steps[isSmallDone]!, 4)
  })

  it("reads the others first where there is one place alone", () => {
    assert.deepStrictEqual(
      simulated([100, 1, 1, 1, 1, 1, 1, 1, 1], 1)
        .map(([n]) => n)
        .slice(0, 9),
      [1, 1, 1, 1, 1, 1, 1, 1, 100]
    )
  })

  it("gives every partition one turn, whatever their lengths", () => {
    let seed = 1
    const random = (most: number) => (seed = (seed * 48_271) % 2_147_483_647) % most
    for (let round = 0; round < 300; round++) {
      const all = Array.from({ length: random(40) }, (_, i) => ({
        i,
        size: random(5) === 0 ? random(10_000) : random(9)
      }))
      const open = 1 + random(8)
      const order = ReadingOrder.make(all, ({ size }) => size, open)
      const seen: Array<number> = []
      const running: Array<() => void> = []
      for (let turn = order.next(); turn !== undefined; turn = order.next()) {
        seen.push(turn.one.i)
        running.push(turn.ended)
        if (running.length === open) running.splice(random(open), 1)[0]!()
      }
      assert.deepStrictEqual(
        seen.toSorted((a, b) => a - b),
        all.map(({ i }) => i)
      )
      assert.deepStrictEqual(
        order.waiting.map(({ i }) => i).toSorted((a, b) => a - b),
        all.map(({ i }) => i)
      )
    }
  })
})

describe("A run with a few huge partitions and very many small ones", () => {
  const huge = { "a-huge": 3, "b-huge": 1 } as const
  const small = { many: 60 } as const
  const open = 4
  const fetchesOfHuge = 400

  /** Each fetch takes a second; what is read first and last of each partition is noted with the second. */
  const slow =
    (seen: Map<string, { firstSecond: number; lastSecond: number }>, now: () => number) =>
    (source: KafkaSourceShape): KafkaSourceShape => ({
      ...source,
      read: (request) =>
        source.read(request).pipe(
          Stream.tap(() =>
            Effect.andThen(
              Effect.sleep("1 second"),
              Effect.sync(() => {
                const place = `${request.topic}/${request.partition}`
                seen.set(place, { firstSecond: seen.get(place)?.firstSecond ?? now(), lastSecond: now() })
              })
            )
          )
        )
    })

  const filled = Effect.gen(function* () {
    const { cluster, store } = yield* world
    for (const [topic, partitions] of [...Object.entries(huge), ...Object.entries(small)]) {
      yield* cluster.createTopic(topic, { partitions })
      for (let partition = 0; partition < partitions; partition++) {
        for (let i = 0; i < (topic in huge ? fetchesOfHuge : 1); i++) {
          yield* cluster.produce(topic, partition, [{ key: `${i}`, value: "x".repeat(2000) }])
        }
      }
    }
    return { cluster, store }
  })

  it.effect(
    "has all small ones long before the first huge one, and reads the huge ones side by side from the start",
    () =>
      Effect.gen(function* () {
        const { cluster, store } = yield* filled
        const seen = new Map<string, { firstSecond: number; lastSecond: number }>()
        let second = 0
        const run = attempt(aRequest("2026-11-23T12:00:00Z"), { openPartitions: open, kafka: slow(seen, () => second) })
        const ended = yield* inTime(run, 2000, (now) => void (second = now))
        if (Exit.isFailure(ended)) return yield* ended
        const of = (topics: object) =>
          [...seen].filter(([place]) => Object.hasOwn(topics, place.slice(0, place.indexOf("/")))).map(([, at]) => at)
        assert.lengthOf(of(small), 60)
        assert.lengthOf(of(huge), 4)
        assert.isAtMost(Math.max(...of(small).map(({ lastSecond }) => lastSecond)), 60)
        assert.isAbove(Math.min(...of(huge).map(({ lastSecond }) => lastSecond)), fetchesOfHuge / 2)
        assert.strictEqual(of(huge).filter(({ firstSecond }) => firstSecond <= 3).length, open / 2)
        yield* assertHoldsAll(cluster, store, ended.value.facts.backupId, { ...huge, ...small })
      }).pipe(Effect.provide(layer))
  )

  it.effect("that is killed loses what was read in less than one checkpoint interval", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* filled
      const request = aRequest("2026-11-23T12:00:00Z", { checkpointIntervalMillis: 40_000 })
      const segmentBytes = 1024 * 1024
      const killed = RunProgress.make()
      let isKilled = false
      // Not one call more reaches the store, as after SIGKILL.
      const put: ObjectStoreShape["put"] = (...args) =>
        Effect.suspend(() => (isKilled ? Effect.die("killed") : store.put(...args)))
      const first = attempt(request, {
        openPartitions: open,
        segmentBytes,
        store: { ...store, put },
        progress: killed,
        kafka: slow(new Map(), () => 0)
      })
      const kill = Effect.andThen(
        Effect.sleep("150 seconds"),
        Effect.sync(() => void (isKilled = true))
      )
      yield* inTime(Effect.raceFirst(Effect.exit(first), kill), 200)
      assert.isTrue(isKilled)
      const again = RunProgress.make()
      const second = attempt(request, { openPartitions: open, segmentBytes, progress: again })
      const ended = yield* inTime(second, 2000)
      if (Exit.isFailure(ended)) return yield* ended
      const all = 4 * fetchesOfHuge + 60
      assert.isAbove(killed.records, 300)
      assert.isAtMost(killed.records + again.records - all, open * 40)
      yield* assertHoldsAll(cluster, store, ended.value.facts.backupId, { ...huge, ...small })
    }).pipe(Effect.provide(layer))
  )
})
