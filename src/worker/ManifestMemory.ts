import type { ContentSettings } from "../manifest/RunPlan.ts"
import { processBytes, smallestLimit } from "./Memory.ts"

/*
 * What the manifest of the backup that a run builds on takes of its memory. It is held while the run reads from Kafka,
 * and takes more before and after that: when it is opened, when its objects are looked for, when the next one is
 * written, and when retention compares others with it.
 */

const mebibyte = 1024 * 1024

/** So many segments are within what is counted for the process. */
const freeSegments = 10_000
/** For each further segment, while a run reads. Measured: 500 bytes of heap; V8's garbage is twice that at most. */
const heldPerSegment = 1024
/**
 * For each further segment, while a run does not read. Measured: 2,640 in a whole run, of which opening takes 1,350
 * (docs/performance.md); the rest is for stores that keep more in memory than a directory.
 */
const peakPerSegment = 3584
/** What a record of re-reading takes for each byte of its document: it is read, arranged anew, and written. */
const perLedgerByte = 4
/** Where V8 leaves buffers alone for longer; see `Bounds.isCalm`. */
const calmBytes = 32 * mebibyte
/** Of a manifest, for a segment; more with long names. Measured: 381. */
const bytesPerSegment = 480

/** What a manifest of so many segments takes of the memory for reading, in bytes. */
export const heldBytes = (segments: number): number => Math.max(0, segments - freeSegments) * heldPerSegment

/**
 * How many segments a manifest may name, so that a process with this memory limit survives it: `ledgerBytes` is the
 * length of the record of what was read again, which is in memory after the commit. Pure.
 */
export const mostSegments = (settings: ContentSettings, limitBytes: number, ledgerBytes = 0): number => {
  const smallest = smallestLimit(settings)
  const whileReading = (limitBytes - smallest) / heldPerSegment
  const otherwise = (limitBytes - processBytes - calmBytes - perLedgerByte * ledgerBytes) / peakPerSegment
  return freeSegments + Math.floor(Math.max(0, Math.min(whileReading, otherwise)))
}

/** The longest manifest that is opened with this memory limit, in bytes. Pure. */
export const longestManifest = (settings: ContentSettings, limitBytes: number): number =>
  mostSegments(settings, limitBytes) * bytesPerSegment
