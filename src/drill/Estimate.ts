import type { BackupSet } from "../manifest/Catalogue.ts"
import * as HoleMeans from "../restore/HoleMeans.ts"
import type { PlannedPartition } from "../restore/PlannedPartition.ts"

/** How long the restore of a whole backup would take, from what a drill measured. Pure. */

/** Time of a broker for one offset before a log's start, in milliseconds. */
const fillerMillis = 130e-6

/** For one inside of a log, by what the principal may do about it; without any, a restore gives new offsets. */
const holeMillis: Readonly<Record<HoleMeans.Means, number>> = {
  markers: 45e-3,
  transactions: 1000 / HoleMeans.transactionsPerSecond,
  none: 0
}

type Log = Pick<PlannedPartition, "end" | "records" | "start">

/** Offsets inside of a log that no record has. */
export const holesOf = ({ end, records, start }: Log): number => Math.max(0, end - start - records)

/** How long a broker takes to give a log its old start and its holes, in milliseconds. */
export const fillingMillis = (log: Log, means: HoleMeans.Means): number =>
  log.start * fillerMillis + holesOf(log) * holeMillis[means]

/** Of a whole backup: stored bytes, and how long brokers would fill up offsets, in milliseconds. */
export const wholeOf = (
  set: BackupSet,
  means: HoleMeans.Means
): { readonly bytes: number; readonly fillingMillis: number } => {
  let bytes = 0
  for (const { partitions } of set.manifest.topics) {
    for (const { segments } of partitions) for (const { compressed_size = 0 } of segments) bytes += compressed_size
  }
  let filling = 0
  for (const { partitions } of set.facts?.topics ?? []) {
    for (const { from, logStart = from, records, until } of partitions) {
      filling += fillingMillis({ start: logStart, end: until, records }, means)
    }
  }
  return { bytes, fillingMillis: filling }
}

/** What a drill measured: bytes as stored, the time that it took, and how much of it went into offsets, at most. */
export interface Measured {
  readonly bytes: number
  readonly millis: number
  readonly fillingMillis: number
}

/**
 * Bytes of the backup at the rate of the drill, and the time that brokers need for offsets without a record. Undefined
 * where the drill restored nothing.
 */
export const wholeRestoreMillis = (measured: Measured, whole: ReturnType<typeof wholeOf>): number | undefined => {
  if (measured.bytes === 0 || measured.millis <= 0) return undefined
  // The time for offsets is itself an estimate: it is never all of what was measured.
  const forBytes = Math.max(measured.millis - measured.fillingMillis, measured.millis / 10)
  return (whole.bytes / measured.bytes) * forBytes + whole.fillingMillis
}
