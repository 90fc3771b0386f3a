import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Slots from "../../src/schedule/Slots.ts"
import { slotText } from "../../src/identity/RunIdentity.ts"
import { walked, wallMinutes, wanted } from "./wallMinutes.ts"

const of = (schedule: string, timeZone = "UTC") => Result.getOrThrow(Slots.of({ schedule, timeZone }))
const short = (millis: number | undefined) =>
  millis === undefined ? "none" : slotText(millis).slice(5).replace(":00Z", "Z")
const first = (slots: Slots.Slots, after: string, count: number) => {
  const found: Array<string> = []
  let at: number | undefined = Date.parse(after)
  while (at !== undefined && found.length < count) {
    at = Slots.next(slots, at)
    found.push(short(at))
  }
  return found
}

describe("Slots.next", () => {
  // Clocks are put forward at 02:00: Berlin 2026-03-29 01:00Z (1 h), New York 2026-03-08 07:00Z (1 h), Lord Howe
  // 2026-10-03 15:30Z (30 min).
  it.each([
    ["30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["03-29T01:00Z", "03-30T00:30Z"]],
    ["0,20,40 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["03-29T01:00Z", "03-30T00:00Z"]],
    ["30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["03-29T01:00Z", "03-29T01:30Z"]],
    ["*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["03-29T01:00Z", "03-30T00:00Z"]],
    ["0 */2 * * *", "Europe/Berlin", "2026-03-28T22:30Z", ["03-28T23:00Z", "03-29T01:00Z", "03-29T02:00Z"]],
    ["30 * * * *", "Europe/Berlin", "2026-03-29T00:00Z", ["03-29T00:30Z", "03-29T01:30Z"]],
    ["30 2 * * *", "America/New_York", "2026-03-07T12:00Z", ["03-08T07:00Z", "03-09T06:30Z"]],
    ["15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", ["10-03T15:30Z", "10-04T15:15Z"]],
    ["*/10 * * * *", "Australia/Lord_Howe", "2026-10-03T15:10Z", ["10-03T15:20Z", "10-03T15:30Z", "10-03T15:40Z"]]
  ])("%s in %s skips no wanted run when clocks are put forward", (schedule, zone, after, expected) =>
    assert.deepStrictEqual(first(of(schedule, zone), after, expected.length), expected)
  )

  // Clocks are put back: Berlin 2026-10-25 01:00Z, New York 2026-11-01 06:00Z (1 h), Lord Howe 2026-04-04 15:00Z (30
  // min).
  it.each([
    ["30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["10-25T00:30Z", "10-26T01:30Z"]],
    ["30 2 * * *", "Europe/Berlin", "2026-10-25T01:10Z", ["10-26T01:30Z"]],
    ["0 * * * *", "Europe/Berlin", "2026-10-24T23:30Z", ["10-25T00:00Z", "10-25T01:00Z", "10-25T02:00Z"]],
    ["@hourly", "Europe/Berlin", "2026-10-25T00:30Z", ["10-25T01:00Z", "10-25T02:00Z"]],
    ["0 0-23/2 * * *", "Europe/Berlin", "2026-10-24T23:30Z", ["10-25T00:00Z", "10-25T01:00Z", "10-25T03:00Z"]],
    ["*/20 2 * * *", "Europe/Berlin", "2026-10-25T00:30Z", ["10-25T00:40Z", "10-25T01:00Z", "10-25T01:20Z"]],
    ["0,30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["10-25T00:00Z", "10-25T00:30Z", "10-26T01:00Z"]],
    ["30 1 * * *", "America/New_York", "2026-10-31T12:00Z", ["11-01T05:30Z", "11-02T06:30Z"]],
    ["30 * * * *", "America/New_York", "2026-11-01T05:00Z", ["11-01T05:30Z", "11-01T06:30Z", "11-01T07:30Z"]],
    ["45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00Z", ["04-04T14:45Z", "04-05T15:15Z"]],
    ["*/15 * * * *", "Australia/Lord_Howe", "2026-04-04T14:40Z", ["04-04T14:45Z", "04-04T15:00Z", "04-04T15:15Z"]]
  ])("%s in %s runs a fixed time once and others twice when clocks are put back", (schedule, zone, after, expected) =>
    assert.deepStrictEqual(first(of(schedule, zone), after, expected.length), expected)
  )

  it.each([
    ["0 0 29 2 *", "2026-01-01T00:00Z", ["02-29T00:00Z", "02-29T00:00Z"]],
    ["0 0 31 * *", "2026-01-31T12:00Z", ["03-31T00:00Z", "05-31T00:00Z", "07-31T00:00Z", "08-31T00:00Z"]],
    ["0 12 30 1,2 *", "2026-01-30T12:00Z", ["01-30T12:00Z"]]
  ])("%s waits for a month that has the day", (schedule, after, expected) =>
    assert.deepStrictEqual(first(of(schedule), after, expected.length), expected)
  )

  it("finds 29 February across a century that has none", () =>
    assert.strictEqual(slotText(Slots.next(of("0 0 29 2 *"), Date.parse("2096-03-01"))!), "2104-02-29T00:00:00Z"))

  it.each([
    ["Europe/Berlin", "2026-03-28T12:00Z"],
    ["Europe/Berlin", "2026-10-24T12:00Z"],
    ["America/New_York", "2026-03-07T18:00Z"],
    ["America/New_York", "2026-10-31T18:00Z"],
    ["Australia/Lord_Howe", "2026-10-03T00:00Z"],
    ["Australia/Lord_Howe", "2026-04-04T00:00Z"],
    ["Asia/Tokyo", "2026-06-01T00:00Z"]
  ])("agrees with looking at every minute of a clock on the wall in %s from %s", (zone, from) => {
    const minutesOfTheClock = wallMinutes(zone, Date.parse(from), 20 * 60)
    for (const minute of ["*", "*/20", "0", "30", "15,45"]) {
      for (const hour of ["*", "*/2", "0-23/3", "1", "2", "1,2,3"]) {
        const schedule = `${minute} ${hour} * * *`
        assert.deepStrictEqual(
          walked(of(schedule, zone), Date.parse(from), 20 * 60).map(slotText),
          wanted(minutesOfTheClock, minute, hour).map(slotText),
          schedule
        )
      }
    }
  })
})

describe("Slots.of", () => {
  it.each(["0 0 31 2 *", "0 0 31 2 */2", "0 0 30,31 2 *"])("refuses %s, which never matches", (schedule) => {
    const slots = Slots.of({ schedule })
    assert.include(Result.isFailure(slots) ? slots.failure[0]?.message : "", "never matches")
  })

  it("refuses a zone that does not exist", () =>
    assert.isTrue(Result.isFailure(Slots.of({ schedule: "0 0 * * *", timeZone: "Mars/Olympus" }))))
})

describe("Slots.passed", () => {
  const at = Date.parse
  it("counts what lies after the start and up to the end", () => {
    assert.deepStrictEqual(Slots.passed(of("0 * * * *"), at("2026-01-01T00:00Z"), at("2026-01-01T03:00Z")), {
      firstMillis: at("2026-01-01T01:00Z"),
      lastMillis: at("2026-01-01T03:00Z"),
      count: 3,
      isAtLeast: false
    })
    assert.strictEqual(Slots.passed(of("0 * * * *"), at("2026-01-01T00:00Z"), at("2026-01-01T00:59Z")), undefined)
    assert.strictEqual(Slots.passed(of("0 * * * *"), at("2026-01-02T00:00Z"), at("2026-01-01T00:00Z")), undefined)
  })

  it("says at least, and still knows the last, after years without anybody counting", () => {
    assert.deepStrictEqual(Slots.passed(of("* 3 * * *", "Europe/Berlin"), at("2020-01-01"), at("2026-01-01T12:00Z")), {
      firstMillis: at("2020-01-01T02:00Z"),
      lastMillis: at("2026-01-01T02:59Z"),
      count: Slots.countLimit,
      isAtLeast: true
    })
  })

  it.each([
    [99, false],
    [100, false],
    [101, true]
  ])("of %s slots says at least: %s", (count, isAtLeast) =>
    assert.deepInclude(Slots.passed(of("* * * * *"), 0, count * 60_000), { count: Math.min(count, 100), isAtLeast })
  )

  it.prop(
    "finds the same last slot as walking does",
    [
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20_000 })),
      Schema.Literals(["* 3 * * *", "*/7 1,5 * * *", "0 */5 * * 1"])
    ],
    ([minutes, schedule]) => {
      const from = at("2026-10-20T00:00Z")
      const all = walked(of(schedule, "Europe/Berlin"), from, minutes)
      assert.strictEqual(Slots.latest(of(schedule, "Europe/Berlin"), from, from + minutes * 60_000), all.at(-1))
    },
    { arbitrary: { runs: 30 } }
  )
})

describe("Slots.intervalSeconds", () => {
  it("is the time between the next two slots", () => {
    assert.strictEqual(Slots.intervalSeconds(of("*/15 * * * *"), 0), 900)
    assert.strictEqual(Slots.intervalSeconds(of("0 17 * * mon-fri"), Date.parse("2026-11-27T12:00Z")), 3 * 86_400)
  })
})
