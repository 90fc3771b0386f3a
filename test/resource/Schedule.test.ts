import { assert, describe, it } from "@effect/vitest"
import { Cron, Result } from "effect"
import { inspect } from "../../src/resource/Inspection.ts"
import * as Schedule from "../../src/resource/Schedule.ts"
import * as Crd from "../../src/resource/Crd.ts"

const cron = (schedule: string, timeZone?: string) =>
  Schedule.cron(timeZone === undefined ? { schedule } : { schedule, timeZone })
const slots = (schedule: string, after: string, count: number, timeZone?: string) => {
  const iterator = Cron.sequence(Result.getOrThrow(cron(schedule, timeZone)), after)
  return Array.from({ length: count }, () => (iterator.next().value as Date).toISOString().replace(":00.000Z", "Z"))
}
const refusal = (schedule: string, timeZone?: string) => {
  const result = cron(schedule, timeZone)
  return Result.isFailure(result) ? result.failure : []
}

describe("Schedule.cron", () => {
  it.each([
    ["@hourly", "2026-01-01T01:00Z"],
    ["@daily", "2026-01-02T00:00Z"],
    ["@midnight", "2026-01-02T00:00Z"],
    ["@weekly", "2026-01-04T00:00Z"],
    ["@monthly", "2026-02-01T00:00Z"],
    ["@yearly", "2027-01-01T00:00Z"],
    ["@annually", "2027-01-01T00:00Z"],
    ["*/15 * * * *", "2026-01-01T00:15Z"],
    ["5/20 * * * *", "2026-01-01T00:05Z"],
    ["0 6 * * MON-fri", "2026-01-01T06:00Z"],
    ["0 0 * * 7", "2026-01-04T00:00Z"],
    ["0 0 * * sat-Sun", "2026-01-03T00:00Z"],
    ["0 0 15 * mon", "2026-01-05T00:00Z"],
    ["0 0 29 2 *", "2028-02-29T00:00Z"],
    ["30 08 01 jan,jul *", "2026-01-01T08:30Z"],
    ["0  0 1   * *", "2026-02-01T00:00Z"]
  ])("%s fires next at %s, UTC", (schedule, next) => {
    assert.deepStrictEqual(slots(schedule, "2026-01-01T00:00:30Z", 1), [next])
  })

  it("reads the time zone", () =>
    assert.deepStrictEqual(slots("30 2 * * *", "2026-01-01T12:00:00Z", 1, "Asia/Tokyo"), ["2026-01-01T17:30Z"]))

  // Berlin: 2026-10-25 03:00 summer time becomes 02:00; 2026-03-29 02:00 becomes 03:00.
  it("runs an hourly schedule in both of the doubled hours, and in the one real hour of the skipped ones", () => {
    assert.deepStrictEqual(slots("0 * * * *", "2026-10-24T23:30:00Z", 4, "Europe/Berlin"), [
      "2026-10-25T00:00Z",
      "2026-10-25T01:00Z",
      "2026-10-25T02:00Z",
      "2026-10-25T03:00Z"
    ])
    assert.deepStrictEqual(slots("*/30 2 * * *", "2026-10-24T23:30:00Z", 4, "Europe/Berlin"), [
      "2026-10-25T00:00Z",
      "2026-10-25T00:30Z",
      "2026-10-25T01:00Z",
      "2026-10-25T01:30Z"
    ])
    assert.deepStrictEqual(slots("0 * * * *", "2026-03-29T00:30:00Z", 2, "Europe/Berlin"), [
      "2026-03-29T01:00Z",
      "2026-03-29T02:00Z"
    ])
  })

  it("runs a fixed time once in the doubled hour, and at the first valid instant of the skipped one", () => {
    assert.deepStrictEqual(slots("30 2 * * *", "2026-10-24T12:00:00Z", 2, "Europe/Berlin"), [
      "2026-10-25T00:30Z",
      "2026-10-26T01:30Z"
    ])
    assert.deepStrictEqual(slots("0 2 * * *", "2026-03-28T12:00:00Z", 2, "Europe/Berlin"), [
      "2026-03-29T01:00Z",
      "2026-03-30T00:00Z"
    ])
  })

  it.each([
    ["0 22-2 * * *", "write 22-23,0-2"],
    ["50-10 * * * *", "write 50-59,0-10"],
    ["0 0 * * fri-mon", "write 5-6,0-1"],
    ["0 0 * nov-feb *", "write 11-12,1-2"],
    ["0 0 28-3 * *", "write 28-31,1-3"],
    ["*/90 * * * *", "at most 59"],
    ["0 0 31 2 *", "never matches"],
    ["0 0 31 4,6,9,11 *", "never matches"],
    ["0 0 30,31 2 *", "never matches"],
    ["whenever", "five cron fields"]
  ])("refuses %s and says what to write: %s", (schedule, says) => {
    const [problem] = refusal(schedule)
    assert.strictEqual(problem?.field, "spec.schedule")
    assert.include(problem?.message, says)
    assert.strictEqual(problem?.value, `"${schedule}"`)
  })

  it("takes a day of the week as reason enough, whatever the day of the month", () =>
    assert.deepStrictEqual(refusal("0 0 31 2 mon"), []))

  it("names the zone and the schedule when both are wrong", () =>
    assert.deepStrictEqual(
      refusal("0 22-2 * * *", "Mars/Olympus").map(({ field }) => field),
      ["spec.timeZone", "spec.schedule"]
    ))

  it("can read whatever the API server lets through, save for what it says itself", () => {
    const parts = [
      "*",
      "*/5",
      "0",
      "1-3",
      "1,2",
      "3-1",
      "7",
      "07",
      "1/2",
      "*/70",
      "jan",
      "sun",
      "sat-sun",
      "60",
      "?",
      ""
    ]
    let accepted = 0
    for (const [index, part] of parts.entries()) {
      for (let field = 0; field < 5; field++) {
        const fields = ["*", "*", "*", "*", "*"]
        fields[field] = part
        fields[(field + 1) % 5] = parts[(index * 7 + field) % parts.length]!
        const schedule = fields.join(" ")
        const shape = inspect(Crd.spec().properties!["schedule"]!, schedule, "spec.schedule").problems
        if (shape.length > 0) continue
        accepted++
        for (const { message } of refusal(schedule)) {
          assert.match(message, /runs backwards|step of|never matches/, schedule)
        }
      }
    }
    assert.isAbove(accepted, 20)
  })
})
