import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Verdict from "../../src/status/Verdict.ts"
import * as View from "../../src/status/View.ts"
import { backups, others } from "../operator/ui/resources.ts"

const condition = (type: string, status: "True" | "False" | "Unknown", reason = "R") => ({
  type,
  status,
  reason,
  message: `${type} says so.`,
  lastTransitionTime: "2026-11-24T12:00:00Z"
})

const ready = condition("Ready", "True", "BackupScheduled")

describe("the verdict on a resource", () => {
  it("is that of its conditions, in the words of the page", () => {
    const words = [...backups(), ...others()].map((resource) => {
      const { verdict } = View.of(resource)!
      return `${resource.metadata.name}: ${verdict.word}${verdict.isBad ? " (bad)" : ""} ${verdict.because?.reason ?? "-"}`
    })
    assert.deepStrictEqual(words, [
      "orders: safe BackupScheduled",
      "payments-archive: failed (bad) BackupFailed",
      "carts: safe BackupScheduled",
      "clicks: at risk (bad) BackupOverdue",
      "invoices: at risk (bad) BackupsDamaged",
      "ledger: suspended Suspended",
      "new-one: never BackupScheduled",
      "never-worked: never (bad) BackupFailed",
      "a-name-that-is-as-long-as-the-names-of-resources-are-in-clusters: at risk (bad) InvalidSpec",
      "once: safe BackupCompleted",
      "unseen: never -",
      "into-staging: running Restoring",
      "after-the-bad-deploy: failed (bad) RestoreFailed",
      "checkout-groups: running OffsetsRunning"
    ])
  })

  it("is never safe with a condition that is not met, also one that a later version adds", () => {
    for (const type of ["SetsIntact", "DataVerified", "Verified", "Restorable", "KafkaReachable", "NotInventedYet"]) {
      const verdict = Verdict.ofBackup([ready, condition(type, "False")], true)
      assert.deepStrictEqual([verdict.word, verdict.isBad, verdict.because?.type], ["at risk", true, type])
    }
    assert.strictEqual(Verdict.ofBackup([condition("Ready", "Unknown")], true).word, "at risk")
  })

  it("stays at risk after a run that failed, when a check has passed since: that slot has no backup", () => {
    const cured = condition("Ready", "True", "CheckPassed")
    const { isBad, word } = Verdict.ofBackup([cured], true)
    assert.deepStrictEqual([word, isBad], ["at risk", false])
  })

  it("leaves warnings and housekeeping apart, and they are counted", () => {
    const conditions = [
      ready,
      condition("Warnings", "True"),
      condition("RetentionApplied", "False"),
      condition("StorageListed", "False"),
      condition("Progressing", "False")
    ]
    assert.strictEqual(Verdict.ofBackup(conditions, true).word, "safe")
    assert.lengthOf(Verdict.warnings(conditions), 3)
    assert.lengthOf(Verdict.warnings([condition("Warnings", "False"), condition("RetentionApplied", "True")]), 0)
  })

  it("on a restore that found a difference is that it is at risk, whatever its phase", () => {
    const verdict = Verdict.ofOnce("Completed", [ready, condition("Verified", "False")])
    assert.deepStrictEqual([verdict.word, verdict.isBad], ["at risk", true])
    assert.strictEqual(Verdict.ofOnce("Pending", [condition("Ready", "False", "InvalidSpec")]).word, "at risk")
    assert.strictEqual(Verdict.ofOnce("Pending", [condition("Ready", "False", "RestorePending")]).word, "pending")
    assert.strictEqual(Verdict.ofOnce(undefined, []).word, "pending")
  })

  it("on a trial of a restore that failed is that it failed, and needs no attention", () => {
    const failed = [condition("Ready", "False", "RestoreFailed")]
    const [trial, real] = [Verdict.ofOnce("Failed", failed, true), Verdict.ofOnce("Failed", failed)]
    assert.deepStrictEqual([trial.word, trial.isBad], ["failed", false])
    assert.deepStrictEqual([real.word, real.isBad], ["failed", true])
  })

  const Status = Schema.Literals(["True", "False", "Unknown"])
  it.prop("is safe only where Ready is True and there is a backup", [Status, Status, Schema.Boolean], (given) => {
    const [first, second, hasBackup] = given
    const { word } = Verdict.ofBackup([condition("Ready", first), condition("SetsIntact", second)], hasBackup)
    assert.strictEqual(word === "safe", first === "True" && second !== "False" && hasBackup)
  })
})
