import { describe, expect, it } from "vitest"
import * as Deletion from "../../src/operator/Deletion.ts"
import * as NextJob from "../../src/operator/NextJob.ts"

const idle: NextJob.NextJobInput = {
  isBusy: false,
  stuckMaintenance: undefined,
  isMaintenanceOutdated: false,
  isRunOutdated: false,
  replaced: undefined,
  due: undefined,
  generation: 3,
  keep: undefined,
  rules: undefined,
  appliedRules: undefined,
  stored: 4,
  newest: "d",
  isHeldBack: false,
  isHolding: false,
  waiting: 0,
  acceptedLoss: undefined,
  isUnlisted: false,
  isListingFirst: false,
  deletedJob: undefined
}
const due = { _tag: "Slot", slotMillis: 0 } as const

describe("the next Job of a resource", () => {
  it.each([
    ["does nothing when nothing is wanted", {}, { _tag: "Nothing" }],
    ["makes nothing while a Job is not over", { isBusy: true, due, keep: 1, isUnlisted: true }, { _tag: "Nothing" }],
    [
      "deletes a stuck maintenance Job when a run is due",
      { isBusy: true, stuckMaintenance: "p-1", due },
      { _tag: "Preempt", jobName: "p-1" }
    ],
    [
      "leaves a stuck maintenance Job alone while nothing is due",
      { isBusy: true, stuckMaintenance: "p-1" },
      { _tag: "Nothing" }
    ],
    [
      "deletes a stuck maintenance Job when a correction of the spec would give it another pod",
      { isBusy: true, stuckMaintenance: "p-1", isMaintenanceOutdated: true },
      { _tag: "Preempt", jobName: "p-1" }
    ],
    [
      "replaces the Job of a run whose pods would be others now",
      { isBusy: true, isRunOutdated: true, due },
      { _tag: "Replace" }
    ],
    [
      "continues the run whose Job was deleted to be made again before everything else",
      { replaced: { _tag: "Once", slotMillis: 1 }, due, keep: 1 },
      { _tag: "Run", cause: { _tag: "Once", slotMillis: 1 } }
    ],
    ["lets a run go before everything", { due, keep: 1, isUnlisted: true }, { _tag: "Run", cause: due }],
    ["prunes when more is kept than wanted", { keep: 3 }, { _tag: "Prune", key: "3 at 3 after d" }],
    ["does not prune what is few enough", { keep: 4 }, { _tag: "Nothing" }],
    [
      "does not repeat a prune that would hold the same backups back",
      { keep: 3, isHeldBack: true },
      { _tag: "Nothing" }
    ],
    ["does not prune what retention leaves to an earlier resource", { keep: 2, waiting: 2 }, { _tag: "Nothing" }],
    [
      "prunes once more when a loss is accepted",
      { keep: 3, acceptedLoss: "d" },
      { _tag: "Prune", key: "3 at 3 accepting d" }
    ],
    [
      "prunes when rules of time were edited, however few backups there are",
      { keep: 3, stored: 2, rules: "backups 3, maxAge 1d", appliedRules: "maxAge 2d" },
      { _tag: "Prune", key: "backups 3, maxAge 1d at 3 after d" }
    ],
    [
      "does not prune again what these rules kept, however many backups they are",
      { keep: 3, stored: 100, rules: "backups 3, maxAge 1d", appliedRules: "backups 3, maxAge 1d" },
      { _tag: "Nothing" }
    ],
    [
      "prunes by rules of time once more when a loss is accepted",
      { rules: "maxAge 1d", appliedRules: "maxAge 1d", isHolding: true, acceptedLoss: "d" },
      { _tag: "Prune", key: "maxAge 1d at 3 accepting d" }
    ],
    ["never prunes the only backup", { stored: 1, rules: "maxAge 1d" }, { _tag: "Nothing" }],
    ["never prunes without retention", { stored: 1000 }, { _tag: "Nothing" }],
    [
      "reads storage again after a Job was deleted",
      { deletedJob: "job-1", keep: 1 },
      { _tag: "Catalogue", key: "after job-1" }
    ],
    [
      "lets a run wait for a listing right after the status was lost",
      { due, isUnlisted: true, isListingFirst: true },
      { _tag: "Catalogue", key: "unlisted" }
    ],
    [
      "does not delete a stuck listing in that time",
      { isBusy: true, stuckMaintenance: "l-1", due, isListingFirst: true },
      { _tag: "Nothing" }
    ],
    ["reads storage when the history is lost", { isUnlisted: true, stored: 0 }, { _tag: "Catalogue", key: "unlisted" }]
  ] as const)("%s", (_, input, action) => {
    expect(NextJob.next({ ...idle, ...input })).toEqual(action)
  })
})

const deleting: Deletion.DeletionInput = {
  isHeld: true,
  wantsCleanup: true,
  deletedMillis: 0,
  nowMillis: 1_000,
  activeJobs: [],
  cleanup: { _tag: "None" }
}

const active = { _tag: "Active", attempt: 1, startMillis: 0, isRunning: true } as const
const failed = (attempt: number, endMillis: number) =>
  ({
    _tag: "Failed",
    attempt,
    endMillis,
    trouble: { reason: "StoreUnavailable", message: "no answer" }
  }) as const

describe("a deletion", () => {
  it("is not held up without the operator's finalizer", () => {
    expect(Deletion.next({ ...deleting, isHeld: false })._tag).toBe("Nothing")
  })
  it("keeps the data and lets go when deletionPolicy was changed back", () => {
    expect(Deletion.next({ ...deleting, wantsCleanup: false })).toEqual({ _tag: "Release", outcome: "Retained" })
  })
  it("ends running Jobs first, then cleans, then waits, then lets go", () => {
    expect(Deletion.next({ ...deleting, activeJobs: ["run-1"] })._tag).toBe("EndJobs")
    expect(Deletion.next(deleting)._tag).toBe("Clean")
    expect(Deletion.next({ ...deleting, cleanup: active })._tag).toBe("Wait")
    expect(Deletion.next({ ...deleting, cleanup: { _tag: "Succeeded", removed: 3 } })).toEqual({
      _tag: "Release",
      outcome: "Cleaned"
    })
  })
  it("tries a failed clean-up again after a pause that grows, and says when, and when it gives up", () => {
    const at = (attempt: number, nowMillis: number) =>
      Deletion.next({ ...deleting, nowMillis, cleanup: failed(attempt, 600_000) })
    expect(at(1, 600_000)).toEqual({
      _tag: "Wait",
      untilMillis: 630_000,
      waitsFor: {
        reason: "CleanupRetrying",
        message:
          "Attempt 1 to remove the stored backups failed: no answer. The next attempt starts at 1970-01-01T00:10:30Z. The clean-up is given up at 1970-01-01T01:00:00Z."
      }
    })
    expect(at(1, 630_000)).toMatchObject({ _tag: "Clean", attempt: 2 })
    expect([1, 2, 3, 4, 5, 6, 90].map((attempt) => Deletion.pauseMillis(attempt) / 1000)).toEqual([
      30, 60, 120, 240, 300, 300, 300
    ])
  })
  it("makes a last attempt shortly before the hour is over, and gives up when that fails", () => {
    const late = Deletion.next({ ...deleting, nowMillis: 3_400_000, cleanup: failed(9, 3_399_000) })
    expect(late).toMatchObject({ _tag: "Wait", untilMillis: 3_420_000 })
    expect(Deletion.next({ ...deleting, nowMillis: 3_420_000, cleanup: failed(9, 3_399_000) })._tag).toBe("Clean")
    expect(Deletion.next({ ...deleting, nowMillis: 3_425_000, cleanup: failed(10, 3_424_000) })).toEqual({
      _tag: "GiveUp",
      why: "Attempt 10 to remove the stored backups failed: no answer."
    })
  })
  it("makes a clean-up Job again whose pod has not started for ten minutes, but none that is at work", () => {
    const stuck = { ...active, isRunning: false, trouble: { reason: "PodUnschedulable", message: "no node" } } as const
    const at = (nowMillis: number, cleanup: Deletion.DeletionInput["cleanup"]) =>
      Deletion.next({ ...deleting, nowMillis, cleanup })
    expect(at(599_000, stuck)).toMatchObject({ _tag: "Wait", waitsFor: { reason: "PodUnschedulable" } })
    expect(at(600_000, stuck)).toMatchObject({ _tag: "Clean", attempt: 2 })
    expect(at(600_000, { ...stuck, isRunning: true })._tag).toBe("Wait")
    expect(at(600_000, active)._tag).toBe("Wait")
  })
  it("ends within an hour in every state", () => {
    for (const activeJobs of [[], ["run-1"]]) {
      const ended = { _tag: "Succeeded", removed: 1 } as const
      for (const cleanup of [{ _tag: "None" } as const, active, failed(3, 3_500_000), ended]) {
        const step = Deletion.next({ ...deleting, activeJobs, cleanup, nowMillis: Deletion.boundMillis })
        expect(step._tag).toBe(cleanup === ended ? "Release" : "GiveUp")
      }
    }
  })
})
