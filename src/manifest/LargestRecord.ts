/*
 * How long the largest record of a partition is: a restore asks beforehand whether the brokers take it, and whether it
 * fits into memory. Lengths in bytes, of the record in the record stream: headers that the backup added are included.
 */

/** What may say it. */
interface Measured {
  readonly largestRecordBytes?: number
}

/** The largest of all of them; absent where there is none, and where one of them does not say it. Pure. */
export const of = (all: ReadonlyArray<Measured>): Measured => {
  let largest = 0
  for (const { largestRecordBytes } of all) {
    if (largestRecordBytes === undefined) return {}
    largest = Math.max(largest, largestRecordBytes)
  }
  return all.length === 0 ? {} : { largestRecordBytes: largest }
}
