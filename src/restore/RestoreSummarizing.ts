import type { RestoredTopic, RestoreSummary } from "../outcome/RestoreSummary.ts"
import type { RunSummary } from "../outcome/RunSummary.ts"
import * as GroupSummary from "./groups/GroupSummary.ts"
import * as RemovedTopics from "./RemovedTopics.ts"
import type { ReportedTopic, RestoreReport } from "./RestoreReport.ts"

/** What the operator is told of an attempt: its report, as short as a pod's summary must be. Pure. */

/** Topics with new offsets first: what does not fit into a summary is then an ordinary topic. */
const summaryTopics = (topics: ReadonlyArray<ReportedTopic>): ReadonlyArray<RestoredTopic> =>
  topics
    .map(({ records, renumberedBecause, target }): RestoredTopic => ({
      name: target,
      records,
      ...(renumberedBecause === undefined ? {} : { renumbered: renumberedBecause })
    }))
    .toSorted(
      (a, b) =>
        Number(a.renumbered === undefined) - Number(b.renumbered === undefined) ||
        (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
    )

/** The same attempt as its pod reports it. */
export const summary = (report: RestoreReport): RunSummary => {
  const { error, startedWriting, topics } = report
  const renumbered = topics.filter(({ offsets }) => offsets === "renumbered").length
  const objections = [...new Set(error?.objections?.map(({ reason }) => reason) ?? [])]
  const restore: RestoreSummary = {
    ...(report.dryRun ? { dryRun: true } : {}),
    ...(report.resolved === undefined ? {} : { resolved: report.resolved }),
    ...(startedWriting === undefined ? {} : { startedWriting }),
    ...(objections.length === 0 ? {} : { objections }),
    ...(report.held === undefined ? {} : { held: report.held }),
    ...(report.holdWithoutEnd === undefined ? {} : { holdWithoutEnd: report.holdWithoutEnd }),
    ...(report.rollbackSnapshotId === undefined ? {} : { rollbackSnapshotId: report.rollbackSnapshotId }),
    ...(report.removed === undefined ? {} : { removed: RemovedTopics.summary(report.removed) }),
    ...(report.offsetReset === undefined ? {} : { groups: GroupSummary.of(report.offsetReset) }),
    ...(report.plan === undefined
      ? {}
      : {
          plan: {
            records: report.records ?? 0,
            partitions: topics.reduce((sum, { partitions }) => sum + partitions, 0),
            exact: topics.length - renumbered,
            renumbered,
            topics: summaryTopics(topics)
          }
        })
  }
  return {
    version: 1,
    command: "restore",
    outcome: report.outcome,
    exitCode: report.exitCode,
    startedAt: report.startedAt,
    completedAt: report.completedAt,
    ...(report.backupId === undefined ? {} : { backupId: report.backupId }),
    // Of a dry run nothing was restored.
    ...(report.outcome === "success" && !report.dryRun ? { records: report.records ?? 0 } : {}),
    ...(error === undefined ? {} : { reason: error.reason, message: error.message, advice: error.advice }),
    notes: report.notes,
    restore
  }
}
