import { assert, describe, it } from "@effect/vitest"
import * as BackupId from "../../src/identity/BackupId.ts"
import { digest, isSameOwner, isSameRun, ownerKey } from "../../src/identity/RunIdentity.ts"

const owner = { uid: "u1", namespace: "kafka", name: "nightly" }

describe("BackupId", () => {
  it("is the resource's name and the slot in UTC", () => {
    assert.strictEqual(
      BackupId.forSlot("production-backup", Date.parse("2024-12-01T12:00:00Z")),
      "production-backup-20241201-120000"
    )
    assert.strictEqual(BackupId.forSlot("a", Date.parse("2024-02-29T23:59:59+05:00")), "a-20240229-185959")
  })

  it("bumps the second where the id is taken, across midnight too", () => {
    const [first, second] = BackupId.candidates("a", Date.parse("2024-12-31T23:59:59Z"))
    assert.deepStrictEqual([first, second] as ReadonlyArray<string | undefined>, [
      "a-20241231-235959",
      "a-20250101-000000"
    ])
  })
})

describe("RunIdentity", () => {
  it("is one run per slot and owner", () => {
    const at = (slot: string, o = owner) => ({ owner: o, slot })
    assert.isTrue(isSameRun(at("2024-12-01T12:00:00Z"), at("2024-12-01T12:00:00Z")))
    assert.isFalse(isSameRun(at("2024-12-01T12:00:00Z"), at("2024-12-01T13:00:00Z")))
    assert.isFalse(isSameRun(at("2024-12-01T12:00:00Z"), at("2024-12-01T12:00:00Z", { ...owner, uid: "u2" })))
  })

  it("is one run per trigger value, whenever it was first seen", () => {
    const seen = (slot: string, trigger: string) => ({ owner, slot, trigger })
    assert.strictEqual(digest(seen("2024-12-01T12:00:00Z", "t1")), digest(seen("2024-12-01T12:00:05Z", "t1")))
    assert.notStrictEqual(digest(seen("2024-12-01T12:00:00Z", "t1")), digest(seen("2024-12-01T12:00:00Z", "t2")))
    assert.notStrictEqual(digest(seen("2024-12-01T12:00:00Z", "t1")), digest({ owner, slot: "t1" }))
  })

  it("tells apart owners whose namespace and name look alike when joined", () => {
    const [one, other] = [
      { namespace: "a.b", name: "c" },
      { namespace: "a", name: "b.c" }
    ]
    assert.notStrictEqual(ownerKey(one), ownerKey(other))
    const slot = "2024-12-01T12:00:00Z"
    assert.notStrictEqual(digest({ owner: one, slot }), digest({ owner: other, slot }))
  })

  it("does not take a re-created resource, or one known by name alone, for its predecessor", () => {
    assert.isFalse(isSameOwner(owner, { ...owner, uid: "u2" }))
    assert.isFalse(isSameOwner(owner, { namespace: "kafka", name: "nightly" }))
    assert.isTrue(isSameOwner({ name: "a" }, { name: "a" }))
    assert.isFalse(isSameOwner({ name: "a" }, { name: "a", namespace: "x" }))
  })
})
