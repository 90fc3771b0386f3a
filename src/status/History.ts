import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import type * as SkippedSlots from "../schedule/SkippedSlots.ts"
import type { EndedRun, Facts } from "./Facts.ts"
import * as Format from "./Format.ts"
import {
  covers,
  endOf,
  isSameRun,
  lastEndedFirst,
  newestFirst,
  ofGap,
  ofRun,
  ofSet,
  shortened
} from "./HistoryEntries.ts"
import type { HistoryEntry, Status } from "./Status.ts"

/** Runs and gaps, newest first. */
export type History = ReadonlyArray<HistoryEntry>

/**
 * How many entries are kept: `kubectl describe` lists the history before the conditions, so a long one hides them.
 * Storage has the whole of it.
 */
export const limit = 10

/** Most entries that are read, in case a person has written more. */
const maxEntries = 1000

/** The newest success. */
export const lastSuccess = (history: History): HistoryEntry | undefined =>
  history.find(({ outcome }) => outcome === "success")

/** The newest run, however it ended. */
export const lastRun = (history: History): HistoryEntry | undefined =>
  history.find(({ outcome }) => outcome !== "skipped")

/** Entries in order, each run once. */
const inOrder = (entries: History): History => {
  const few = entries.length > maxEntries ? entries.toSorted(newestFirst).slice(0, maxEntries) : entries
  return few.reduce<History>(added, []).toSorted(newestFirst)
}

/**
 * The newest entries in order, each run once, each within its bounds. The last success and the last run are always
 * among them: conditions and phase speak of these. Doing it twice changes nothing.
 */
export const bounded = (entries: History): History => {
  const found = inOrder(entries)
  const newest = lastSuccess(found)
  const pinned = new Set([newest, lastRun(found)].filter((entry) => entry !== undefined))
  // By their ends: a gap that grows stays as new as its last slot.
  const others = found.filter((entry) => !pinned.has(entry)).toSorted(lastEndedFirst)
  const kept = new Set(others.slice(0, limit - pinned.size))
  return found
    .filter((entry) => pinned.has(entry) || kept.has(entry))
    .map((entry) => shortened(entry, entry === newest))
}

const successes = (history: History): History => history.filter(({ outcome }) => outcome === "success")

/** How many backups storage holds, as far as a status knows. */
export const stored = ({ backupHistory = [], historyTruncated = 0 }: Counted): number =>
  successes(backupHistory).length + historyTruncated

type Counted = Pick<Status, "backupHistory" | "historyTruncated">

/**
 * How many backups storage holds beside those in `history`, the next one of `previous`. The list of storage says
 * it; without one, what no longer fits is counted.
 */
export const truncated = (
  { backupHistory = [], historyTruncated = 0 }: Counted,
  { catalogue, ended }: Pick<Facts, "catalogue" | "ended">,
  history: History
): number => {
  const shown = successes(history)
  if (catalogue !== undefined) {
    const ids = new Set(catalogue.sets.map(({ backupId }) => backupId))
    const newest = catalogue.sets.reduce((a, { completedMillis }) => Math.max(a, completedMillis), -Infinity)
    const isSince = (entry: HistoryEntry) => !ids.has(entry.backupId ?? "") && Format.millis(endOf(entry)) > newest
    return Math.max(0, catalogue.total + shown.filter(isSince).length - shown.length)
  }
  const known = successes(taken(inOrder(backupHistory), ended))
  return historyTruncated + known.length - shown.length
}

/**
 * Takes in runs that ended. Reporting one again changes nothing, also when its backup was removed from storage since.
 */
export const withEnded = (history: History, ended: ReadonlyArray<EndedRun>): History => bounded(taken(history, ended))

const taken = (history: History, ended: ReadonlyArray<EndedRun>): History =>
  inOrder([...history, ...reported(history, ended)])

/** What runs that ended add. */
const reported = (history: History, ended: ReadonlyArray<EndedRun>): History => {
  const newest = lastSuccess(history)
  // One run at a time: an unknown success that is older than a known one was known once, and is gone.
  const isGone = (entry: HistoryEntry) =>
    entry.outcome === "success" &&
    newest !== undefined &&
    endOf(entry) < endOf(newest) &&
    !history.some((known) => isSameRun(known, entry))
  const isKnown = ({ backupId, wasComplete }: EndedRun) =>
    wasComplete === true && history.some((known) => known.outcome === "success" && known.backupId === backupId)
  const entries = ended.flatMap((run) => (isKnown(run) ? [] : [ofRun(run)])).filter((entry) => !isGone(entry))
  // A backup that was found in storage is matched with its own run before a failed run can be taken for it.
  return entries.toSorted((a, b) => Number(b.outcome === "success") - Number(a.outcome === "success"))
}

/**
 * Takes in slots that get no run. A gap that continues one of the same kind, with no run in between, extends it;
 * `activeStartMillis` is when the run started that is in no history yet.
 */
export const withSkipped = (
  history: History,
  skipped: ReadonlyArray<SkippedSlots.SkippedSlots>,
  activeStartMillis?: number
): History => bounded(spaced(history, skipped, activeStartMillis))

const spaced = (
  history: History,
  skipped: ReadonlyArray<SkippedSlots.SkippedSlots>,
  activeStartMillis: number | undefined
): History => inOrder(skipped.reduce<History>((known, gap) => gapAdded(known, gap, activeStartMillis), history))

/** Gaps are reported in the order of time: one that ended no later than a known one was known, and may be dropped. */
const isNewGap = (history: History, { lastMillis }: SkippedSlots.SkippedSlots): boolean =>
  !history.some((entry) => entry.outcome === "skipped" && endOf(entry) >= Format.time(lastMillis))

/** All that is known now: what storage holds, runs that ended, and slots without a run. */
export const next = (previous: History, facts: Pick<Facts, "active" | "catalogue" | "ended" | "skipped">): History => {
  // Storage first: which runs are new depends on the successes that really exist.
  const held = listed(inOrder(previous), facts.catalogue, facts.ended)
  const skipped = facts.skipped.filter((gap) => isNewGap(previous, gap))
  const known = spaced(taken(held, facts.ended), skipped, facts.active?.startMillis)
  return bounded(listed(known, facts.catalogue, facts.ended))
}

/**
 * Makes the successes those that storage holds. Where only the newest sets are listed, older entries are left alone. A
 * success of `justEnded` that is newer than the list stays: the list may have been made before it.
 */
export const withCatalogue = (
  history: History,
  catalogue: CatalogueSummary | undefined,
  justEnded: ReadonlyArray<EndedRun> = []
): History => bounded(listed(history, catalogue, justEnded))

const listed = (
  history: History,
  catalogue: CatalogueSummary | undefined,
  justEnded: ReadonlyArray<EndedRun>
): History => {
  if (catalogue === undefined) return history
  const sets = new Map(catalogue.sets.map((set) => [set.backupId, set]))
  const completions = catalogue.sets.map(({ completedMillis }) => Format.time(completedMillis))
  const isComplete = catalogue.total <= catalogue.sets.length
  const oldest = completions.reduce<string | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined)
  const newest = completions.reduce((a, b) => (a === undefined || b > a ? b : a), "")
  const isHeld = (entry: HistoryEntry): boolean =>
    sets.has(entry.backupId ?? "") ||
    (!isComplete && (oldest === undefined || endOf(entry) <= oldest)) ||
    (endOf(entry) > newest && justEnded.some((run) => run.outcome === "success" && run.backupId === entry.backupId))
  const held = history.filter((entry) => entry.outcome !== "success" || isHeld(entry))
  const known = new Set(held.flatMap(({ backupId, outcome }) => (outcome === "success" ? [backupId] : [])))
  const found = catalogue.sets.filter(({ backupId }) => !known.has(backupId))
  const foundIds = new Set(found.map(({ backupId }) => backupId))
  return inOrder([
    // A run that was reported as failed and has a proven set all the same was cut off after its last write.
    ...held.filter(({ backupId, outcome }) => outcome === "success" || !foundIds.has(backupId ?? "")),
    ...found.map((set) => ofSet(set, held))
  ])
}

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

/**
 * The entry that is added last counts, but a proven set stays proven, and of two successes with one backup the one
 * counts that ended last: the order in which Jobs are reported says nothing. Why a pod did not start is known only
 * while the pod is there, and its Job is reported until that is gone, too: the first explanation stays.
 */
const added = (entries: History, entry: HistoryEntry): History => {
  const at = entries.findIndex((known) => isSameRun(known, entry))
  if (at === -1) return [...entries, entry]
  const known = entries[at]!
  const isWorse = known.outcome === "success" && (entry.outcome !== "success" || endOf(entry) < endOf(known))
  const isExplained = known.reason === "PodNotStarted" && entry.reason === "PodNotStarted"
  return isWorse || isExplained ? entries : entries.with(at, entry)
}
