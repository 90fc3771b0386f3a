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
  stored: 4,
  newest: "d",
  isHeldBack: false,
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
    [
      "prunes once more when a loss is accepted",
      { keep: 3, acceptedLoss: "d" },
      { _tag: "Prune", key: "3 at 3 accepting d" }
    ],
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
    expect(Deletion.next({ ...deleting, cleanup: { _tag: "Active" } })._tag).toBe("Wait")
    expect(Deletion.next({ ...deleting, cleanup: { _tag: "Succeeded", removed: 3 } })).toEqual({
      _tag: "Release",
      outcome: "Cleaned"
    })
  })
  it("lets go when the clean-up failed, and says that the data is still there", () => {
    const step = Deletion.next({
      ...deleting,
      cleanup: { _tag: "Failed", trouble: { reason: "StorageAuthorizationFailed", message: "no" } }
    })
    expect(step).toMatchObject({ _tag: "Release", outcome: "GivenUp" })
    expect(JSON.stringify(step)).toContain("no; the stored backups are kept")
  })
  it("ends within an hour in every state", () => {
    for (const activeJobs of [[], ["run-1"]]) {
      for (const cleanup of [{ _tag: "None" }, { _tag: "Active" }, { _tag: "Succeeded", removed: 1 }] as const) {
        expect(Deletion.next({ ...deleting, activeJobs, cleanup, nowMillis: Deletion.boundMillis })._tag).toBe(
          "Release"
        )
      }
    }
  })
  it("continues without clean-up in a namespace that is being deleted", () => {
    expect(Deletion.withoutCleanup("no new Jobs")).toMatchObject({ _tag: "Release", outcome: "GivenUp" })
  })
})
