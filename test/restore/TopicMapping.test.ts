import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TopicMapping from "../../src/restore/TopicMapping.ts"
import { aRestore, assertSame, backUp, inTime, layer, restore, worlds } from "./world.ts"

const targets = (mapping: Record<string, string>, ...names: ReadonlyArray<string>) =>
  names.map((name) => {
    const mapped = TopicMapping.target(new Map(Object.entries(mapping)), name)
    return mapped._tag === "Target" ? mapped.target : mapped.keys
  })

describe("topicMapping", () => {
  it("carries over what the star stands for, also nothing", () => {
    const mapping = { "orders-*": "restored-orders-*", "*.eu": "eu.*", "a*a": "b*" }
    assert.deepStrictEqual(targets(mapping, "orders-eu", "orders-", "orders", "shop.eu", "a", "aa", "aba"), [
      "restored-orders-eu",
      "restored-orders-",
      "orders",
      "eu.shop",
      "a",
      "b",
      "bb"
    ])
  })

  it("takes a name before patterns, and the longest pattern before others", () => {
    const mapping = { "*": "all-*", "orders-*": "o-*", "orders-eu": "europe", "*-eu": "eu-*" }
    assert.deepStrictEqual(targets(mapping, "orders-eu", "orders-us", "x-eu", "x"), ["europe", "o-us", "eu-x", "all-x"])
    assert.deepStrictEqual(targets({ "ab*": "1*", "*yz": "2*" }, "abyz"), [["ab*", "*yz"]])
  })

  it("takes no character of a topic's name for a pattern", () => {
    assert.deepStrictEqual(targets({ "a.*": "b.*" }, "axb", "a.$&"), ["axb", "b.$&"])
    assert.deepStrictEqual(targets({ "a-*": "*" }, "a-$1"), ["$1"])
  })

  it.each([
    [{ "*": "x".repeat(240) + "*" }, "restored-10", "251 characters, and Kafka allows 249"],
    [{ "a*": "*" }, "a__b", "begins with '__'"],
    [{ "a*": "*" }, "a..", "is not a name"],
    [{ "a*": "*" }, "a", "is not a name"],
    [{ "ab*": "1*", "*yz": "2*" }, "abyz", "has two patterns for abyz: ab* and *yz"]
  ])("refuses %j for %s", (mapping, source, says) => {
    const mapped = TopicMapping.target(new Map(Object.entries(mapping)), source)
    const [objection] = TopicMapping.objections(source, mapped)
    assert.include(objection?.message ?? "", says)
  })

  it("allows a name of 249 characters", () => {
    const mapped = TopicMapping.target(new Map([["*", "x".repeat(240) + "*"]]), "123456789")
    assert.lengthOf(TopicMapping.objections("123456789", mapped), 0)
  })

  it.effect("swaps two topics, and renames others by a pattern", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      for (const topic of ["a", "b", "log-1", "log-2"]) {
        yield* source.createTopic(topic)
        yield* source.produce(topic, 0, [{ key: topic, value: topic, timestamp: 1 }])
      }
      const backupId = yield* backUp
      const topicMapping = new Map([
        ["a", "b"],
        ["b", "a"],
        ["log-*", "old.*.log"]
      ])
      yield* inTime(restore(aRestore(backupId, { topicMapping })))
      yield* assertSame(source, target, "a", 1, "b")
      yield* assertSame(source, target, "b", 1, "a")
      yield* assertSame(source, target, "log-1", 1, "old.1.log")
      yield* assertSame(source, target, "log-2", 1, "old.2.log")
    }).pipe(Effect.provide(layer))
  )

  it.effect("is refused where two topics have one target, or a key stands for none", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      for (const topic of ["a", "b", "c"]) yield* source.createTopic(topic)
      const backupId = yield* backUp
      const refused = (mapping: Record<string, string>, topics = ["*"]) =>
        Effect.map(
          Effect.flip(inTime(restore(aRestore(backupId, { topics, topicMapping: new Map(Object.entries(mapping)) })))),
          ({ message }) => message
        )
      assert.include(yield* refused({ a: "b" }), "a, b would all be restored to b")
      assert.include(yield* refused({ "*a": "*c", "*b": "*c" }), "a, b, c would all be restored to c")
      assert.include(yield* refused({ "d*": "e*" }), "has the pattern d*, which fits no topic that is restored")
      assert.include(yield* refused({ "b*": "e*" }, ["a"]), "has the pattern b*, which fits no topic")
      assert.include(yield* refused({ b: "e" }, ["a"]), "topicMapping names b, which is not restored")
    }).pipe(Effect.provide(layer))
  )
})
