import { describe, expect, it } from "vitest"
import * as Deletion from "../../src/operator/Deletion.ts"
import * as NextJob from "../../src/operator/NextJob.ts"

const lane: NextJob.NextJobInput = {
  isBusy: false,
  stuckMaintenance: undefined,
  due: undefined,
  generation: 3,
  keep: undefined,
  successes: ["d", "c", "b", "a"],
  mayHoldMore: false,
  isForgotten: false,
  vanishedJob: undefined
}
const due = { _tag: "Slot", slotMillis: 0 } as const

describe("the lane of a resource's Jobs", () => {
  it.each([
    ["does nothing when nothing is wanted", {}, { _tag: "Nothing" }],
    ["makes nothing while a Job is not over", { isBusy: true, due, keep: 1, isForgotten: true }, { _tag: "Nothing" }],
    [
      "ends a maintenance that cannot get on when a run is due",
      { isBusy: true, stuckMaintenance: "p-1", due },
      { _tag: "Preempt", jobName: "p-1" }
    ],
    [
      "lets a maintenance that cannot get on try on while nothing is due",
      { isBusy: true, stuckMaintenance: "p-1" },
      { _tag: "Nothing" }
    ],
    ["lets a run go before everything", { due, keep: 1, isForgotten: true }, { _tag: "Run", cause: due }],
    ["prunes when more is kept than wanted", { keep: 3 }, { _tag: "Prune", key: "3 at 3 after d" }],
    ["does not prune what is few enough", { keep: 4 }, { _tag: "Nothing" }],
    [
      "prunes after an edit when storage may hold more than the history can tell",
      { keep: 120, mayHoldMore: true },
      { _tag: "Prune", key: "120 at 3 after d" }
    ],
    ["never prunes without retention", { mayHoldMore: true }, { _tag: "Nothing" }],
    [
      "reads storage again after a Job vanished",
      { vanishedJob: "job-1", keep: 1 },
      { _tag: "Catalogue", key: "after job-1" }
    ],
    [
      "reads storage when the history is lost",
      { isForgotten: true, successes: [] },
      { _tag: "Catalogue", key: "forgotten" }
    ]
  ] as const)("%s", (_, question, action) => {
    expect(NextJob.next({ ...lane, ...question })).toEqual(action)
  })
})

const dying: Deletion.DeletionQuestion = {
  isHeld: true,
  wantsCleanup: true,
  deletedMillis: 0,
  nowMillis: 1_000,
  activeJobs: [],
  cleanup: { _tag: "None" }
}

describe("a deletion", () => {
  it("is not held up by a resource without our finalizer", () => {
    expect(Deletion.next({ ...dying, isHeld: false })._tag).toBe("Nothing")
  })
  it("keeps the data and lets go when deletionPolicy was changed back", () => {
    expect(Deletion.next({ ...dying, wantsCleanup: false })).toEqual({ _tag: "Release", outcome: "Retained" })
  })
  it("ends running Jobs first, then cleans, then waits, then lets go", () => {
    expect(Deletion.next({ ...dying, activeJobs: ["run-1"] })._tag).toBe("EndJobs")
    expect(Deletion.next(dying)._tag).toBe("Clean")
    expect(Deletion.next({ ...dying, cleanup: { _tag: "Active" } })._tag).toBe("Wait")
    expect(Deletion.next({ ...dying, cleanup: { _tag: "Succeeded", removed: 3 } })).toEqual({
      _tag: "Release",
      outcome: "Cleaned"
    })
  })
  it("lets go when the clean-up failed, and says that the data is still there", () => {
    const step = Deletion.next({
      ...dying,
      cleanup: { _tag: "Failed", trouble: { reason: "StorageAuthorizationFailed", message: "no" } }
    })
    expect(step).toMatchObject({
      _tag: "Release",
      outcome: "GivenUp",
      trouble: { reason: "StorageAuthorizationFailed" }
    })
    expect(JSON.stringify(step)).toContain("the stored backups are kept")
  })
  it("ends within an hour whatever state it is in", () => {
    for (const activeJobs of [[], ["run-1"]]) {
      for (const cleanup of [{ _tag: "None" }, { _tag: "Active" }, { _tag: "Succeeded", removed: 1 }] as const) {
        expect(Deletion.next({ ...dying, activeJobs, cleanup, nowMillis: Deletion.boundMillis })._tag).toBe("Release")
      }
    }
  })
  it("goes on without clean-up in a namespace that is being deleted", () => {
    expect(Deletion.withoutCleanup("no new Jobs")).toMatchObject({ _tag: "Release", outcome: "GivenUp" })
  })
})
