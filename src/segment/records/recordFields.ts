/** Fields of a record of the record stream that begins at `at`; docs/storage-format.md has the layout. */

/** Bytes of the record with its length field. */
export const lengthOf = (run: Buffer, at: number): number => 4 + run.readUInt32LE(at)

/** Records in the run. */
export const countOf = (run: Buffer): number => {
  let count = 0
  for (let at = 0; at < run.length; at += lengthOf(run, at)) count++
  return count
}

export const offsetOf = (run: Buffer, at: number): number =>
  run.readUInt32LE(at + 12) + run.readInt32LE(at + 16) * 0x1_0000_0000

/** Milliseconds since 1970. Beyond 2^53 the number is rounded, which changes no order against a safe integer. */
export const timestampOf = (run: Buffer, at: number): number =>
  run.readUInt32LE(at + 4) + run.readInt32LE(at + 8) * 0x1_0000_0000
