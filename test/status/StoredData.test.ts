import { assert, describe, it } from "@effect/vitest"
import type { DamageSummary, VerificationSummary } from "../../src/outcome/VerificationSummary.ts"
import { announcements } from "../../src/status/Announcements.ts"
import * as DataVerified from "../../src/status/DataVerified.ts"
import type { Facts } from "../../src/status/Facts.ts"
import { next } from "../../src/status/Next.ts"
import type { Status } from "../../src/status/Status.ts"
import { at, brief, condition, failed, hourly, oneTime, succeeded } from "./facts.ts"

const hour = 3_600_000
const whole: DamageSummary = { sets: 0, text: "" }
const newest = "orders-20261124-120000"
const older = "orders-20261124-110000"
const damaged = (over: Partial<DamageSummary> = {}): DamageSummary => ({
  sets: 2,
  text: `${newest}: orders[0] offsets 0-99: the object is missing`,
  newest,
  newestWhole: older,
  ...over
})

/** The share is 50 %, so two runs read everything, and 4 slots may pass. */
const read = (over: Partial<VerificationSummary> = {}): VerificationSummary => ({
  percent: 50,
  objects: 3,
  bytes: 500,
  totalBytes: 1000,
  oldestMillis: at("11:00"),
  remainingRuns: 1,
  ...over
})

/** A run of 12:00 that reports this. */
const reported = (
  news: { readonly damage?: DamageSummary; readonly verification?: VerificationSummary },
  over: Partial<Facts> = {}
): Facts =>
  hourly({
    percentPerRun: 50,
    ended: [succeeded("12:00")],
    storedData: {
      ...(news.damage === undefined ? {} : { damage: { ...news.damage, endMillis: at("12:05") } }),
      ...(news.verification === undefined ? {} : { verification: { ...news.verification, endMillis: at("12:05") } })
    },
    ...over
  })

const quiet = (over: Partial<Facts> = {}) => hourly({ percentPerRun: 50, ...over })
const message = (status: Status, type: string) => condition(status, type).message

describe("damage that is known", () => {
  const intact = next({}, reported({ damage: whole }), at("12:06"))
  const broken = next({}, reported({ damage: damaged() }), at("12:06"))

  it("is unknown before a run has looked, and then said with its time", () => {
    const before = next({}, hourly({ ended: [succeeded("12:00")] }), at("12:06"))
    assert.strictEqual(brief(before, "SetsIntact"), "Unknown NotYetTried")
    assert.notProperty(before, "damage")
    assert.strictEqual(brief(intact, "SetsIntact"), "True NoKnownDamage")
    assert.strictEqual(
      message(intact, "SetsIntact"),
      "No backup of this resource is known to be damaged, as reported at 2026-11-24T12:05:00Z."
    )
    assert.deepStrictEqual(intact.damage, { backups: 0, reportedTime: "2026-11-24T12:05:00Z" })
  })

  it("names what is damaged, what to restore from, and what to do", () => {
    assert.strictEqual(brief(broken, "SetsIntact"), "False BackupsDamaged")
    assert.strictEqual(
      message(broken, "SetsIntact"),
      `2 backups are known to be damaged, as reported at 2026-11-24T12:05:00Z: ${newest}: orders[0] offsets 0-99: the object is missing. Restore from ${older}, the newest backup without known damage. An incremental run reads damaged parts from Kafka again where Kafka still has them and the newest backup names them; what such a run leaves damaged stays so. kafka-backup verify BACKUP_ID --deep reads all of a backup and names what is damaged in it.`
    )
    const { newestWhole: _, ...none } = damaged({ sets: 1 })
    const hopeless = message(next({}, reported({ damage: none }), at("12:06")), "SetsIntact")
    assert.include(hopeless, "1 backup is known to be damaged")
    assert.include(hopeless, "No backup of this resource is without known damage.")
  })

  it("of the newest backup is said wherever that backup is spoken of, and changes neither Ready nor lastBackup", () => {
    assert.strictEqual(brief(broken, "Ready"), "True BackupScheduled")
    assert.strictEqual(broken.lastBackupId, newest)
    assert.match(
      message(broken, "Ready"),
      /in 1\.07 GB\. It has been damaged since\. Restore from orders-20261124-110000, the newest backup without known damage: SetsIntact has the details\.$/
    )
    assert.strictEqual(brief(broken, "Verified"), "False SegmentDamaged")
    assert.strictEqual(
      message(broken, "Verified"),
      `${newest}, the newest backup, is known to be damaged, as reported at 2026-11-24T12:05:00Z. Restore from ${older}, the newest backup without known damage. SetsIntact has the details.`
    )
  })

  it("of older backups leaves what is said of the newest one alone", () => {
    const status = next({}, reported({ damage: damaged({ newest: older, newestWhole: newest }) }), at("12:06"))
    assert.strictEqual(brief(status, "SetsIntact"), "False BackupsDamaged")
    assert.strictEqual(brief(status, "Verified"), "True BackupVerified")
    assert.notInclude(message(status, "Ready"), "damaged")
  })

  it("outweighs a drill that passed, and not one that failed", () => {
    const drill = (result: "Passed" | "Failed", damage: DamageSummary) => {
      const facts = { state: { _tag: "Suspended" }, schedule: {}, memory: {}, ended: [] } as never
      const previous: Status = {
        drill: { phase: result, lastResult: result, backupId: newest, completionTime: "2026-11-24T12:01:00Z" }
      }
      return next(previous, reported({ damage }, { drill: { _tag: "Found", facts } }), at("12:06"))
    }
    assert.strictEqual(brief(drill("Passed", whole), "Restorable"), "True DrillPassed")
    assert.strictEqual(brief(drill("Passed", damaged()), "Restorable"), "False NewestBackupDamaged")
    assert.strictEqual(brief(drill("Failed", damaged()), "Restorable"), "False DrillFailed")
  })

  it("stays as it is, with its time, through runs that fail, restarts and news that is older", () => {
    const later = next(broken, quiet({ ended: [failed("13:00")] }), at("13:06"))
    assert.deepStrictEqual(later.damage, broken.damage)
    assert.deepStrictEqual(condition(later, "SetsIntact"), condition(broken, "SetsIntact"))
    assert.include(message(later, "Ready"), "It has been damaged since.")
    const late = next(broken, quiet({ storedData: { damage: { ...whole, endMillis: at("11:00") } } }), at("13:06"))
    assert.deepStrictEqual(late.damage, broken.damage)
    const healed = next(later, quiet({ storedData: { damage: { ...whole, endMillis: at("14:00") } } }), at("14:01"))
    assert.strictEqual(brief(healed, "SetsIntact"), "True NoKnownDamage")
    assert.strictEqual(condition(healed, "SetsIntact").lastTransitionTime, "2026-11-24T14:01:00Z")
  })

  it("is kept within bounds whatever a pod writes", () => {
    const long = "x\n".repeat(50_000)
    const { damage } = next(
      {},
      reported({ damage: { sets: -1, text: long, newest: long, newestWhole: long } }),
      at("12:06")
    )
    assert.deepStrictEqual(damage, { backups: 0, reportedTime: "2026-11-24T12:05:00Z" })
    const many = next({}, reported({ damage: damaged({ text: long, newest: long, newestWhole: long }) }), at("12:06"))
    assert.isAtMost(many.damage!.message!.length, 1024)
    assert.isAtMost(many.damage!.newestBackupId!.length, 512)
  })
})

describe("what runs read again", () => {
  const after = next({}, reported({ verification: read() }), at("12:06"))

  it("is in the status, with the time from which its promise counts", () => {
    assert.deepStrictEqual(after.verification, {
      percentPerRun: 50,
      sinceTime: "2026-11-24T12:05:00Z",
      objects: 3,
      bytes: 500,
      storedBytes: 1000,
      oldestTime: "2026-11-24T11:00:00Z",
      remainingRuns: 1,
      reportedTime: "2026-11-24T12:05:00Z"
    })
  })

  it("verifies the data from the first run on, when nothing is due yet", () => {
    assert.strictEqual(brief(after, "DataVerified"), "True DataVerified")
    assert.strictEqual(
      message(after, "DataVerified"),
      "Every stored byte was read again, or written, since 2026-11-24T11:00:00Z. Each run reads 50 % of all stored bytes again, so that 2 runs read everything."
    )
    const { oldestMillis: _, ...empty } = read()
    const nothing = next({}, reported({ verification: empty }), at("12:06"))
    assert.strictEqual(message(nothing, "DataVerified"), "Nothing is stored that could be read again.")
  })

  it.each([
    [100, 1, 3],
    [50, 2, 4],
    [7, 15, 23],
    [2, 50, 75],
    [1, 100, 150]
  ])("%i %% promise %i runs, and %i slots may pass", (percent, runs, slots) => {
    assert.deepStrictEqual([DataVerified.promisedRuns(percent), DataVerified.allowedSlots(percent)], [runs, slots])
  })

  it("is behind once more slots have passed than that, without any news", () => {
    const began: Status = { ...after, verification: { ...after.verification!, sinceTime: "2026-11-24T08:00:00Z" } }
    const memory = { observedSchedule: "0 * * * * in UTC", sinceMillis: at("06:00") }
    // The slots of 12:00 to 15:00 may pass, that of 16:00 is one too many.
    assert.strictEqual(brief(next(began, quiet({ memory }), at("15:59")), "DataVerified"), "True DataVerified")
    const late = next(began, quiet({ memory }), at("16:00"))
    assert.strictEqual(brief(late, "DataVerified"), "False VerificationBehind")
    assert.strictEqual(
      message(late, "DataVerified"),
      "Stored backups are not read again as often as promised: more than 4 slots of the schedule have passed since a byte was read. The stored byte that was not read for longest was last read, or written, at 2026-11-24T11:00:00Z. Each run reads 50 % of all stored bytes again, so that 2 runs read everything. Find out in status.backupHistory why runs fail, are skipped, or read less than their share."
    )
  })

  it("counts slots, so that a schedule of working days is not late on a Monday", () => {
    const schedule = { text: "0 9 * * 1-5" }
    const friday = Date.parse("2026-11-20T09:05:00Z")
    const status = next(
      {},
      hourly({
        percentPerRun: 100,
        schedule,
        memory: { sinceMillis: friday - 48 * hour },
        storedData: { verification: { ...read({ percent: 100, oldestMillis: friday }), endMillis: friday } }
      }),
      Date.parse("2026-11-25T08:59:00Z")
    )
    assert.strictEqual(brief(status, "DataVerified"), "True DataVerified")
  })

  it("is not late before runs had the time to come round, however old the backups are", () => {
    const old = read({ oldestMillis: at("12:00") - 90 * 24 * hour })
    const first = next({}, reported({ verification: old }), at("12:06"))
    assert.strictEqual(brief(first, "DataVerified"), "Unknown VerificationStarting")
    assert.match(
      message(first, "DataVerified"),
      /^Runs have read stored backups again since 2026-11-24T12:05:00Z, and have not come round yet\. .* at 2026-08-26T12:00:00Z\./
    )
    assert.strictEqual(brief(next(first, quiet(), at("17:00")), "DataVerified"), "False VerificationBehind")
    // A schedule that was resumed counts from then.
    const resumed = { observedSchedule: "0 * * * * in UTC", sinceMillis: at("16:30") }
    assert.strictEqual(
      brief(next(first, quiet({ memory: resumed }), at("17:00")), "DataVerified"),
      "Unknown VerificationStarting"
    )
  })

  it("promises anew from when runs had to begin their record anew, and is not late at once", () => {
    const old = { oldestMillis: at("12:00") - 90 * 24 * hour }
    const memory = { observedSchedule: "0 * * * * in UTC", sinceMillis: at("06:00") }
    const began: Status = { ...after, verification: { ...after.verification!, sinceTime: "2026-11-24T08:00:00Z" } }
    const endingAt = (endMillis: number, over: Partial<VerificationSummary>) =>
      next(
        began,
        quiet({ memory, storedData: { verification: { ...read({ ...old, ...over }), endMillis } } }),
        endMillis + 60_000
      )
    const anew = endingAt(at("13:05"), { beganMillis: at("13:04") })
    assert.strictEqual(anew.verification!.sinceTime, "2026-11-24T13:04:00Z")
    assert.strictEqual(brief(anew, "DataVerified"), "Unknown VerificationStarting")
    // The record that this one continues began before, and a clock that is ahead promises nothing later.
    for (const beganMillis of [at("07:00"), at("13:06"), undefined]) {
      const same = endingAt(at("13:05"), beganMillis === undefined ? {} : { beganMillis })
      assert.strictEqual(same.verification!.sinceTime, "2026-11-24T08:00:00Z")
      assert.strictEqual(brief(same, "DataVerified"), "False VerificationBehind")
    }
    assert.strictEqual(brief(next(anew, quiet({ memory }), at("18:00")), "DataVerified"), "False VerificationBehind")
  })

  it("promises more from when the share is raised, and nothing anew when it is lowered", () => {
    const again = (percent: number) =>
      next(
        after,
        quiet({
          percentPerRun: percent,
          storedData: { verification: { ...read({ percent }), endMillis: at("13:05") } }
        }),
        at("13:06")
      ).verification!.sinceTime
    assert.deepStrictEqual(
      [again(100), again(50), again(10)],
      ["2026-11-24T13:05:00Z", "2026-11-24T12:05:00Z", "2026-11-24T12:05:00Z"]
    )
  })

  it("verifies nothing while the runs do not know all backups, and is behind if that goes on", () => {
    const { remainingRuns: _, ...unknown } = read({ oldestMillis: at("12:00") })
    const first = next({}, reported({ verification: unknown }), at("12:06"))
    assert.strictEqual(brief(first, "DataVerified"), "Unknown VerificationStarting")
    const late = next(first, quiet(), at("17:00"))
    assert.match(message(late, "DataVerified"), /^Runs have not found out yet what all stored backups hold/)
  })

  it("says that a run read less than its share", () => {
    const short = next({}, reported({ verification: read({ isCutShort: true }) }), at("12:06"))
    assert.isTrue(short.verification?.cutShort)
    assert.include(message(short, "DataVerified"), "The newest run read less than its share.")
  })

  it("is nothing with a share of 0, and begins anew after that", () => {
    const off = next(after, quiet({ percentPerRun: 0 }), at("12:10"))
    assert.strictEqual(brief(off, "DataVerified"), "Unknown VerificationOff")
    assert.notProperty(off, "verification")
    assert.strictEqual(brief(next(off, quiet(), at("12:11")), "DataVerified"), "Unknown NotYetTried")
  })

  it("promises nothing without slots, and says since when everything was read or written", () => {
    const suspended = next(after, quiet({ state: { _tag: "Suspended" } }), at("20:00"))
    const once = next(after, oneTime({ percentPerRun: 50 }), at("20:00"))
    for (const status of [suspended, once]) {
      assert.strictEqual(brief(status, "DataVerified"), "Unknown NoScheduledRuns")
      assert.include(message(status, "DataVerified"), "last read, or written, at 2026-11-24T11:00:00Z")
    }
  })

  it("stays as it is through runs that fail, while the spec cannot be used, and while the clock is behind", () => {
    const broken = next(after, quiet({ ended: [failed("13:00")] }), at("13:06"))
    assert.deepStrictEqual(broken.verification, after.verification)
    const invalid = quiet({ problems: [{ field: "spec.topics", message: "is empty" }], percentPerRun: undefined })
    const behind = quiet({ state: { _tag: "ClockBehind", untilMillis: at("22:00"), nextMillis: at("23:00") } })
    for (const facts of [invalid, behind]) {
      assert.deepStrictEqual(
        condition(next(broken, facts, at("13:10")), "DataVerified"),
        condition(broken, "DataVerified")
      )
    }
  })
})

describe("announcements of stored data", () => {
  const announced = (previous: Status, facts: Facts, millis: number) =>
    announcements(previous, facts, next(previous, facts, millis))
      .filter(({ action }) => action === "Verify")
      .map(({ note, reason, type }) => ({ note, reason, type }))
  const reasonsOf = (previous: Status, facts: Facts, millis: number) =>
    announced(previous, facts, millis).map(({ reason }) => reason)
  const knows = (damage: DamageSummary, time: string) =>
    quiet({ storedData: { damage: { ...damage, endMillis: at(time) } } })

  it("say once what is damaged, again when it is another, and once when nothing is any more", () => {
    const intact = next({}, knows(whole, "12:05"), at("12:06"))
    assert.deepStrictEqual(reasonsOf({}, knows(whole, "12:05"), at("12:06")), [])
    const broken = next(intact, knows(damaged(), "13:05"), at("13:06"))
    assert.deepStrictEqual(announced(intact, knows(damaged(), "13:05"), at("13:06")), [
      { type: "Warning", reason: "BackupsDamaged", note: message(broken, "SetsIntact") }
    ])
    assert.deepStrictEqual(reasonsOf({}, knows(damaged(), "13:05"), at("13:06")), ["BackupsDamaged"])
    assert.deepStrictEqual(reasonsOf(broken, knows(damaged(), "14:05"), at("14:06")), [])
    assert.deepStrictEqual(reasonsOf(broken, knows(damaged({ sets: 3 }), "14:05"), at("14:06")), ["BackupsDamaged"])
    assert.deepStrictEqual(reasonsOf(broken, knows(damaged({ text: "another" }), "14:05"), at("14:06")), [
      "BackupsDamaged"
    ])
    assert.deepStrictEqual(announced(broken, knows(whole, "14:05"), at("14:06")), [
      {
        type: "Normal",
        reason: "BackupsIntact",
        note: "No backup of this resource is known to be damaged, as reported at 2026-11-24T14:05:00Z."
      }
    ])
  })

  it("say once that reading again is behind, and once that it has caught up", () => {
    const first = next({}, reported({ verification: read() }), at("12:06"))
    const late = next(first, quiet(), at("17:00"))
    assert.deepStrictEqual(reasonsOf(first, quiet(), at("17:00")), ["VerificationBehind"])
    assert.deepStrictEqual(reasonsOf(late, quiet(), at("18:00")), [])
    const caughtUp = quiet({
      storedData: { verification: { ...read({ oldestMillis: at("18:00") }), endMillis: at("18:05") } }
    })
    assert.deepStrictEqual(reasonsOf(late, caughtUp, at("18:06")), ["VerificationCaughtUp"])
  })
})
