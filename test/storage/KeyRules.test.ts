import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as KeyRules from "../../src/storage/KeyRules.ts"

describe("KeyRules.refusal", () => {
  it("lets every key of ours pass", () => {
    for (const key of [
      "manifest.json",
      "nightly-20261123-020000/topics/orders.v1_EU/partition=0/segment-00000000000000000000-1.bin.zst",
      "..a/...",
      "x".repeat(255),
      Array.from({ length: 4 }, () => "x".repeat(255)).join("/"),
      "ümläut/日本/😀 with spaces"
    ]) {
      assert.isUndefined(KeyRules.refusal(key), key)
    }
  })

  it("says why a key cannot be", () => {
    assert.include(KeyRules.refusal(""), "empty")
    assert.include(KeyRules.refusal("/a"), "begins with a slash")
    assert.include(KeyRules.refusal("a/"), "empty segment")
    assert.include(KeyRules.refusal("a//b"), "empty segment")
    assert.include(KeyRules.refusal("a/../b"), "segment ..")
    assert.include(KeyRules.refusal("."), "segment .")
    assert.include(KeyRules.refusal("a\\b"), "backslash")
    assert.include(KeyRules.refusal("a\u0000"), "control character")
    assert.include(KeyRules.refusal("a\u007f"), "control character")
    assert.include(KeyRules.refusal("\ud800"), "Unicode")
    assert.include(KeyRules.refusal("ü".repeat(128)), "255 bytes")
    assert.include(KeyRules.refusal("a/".repeat(600) + "a"), "1024 bytes")
  })
})

describe("KeyRules.prefixRefusal", () => {
  it("takes any beginning of a legal key", () => {
    const key = "nightly-1/topics/..odd/segment.bin"
    for (let length = 0; length <= key.length; length++)
      assert.isUndefined(KeyRules.prefixRefusal(key.slice(0, length)))
  })

  it("refuses a way out", () => {
    for (const prefix of ["/", "/a", "../", "a/../", "a/./b", "a//", "a\u0000", "a\\"])
      assert.isString(KeyRules.prefixRefusal(prefix))
  })
})

describe("KeyRules.byUtf8", () => {
  it.effect.prop("orders as the UTF-8 bytes do", [Schema.String, Schema.String], ([a, b]) =>
    Effect.sync(() => {
      if (!a.isWellFormed() || !b.isWellFormed()) return
      assert.strictEqual(Math.sign(KeyRules.byUtf8(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)))
    })
  )

  it("orders beyond the Basic Multilingual Plane as the bytes do, where JavaScript's own order differs", () => {
    const some = ["\uffff", "\u{10000}", "\ue000", "\u{1f600}", "\ud7ff", "z", "a/", "a-", "a"]
    assert.deepStrictEqual(
      some.toSorted(KeyRules.byUtf8),
      some.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    )
    assert.notDeepEqual(some.toSorted(KeyRules.byUtf8), some.toSorted())
  })
})
