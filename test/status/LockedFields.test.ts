import { assert, describe, it } from "@effect/vitest"
import * as Summarizing from "../../src/backup/Summarizing.ts"
import * as LockedFields from "../../src/status/LockedFields.ts"
import * as MaintenanceConditions from "../../src/status/MaintenanceConditions.ts"
import type { EndedRun, Facts } from "../../src/status/Facts.ts"

const first = Date.UTC(2026, 11, 1)
const last = Date.UTC(2026, 11, 30, 13)
const { locked } = Summarizing.locked([
  { lock: { untilMillis: last } },
  { lock: { untilMillis: first } },
  { lock: { isHeld: true } },
  {}
])

const run = (startMillis: number, more: Partial<EndedRun> = {}): EndedRun => ({
  jobName: "nightly-1",
  cause: "schedule",
  backupId: "nightly-20261124-130000",
  startMillis,
  endMillis: startMillis + 1000,
  outcome: "success",
  notes: [],
  ...more
})
const facts = (...ended: ReadonlyArray<EndedRun>) => ({ ended, maintenance: [] }) as unknown as Facts

describe("The status of locked backups", () => {
  it("counts what a lock of the store keeps, and says when the first and the last end, and how many are held", () => {
    assert.deepStrictEqual(locked, { sets: 3, firstMillis: first, lastMillis: last, held: 1 })
    const status = LockedFields.next(undefined, facts(run(0, { locked: locked! })))
    assert.deepStrictEqual(status, {
      backups: 3,
      firstTime: "2026-12-01T00:00:00Z",
      lastTime: "2026-12-30T13:00:00Z",
      held: 1
    })
    assert.strictEqual(
      LockedFields.text(status!),
      "3 backups are past retention and stay, because the store locks them: the first until 2026-12-01T00:00:00Z, the last until 2026-12-30T13:00:00Z; 1 by a hold without an end"
    )
    assert.strictEqual(LockedFields.waiting(status, first - 1), 3)
    assert.strictEqual(LockedFields.waiting(status, first), 0, "one of them may go now")
  })

  it("is gone after a run that finds none, and stays through one that fails", () => {
    const status = LockedFields.of({ sets: 1, firstMillis: first, lastMillis: first })
    assert.deepStrictEqual(LockedFields.next(status, facts(run(0, { outcome: "failed" }))), status)
    assert.isUndefined(LockedFields.next(status, facts(run(0))))
  })

  it("makes retention no failure: RetentionApplied is True, and says what stays until when", () => {
    const answer = MaintenanceConditions.retentionApplied(facts(run(0, { locked: locked! })), [])
    assert.deepInclude(answer, { status: "True", reason: "BackupsLocked" })
    assert.include(answer?.message, "3 backups are past retention and stay")
    const before = { type: "RetentionApplied", lastTransitionTime: "2026-11-24T13:00:00Z", ...answer! } as const
    const after = MaintenanceConditions.retentionApplied(facts(run(Date.UTC(2027, 0, 1))), [before])
    assert.deepInclude(after, { status: "True", reason: "RetentionApplied" })
  })
})
