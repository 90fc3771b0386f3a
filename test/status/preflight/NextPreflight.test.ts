import { assert, describe, expect, it } from "@effect/vitest"
import type { EndedRun, Facts } from "../../../src/status/Facts.ts"
import * as Next from "../../../src/status/Next.ts"
import * as NextPreflight from "../../../src/status/preflight/NextPreflight.ts"
import type { Status } from "../../../src/status/Status.ts"
import { at, brief, checked, checks, condition, failed, hourly, succeeded } from "../facts.ts"

const after = (previous: Status, facts: Partial<Facts>, time = "12:00"): Status =>
  Next.next(previous, hourly({ preflight: checks(), ...facts }), at(time))

const missing = checked("12:00", {
  outcome: "failed",
  reason: "TargetMissing",
  message: "bucket backups does not exist; create it",
  failures: [
    { side: "storage", reason: "TargetMissing", message: "bucket backups does not exist", advice: "create it" }
  ]
})
const late = checked("12:00", { outcome: "incomplete", reason: "DeadlineExceeded", message: "took longer than 120 s" })

describe("Ready of a KafkaBackup with a schedule", () => {
  it("is Unknown until a check of this generation passed", () => {
    const made = after({}, {})
    expect(brief(made, "Ready")).toBe("Unknown Checking")
    for (const type of ["KafkaReachable", "StorageReachable"]) {
      expect(condition(made, type).message).toBe("Not checked yet: no run and no check has got that far.")
    }
    expect(condition(made, "Ready").message).toContain("Next backup scheduled for")
    const passed = after(made, { preflight: checks({ ended: [checked("12:00")] }) })
    expect(brief(passed, "Ready")).toBe("True BackupScheduled")
    expect(passed.preflight).toMatchObject({ generation: 1, outcome: "Passed", nextProbeTime: "2026-11-24T16:30:00Z" })
    const edited = after(passed, { generation: 2 })
    expect(brief(edited, "Ready")).toBe("Unknown Checking")
    const old = after(edited, { generation: 2, preflight: checks({ ended: [checked("12:01")] }) })
    expect(brief(old, "Ready"), "a check of the spec before the edit").toBe("Unknown Checking")
  })

  it("is True after a run of this generation, and not after one of an earlier generation", () => {
    const edited = { generation: 2 }
    const of = (generation: number) => after({}, { ...edited, ended: [succeeded("11:00", { generation })] })
    expect(brief(of(1), "Ready")).toBe("Unknown Checking")
    expect(brief(of(2), "Ready")).toBe("True BackupScheduled")
    expect(of(2).preflight).toMatchObject({ by: "orders-20261124-110000", lastProbeTime: "2026-11-24T11:05:00Z" })
    expect(of(1).preflight?.kafka).toMatchObject({ reached: true, lastProbeTime: "2026-11-24T11:05:00Z" })
  })

  it("is False with the reason and the remedy of a check that failed, and True after one that passed", () => {
    const bad = after({}, { preflight: checks({ ended: [missing] }) })
    expect(brief(bad, "Ready")).toBe("False CheckFailed")
    const { message } = condition(bad, "Ready")
    for (const part of ["TargetMissing", "create it", "It is repeated at 2026-11-24T12:05:00Z"]) {
      assert.include(message, part)
    }
    expect(brief(bad, "StorageReachable")).toBe("False TargetMissing")
    expect(brief(bad, "KafkaReachable")).toBe("True Reached")
    const good = after(bad, { preflight: checks({ ended: [checked("12:05")] }) })
    expect(brief(good, "Ready")).toBe("True BackupScheduled")
    expect(brief(good, "StorageReachable")).toBe("True Reached")
    expect(good.preflight).not.toHaveProperty("reason")
    expect(good.preflight).not.toHaveProperty("failures")
  })

  it("stays as it is after a check without an answer, which says why it has none", () => {
    const unproven = after({}, { preflight: checks({ ended: [late] }) })
    expect(brief(unproven, "Ready")).toBe("Unknown CheckIncomplete")
    assert.include(condition(unproven, "Ready").message, "took longer than 120 s")
    expect(brief(unproven, "KafkaReachable")).toBe("Unknown NotYetTried")
    const proven = after({}, { preflight: checks({ ended: [checked("11:00")] }) })
    const still = after(proven, { preflight: checks({ ended: [late] }) })
    expect(brief(still, "Ready")).toBe("True BackupScheduled")
    expect(still.preflight).toMatchObject({ outcome: "Passed", failures: 1, nextProbeTime: "2026-11-24T12:05:00Z" })
  })

  it("is BackupFailed after a run that failed, and tells what a check found", () => {
    const run = after({}, { ended: [failed("11:00")], preflight: checks({ ended: [missing] }) })
    expect(brief(run, "Ready")).toBe("False BackupFailed")
    assert.include(condition(run, "Ready").message, "found that a run would fail (TargetMissing)")
  })
})

describe("Ready after a run that failed", () => {
  const run = failed("11:00")
  const later = (facts: Partial<Facts>) => after(after({}, { ended: [run] }), facts, "12:01")
  const passed = { preflight: checks({ ended: [checked("12:00")] }) }

  it("is True again once a check passed that looks at the cause, and the failure stays told", () => {
    expect(brief(later({}), "Ready")).toBe("False BackupFailed")
    const cured = later(passed)
    expect(brief(cured, "Ready")).toBe("True CheckPassed")
    expect(cured.phase).toBe("Failed")
    expect(cured.backupHistory?.[0]).toMatchObject({ outcome: "failed" })
    const { message } = condition(cured, "Ready")
    for (const part of [
      "orders-20261124-110000 failed: SASL authentication was refused",
      "A check that ended at 2026-11-24T12:00:00Z has found everything that a run needs since.",
      "Next backup scheduled for 2026-11-24T13:00:00Z.",
      "No backup has succeeded yet."
    ]) {
      assert.include(message, part)
    }
    expect(after(cured, {}, "12:02"), "a fixed point").toEqual(cured)
    const suspended = later({ ...passed, state: { _tag: "Suspended" } })
    expect(brief(suspended, "Ready")).toBe("True CheckPassed")
    assert.include(condition(suspended, "Ready").message, "Suspended: no scheduled backup starts")
  })

  it("stays False where the check shows nothing about the cause", () => {
    const others: ReadonlyArray<Partial<EndedRun>> = [
      { reason: "OOMKilled" },
      { reason: "CorruptBatch" },
      { reason: "OutOfSpace" },
      { reason: "DeadlineExceeded" },
      { outcome: "interrupted", reason: "JobDeleted" }
    ]
    for (const over of others) {
      const before = after({}, { ended: [failed("11:00", over)] })
      const reason = over.outcome === "interrupted" ? "BackupInterrupted" : "BackupFailed"
      assert.strictEqual(brief(after(before, passed, "12:01"), "Ready"), `False ${reason}`, over.reason)
    }
    const early = after(after({}, { preflight: checks({ ended: [checked("11:01")] }) }), { ended: [run] })
    expect(brief(early, "Ready"), "a check that passed before").toBe("False BackupFailed")
    expect(brief(later({ ...passed, generation: 2 }), "Ready"), "of another spec").toBe("False BackupFailed")
    expect(brief(later({ ...passed, state: { _tag: "OneTime", isAskedFor: true } }), "Ready")).toBe(
      "False BackupFailed"
    )
  })

  it("is BackupOverdue after two intervals without a success, whatever a check says", () => {
    const state = { _tag: "Scheduled", nextMillis: at("15:00"), intervalSeconds: 3600 } as const
    expect(brief(after(later(passed), { state }, "14:30"), "Ready")).toBe("False BackupOverdue")
  })
})

describe("a check that finds a Secret missing", () => {
  it.each(["storage", "kafka"] as const)("says which side cannot be reached without it: %s", (side) => {
    const message = "Secret access, key password: there is no file"
    const failure = { side, reason: "SecretUnusable", message, advice: "create it" }
    const found = checked("12:00", { outcome: "failed", reason: "SecretUnusable", message, failures: [failure] })
    const made = after({}, { preflight: checks({ ended: [found] }) })
    const [without, other] =
      side === "storage"
        ? (["StorageReachable", "KafkaReachable"] as const)
        : (["KafkaReachable", "StorageReachable"] as const)
    expect(brief(made, without)).toBe("False SecretUnusable")
    assert.include(condition(made, without).message, message)
    expect(brief(made, other)).toBe("True Reached")
  })
})

describe("the status of an operator that did not check", () => {
  const earlier = (facts: Partial<Facts>): Status => {
    const { preflight: _, ...status } = after({}, facts)
    return status
  }

  it("keeps a resource with a backup Ready, and plans its first check at a time of its own", () => {
    const before = earlier({ ended: [succeeded("11:00", { generation: 1 })] })
    const now = after(before, { preflight: checks({ share: 0.5 }) })
    expect(brief(now, "Ready")).toBe("True BackupScheduled")
    expect(condition(now, "Ready").lastTransitionTime).toBe(condition(before, "Ready").lastTransitionTime)
    expect(now.preflight).toMatchObject({ outcome: "Passed", nextProbeTime: "2026-11-24T15:00:00Z" })
    expect(after(now, { preflight: checks({ share: 0.5 }) }, "12:07")).toEqual(now)
  })

  it("shows nothing of a resource without a backup, or of one that was edited since", () => {
    expect(brief(after(earlier({}), {}), "Ready")).toBe("Unknown Checking")
    const backedUp = earlier({ ended: [succeeded("11:00", { generation: 1 })] })
    const edited = after(backedUp, { generation: 2 })
    expect(brief(edited, "Ready")).toBe("Unknown Checking")
    expect(brief(after(edited, { generation: 2 }), "Ready")).toBe("Unknown Checking")
  })
})

describe("waits between checks", () => {
  it("grow from five minutes to an hour after failures", () => {
    const minutes = [1, 2, 3, 4, 5, 6, 1000].map((failures) => NextPreflight.waitMillis(failures) / 60_000)
    expect(minutes).toEqual([5, 10, 20, 40, 60, 60, 60])
  })

  it("begin anew with an edit", () => {
    const often = after({}, { preflight: checks({ ended: [missing] }) })
    const twice = after(often, { preflight: checks({ ended: [{ ...missing, jobName: "b", endMillis: at("12:05") }] }) })
    expect(twice.preflight?.failures).toBe(2)
    const again = { ...missing, jobName: "c", generation: 2, endMillis: at("12:06") }
    const edited = after(twice, { generation: 2, preflight: checks({ ended: [again] }) })
    expect(edited.preflight).toMatchObject({ failures: 1, nextProbeTime: "2026-11-24T12:11:00Z" })
  })

  it("are spread over a quarter of the interval after a check that passed", () => {
    const time = (share: number) =>
      after({}, { preflight: checks({ share, ended: [checked("12:00")] }) }).preflight?.nextProbeTime
    expect([time(0), time(0.5), time(0.999)]).toEqual([
      "2026-11-24T16:30:00Z",
      "2026-11-24T17:15:00Z",
      "2026-11-24T17:59:54Z"
    ])
  })

  it("have no end with checks switched off", () => {
    const off = after({}, { preflight: checks({ everyMillis: undefined, ended: [checked("12:00")] }) })
    expect(off.preflight).not.toHaveProperty("nextProbeTime")
    expect(brief(off, "Ready")).toBe("True BackupScheduled")
  })
})
