import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as DrillSpec from "../../src/resource/DrillSpec.ts"
import * as TopicGlob from "../../src/resource/TopicGlob.ts"
import * as ScratchNames from "../../src/drill/ScratchNames.ts"

const owner = { uid: "uid-1", name: "nightly" }
const startedMillis = Date.parse("2026-11-29T03:00:05.250Z")
const of = (topics: ReadonlyArray<string>, prefix = "_drill-") =>
  ScratchNames.of(topics, { owner, prefix, startedMillis })

const Topic = Schema.String.check(Schema.isPattern(/^[a-c._-]{1,8}$/u))
const Long = Schema.String.check(Schema.isPattern(/^[ab]{240,249}$/u))

describe("ScratchNames.of", () => {
  it("names instant, resource and topic", () => {
    assert.match(of(["orders"]).get("orders")!, /^_drill-20261129-030005-[0-9a-f]{6}-orders$/)
  })

  it("differs between two resources", () => {
    const other = ScratchNames.of(["orders"], { owner: { uid: "uid-2", name: "n" }, prefix: "_drill-", startedMillis })
    assert.notStrictEqual(other.get("orders"), of(["orders"]).get("orders"))
  })

  it.prop(
    "gives names that Kafka takes, and none of which collide",
    [Schema.Array(Topic), Schema.Array(Long)],
    ([short, long]) => {
      const topics = [...new Set([...short, ...long])]
      const names = [...of(topics, "d".repeat(64)).values()]
      assert.lengthOf(names, topics.length)
      for (const name of names) assert.match(name, /^[a-zA-Z0-9._-]{1,249}$/)
      assert.strictEqual(new Set(names.map((name) => name.replaceAll(".", "_"))).size, topics.length)
      const [, pattern] = DrillSpec.scratchPatterns({ topicPrefix: "d".repeat(64) })
      for (const name of names) assert.isTrue(TopicGlob.matches(pattern!, name))
      for (const name of names) assert.isTrue(ScratchNames.isLike(name, { owner, prefix: "d".repeat(64) }))
    }
  )

  it("is not like names of other resources, or of topics that only begin alike", () => {
    const [name] = [...of(["orders"]).values()]
    assert.isTrue(ScratchNames.isLike(name!, { owner, prefix: "_drill-" }))
    assert.isFalse(ScratchNames.isLike(name!, { owner: { uid: "uid-2", name: "n" }, prefix: "_drill-" }))
    assert.isFalse(ScratchNames.isLike("_drill-orders", { owner, prefix: "_drill-" }))
  })
})
