import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as JobName from "../../src/identity/JobName.ts"

const owner = { uid: "8f7c", namespace: "kafka", name: "nightly" }
const slot = "2026-11-24T07:00:00Z"
const Name = Schema.String.check(Schema.isPattern(/^[a-z0-9]([a-z0-9.-]{0,198}[a-z0-9])?$/))

describe("JobName.forRun", () => {
  it("begins with the resource's name", () => assert.match(JobName.forRun({ owner, slot }), /^nightly-[0-9a-f]{16}$/))

  it("differs by uid, slot and trigger, and not by when a trigger was first seen", () => {
    const names = [
      { owner, slot },
      { owner, slot: "2026-11-24T08:00:00Z" },
      { owner: { ...owner, uid: "9a1b" }, slot },
      { owner, slot, trigger: "a" },
      { owner, slot, trigger: slot }
    ].map(JobName.forRun)
    assert.strictEqual(new Set(names).size, names.length)
    assert.strictEqual(JobName.forRun({ owner, slot: "2026-11-24T07:00:05Z", trigger: "a" }), names[3])
  })

  it.prop(
    "is a DNS label that leaves room for what pods add, for every name that Kubernetes allows",
    [Name],
    ([name]) => {
      const job = JobName.forRun({ owner: { ...owner, name }, slot })
      assert.match(`${job}-abcde`, /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
      assert.isAtMost(`${job}-abcde`.length, 63)
    }
  )

  it("keeps long names of two resources apart", () => {
    const named = (end: string) => JobName.forRun({ owner: { name: "x".repeat(190) + end }, slot })
    assert.notStrictEqual(named("a"), named("b"))
    assert.strictEqual(named("a").length, JobName.maxJobNameLength)
  })
})
