import { assert, describe, it } from "@effect/vitest"
import type { RunReasonName } from "../../src/outcome/RunReasons.ts"
import { announcements, maxNoteBytes } from "../../src/status/Announcements.ts"
import type { Facts } from "../../src/status/Facts.ts"
import { next } from "../../src/status/Next.ts"
import type { Status } from "../../src/status/Status.ts"
import { AnyDay, at, failed, hourly, made, overlapping, pruned, running, succeeded } from "./facts.ts"

const calm = next({}, hourly(), at("12:00"))

/** What a reconcile announces. */
const announced = (previous: Status, over: Partial<Facts>) => {
  const facts = hourly(over)
  return announcements(previous, facts, next(previous, facts, at("12:40")))
}
const after = (over: Partial<Facts>) => next(calm, hourly(over), at("12:40"))
const trouble = (message: string, reason: RunReasonName = "PodUnschedulable") => ({
  active: running("12:00", { trouble: { reason, message } })
})

describe("announcements", () => {
  it.each<readonly [string, Partial<Facts>, string]>([
    [
      "BackupStarted",
      { active: running("12:00") },
      "orders-20261124-120000 started by schedule, in Job orders-job-1200"
    ],
    [
      "BackupSucceeded",
      { ended: [succeeded("12:00", { notes: ["gap"] })] },
      "orders-20261124-120000 is complete and verified: 1,000,000 records, 1.07 GB, in 5m0s. Note: gap"
    ],
    [
      "BackupFailed",
      { ended: [failed("12:00")] },
      "orders-20261124-120000 failed: SASL authentication was refused by kafka-0:9092; check Secret kafka-credentials"
    ],
    [
      "BackupInterrupted",
      { ended: [failed("12:00", { outcome: "interrupted", message: "its node went away" })] },
      "orders-20261124-120000 was interrupted: its node went away"
    ],
    [
      "SlotsSkipped",
      { skipped: [overlapping("12:00")] },
      "slot 2026-11-24T12:00:00Z was skipped: another run was still active; if this happens often, make runs shorter or the schedule's interval longer"
    ],
    ["TriggerRefused", { refusedTrigger: "too long" }, "too long"],
    ["AnnotationUnknown", { unknownAnnotations: "annotation a means nothing" }, "annotation a means nothing"],
    [
      "InvalidSpec",
      { problems: [{ field: "spec.topics", message: "is empty" }] },
      "spec.topics: is empty. No backup has succeeded yet."
    ],
    [
      "InvalidSchedule",
      { state: { _tag: "Unusable", problems: [{ field: "spec.schedule", message: "never" }] } },
      "spec.schedule: never. No backup has succeeded yet."
    ],
    [
      "JobRefused",
      { refusal: { reason: "QuotaExceeded", message: "exceeded quota" } },
      "A run is due but was not started: exceeded quota. No backup has succeeded yet."
    ],
    ["BackupsPruned", { maintenance: [pruned()] }, "Job orders-prune removed 3 old backups."],
    [
      "PruneFailed",
      { maintenance: [pruned({ isSuccess: false, trouble: { reason: "x", message: "denied" } })] },
      "Job orders-prune could not remove old backups: denied. The operator tries again about an hour later."
    ],
    [
      "ListingFailed",
      {
        maintenance: [
          pruned({ task: "catalogue", isSuccess: false, trouble: { reason: "x", message: "no such bucket" } })
        ]
      },
      "Job orders-prune could not list storage: no such bucket"
    ],
    ["CleanupStarted", { deletion: { reason: "RemovingBackups", message: "removing" } }, "removing."],
    ["CleanupGivenUp", { deletion: { reason: "CleanupGivenUp", message: "gave up" } }, "gave up"],
    [
      "CleanupFinished",
      { maintenance: [{ task: "cleanup", jobName: "c", isSuccess: true }] },
      "Job c removed this resource's backups."
    ]
  ])("announce %s once", (reason, over, note) => {
    const first = announced(calm, over)
    assert.deepStrictEqual(
      first.map((each) => [each.reason, each.note]),
      [[reason, note]]
    )
    assert.deepStrictEqual(announced(after(over), over), [])
    assert.deepStrictEqual(announced(after(over), { ...over, generation: 1 }), [])
  })

  it("announce PodTrouble of a started run once for each kind, not for every change of the words", () => {
    const reasons = (previous: Status, over: Partial<Facts>) => announced(previous, over).map(({ reason }) => reason)
    assert.deepStrictEqual(reasons(calm, trouble("0/3 nodes")), ["BackupStarted", "PodTrouble"])
    assert.deepStrictEqual(reasons(after(trouble("0/3 nodes")), trouble("0/4 nodes")), [])
    assert.deepStrictEqual(reasons(after(trouble("0/3 nodes")), trouble("no such image", "ImagePullFailed")), [
      "PodTrouble"
    ])
  })

  it("announce mistakes again when the spec was edited and still has them", () => {
    const problems = [{ field: "spec.topics", message: "is empty" }]
    assert.lengthOf(announced(after({ problems }), { problems, generation: 2 }), 1)
  })

  it("announce each gap once, also when it extends a known one", () => {
    const known = after({ skipped: [overlapping("11:00")], active: running("10:00") })
    assert.lengthOf(
      announced(known, { skipped: [overlapping("11:00"), overlapping("12:00")], active: running("10:00") }),
      1
    )
  })

  it("announce a clean-up that is stuck, and nothing for data that is kept as asked", () => {
    const cleaning = after({ deletion: { reason: "RemovingBackups", message: "removing" } })
    const stuck = announced(cleaning, { deletion: { reason: "ImagePullFailed", message: "no such image" } })
    assert.deepStrictEqual(
      stuck.map(({ note, reason }) => [reason, note]),
      [["CleanupTrouble", "no such image."]]
    )
    assert.deepStrictEqual(
      announced(calm, { deletion: { reason: "Retained", message: "the stored backups are kept" } }),
      []
    )
  })

  it("are silent about pruning that removed nothing", () => {
    assert.deepStrictEqual(announced(calm, { maintenance: [pruned({ removed: 0 })] }), [])
  })

  it("say that a backup has become overdue, at a reconcile at which nothing else happened", () => {
    const [one, ...others] = announcements(calm, hourly(), next(calm, hourly(), at("19:00")))
    assert.deepStrictEqual([one?.reason, one?.type, others], ["BackupOverdue", "Warning", []])
  })

  it.prop(
    "fit into an Event on one line, and a repeated reconcile announces nothing",
    [AnyDay, AnyDay],
    ([yesterday, today]) => {
      const previous = next({}, made(yesterday), at("12:00"))
      const facts = made(today)
      const status = next(previous, facts, at("13:00"))
      for (const { note } of announcements(previous, facts, status)) {
        assert.isAtMost(new TextEncoder().encode(note).length, maxNoteBytes)
        assert.notMatch(note, /[\n\r]/)
      }
      const again = next(status, facts, at("13:00"))
      assert.deepStrictEqual(announcements(status, facts, again), [])
    },
    { arbitrary: { runs: 300 } }
  )

  it("are cut to what an Event holds", () => {
    const [one] = announced(calm, { ended: [failed("12:00", { message: "ü\n".repeat(5000) })] })
    assert.isAtMost(new TextEncoder().encode(one!.note).length, maxNoteBytes)
    assert.match(one!.note, /…$/)
  })
})
