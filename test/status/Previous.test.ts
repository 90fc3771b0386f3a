import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { KafkaBackupStatus } from "../../src/resource/KafkaBackupStatus.ts"
import { next } from "../../src/status/Next.ts"
import * as Previous from "../../src/status/Previous.ts"
import { at, catalogue, hourly, succeeded } from "./facts.ts"

const decodes = (status: unknown) => Schema.decodeUnknownSync(KafkaBackupStatus)(status)

describe("Previous.read", () => {
  it.prop("reads whatever stands there, and what it reads is a valid status", [Schema.Json], ([json]) => {
    for (const value of [json, { conditions: json, backupHistory: [json], phase: json, progress: json }]) {
      decodes(Previous.read(value))
    }
  })

  it("reads back all that it wrote", () => {
    const status = next({}, hourly({ ended: [succeeded("12:00")] }), at("12:06"))
    assert.deepStrictEqual(Previous.read(JSON.parse(JSON.stringify(status))), status)
  })

  it("keeps what is readable, entry by entry and field by field", () => {
    const good = { startTime: "2026-11-24T12:00:00.5+01:00", outcome: "success", backupId: "a", later: 1 }
    const read = Previous.read({
      phase: "Sleeping",
      lastBackupId: 7,
      lastBackupSize: -1,
      lastBackupRecords: "12",
      skippedSlots: 3,
      scheduledSince: "yesterday",
      handledTrigger: null,
      activeRun: { backupId: "a" },
      unknownField: true,
      backupHistory: [null, 7, good, { ...good, outcome: "partial" }, { ...good, size: 1.5 }, []],
      conditions: "none"
    })
    const readable = { startTime: "2026-11-24T11:00:00Z", outcome: "success", backupId: "a" } as const
    assert.deepStrictEqual(read, { skippedSlots: 3, backupHistory: [readable, readable] })
  })

  it.each([undefined, null, 7, "status", [], true])("reads nothing in %o", (json) => {
    assert.deepStrictEqual(Previous.read(json), {})
  })

  it("leaves a status of 10,000 entries to be written anew within its bounds", () => {
    const entries = Array.from({ length: 10_000 }, (_, n) => ({
      backupId: `orders-${n}`,
      startTime: new Date(at("00:00") + n * 60_000).toISOString(),
      completionTime: new Date(at("00:00") + n * 60_000).toISOString(),
      outcome: n % 3 === 0 ? "failed" : n % 3 === 1 ? "success" : "skipped",
      message: "x".repeat(n % 5 === 0 ? 30_000 : 10)
    }))
    const previous = Previous.read({ backupHistory: entries, conditions: entries })
    const status = next(previous, hourly(), at("12:06"))
    assert.lengthOf(status.backupHistory!, 10)
    assert.isAbove(status.historyTruncated!, 300)
    assert.strictEqual(status.lastBackupId, "orders-9997")
    assert.isAtMost(JSON.stringify(status).length, 32_768)
    decodes(status)
    const cured = next(status, hourly({ catalogue: catalogue("12:00") }), at("12:07"))
    assert.strictEqual(cured.lastBackupId, "orders-20261124-120000")
  })
})
