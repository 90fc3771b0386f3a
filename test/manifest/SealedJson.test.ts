import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import { RunReport } from "../../src/backup/RunReport.ts"
import * as SealedJson from "../../src/manifest/SealedJson.ts"

const Document = Schema.Struct({ name: Schema.String, n: Schema.Int, list: Schema.Array(Schema.Int) })

describe("SealedJson", () => {
  it.prop("opens what it sealed", [Document], ([value]) => {
    const opened = Result.getOrThrow(SealedJson.open(Document, SealedJson.seal(Document, value)))
    assert.isTrue(Schema.toEquivalence(Document)(opened, value)) // JSON has no -0
  })

  it("refuses a document with any flipped bit or missing byte", () => {
    const value = { name: "grüße", n: 9007199254740991, list: [1, -2] }
    const sealed = SealedJson.seal(Document, value)
    for (let bit = 0; bit < (sealed.length - 1) * 8; bit++) {
      const flipped = sealed.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const opened = SealedJson.open(Document, flipped)
      assert.isTrue(Result.isFailure(opened), `bit ${bit}`)
    }
    for (let length = 0; length < sealed.length - 1; length++) {
      assert.isTrue(Result.isFailure(SealedJson.open(Document, sealed.subarray(0, length))), `length ${length}`)
    }
  })

  it("refuses a document of another kind, and one without a seal", () => {
    const other = SealedJson.seal(Schema.Struct({ other: Schema.Int }), { other: 1 })
    assert.isTrue(Result.isFailure(SealedJson.open(Document, other)))
    assert.isTrue(Result.isFailure(SealedJson.open(Document, Buffer.from(`{"name":"a","n":1,"list":[]}`))))
  })

  it("opens the report of a backup of version 0.1, which has no seal, and no damaged one that has", () => {
    const file = "../golden/version-0.1/version-0.1-20250101-000000/report.json"
    const plain = readFileSync(new URL(file, import.meta.url))
    const report = Result.getOrThrow(SealedJson.openOrPlain(RunReport, plain))
    assert.deepStrictEqual([report.outcome, report.totals?.records], ["success", 100])
    assert.isTrue(Result.isFailure(SealedJson.open(RunReport, plain)))
    const sealed = Buffer.from(SealedJson.seal(RunReport, report))
    assert.isTrue(Result.isSuccess(SealedJson.openOrPlain(RunReport, sealed)))
    const damaged = Buffer.from(sealed.toString().replace('"records":100', '"records":101'))
    assert.notDeepEqual(damaged, sealed)
    assert.isTrue(Result.isFailure(SealedJson.openOrPlain(RunReport, damaged)))
  })
})
