import type { BackupSet } from "../manifest/Catalogue.ts"
import * as Cut from "./Cut.ts"
import type { Objection } from "./Objection.ts"
import type { CutFacts, PlannedPartition, PlannedSegment } from "./PlannedPartition.ts"

/**
 * The partition without what is outside of the cut. Its log ends behind the last record that is kept. It begins where
 * it did, or with `cut.first` at the first record that is kept. Where none is kept, it is empty at its start.
 */
export const of = (set: BackupSet, whole: PlannedPartition, cut: Cut.Cut, counted: Cut.Counted): PlannedPartition => {
  const tallies = whole.segments.map((segment) => Cut.kept(set, segment, cut, counted))
  const found = tallies.filter(({ records }) => records > 0)
  const records = found.reduce((sum, tally) => sum + tally.records, 0)
  const segments = whole.segments.flatMap((segment, i): ReadonlyArray<PlannedSegment> => {
    const kept = tallies[i]!
    // A segment that was counted is filtered again, whatever the manifest says of its records.
    return kept.records === 0 ? [] : counted.has(segment.key) ? [{ ...segment, kept }] : [segment]
  })
  const earliest = whole.segments.reduce((least, { start_timestamp }) => Math.min(least, start_timestamp), Infinity)
  const facts: CutFacts = {
    leftOut: whole.records - records,
    ...(found.length === 0
      ? {}
      : {
          restored: {
            first: found.reduce((least, { minTimestamp }) => Math.min(least, minTimestamp), Infinity),
            last: found.reduce((most, { maxTimestamp }) => Math.max(most, maxTimestamp), -Infinity)
          }
        }),
    ...(whole.segments.length === 0 ? {} : { earliest })
  }
  const start = cut.first === undefined ? whole.start : (found[0]?.firstOffset ?? whole.start)
  const end = (found.at(-1)?.lastOffset ?? start - 1) + 1
  return { ...whole, start, end, records, segments, cut: facts }
}

/**
 * The partition without the records below the start of its log: with as many of its first segment as were counted, or
 * else as there are at most. See LogStart.ts.
 */
export const fromLogStart = (set: BackupSet, whole: PlannedPartition, counted: Cut.Counted): PlannedPartition => {
  const [first, ...others] = whole.segments
  if (first?.from === undefined) return whole
  const kept = Cut.kept(set, first, undefined, counted)
  const records = whole.records - first.record_count + kept.records
  return { ...whole, records, segments: kept.records === 0 ? others : [{ ...first, kept }, ...others] }
}

/** What a cut does to several partitions together. */
export const merged = (facts: ReadonlyArray<CutFacts>): CutFacts => {
  const restored = facts.flatMap((one) => one.restored ?? [])
  const earliest = facts.flatMap((one) => one.earliest ?? [])
  return {
    leftOut: facts.reduce((sum, one) => sum + one.leftOut, 0),
    ...(restored.length === 0
      ? {}
      : {
          restored: {
            first: restored.reduce((least, { first }) => Math.min(least, first), Infinity),
            last: restored.reduce((most, { last }) => Math.max(most, last), -Infinity)
          }
        }),
    ...(earliest.length === 0 ? {} : { earliest: Math.min(...earliest) })
  }
}

/**
 * Why the time is refused: the backup was taken before it, or nothing at all is left. A backup that does not reach the
 * time would silently give an earlier state.
 */
export const notCovered = (
  set: BackupSet,
  cut: Cut.Cut,
  partitions: ReadonlyArray<PlannedPartition>
): ReadonlyArray<Objection> => {
  const until = Cut.coveredUntil(set)
  if (cut.last > until) {
    return [
      {
        reason: "TargetNotCovered",
        message: `pitr asks for records ${Cut.described(cut)}, and backup ${set.backupId} holds records until ${Cut.time(until)} only`,
        advice: `restore a backup that was started at ${Cut.time(cut.last)} or later, or choose an earlier time`
      }
    ]
  }
  const total = partitions.reduce((sum, { cut: facts, records }) => sum + records + (facts?.leftOut ?? 0), 0)
  if (total === 0 || partitions.some(({ records }) => records > 0)) return []
  const earliest = partitions.reduce((least, { cut: facts }) => Math.min(least, facts?.earliest ?? Infinity), Infinity)
  return [
    {
      reason: "TargetNotCovered",
      message: `pitr asks for records ${Cut.described(cut)}, and the selected topics of backup ${set.backupId} have none; their first record is of ${Cut.time(earliest)}`,
      advice: "choose another time in pitr"
    }
  ]
}
