import { assert, describe, it } from "@effect/vitest"
import * as OffsetsOutput from "../../src/cli/OffsetsOutput.ts"
import * as OffsetReporting from "../../src/restore/groups/OffsetReporting.ts"
import * as RestoreProgress from "../../src/restore/RestoreProgress.ts"
import * as OffsetsStop from "../../src/cli/OffsetsStop.ts"

const work = (changes: Partial<OffsetsStop.Work> = {}) => ({ ...OffsetsStop.make("--group GROUP", true), ...changes })

describe("a command on offsets that is stopped", () => {
  it("says that nothing was changed, and which snapshot may be there", () => {
    assert.strictEqual(OffsetsStop.told(work()), "stopped: no offset was changed. The same command begins again")
    assert.match(OffsetsStop.told(work({ snapshotId: "s-1" })), /Snapshot s-1 may be stored: .* createSnapshot: false/)
    // A restore keeps its own snapshot, and has no such field.
    assert.strictEqual(
      OffsetsStop.told(work({ snapshotId: "s-1", storesOnce: false })),
      "stopped: no offset was changed. The same command begins again"
    )
  })

  it("names the groups that are set, those that may be in part, and how to go on", () => {
    const begun = work({ groupIds: ["a", "b", "c"] })
    begun.log.begun.add("a").add("b")
    begun.log.ended.set("a", { group: "a", offsets: [] })
    const kept = ", with createSnapshot: false, which keeps snapshot s-1"
    assert.isTrue(OffsetsStop.told({ ...begun, snapshotId: "s-1" }).endsWith(`: --group GROUP${kept}`))
    assert.notInclude(OffsetsStop.told({ ...begun, snapshotId: "s-1", storesOnce: false }), "createSnapshot")
    assert.strictEqual(
      OffsetsStop.told(begun),
      "stopped: 1 of 3 consumer groups was set: a; of b some offsets may be set. Repeat the command for the others alone: --group GROUP"
    )
  })

  it("counts groups on its progress line", () => {
    assert.strictEqual(OffsetsStop.line(work()), "asking the cluster …")
    const begun = work({ groupIds: ["a"] })
    assert.strictEqual(OffsetsStop.line(begun), "setting offsets: 0 of 1 consumer group")
  })
})

describe("work of a manifest on offsets that is stopped", () => {
  it("says of a snapshot what may have happened to it, and nothing of one that it only reads", () => {
    const context = OffsetReporting.context(0, RestoreProgress.make())
    context.progress.startedWritingMillis = 1
    context.snapshotId = "s-1"
    assert.notInclude(OffsetsOutput.stopped(context), "s-1")
    for (const what of ["stored", "deleted"] as const) {
      context.snapshotChange = { snapshotId: "s-1", what }
      assert.include(OffsetsOutput.stopped(context), `snapshot s-1 may be ${what} already`)
    }
  })
})
