import type { SetSummary } from "../outcome/RunSummary.ts"
import { given } from "../resource/Json.ts"
import * as SkippedSlots from "../schedule/SkippedSlots.ts"
import type { EndedRun } from "./Facts.ts"
import * as Format from "./Format.ts"
import type { HistoryEntry } from "./Status.ts"

/** Most bytes of one entry's message. */
export const maxMessageBytes = 1024

const maxReasonBytes = 128

/** When it ended; an entry without an end counts from its start. */
export const endOf = (entry: HistoryEntry): string => entry.completionTime ?? entry.startTime

/** The entry of a run that ended. */
export const ofRun = (run: EndedRun): HistoryEntry => {
  const isSuccess = run.outcome === "success"
  const message = isSuccess ? run.notes.join("; ") : run.message
  return given({
    backupId: run.backupId,
    startTime: Format.time(run.startMillis),
    completionTime: Format.time(run.endMillis),
    outcome: run.outcome,
    cause: run.cause,
    jobName: run.jobName,
    size: run.size,
    records: run.records,
    topics: run.topics,
    partitions: run.partitions,
    addedBytes: run.addedBytes,
    addedRecords: run.addedRecords,
    reason: isSuccess ? undefined : run.reason,
    message: message === "" ? undefined : message
  })
}

/** The entry of a backup that storage holds; what only its run knew comes from `history`. */
export const ofSet = (set: SetSummary, history: ReadonlyArray<HistoryEntry>): HistoryEntry => {
  const known = history.find(({ backupId, outcome }) => backupId === set.backupId && outcome !== "skipped")
  return given({
    backupId: set.backupId,
    startTime: Format.time(set.startedMillis),
    completionTime: Format.time(set.completedMillis),
    outcome: "success" as const,
    cause: known?.cause,
    jobName: known?.jobName,
    size: set.size,
    records: set.records
  })
}

/** The entry of slots that got no run. */
export const ofGap = (gap: SkippedSlots.SkippedSlots): HistoryEntry => ({
  startTime: Format.time(gap.firstMillis),
  completionTime: Format.time(gap.lastMillis),
  outcome: "skipped",
  cause: "schedule",
  slots: gap.count,
  reason: gap.reason,
  message: SkippedSlots.sentence(gap)
})

/** True when the entry covers all slots of this gap. */
export const covers = (entry: HistoryEntry, gap: SkippedSlots.SkippedSlots): boolean =>
  entry.outcome === "skipped" &&
  entry.startTime <= Format.time(gap.firstMillis) &&
  Format.time(gap.lastMillis) <= endOf(entry)

/** Two entries about one run or one gap. A run without a set may name an id that another run's set got. */
export const isSameRun = (a: HistoryEntry, b: HistoryEntry): boolean => {
  if ((a.outcome === "skipped") !== (b.outcome === "skipped")) return false
  if (a.outcome === "skipped") return a.startTime === b.startTime
  if (a.outcome === "success" && b.outcome === "success") return a.backupId === b.backupId
  return a.jobName !== undefined && b.jobName !== undefined ? a.jobName === b.jobName : a.backupId === b.backupId
}

const orderOf = (entry: HistoryEntry): ReadonlyArray<string> => [
  entry.startTime,
  endOf(entry),
  entry.backupId ?? "",
  entry.jobName ?? "",
  entry.outcome
]

/** A total order: equal only where everything that tells entries apart is equal. */
export const newestFirst = (a: HistoryEntry, b: HistoryEntry): number => {
  const left = orderOf(a)
  const right = orderOf(b)
  const at = left.findIndex((text, index) => text !== right[index])
  return at === -1 ? 0 : left[at]! < right[at]! ? 1 : -1
}

/** By the end, then as `newestFirst`. */
export const lastEndedFirst = (a: HistoryEntry, b: HistoryEntry): number => {
  const [left, right] = [endOf(a), endOf(b)]
  return left === right ? newestFirst(a, b) : left < right ? 1 : -1
}

/** Only the newest success keeps its notes and counts: those of older ones are in their reports. */
export const shortened = (
  { message, partitions, reason, topics, ...rest }: HistoryEntry,
  isNewestSuccess: boolean
): HistoryEntry => ({
  ...rest,
  ...(isNewestSuccess ? given({ topics, partitions }) : {}),
  ...(reason === undefined ? {} : { reason: Format.cut(reason, maxReasonBytes) }),
  ...(message === undefined || (rest.outcome === "success" && !isNewestSuccess)
    ? {}
    : { message: Format.cut(Format.line(message), maxMessageBytes) })
})
