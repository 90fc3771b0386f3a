import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { RunSummary, SetSummary } from "../../src/outcome/RunSummary.ts"
import * as SummaryCodec from "../../src/outcome/SummaryCodec.ts"
import * as BackupId from "../../src/identity/BackupId.ts"

const success: RunSummary = {
  version: 1,
  command: "run",
  outcome: "success",
  exitCode: 0,
  startedAt: "2026-11-24T07:00:03.120Z",
  completedAt: "2026-11-24T07:04:11.007Z",
  backupId: "nightly-20261124-070000",
  size: 123_456_789_012,
  records: 1_234_567_890,
  addedBytes: 123_456_789_012,
  addedRecords: 1_234_567_890,
  alreadyComplete: false,
  notes: ["the backup of orders/2 ends at offset 17: a transaction is open there"],
  removed: 1
}

const failure: RunSummary = {
  version: 1,
  command: "run",
  outcome: "failed",
  exitCode: 13,
  startedAt: "2026-11-24T07:00:03.120Z",
  completedAt: "2026-11-24T07:04:11.007Z",
  reason: "TopicMissing",
  message: "the cluster has no topic oders",
  advice: "create the topic, correct its name, or use a wildcard where a topic may be absent",
  notes: []
}

/** Hourly sets as runs leave them: nothing but the slot is regular. Newest first. */
const hourly = (count: number): ReadonlyArray<SetSummary> => {
  let state = 7
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  return Array.from({ length: count }, (_, n) => {
    const slotMillis = Date.parse("2026-11-24T07:00:00Z") - n * 3_600_000
    const startedMillis = slotMillis + 2000 + random(30_000)
    return {
      backupId: BackupId.forSlot("nightly", slotMillis),
      startedMillis,
      completedMillis: startedMillis + 120_000 + random(600_000),
      size: 50_000_000_000 + random(2_000_000_000),
      records: 70_000_000 + random(9_000_000)
    }
  })
}

const decoded = (text: string) => Result.getOrThrow(SummaryCodec.decode(text))
const size = (text: string) => Buffer.byteLength(text)

const Instant = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000_000_000_000 }))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const SomeSet = Schema.Struct({
  backupId: Schema.Union([Schema.String, Schema.String.check(Schema.isPattern(/^[a-c]-2026112[0-9]-0[0-9]00[0-5]9$/))]),
  startedMillis: Instant,
  completedMillis: Instant,
  size: Count,
  records: Count
})

describe("SummaryCodec", () => {
  it("decodes a summary that fits, of a success and of a failure", () => {
    const whole = { ...success, catalogue: { total: 3, sets: hourly(3) } }
    for (const summary of [whole, success, failure]) {
      assert.deepStrictEqual(decoded(SummaryCodec.encode(summary)), summary)
    }
  })

  it("keeps a hundred sets with ordinary numbers, newest first, and counts the others", () => {
    const sets = hourly(10_000)
    const text = SummaryCodec.encode({ ...success, catalogue: { total: sets.length, sets } })
    assert.isAtMost(size(text), 4096)
    const { catalogue, ...rest } = decoded(text)
    assert.deepStrictEqual(rest, success)
    assert.strictEqual(catalogue!.total, 10_000)
    assert.isAtLeast(catalogue!.sets.length, 100)
    assert.deepStrictEqual(catalogue!.sets, sets.slice(0, catalogue!.sets.length))
  })

  it("uses all room that one more set fits into", () => {
    const sets = hourly(500)
    const text = SummaryCodec.encode({ ...success, catalogue: { total: 500, sets } })
    assert.isAtLeast(size(text), 4096 - 40)
  })

  it.prop("decodes sets with any id", [Schema.Array(SomeSet)], ([sets]) => {
    const some = sets.slice(0, 5).map((set) => ({ ...set, backupId: set.backupId.slice(0, 40) }))
    const summary = { ...success, catalogue: { total: some.length, sets: some } }
    assert.deepStrictEqual(decoded(SummaryCodec.encode(summary)), summary)
  })

  it("cuts texts by characters, marks the cut, and keeps the first notes", () => {
    const summary: RunSummary = {
      ...failure,
      message: "👩‍🚀🙂".repeat(100_000),
      advice: '\u0000"\\\n'.repeat(50_000),
      notes: Array.from({ length: 5000 }, (_, n) => `note ${n} ${"ü".repeat(40)}`)
    }
    const text = SummaryCodec.encode(summary)
    assert.isAtMost(size(text), 4096)
    const found = decoded(text)
    assert.match(found.message!, /^👩‍🚀🙂👩.*…$/u)
    assert.isTrue(found.message!.isWellFormed())
    assert.isTrue(summary.advice!.startsWith(found.advice!.slice(0, -1)))
    assert.deepStrictEqual(found.notes.slice(0, 3), summary.notes.slice(0, 3))
    assert.match(found.notes.at(-1)!, /^and \d{4} more$/)
  })

  it("has room for sets beside texts of any length", () => {
    const long = "x".repeat(10_000)
    const sets = hourly(100)
    const text = SummaryCodec.encode({
      ...success,
      backupId: long,
      startedAt: long,
      completedAt: long,
      reason: long,
      message: long,
      advice: long,
      notes: [long, long, long, long, long],
      catalogue: { total: 100, sets }
    })
    assert.isAtMost(size(text), 4096)
    assert.isAtLeast(decoded(text).catalogue!.sets.length, 10)
  })

  it("keeps what was read again and what is damaged, and has room for sets beside them", () => {
    const long = "ü".repeat(10_000)
    const verification = {
      percent: 2,
      objects: 1234,
      bytes: 2_000_000_000_000,
      totalBytes: 100_000_000_000_000,
      oldestMillis: 1_795_000_000_000,
      remainingRuns: 50,
      isCutShort: true
    }
    const text = SummaryCodec.encode({
      ...success,
      notes: [long, long, long, long, long],
      heldBack: long,
      retention: long,
      verification,
      damaged: { sets: 168, text: long },
      catalogue: { total: 100, sets: hourly(100) }
    })
    assert.isAtMost(size(text), 4096)
    const found = decoded(text)
    assert.deepStrictEqual(found.verification, verification)
    assert.strictEqual(found.damaged!.sets, 168)
    assert.match(found.damaged!.text, /^ü{100,}…$/)
    assert.isAtLeast(found.catalogue!.sets.length, 10)
  })

  it("fits with every text and every id at its longest, and keeps ids whole", () => {
    const long = "ü\\".repeat(10_000)
    const id = (letter: string) => `${letter.repeat(241)}-20261124-070000`
    const count = Number.MAX_SAFE_INTEGER
    const summary: RunSummary = {
      ...success,
      backupId: id("a"),
      startedAt: long,
      completedAt: long,
      size: count,
      records: count,
      addedBytes: count,
      addedRecords: count,
      alreadyComplete: true,
      made: { startedMillis: count, completedMillis: count },
      reason: long,
      message: long,
      advice: long,
      notes: [long, long, long, long, long, long],
      removed: count,
      retention: long,
      heldBack: long,
      verification: {
        percent: 100,
        objects: count,
        bytes: count,
        totalBytes: count,
        oldestMillis: count,
        remainingRuns: count,
        isCutShort: true
      },
      damaged: { sets: count, text: long, newest: id("b"), newestWhole: id("c") },
      catalogue: { total: 100, sets: hourly(100), adopted: count, pinned: count }
    }
    const text = SummaryCodec.encode(summary)
    assert.isAtMost(size(text), 4096)
    const found = decoded(text)
    assert.deepStrictEqual([found.backupId, found.damaged!.newest, found.damaged!.newestWhole], ["a", "b", "c"].map(id))
    assert.deepStrictEqual(found.verification, summary.verification)
    assert.isAtLeast(found.damaged!.text.length, 50)
    assert.isAtLeast(found.catalogue!.sets.length, 10)
  })

  it.prop(
    "is JSON of at most 4096 bytes that can be read, whatever is in it",
    [Schema.String, Schema.String, Schema.Array(Schema.String), Schema.Array(SomeSet), Count],
    ([message, backupId, notes, sets, times]) => {
      const many = (text: string) => text.repeat(times % 3000)
      const summary: RunSummary = {
        ...failure,
        backupId: many(backupId),
        message: many(message),
        advice: many(backupId),
        reason: many(message),
        notes: notes.map(many),
        catalogue: {
          total: sets.length,
          sets: sets.map((set) => ({ ...set, backupId: set.backupId + many(backupId) }))
        }
      }
      const text = SummaryCodec.encode(summary)
      assert.isAtMost(size(text), 4096)
      assert.strictEqual(Buffer.from(text).toString("utf8"), text)
      const found = decoded(text)
      assert.deepStrictEqual([found.outcome, found.exitCode], ["failed", 13])
      assert.deepStrictEqual(found.catalogue!.sets, summary.catalogue!.sets.slice(0, found.catalogue!.sets.length))
    }
  )

  it("refuses any truncated summary", () => {
    const text = SummaryCodec.encode({ ...success, catalogue: { total: 20, sets: hourly(20) } })
    for (let length = 0; length < text.length; length++) {
      assert.isTrue(Result.isFailure(SummaryCodec.decode(text.slice(0, length))), `${length}`)
      assert.isTrue(Result.isFailure(SummaryCodec.decode(text.slice(length + 1))), `from ${length + 1}`)
    }
  })

  it.prop("refuses any other text and any other JSON", [Schema.String, Schema.Json], ([text, json]) => {
    for (const garbage of [
      text,
      JSON.stringify(json),
      `${text}\n`,
      SummaryCodec.encode(failure) + JSON.stringify(json)
    ]) {
      assert.isTrue(Result.isFailure(SummaryCodec.decode(garbage)))
    }
  })

  it("refuses a summary that contradicts itself", () => {
    const changed = (change: (wire: any) => unknown) => {
      const wire = JSON.parse(SummaryCodec.encode({ ...success, catalogue: { total: 2, sets: hourly(2) } }))
      return SummaryCodec.decode(JSON.stringify(change(wire)))
    }
    assert.isTrue(Result.isSuccess(changed((wire) => ({ ...wire, more: 1 }))))
    for (const change of [
      (wire: any) => ({ ...wire, version: 2 }),
      (wire: any) => ({ ...wire, exitCode: 14 }),
      (wire: any) => ({ ...wire, outcome: "failed" }),
      (wire: any) => ({ ...wire, size: 1.5 }),
      (wire: any) => ({ ...wire, catalogue: { ...wire.catalogue, total: 1 } }),
      (wire: any) => ({ ...wire, catalogue: { ...wire.catalogue, sets: "AAAA" } }),
      (wire: any) => ({ ...wire, notes: [" ".repeat(5000)] })
    ]) {
      assert.isTrue(Result.isFailure(changed(change)), String(change))
    }
  })
})
