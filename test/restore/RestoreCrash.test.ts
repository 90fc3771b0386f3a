import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Restore from "../../src/restore/Restore.ts"
import { aRestore, assertSame, backUpAs, formats, inTime, layer, options, systems, worlds } from "./world.ts"

const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({
    key: `key ${from + i}`,
    value: `value ${from + i} ${"x".repeat(60)}`,
    timestamp: 1_600_000_000_000 + from + i
  }))

/** A log that begins later than at 0, holes of transactions, and a partition without records. */
const fill = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("orders", { partitions: 2 })
  yield* cluster.produce("orders", 0, records(12))
  yield* cluster.deleteRecordsBefore("orders", 0, 5)
  const transaction = yield* cluster.beginTransaction()
  yield* transaction.produce("orders", 0, records(3, 100))
  yield* transaction.commit
  yield* cluster.produce("orders", 0, records(6, 200))
})

type When = "before" | "after"

describe("a restore that is killed", () => {
  it.effect.each(formats)(
    "at any call to the cluster or the store, before or after its effect, is complete at its next attempt, of %s",
    (format) =>
      Effect.gen(function* () {
        const { source, target } = yield* worlds
        yield* fill(source)
        const backupId = yield* backUpAs(format)
        let calls = 0

        /** The object's methods and effects; call number `at` is the process's last one. */
        const mortal = <A extends object>(port: A, at: number, when: When): A => {
          const counted = (made: unknown): unknown => {
            if (!Effect.isEffect(made)) return made
            const call = made as Effect.Effect<unknown>
            return Effect.suspend(() => {
              if (++calls !== at) return call
              return when === "before" ? Effect.die("killed") : Effect.andThen(Effect.exit(call), Effect.die("killed"))
            })
          }
          const entries = Object.entries(port).map(([name, value]: [string, unknown]) => [
            name,
            typeof value === "function" ? (...args: ReadonlyArray<unknown>) => counted(value(...args)) : counted(value)
          ])
          return Object.fromEntries(entries) as A
        }

        const attempt = (name: string, at: number, when: When) =>
          Effect.gen(function* () {
            const topicMapping = new Map([["orders", `orders-${name}`]])
            const request = aRestore(backupId, { topicMapping, owner: { name } })
            const opened = yield* systems
            calls = 0
            const ports = { ...opened, sink: mortal(opened.sink, at, when), store: mortal(opened.store, at, when) }
            const prepared = yield* Restore.prepare(ports, request)
            return yield* Restore.run(ports, request, prepared, options)
          }).pipe(Effect.scoped, Effect.exit, inTime)

        yield* attempt("whole", 0, "before")
        yield* assertSame(source, target, "orders", 2, "orders-whole")
        const total = calls
        assert.isAbove(total, 30)
        let reached = 0
        for (let at = 1; at <= total; at++) {
          for (const when of ["before", "after"] as const) {
            const name = `${when}-${at}`
            const killed = yield* attempt(name, at, when)
            // An attempt may get along with fewer calls than the first: how they overlap depends on the machine.
            const isReached = calls >= at
            if (isReached) reached++
            assert.strictEqual(Exit.isFailure(killed), isReached, name)
            yield* target.forgetProducers
            const next = yield* attempt(name, 0, when)
            assert.isTrue(Exit.isSuccess(next), `${name}: ${String(next)}`)
            yield* assertSame(source, target, "orders", 2, `orders-${name}`)
          }
        }
        assert.isAbove(reached, 2 * (total - 5))
        console.log(`killed ${reached} times at each of ${total} calls`)
      }).pipe(Effect.provide(layer))
  )
})
