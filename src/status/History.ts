import type { CatalogueSummary, SetSummary } from "../outcome/RunSummary.ts"
import { given } from "../resource/Json.ts"
import * as SkippedSlots from "../schedule/SkippedSlots.ts"
import type { EndedRun, Facts } from "./Facts.ts"
import type { HistoryEntry } from "./Status.ts"
import * as Format from "./Format.ts"

/** Runs and gaps, newest first. */
export type History = ReadonlyArray<HistoryEntry>

/** How many entries of each kind are kept: the newest. */
export const limits = { successes: 100, failures: 10, gaps: 10 } as const

/** Most bytes of the whole list as JSON; an object in Kubernetes must stay far below 1.5 MB. */
export const maxBytes = 64 * 1024

/** Most bytes of one entry's message. */
export const maxMessageBytes = 1024

const maxReasonBytes = 128

/** Most entries that are read, in case a person has written more. */
const maxEntries = 1000

/** The newest success. */
export const lastSuccess = (history: History): HistoryEntry | undefined =>
  history.find(({ outcome }) => outcome === "success")

/** The newest run, however it ended. */
export const lastRun = (history: History): HistoryEntry | undefined =>
  history.find(({ outcome }) => outcome !== "skipped")

/** Entries in order, each run once, within all bounds. Doing it twice changes nothing. */
export const bounded = (entries: History): History => {
  const few = entries.length > maxEntries ? entries.toSorted(newestFirst).slice(0, maxEntries) : entries
  const found: History = few.reduce<History>(added, []).toSorted(newestFirst)
  const newest = lastSuccess(found)
  const kept = [
    ...found.filter(({ outcome }) => outcome === "success").slice(0, limits.successes),
    ...found.filter(({ outcome }) => outcome === "failed" || outcome === "interrupted").slice(0, limits.failures),
    ...found.filter(({ outcome }) => outcome === "skipped").slice(0, limits.gaps)
  ]
    .toSorted(newestFirst)
    .map((entry) => shortened(entry, entry === newest))
  return withinBytes(kept)
}

/**
 * Takes in runs that ended. Reporting one again changes nothing, also when its backup was removed from storage since.
 */
export const withEnded = (history: History, ended: ReadonlyArray<EndedRun>): History => {
  const newest = lastSuccess(history)
  // One run at a time: an unknown success that is older than a known one was known once, and is gone.
  const isGone = (entry: HistoryEntry) =>
    entry.outcome === "success" &&
    newest !== undefined &&
    endOf(entry) < endOf(newest) &&
    !history.some((known) => isSameRun(known, entry))
  const isKnown = ({ backupId, wasComplete }: EndedRun) =>
    wasComplete === true && history.some((known) => known.outcome === "success" && known.backupId === backupId)
  const reported = ended.flatMap((run) => (isKnown(run) ? [] : [ofRun(run)])).filter((entry) => !isGone(entry))
  // A backup that was found in storage is matched with its own run before a failed run can be taken for it.
  const successesFirst = reported.toSorted((a, b) => Number(b.outcome === "success") - Number(a.outcome === "success"))
  return bounded([...history, ...successesFirst])
}

/**
 * Takes in slots that get no run. A gap that continues one of the same kind, with no run in between, extends it;
 * `activeStartMillis` is when the run started that is in no history yet.
 */
export const withSkipped = (
  history: History,
  skipped: ReadonlyArray<SkippedSlots.SkippedSlots>,
  activeStartMillis?: number
): History => bounded(skipped.reduce<History>((known, gap) => gapAdded(known, gap, activeStartMillis), history))

/** All that is known now: what storage holds, runs that ended, and slots without a run. */
export const next = (previous: History, facts: Pick<Facts, "active" | "catalogue" | "ended" | "skipped">): History => {
  // Storage first: which runs are new depends on the successes that really exist.
  const held = withCatalogue(bounded(previous), facts.catalogue, facts.ended)
  const reported = withSkipped(withEnded(held, facts.ended), facts.skipped, facts.active?.startMillis)
  return withCatalogue(reported, facts.catalogue, facts.ended)
}

/**
 * Makes the successes those that storage holds. Where only the newest sets are listed, older entries are left alone. A
 * success of `justEnded` that is newer than the list stays: the list may have been made before it.
 */
export const withCatalogue = (
  history: History,
  catalogue: CatalogueSummary | undefined,
  justEnded: ReadonlyArray<EndedRun> = []
): History => {
  if (catalogue === undefined) return history
  const listed = new Map(catalogue.sets.map((set) => [set.backupId, set]))
  const completions = catalogue.sets.map(({ completedMillis }) => Format.time(completedMillis))
  const isComplete = catalogue.total <= catalogue.sets.length
  const oldest = completions.reduce<string | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined)
  const newest = completions.reduce((a, b) => (a === undefined || b > a ? b : a), "")
  const isHeld = (entry: HistoryEntry): boolean =>
    listed.has(entry.backupId ?? "") ||
    (!isComplete && (oldest === undefined || endOf(entry) <= oldest)) ||
    (endOf(entry) > newest && justEnded.some((run) => run.outcome === "success" && run.backupId === entry.backupId))
  const held = history.filter((entry) => entry.outcome !== "success" || isHeld(entry))
  const known = new Set(held.flatMap(({ backupId, outcome }) => (outcome === "success" ? [backupId] : [])))
  const found = catalogue.sets.filter(({ backupId }) => !known.has(backupId))
  const foundIds = new Set(found.map(({ backupId }) => backupId))
  return bounded([
    // A run that was reported as failed and has a proven set all the same was cut off after its last write.
    ...held.filter(({ backupId, outcome }) => outcome === "success" || !foundIds.has(backupId ?? "")),
    ...found.map((set) => ofSet(set, held))
  ])
}

const ofRun = (run: EndedRun): HistoryEntry => {
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
    addedBytes: run.addedBytes,
    addedRecords: run.addedRecords,
    reason: isSuccess ? undefined : run.reason,
    message: message === "" ? undefined : message
  })
}

const ofSet = (set: SetSummary, history: History): HistoryEntry => {
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

const ofGap = (gap: SkippedSlots.SkippedSlots): HistoryEntry => ({
  startTime: Format.time(gap.firstMillis),
  completionTime: Format.time(gap.lastMillis),
  outcome: "skipped",
  cause: "schedule",
  slots: gap.count,
  reason: gap.reason,
  message: SkippedSlots.sentence(gap)
})

const gapAdded = (history: History, gap: SkippedSlots.SkippedSlots, activeStartMillis: number | undefined): History => {
  const entry = ofGap(gap)
  if (history.some((known) => covers(known, gap))) return history
  const [before] = history.filter(({ startTime }) => startTime < entry.startTime).toSorted(newestFirst)
  if (before?.outcome !== "skipped" || before.reason !== gap.reason) return [...history, entry]
  if (activeStartMillis !== undefined && Format.time(activeStartMillis) > endOf(before)) return [...history, entry]
  const firstMillis = Format.millis(before.startTime)
  const longer = ofGap({ ...gap, firstMillis, count: (before.slots ?? 1) + gap.count })
  return [...history.filter((known) => known !== before), longer]
}

/** True when the entry covers all slots of this gap. */
export const covers = (entry: HistoryEntry, gap: SkippedSlots.SkippedSlots): boolean =>
  entry.outcome === "skipped" &&
  entry.startTime <= Format.time(gap.firstMillis) &&
  Format.time(gap.lastMillis) <= endOf(entry)

/** Two entries about one run or one gap. A run without a set may name an id that another run's set got. */
const isSameRun = (a: HistoryEntry, b: HistoryEntry): boolean => {
  if ((a.outcome === "skipped") !== (b.outcome === "skipped")) return false
  if (a.outcome === "skipped") return a.startTime === b.startTime
  if (a.outcome === "success" && b.outcome === "success") return a.backupId === b.backupId
  return a.jobName !== undefined && b.jobName !== undefined ? a.jobName === b.jobName : a.backupId === b.backupId
}

/**
 * The entry that is added last counts, but a proven set stays proven, and of two successes with one backup the one
 * counts that ended last: the order in which Jobs are reported says nothing.
 */
const added = (entries: History, entry: HistoryEntry): History => {
  const at = entries.findIndex((known) => isSameRun(known, entry))
  if (at === -1) return [...entries, entry]
  const known = entries[at]!
  const isWorse = known.outcome === "success" && (entry.outcome !== "success" || endOf(entry) < endOf(known))
  return isWorse ? entries : entries.with(at, entry)
}

const endOf = (entry: HistoryEntry): string => entry.completionTime ?? entry.startTime

const orderOf = (entry: HistoryEntry): ReadonlyArray<string> => [
  entry.startTime,
  endOf(entry),
  entry.backupId ?? "",
  entry.jobName ?? "",
  entry.outcome
]

const newestFirst = (a: HistoryEntry, b: HistoryEntry): number => {
  const left = orderOf(a)
  const right = orderOf(b)
  const at = left.findIndex((text, index) => text !== right[index])
  return at === -1 ? 0 : left[at]! < right[at]! ? 1 : -1
}

/** Only the newest success keeps its notes: a hundred would not fit. */
const shortened = ({ message, reason, ...rest }: HistoryEntry, isNewestSuccess: boolean): HistoryEntry => ({
  ...rest,
  ...(reason === undefined ? {} : { reason: Format.cut(reason, maxReasonBytes) }),
  ...(message === undefined || (rest.outcome === "success" && !isNewestSuccess)
    ? {}
    : { message: Format.cut(Format.line(message), maxMessageBytes) })
})

/** Drops the oldest entries until the rest fits. */
const withinBytes = (entries: History): History => {
  let bytes = 2
  const until = entries.findIndex((entry) => {
    bytes += Format.byteLength(JSON.stringify(entry)) + 1
    return bytes > maxBytes
  })
  return until === -1 ? entries : entries.slice(0, until)
}
