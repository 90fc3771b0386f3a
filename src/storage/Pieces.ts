import { createHash } from "node:crypto"

export type Pieces = ReadonlyArray<Uint8Array>

/** Total size in bytes. */
export const byteLength = (pieces: Pieces): number => pieces.reduce((total, piece) => total + piece.byteLength, 0)

/** SHA-256 of the concatenation, lower-case hex. */
export const sha256 = (pieces: Pieces): string => {
  const hash = createHash("sha256")
  for (const piece of pieces) hash.update(piece)
  return hash.digest("hex")
}

/** The same bytes in views of at most `sizeBytes`, none empty; nothing is copied. */
export function* slices(pieces: Pieces, sizeBytes: number): Generator<Uint8Array, void> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.byteLength; at += sizeBytes) yield piece.subarray(at, at + sizeBytes)
  }
}

/** One copy of everything: for small objects and for stores that keep their own memory. */
export const joined = (pieces: Pieces, size = byteLength(pieces)): Uint8Array => {
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.byteLength
  }
  return whole
}
