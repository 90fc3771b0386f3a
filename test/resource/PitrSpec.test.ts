import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import * as PitrSpec from "../../src/resource/PitrSpec.ts"
import { aRestore, refusals } from "./restores.ts"

describe("pitr", () => {
  it.each([
    [{ timestamp: "2026-03-01T01:15:00Z" }, { last: 1_772_327_700_000 }],
    [{ enabled: true, timestamp: "2026-03-01T02:15:00.250+01:00" }, { last: 1_772_327_700_250 }],
    [{ timestampMillis: 5 }, { last: 5 }],
    [
      { timestampMillis: 5000, start: "1970-01-01T00:00:05Z" },
      { first: 5000, last: 5000 }
    ],
    [{ timestamp: "2024-02-29T00:00:00Z" }, { last: Date.UTC(2024, 1, 29) }],
    [{ enabled: false }, undefined],
    [{ enabled: false, timestamp: "2026-03-01T01:15:00Z" }, undefined]
  ])("%j restores up to that time, inclusive", (pitr, bounds) => {
    const parsed = Result.getOrThrow(KafkaRestore.parse(aRestore({ pitr })))
    assert.deepStrictEqual(PitrSpec.bounds(parsed.spec.pitr), bounds)
  })

  it.each([
    ["no time", {}, "pitr", "set timestamp, such as"],
    ["enabled without a time", { enabled: true }, "pitr", "remove pitr to restore all times"],
    ["both times", { timestamp: "2026-03-01T01:15:00Z", timestampMillis: 5 }, "pitr", "not both"],
    ["a start after the end", { timestampMillis: 4999, start: "1970-01-01T00:00:05Z" }, "pitr", "must not be after"],
    ["a day alone", { timestamp: "2026-03-01" }, "pitr.timestamp", "with its time zone"],
    ["no time zone", { timestamp: "2026-03-01T01:15:00" }, "pitr.timestamp", "with its time zone"],
    ["a 31st of April", { timestamp: "2026-04-31T00:00:00Z" }, "pitr.timestamp", "must be a time"],
    ["a leap day too many", { timestamp: "2026-02-29T00:00:00Z" }, "pitr.timestamp", "28 days"],
    ["the leap day of 2100", { timestamp: "2100-02-29T00:00:00Z" }, "pitr.timestamp", "28 days"],
    ["24 o'clock", { timestamp: "2026-02-28T24:00:00Z" }, "pitr.timestamp", "must be a time"],
    ["seconds for milliseconds", { timestampMillis: 5.5 }, "pitr.timestampMillis", ""],
    ["a time before 1970", { timestampMillis: -1 }, "pitr.timestampMillis", ""],
    ["a start without a zone", { timestampMillis: 5, start: "yesterday" }, "pitr.start", "must be a time"],
    ["an unknown field", { timestampMillis: 5, until: "x" }, "pitr.until", ""]
  ] as const)("refuses %s", (_, pitr, field, says) => {
    const problems = refusals({ pitr })
    assert.include(
      problems.map((problem) => problem.field),
      `spec.${field}`
    )
    assert.include(problems.map(({ message }) => message).join("\n"), says)
  })

  it("says so where it has no effect", () => {
    const spec = { enabled: false, timestampMillis: 5 }
    assert.lengthOf(PitrSpec.notes(spec), 1)
    assert.lengthOf(PitrSpec.notes({ ...spec, enabled: true }), 0)
    assert.lengthOf(PitrSpec.notes({ enabled: false }), 0)
  })
})
