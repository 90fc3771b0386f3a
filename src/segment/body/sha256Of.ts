import { createHash } from "node:crypto"

/** SHA-256 of a file in pieces, lower-case hex. Blocks for half a second per gigabyte. */
export const sha256Of = (pieces: ReadonlyArray<Uint8Array>): string => {
  const hash = createHash("sha256")
  for (const piece of pieces) hash.update(piece)
  return hash.digest("hex")
}
