/*
 * How long the largest record of a partition is: a restore asks beforehand whether the brokers take it, and whether it
 * fits into memory. Lengths in bytes, of the record in the record stream: headers that the backup added are included.
 */

/** What may say it. */
interface Measured {
  readonly largestRecordBytes?: number
}

/**
 * The largest of all that say it: no record is known to be longer, though one may be where an earlier version stored a
 * part. Absent where none says it. Pure.
 */
export const of = (all: ReadonlyArray<Measured>): Measured => {
  const known = all.flatMap(({ largestRecordBytes }) => largestRecordBytes ?? [])
  return known.length === 0 ? {} : { largestRecordBytes: known.reduce((most, bytes) => Math.max(most, bytes), 0) }
}
