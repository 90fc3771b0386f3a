import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as KeepRules from "../../src/backup/KeepRules.ts"
import * as Retention from "../../src/backup/Retention.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import { periods } from "../../src/resource/RetentionSpec.ts"

const hour = 3_600_000
const day = 24 * hour

/** The backup of a slot, completed half a minute after it. */
const set = (slot: string | number, more = 30_000) => {
  const slotMillis = typeof slot === "number" ? slot : Date.parse(slot)
  return { backupId: BackupId.forSlot("b", slotMillis) as string, completedMillis: slotMillis + more }
}
type Set = ReturnType<typeof set>

/** One backup each hour of so many, the newest at this instant. */
const hourly = (newest: string, count: number): ReadonlyArray<Set> =>
  Array.from({ length: count }, (_, n) => set(Date.parse(newest) - n * hour))

const decide = (sets: ReadonlyArray<Set>, rules: Retention.Rules) =>
  Effect.runSync(Retention.decide(sets, rules, () => Effect.succeed([])))
const slots = (sets: ReadonlyArray<Pick<Set, "backupId">>) => sets.map(({ backupId }) => backupId.slice(2))
const kept = (sets: ReadonlyArray<Set>, time: KeepRules.TimeRules, more: Partial<Retention.Rules> = {}) =>
  slots(decide(sets, { keep: undefined, time, ...more }).kept)

const Count = Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 })))
const Drawn = Schema.Struct({
  backups: Count,
  maxAgeHours: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2000 }))),
  hourly: Count,
  daily: Count,
  weekly: Count,
  monthly: Count,
  yearly: Count,
  zone: Schema.Literals(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"])
})
const Instants = Schema.Array(
  Schema.Struct({
    /** Hours before the end: within three years. */
    hours: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 26_000 })),
    /** Hours that the clock of the machine was wrong when the backup was completed. */
    off: Schema.Literals([0, 0, 0, -30, 7])
  })
).check(Schema.isMaxLength(60))

const end = Date.parse("2026-11-29T00:00:00Z")
const setsOf = (drawn: typeof Instants.Type): ReadonlyArray<Set> => [
  ...new Map(
    drawn.map(({ hours, off }) => {
      const one = set(end - hours * hour, 30_000 + off * hour)
      return [one.backupId, one] as const
    })
  ).values()
]
const rulesOf = ({ backups, maxAgeHours, zone, ...counts }: Partial<typeof Drawn.Type>): Retention.Rules => {
  const keep = Object.fromEntries(periods.flatMap((period) => (counts[period] ? [[period, counts[period]]] : [])))
  return {
    keep: backups,
    nowMillis: end,
    time: {
      ...(maxAgeHours === undefined ? {} : { maxAgeMillis: maxAgeHours * hour }),
      ...(Object.keys(keep).length === 0 ? {} : { keep }),
      ...(zone === undefined ? {} : { timeZone: zone })
    }
  }
}

describe("KeepRules", () => {
  it("keeps everything that is young enough, and the newest however old it is", () => {
    const sets = hourly("2026-11-28T23:00:00Z", 5)
    const nowMillis = Date.parse("2026-11-29T00:00:30Z")
    assert.deepStrictEqual(kept(sets, { maxAgeMillis: 3 * hour }, { nowMillis }), [
      "20261128-230000",
      "20261128-220000",
      "20261128-210000"
    ])
    assert.deepStrictEqual(kept(sets, { maxAgeMillis: hour }, { nowMillis: nowMillis + 365 * day }), [
      "20261128-230000"
    ])
  })

  it("keeps the last backup of each of the newest periods that have one", () => {
    const sets = hourly("2026-03-02T05:00:00Z", 24 * 100)
    assert.deepStrictEqual(kept(sets, { keep: { daily: 3 } }), [
      "20260302-050000",
      "20260301-230000",
      "20260228-230000"
    ])
    // 1 March 2026 was a Sunday.
    assert.deepStrictEqual(kept(sets, { keep: { weekly: 3 } }), [
      "20260302-050000",
      "20260301-230000",
      "20260222-230000"
    ])
    assert.deepStrictEqual(kept(sets, { keep: { monthly: 3, yearly: 9 } }), [
      "20260302-050000",
      "20260228-230000",
      "20260131-230000",
      "20251231-230000"
    ])
  })

  it("counts only periods that have a backup", () => {
    const sets = ["2026-11-28", "2026-11-20", "2026-07-01", "2021-01-01"].map((date) => set(`${date}T00:00:00Z`))
    assert.lengthOf(kept(sets, { keep: { daily: 3 } }), 3)
    assert.lengthOf(kept(sets, { keep: { monthly: 3 } }), 3)
    assert.lengthOf(kept(sets, { keep: { yearly: 2 } }), 2)
  })

  it("reads days in the zone of the schedule, and takes an hour that clocks show twice for two", () => {
    const sets = ["2026-11-28T22:30:00Z", "2026-11-28T23:30:00Z"].map((slot) => set(slot))
    assert.lengthOf(kept(sets, { keep: { daily: 9 } }), 1)
    assert.lengthOf(kept(sets, { keep: { daily: 9 }, timeZone: "Europe/Berlin" }), 2)
    const doubled = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map((slot) => set(slot))
    assert.lengthOf(kept(doubled, { keep: { hourly: 9 }, timeZone: "Europe/Berlin" }), 2)
  })

  it("says which rules keep a backup", () => {
    const { reasons } = decide(hourly("2026-11-28T23:00:00Z", 3), {
      keep: 1,
      time: { maxAgeMillis: 2 * hour, keep: { daily: 1, hourly: 3 } },
      nowMillis: Date.parse("2026-11-28T23:59:00Z")
    })
    assert.deepStrictEqual(
      [...reasons.values()],
      [["newest", "backups", "maxAge", "hourly", "daily"], ["maxAge", "hourly"], ["hourly"]]
    )
  })

  it("keeps in the worked example of the guide what it says", () => {
    const { kept: stay, reasons } = decide(hourly("2026-11-29T09:00:00Z", 24 * 731), {
      keep: 24,
      time: {
        maxAgeMillis: 3 * day,
        keep: { daily: 14, weekly: 8, monthly: 12, yearly: 3 },
        timeZone: "Europe/Berlin"
      },
      nowMillis: Date.parse("2026-11-29T09:30:00Z")
    })
    const firstOf = [...reasons.values()].map((rules) =>
      ["maxAge", "daily", "weekly", "monthly", "yearly"].find((rule) => rules.includes(rule))
    )
    const count = (rule: string) => firstOf.filter((one) => one === rule).length
    assert.deepStrictEqual(
      ["maxAge", "daily", "weekly", "monthly", "yearly"].map((rule) => count(rule)),
      [72, 10, 6, 11, 1]
    )
    assert.lengthOf(stay, 100)
  })

  it("removes nothing for its age while nobody says what time it is", () => {
    assert.lengthOf(kept(hourly("2026-11-28T23:00:00Z", 4), { maxAgeMillis: hour }), 4)
  })

  it.prop("always keeps the newest, and another rule never removes one", [Instants, Drawn, Drawn], ([drawn, a, b]) => {
    const sets = setsOf(drawn)
    const zone = a.zone
    const more = { ...b, ...a, zone }
    const [few, many] = [rulesOf(a), rulesOf(more)].map((rules) => decide(sets, rules))
    const [newest] = Retention.newestFirst(sets)
    if (newest !== undefined) assert.strictEqual(few!.kept[0], newest)
    const hasRules = Object.keys(a).some((name) => name !== "zone")
    if (hasRules) for (const one of few!.kept) assert.include(many!.kept, one)
    else assert.lengthOf(few!.expired, 0)
    assert.strictEqual(few!.kept.length + few!.expired.length, sets.length)
  })

  it.prop(
    "decides the same about what it kept, also when a damaged one does not count",
    [Instants, Drawn],
    ([drawn, a]) => {
      const rules = rulesOf(a)
      const first = decide(setsOf(drawn), rules)
      assert.lengthOf(decide(first.kept, rules).expired, 0)
      // Without one of those that stay, as when it is found damaged, none of the others goes.
      for (const damaged of first.kept.slice(0, 5)) {
        const rest = first.kept.filter((one) => one !== damaged)
        assert.lengthOf(decide(rest, rules).expired, 0)
      }
    }
  )

  it.prop(
    "keeps what is pinned, and decides about the others as if it were not there",
    [Instants, Drawn],
    ([drawn, a]) => {
      const sets = setsOf(drawn)
      const pins = new Set(sets.filter((_, n) => n % 3 === 1).map(({ backupId }) => backupId))
      const { expired, reasons } = decide(sets, { ...rulesOf(a), pins })
      const others = sets.filter(({ backupId }) => !pins.has(backupId))
      assert.deepStrictEqual(expired, decide(others, rulesOf(a)).expired)
      for (const pinned of pins) assert.deepStrictEqual(reasons.get(pinned), ["pinned"])
    }
  )

  it.prop("keeps no more than the rules count", [Instants, Drawn], ([drawn, rules]) => {
    const { backups = 0, hourly: hours = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0 } = rules
    const most = backups + hours + daily + weekly + monthly + yearly
    if (most === 0 || rules.maxAgeHours !== undefined) return
    assert.isAtMost(decide(setsOf(drawn), rulesOf(rules)).kept.length, most + 1)
  })
})
