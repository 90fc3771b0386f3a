import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as TopicGlob from "../../src/resource/TopicGlob.ts"
import * as TopicSelection from "../../src/backup/TopicSelection.ts"

const visible = (...names: ReadonlyArray<string>) => names.map((name) => ({ name, isInternal: name.startsWith("__") }))
const selected = (topics: ReadonlyArray<string>, exclude: ReadonlyArray<string>, ...names: ReadonlyArray<string>) =>
  TopicSelection.select(topics, exclude, visible(...names)).selected

/** The same meaning, by a regular expression: slow, and obviously right. */
const byRegExp = (pattern: string, name: string) =>
  new RegExp(
    `^${[...pattern].map((c) => (c === "*" ? ".*" : c === "?" ? "." : c.replaceAll(/[.\\+^${}()|[\]-]/g, "\\$&"))).join("")}$`,
    "s"
  ).test(name)

const Short = Schema.String.check(Schema.isPattern(/^[ab*?.]{0,8}$/u))
const Name = Schema.String.check(Schema.isPattern(/^[ab.]{0,8}$/u))

describe("TopicGlob.matches", () => {
  it.prop(
    "means what the regular expression means",
    [Short, Name],
    ([pattern, name]) => {
      assert.strictEqual(TopicGlob.matches(pattern, name), byRegExp(pattern, name))
    },
    { arbitrary: { runs: 2000 } }
  )

  it("matches a pattern that makes other matchers backtrack in bounded time", () => {
    assert.isFalse(TopicGlob.matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*b".repeat(8), "a".repeat(249)))
  })
})

describe("TopicSelection.select", () => {
  it("never selects an internal topic by wildcard, but does so by name", () => {
    assert.deepStrictEqual(selected(["*"], [], "orders", "__consumer_offsets"), ["orders"])
    assert.deepStrictEqual(selected(["__consumer_offsets"], [], "orders", "__consumer_offsets"), ["__consumer_offsets"])
  })

  it("lets exclusion win over names and wildcards", () => {
    assert.deepStrictEqual(selected(["orders", "*"], ["ord*"], "orders", "payments"), ["payments"])
    assert.deepStrictEqual(TopicSelection.literals(["orders", "orders", "b"], ["orders"]), ["b"])
  })

  it("selects each topic once, in order of names", () => {
    assert.deepStrictEqual(selected(["b", "*", "?"], [], "b", "a"), ["a", "b"])
  })

  it("names the patterns that match no topic", () => {
    assert.deepStrictEqual(TopicSelection.select(["x-*", "a*"], [], visible("a1")).idlePatterns, ["x-*"])
  })

  it.prop(
    "never invents a topic",
    [Schema.Array(Short), Schema.Array(Short), Schema.Array(Name)],
    ([topics, exclude, names]) => {
      const all = visible(...new Set(names))
      const { selected } = TopicSelection.select(topics, exclude, all)
      assert.isTrue(selected.every((name) => all.some((topic) => topic.name === name)))
      assert.strictEqual(new Set(selected).size, selected.length)
    }
  )
})
