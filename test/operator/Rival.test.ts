import { assert, describe, it } from "@effect/vitest"
import { inWords, isRival, scopeOf } from "../../src/operator/Rival.ts"

const uuid = "_0b0b6f1e-1111-4222-8333-444455556666"
const own = { identity: `team-b-5d4f8c7b9-x2kqz${uuid}`, scope: "billing" }

describe("a leader with the same Lease", () => {
  it.each([
    ["of another Deployment that watches other namespaces", `team-a-5d4f8c7b9-x2kqz${uuid}`, "orders", true],
    ["of another Deployment that watches all", `team-a-5d4f8c7b9-x2kqz${uuid}`, "*", true],
    ["on a workstation", `laptop${uuid}`, "*", true],
    ["of another Deployment that watches the same", `team-a-5d4f8c7b9-x2kqz${uuid}`, "billing", false],
    ["of another version, which does not say what it watches", `team-a-5d4f8c7b9-x2kqz${uuid}`, undefined, false],
    // Else a rollout that changes the namespaces would wait for the old leader, and that for the rollout.
    ["of the same Deployment before its namespaces were changed", `team-b-6f7d9d5c4-b7v2w${uuid}`, "orders", false]
  ])("%s is a rival or not", (_, identity, scope, expected) => {
    assert.strictEqual(isRival(own, { identity, scope }), expected)
  })
})

describe("the namespaces that an operator watches", () => {
  it("are the same text whatever their order, and all of them are not a namespace's name", () => {
    assert.strictEqual(scopeOf(["b", "a", "b"]), scopeOf(["a", "b"]))
    assert.strictEqual(scopeOf(undefined), "*")
    assert.notStrictEqual(scopeOf(["a", "b"]), scopeOf(["a"]))
    assert.strictEqual(inWords(scopeOf(["b", "a"])), "namespace a, b")
    assert.strictEqual(inWords(scopeOf(undefined)), "all namespaces")
  })
})
