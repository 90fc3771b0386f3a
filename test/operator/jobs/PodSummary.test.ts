import { assert, describe, it } from "@effect/vitest"
import * as PodSummary from "../../../src/operator/jobs/PodSummary.ts"

const failed = (advice: string) =>
  PodSummary.trouble({
    version: 1,
    command: "prune",
    outcome: "failed",
    exitCode: 14,
    startedAt: "2026-11-24T07:00:00.000Z",
    completedAt: "2026-11-24T07:01:00.000Z",
    reason: "PruneRefused",
    message: "it failed",
    advice,
    notes: []
  })?.message

describe("the trouble that a pod reports", () => {
  it("comes with the command's advice", () => {
    assert.strictEqual(failed("check the endpoint"), "it failed; check the endpoint")
  })

  it("leaves out advice to use options of the command line, which nobody can do in a cluster", () => {
    assert.strictEqual(failed("list the backups with: kafka-backup list -f <file>"), "it failed")
    assert.strictEqual(failed("set spec.retention.backups, or give --keep N"), "it failed")
  })
})
