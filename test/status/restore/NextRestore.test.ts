import { assert, describe, it } from "@effect/vitest"
import type { RestoreSummary } from "../../../src/outcome/RestoreSummary.ts"
import { inspect } from "../../../src/resource/Inspection.ts"
import * as RestoreCrd from "../../../src/resource/RestoreCrd.ts"
import * as Previous from "../../../src/status/Previous.ts"
import { isCompleted } from "../../../src/status/restore/Completed.ts"
import * as NextRestore from "../../../src/status/restore/NextRestore.ts"
import * as RestoreAnnouncements from "../../../src/status/restore/RestoreAnnouncements.ts"
import type { EndedRestore, RestoreFacts, RestoreStatus } from "../../../src/status/restore/RestoreFacts.ts"
import { restoreReasons, restoreTypes } from "../../../src/status/restore/RestoreReasons.ts"
import { aRestore, job, nowMillis, plan } from "./facts.ts"

const progress = (step: string, percent: number) => ({
  step,
  records: percent,
  bytes: 4096,
  partitionsDone: 1,
  partitionsTotal: 4,
  percent,
  updatedMillis: nowMillis
})

const ended = (changes: Partial<EndedRestore> = {}): EndedRestore => ({
  ...job,
  endMillis: nowMillis,
  outcome: "success",
  isDryRun: false,
  records: 100,
  summary: { startedWriting: "2026-11-25T11:59:10Z", plan },
  notes: [],
  ...changes
})

const failure = (reason: string, message: string, changes: Partial<EndedRestore> = {}) => {
  const { records: _, ...rest } = ended({ outcome: "failed", reason, message, summary: undefined })
  return { ...rest, ...changes } as EndedRestore
}

const writing = nowMillis - 50_000

/** Every situation, with Ready's reason and message. */
const situations: ReadonlyArray<readonly [name: string, facts: RestoreFacts, reason: string, message: RegExp]> = [
  ["new", aRestore(), "RestorePending", /^The restore starts in a moment\.$/],
  [
    "invalid",
    aRestore({ problems: [{ field: "spec.backupId", message: "is required" }] }),
    "InvalidSpec",
    /^spec\.backupId: is required/
  ],
  [
    "refused by the API server",
    aRestore({ refusal: { reason: "QuotaExceeded", message: "no room; free some" } }),
    "JobRefused",
    /^QuotaExceeded: no room; free some\.$/
  ],
  ["with a Job without a pod", aRestore({ active: { ...job, hasStarted: false } }), "RestorePending", /starts its pod/],
  [
    "with a pod that cannot start",
    aRestore({ active: { ...job, hasStarted: false, trouble: { reason: "ImagePullFailed", message: "no image" } } }),
    "PodTrouble",
    /^ImagePullFailed: no image\.$/
  ],
  [
    "that checks",
    aRestore({ active: { ...job, hasStarted: true, progress: progress("checking", 0) } }),
    "PreflightRunning",
    /are being checked, in Job back-restore-1\.$/
  ],
  [
    "that writes",
    aRestore({
      active: { ...job, hasStarted: true, progress: progress("writing", 40) },
      startedWritingMillis: writing
    }),
    "Restoring",
    /^Records are being written, read back and compared, in Job back-restore-1\.$/
  ],
  [
    "complete",
    aRestore({ ended: ended({ notes: ["orders does not get x"] }), startedWritingMillis: writing }),
    "RestoreCompleted",
    /^Backup shop-20261125-110000 is restored: 100 records in 2 topics\. Every record was read back and compared\. Note: orders does not get x\.$/
  ],
  [
    "whose dry run passed",
    aRestore({ ended: ended({ isDryRun: true, summary: { dryRun: true, plan } }) }),
    "DryRunPassed",
    /^Backup .* can be restored: 100 records in 2 topics\. Nothing was written\. Set spec\.dryRun to false to start the restore\.$/
  ],
  [
    "refused beforehand",
    aRestore({
      ended: failure("PreflightFailed", "orders holds records", { summary: { objections: ["TargetNotEmpty"] } })
    }),
    "RestoreFailed",
    /^PreflightFailed: orders holds records\. Nothing was written\. To try again, correct the spec, or set the annotation kafka\.oso\.sh\/retry to a new value\.$/
  ],
  [
    "that failed after it wrote",
    aRestore({ ended: failure("Differs", "orders[0] differs"), startedWritingMillis: writing }),
    "RestoreFailed",
    /^Differs: orders\[0\] differs\. Everything that was written is kept\. To continue, set the annotation/
  ],
  [
    "complete with a group that was left",
    aRestore({
      ended: ended({
        summary: {
          plan,
          rollbackSnapshotId: "before-1",
          groups: {
            reset: 1,
            skipped: 1,
            groupsReset: ["a"],
            groupsSkipped: [{ group: "b", reason: "it has members" }]
          }
        }
      })
    }),
    "RestoreCompleted",
    /Every record was read back and compared\./
  ],
  [
    "whose Job was deleted",
    aRestore({
      ended: failure("JobDeleted", "gone. To continue, set the annotation kafka.oso.sh/retry to a new value")
    }),
    "RestoreFailed",
    /^JobDeleted: gone\. To continue, set the annotation kafka\.oso\.sh\/retry to a new value\.$/
  ]
]

const ready = ({ conditions }: RestoreStatus) => conditions?.find(({ type }) => type === "Ready")

describe("the status of a restore", () => {
  for (const [name, facts, reason, message] of situations) {
    it(`of one that is ${name}: Ready has the reason ${reason}`, () => {
      const status = NextRestore.next({}, facts, nowMillis)
      assert.strictEqual(ready(status)?.reason, reason)
      assert.match(ready(status)?.message ?? "", message)
    })
  }

  it("is a status that the API server takes, whatever came before", () => {
    for (const [, before] of situations) {
      for (const [name, facts] of situations) {
        const next = NextRestore.next(NextRestore.next({}, before, nowMillis - 1000), facts, nowMillis)
        assert.deepStrictEqual(inspect(RestoreCrd.status(), next, "status").problems, [], name)
        assert.deepStrictEqual(Previous.readRestore(JSON.parse(JSON.stringify(next))), next, name)
        const types = next.conditions?.map(({ type }) => type) ?? []
        assert.deepStrictEqual(
          types,
          Object.keys(restoreTypes).filter((type) => types.includes(type)),
          name
        )
        for (const { reason, type } of next.conditions ?? []) {
          assert.isTrue(
            restoreReasons[reason as keyof typeof restoreReasons]?.of.some((one) => one === type),
            reason
          )
        }
      }
    }
  })

  it("is the same again with its own answer as the previous status, and announces nothing twice", () => {
    for (const [, before] of situations) {
      const previous = NextRestore.next({}, before, nowMillis - 1000)
      for (const [name, facts] of situations) {
        const once = NextRestore.next(previous, facts, nowMillis)
        const twice = NextRestore.next(once, facts, nowMillis + 60_000)
        assert.deepStrictEqual(twice, once, name)
        assert.deepStrictEqual(RestoreAnnouncements.announcements(once, facts, twice), [], name)
        // What nothing new is known of stays as it is.
        const rest = aRestore({ startedWritingMillis: facts.startedWritingMillis })
        if (NextRestore.hasEnded(once)) assert.deepStrictEqual(NextRestore.next(once, rest, nowMillis + 1), once, name)
      }
    }
  })

  it("remembers for ever when the restore began to write", () => {
    for (const [name, facts] of situations) {
      const started = NextRestore.next({}, aRestore({ startedWritingMillis: writing }), nowMillis)
      assert.strictEqual(NextRestore.next(started, facts, nowMillis).startedWriting, "2026-11-25T11:59:10Z", name)
    }
  })

  it("says Completed only of a success, and that nothing is started again only where records were compared", () => {
    for (const [name, facts] of situations) {
      const status = NextRestore.next({}, facts, nowMillis)
      assert.strictEqual(status.phase === "Completed", facts.ended?.outcome === "success", name)
      const isReal = facts.ended?.outcome === "success" && !facts.ended.isDryRun
      assert.strictEqual(isCompleted(status), isReal, name)
      const verified = status.conditions?.find(({ type }) => type === "Verified")
      assert.strictEqual(verified?.status === "True", isReal, name)
    }
  })

  it("stays complete when another version of the operator finds a mistake in its spec", () => {
    const done = NextRestore.next({}, aRestore({ ended: ended(), startedWritingMillis: writing }), nowMillis)
    const facts = aRestore({ problems: [{ field: "spec.x", message: "no" }], startedWritingMillis: writing })
    assert.deepStrictEqual(NextRestore.next(done, facts, nowMillis + 1000), done)
  })

  it("names the topics that get new offsets, and why", () => {
    const topics = [
      { name: "orders", records: 90, renumbered: "spec.offsets is New" },
      { name: "bills", records: 10 }
    ]
    const summary = { plan: { ...plan, exact: 1, renumbered: 3, topics } }
    const { conditions, restoredTopics } = NextRestore.next({}, aRestore({ ended: ended({ summary }) }), nowMillis)
    assert.deepInclude(
      conditions?.find(({ type }) => type === "OffsetsExact"),
      {
        status: "False",
        reason: "RenumberedTopics",
        message: "New offsets: orders (spec.offsets is New), 2 more."
      }
    )
    assert.deepStrictEqual(restoredTopics, [
      { name: "bills", records: 10 },
      { name: "orders", records: 90 }
    ])
  })

  it("keeps 200 topics at most, the first by name", () => {
    const topics = Array.from({ length: 250 }, (_, n) => ({ name: `t${String(999 - n)}`, records: n }))
    const summary = { plan: { ...plan, exact: 250, topics } }
    const { restoredTopics = [] } = NextRestore.next({}, aRestore({ ended: ended({ summary }) }), nowMillis)
    assert.lengthOf(restoredTopics, 200)
    assert.strictEqual(restoredTopics[0]?.name, "t750")
  })

  it("names the groups whose offsets were set and those that were left, and the snapshot with the former ones", () => {
    const groups = {
      reset: 2,
      skipped: 3,
      groupsReset: ["billing", "mailer"],
      groupsSkipped: [{ group: "busy", reason: "it has active members (state Stable)" }]
    }
    const summary = { plan, rollbackSnapshotId: "before-1", groups }
    const status = NextRestore.next({}, aRestore({ ended: ended({ summary }) }), nowMillis)
    assert.strictEqual(status.phase, "Completed")
    assert.strictEqual(status.rollbackSnapshotId, "before-1")
    assert.deepStrictEqual(status.offsetResetStatus, {
      phase: "Completed",
      groupsReset: ["billing", "mailer"],
      groupsResetTotal: 2,
      groupsSkipped: [{ group: "busy", reason: "it has active members (state Stable)" }],
      groupsSkippedTotal: 3,
      message: "2 consumer groups more: the log of the Job's pod names all."
    })
    const condition = (of: RestoreStatus) => of.conditions?.find(({ type }) => type === "GroupsReset")
    assert.deepInclude(condition(status), {
      status: "False",
      reason: "GroupsSkipped",
      message: "3 consumer groups of 5 were left as they are: busy: it has active members (state Stable); 2 more."
    })
    const all = { plan, groups: { ...groups, skipped: 0, groupsSkipped: [] } }
    const complete = NextRestore.next({}, aRestore({ ended: ended({ summary: all }) }), nowMillis)
    assert.deepInclude(condition(complete), {
      status: "True",
      reason: "AllReset",
      message: "The offsets of 2 consumer groups were set and read back."
    })
    assert.isUndefined(condition(NextRestore.next({}, aRestore({ ended: ended() }), nowMillis)))
  })

  it("keeps the name of the snapshot with the former offsets, also of a restore that failed and goes on", () => {
    const summary = { plan, rollbackSnapshotId: "before-1" }
    const failed = NextRestore.next({}, aRestore({ ended: failure("Differs", "no", { summary }) }), nowMillis)
    assert.strictEqual(failed.rollbackSnapshotId, "before-1")
    const active = { ...job, jobName: "back-restore-2", hasStarted: true }
    const again = NextRestore.next(failed, aRestore({ active }), nowMillis)
    assert.strictEqual(again.rollbackSnapshotId, "before-1")
  })

  it("gives an objection that this version does not know the reason Refused", () => {
    const facts = aRestore({ ended: failure("PreflightFailed", "no", { summary: { objections: ["FromTheFuture"] } }) })
    const { conditions } = NextRestore.next({}, facts, nowMillis)
    assert.strictEqual(conditions?.find(({ type }) => type === "Preflight")?.reason, "Refused")
  })
})

describe("a restore that failed after it began to write", () => {
  const status = (deletesCreated: boolean, summary: RestoreSummary = {}) =>
    NextRestore.next(
      {},
      aRestore({
        ended: failure("KafkaUnavailable", "no answer", { summary }),
        startedWritingMillis: writing,
        deletesCreated
      }),
      nowMillis
    )
  const message = (deletesCreated: boolean, summary: RestoreSummary = {}) =>
    status(deletesCreated, summary).conditions?.find(({ type }) => type === "Ready")?.message ?? ""

  it("keeps what was written, and does not say so where onFailure is DeleteCreated", () => {
    assert.match(message(false), /Everything that was written is kept\./)
    assert.match(message(true), /did not report that it deleted topics/)
    const removed = { deleted: 3, kept: 1, deletedTopics: ["orders", "payments"], keptTopics: ["refunds"] }
    assert.match(
      message(true, { removed }),
      /Deleted, as spec\.onFailure says: orders, payments, 1 more\. Kept, because others may have written to them or they could not be deleted: refunds\./
    )
    assert.deepStrictEqual(status(true, { removed }).deletedTopics, ["orders", "payments"])
    const none = { deleted: 0, kept: 0, deletedTopics: [], keptTopics: [] }
    assert.match(message(true, { removed: none }), /No topic was deleted\. To continue/)
  })
})

describe("the deletion of a restore", () => {
  it("is announced where a Job is at work, and says whether topics were written", () => {
    const running = NextRestore.next({}, situations[6]![1], nowMillis)
    assert.match(RestoreAnnouncements.cancelled(running)?.note ?? "", /Topics stay as they are/)
    const checking = NextRestore.next({}, situations[5]![1], nowMillis)
    assert.match(RestoreAnnouncements.cancelled(checking)?.note ?? "", /nothing was written/)
    assert.isUndefined(RestoreAnnouncements.cancelled(NextRestore.next({}, situations[7]![1], nowMillis)))
    assert.isUndefined(RestoreAnnouncements.cancelled({}))
    const complete = ended({ summary: { startedWriting: "2026-11-25T11:59:10Z", plan, held: true } })
    const held = NextRestore.next({}, aRestore({ ended: complete }), nowMillis)
    assert.deepInclude(RestoreAnnouncements.cancelled(held), { type: "Warning", reason: "RetentionHoldLeft" })
    assert.match(RestoreAnnouncements.cancelled(held)?.note ?? "", /stay -1.*--end-hold.*kafka-configs/)
    const over = NextRestore.next(held, aRestore({ holdEnd: { isSuccess: true, message: "" } }), nowMillis)
    assert.isUndefined(RestoreAnnouncements.cancelled(over))
  })
})
