import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Systems } from "../../src/drill/DrillFacts.ts"
import * as DrillRequest from "../../src/drill/DrillRequest.ts"
import * as ScratchNames from "../../src/drill/ScratchNames.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Attempt from "../../src/restore/Attempt.ts"
import { world } from "../backup/world.ts"
import { inTime } from "../restore/world.ts"
import { aDrill, backUp, collected, drill, layer, names, opened } from "./world.ts"

const filled = Effect.gen(function* () {
  const { cluster } = yield* world
  yield* cluster.createTopic("orders", { partitions: 2 })
  const records = Array.from({ length: 12 }, (_, i) => ({ key: `${i}`, value: "x".repeat(40), timestamp: i }))
  for (const partition of [0, 1]) yield* cluster.produce("orders", partition, records)
  yield* cluster.deleteRecordsBefore("orders", 0, 5)
  yield* backUp()
  return cluster
})

/**
 * The process dies at its n-th call to Kafka or to the store, before or after it took effect; later calls do nothing.
 */
const dyingAt = (systems: Systems, n: number, when: "before" | "after") => {
  let calls = 0
  let last = ""
  const met = <A, E, R>(name: string, call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      calls++
      if (calls <= n) last = name
      if (calls > n || (calls === n && when === "before")) return Effect.die("killed")
      return calls === n ? Effect.andThen(call, Effect.die("killed")) : call
    })
  const wrapped = <S extends object>(shape: S): S =>
    Object.fromEntries(
      Object.entries(shape).map(([name, member]) => {
        if (typeof member === "function") {
          return [
            name,
            (...args: ReadonlyArray<unknown>) => {
              const made: unknown = member(...args)
              return Stream.isStream(made)
                ? Stream.unwrap(met(name, Effect.succeed(made as Stream.Stream<unknown>)))
                : met(name, made as Effect.Effect<unknown>)
            }
          ]
        }
        if (Stream.isStream(member)) {
          return [name, Stream.unwrap(met(name, Effect.succeed(member as Stream.Stream<unknown>)))]
        }
        return [name, Effect.isEffect(member) ? met(name, member as Effect.Effect<unknown>) : member]
      })
    ) as S
  const source = wrapped(systems.source)
  return {
    systems: {
      sink: wrapped(systems.sink),
      source,
      live: source,
      store: wrapped(systems.store)
    } satisfies Systems,
    last: () => last,
    isOver: () => calls < n
  }
}

/** Every third call; all of them in a soak. */
const step = process.env["KBO_KILL_ALL"] === undefined ? 3 : 1

/** Topics that are not the drill's, one of which is named as if it were. */
const stranger = "_drill-20000101-000000-"
const foreign = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  const { resource } = aDrill()
  const [like] = [...ScratchNames.of(["orders"], { owner: resource, prefix: "_drill-", startedMillis: 0 }).values()]
  yield* cluster.createTopic(like!)
  yield* cluster.createTopic(`${stranger}x`)
  return ["orders", like!, `${stranger}x`]
})

describe("a drill that dies", () => {
  it.effect(
    "at any call leaves only topics that the next one deletes, and that one deletes nothing else",
    () =>
      Effect.gen(function* () {
        const cluster = yield* filled
        yield* TestClock.adjust("1 hour")
        const others = yield* foreign(cluster)
        let leftBehind = 0
        let deaths = 0
        for (const when of ["before", "after"] as const) {
          for (let n = when === "before" ? 1 : 2; ; n += step) {
            const dying = dyingAt(yield* opened(), n, when)
            const exit = yield* Effect.exit(inTime(drill(aDrill(), { systems: dying.systems })))
            if (dying.isOver()) {
              assert.isTrue(Exit.isSuccess(exit))
              break
            }
            deaths++
            const after = yield* names
            for (const name of others) assert.include(after, name)
            if (after.length === others.length) continue
            leftBehind++
            yield* TestClock.adjust("1 second")
            const into = collected()
            yield* inTime(drill(aDrill(), { into }))
            yield* TestClock.adjust("1 second")
            const left = (yield* names).filter((name) => !others.includes(name))
            // Made, and never known: the process died before it had read which topics it made.
            const isUnknown = ["createTopics", "commitOffsets"].includes(dying.last())
            if (!isUnknown) assert.deepStrictEqual(left, [], `${when} call ${n}, ${dying.last()}`)
            for (const name of left) {
              assert.include(into.facts.strays ?? [], name)
              yield* cluster.deleteTopic(name)
            }
            const present = yield* names
            for (const name of others) assert.include(present, name)
          }
        }
        assert.isAbove(deaths, 80 / step)
        assert.isAbove(leftBehind, 20 / step)
      }).pipe(Effect.scoped, Effect.provide(layer)),
    60_000
  )

  it.effect("is followed by one that leaves a topic alone that somebody made under the name of its own", () =>
    Effect.gen(function* () {
      const cluster = yield* filled
      const dying = dyingAt(yield* opened(), 30, "before")
      yield* Effect.exit(inTime(drill(aDrill(), { systems: dying.systems })))
      const scratch = (yield* names).find((name) => name.startsWith("_drill-"))
      assert.isDefined(scratch)
      yield* cluster.deleteTopic(scratch!)
      yield* cluster.createTopic(scratch!)
      yield* TestClock.adjust("1 second")
      const { cleared, strays } = yield* inTime(drill(aDrill()))
      assert.deepStrictEqual(cleared, [])
      assert.deepStrictEqual(strays, [scratch!])
      assert.deepStrictEqual(yield* names, [scratch!, "orders"].toSorted())
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("says which topics of the one before it deleted", () =>
    Effect.gen(function* () {
      yield* filled
      const dying = dyingAt(yield* opened(), 30, "before")
      yield* Effect.exit(inTime(drill(aDrill(), { systems: dying.systems })))
      const scratch = (yield* names).filter((name) => name.startsWith("_drill-"))
      yield* TestClock.adjust("1 second")
      const { cleared } = yield* inTime(drill(aDrill()))
      assert.deepStrictEqual(cleared, scratch)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})

describe("a drill's topics", () => {
  it.effect("are refused where one of that name exists, which stays untouched", () =>
    Effect.gen(function* () {
      const cluster = yield* filled
      const [name] = [
        ...ScratchNames.of(["orders"], { owner: aDrill().resource, prefix: "_drill-", startedMillis: 0 }).values()
      ]
      const id = yield* cluster.createTopic(name!, { partitions: 4 })
      const into = collected()
      const error = yield* Effect.flip(drill(aDrill(), { into }))
      assert.include(error.message, `topic ${name} exists already, and this drill did not make it`)
      const [found] = yield* (yield* opened()).sink.lookup([name!])
      assert.strictEqual(found?._tag === "Found" ? found.topic.topicId : undefined, id)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("that cannot be deleted are named, and the next drill deletes them", () =>
    Effect.gen(function* () {
      const cluster = yield* filled
      const { resource } = aDrill()
      yield* cluster.inject({ _tag: "Code", code: 7 }, { operation: "topics", after: 2, times: 1000 })
      const { left } = yield* inTime(drill(aDrill()))
      assert.lengthOf(left, 1)
      yield* cluster.clearFaults
      yield* TestClock.adjust("1 second")
      const next = yield* inTime(drill(aDrill()))
      assert.deepStrictEqual([next.cleared, next.left], [left, []])
      assert.deepStrictEqual(yield* names, ["orders"])
      assert.match(Attempt.nameOf(DrillRequest.owner(resource)), /^kafka-backup-restore-drill-[0-9a-f]{34}$/)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})

describe("a drill that is stopped", () => {
  it.effect("deletes its topics before it ends", () =>
    Effect.gen(function* () {
      const cluster = yield* filled
      yield* cluster.inject({ _tag: "Delayed", millis: 60_000 }, { operation: "produce", after: 2, times: 1000 })
      const into = collected()
      const stopped = drill(aDrill(), { into }).pipe(Effect.timeoutOption("20 seconds"))
      assert.strictEqual((yield* inTime(stopped))._tag, "None")
      assert.deepStrictEqual(into.facts.left, [])
      assert.deepStrictEqual(yield* names, ["orders"])
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})

describe("the permissions of a drill", () => {
  it.effect("are asked for before anything is written, and each that is missing is named", () =>
    Effect.gen(function* () {
      const cluster = yield* filled
      const [name] = [
        ...ScratchNames.of(["orders"], { owner: aDrill().resource, prefix: "_drill-", startedMillis: 0 }).values()
      ]
      const group = Attempt.nameOf(DrillRequest.owner(aDrill().resource))
      for (const [operation, resource, named] of [
        ["Write", name!, `Write on topic ${name}`],
        ["Delete", name!, `Delete on topic ${name}`],
        ["ReadGroup", group, `Read on group ${group}`]
      ] as const) {
        yield* cluster.deny(operation, resource)
        const error = yield* Effect.flip(drill(aDrill()))
        assert.include(error.message, `the drill cannot begin, and nothing was written`)
        assert.include(error.message, named)
        assert.deepStrictEqual(yield* names, ["orders"])
        yield* cluster.allow(operation, resource)
      }
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
