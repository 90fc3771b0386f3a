/**
 * How Node's zlib inflates `bytes` bytes at once. Output grows in pieces of `chunkSize`: little data shrinks more than
 * sixfold, and room that stays unused costs nothing; a second piece costs a hop, a copy of everything, and memory that
 * is not free before the next garbage collection.
 */
export const zlibOptions = (bytes: number, maxBytes: number) => ({
  maxOutputLength: maxBytes,
  chunkSize: Math.min(1024 * 1024, Math.max(16 * 1024, bytes * 6))
})
