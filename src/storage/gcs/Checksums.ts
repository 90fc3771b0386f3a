import { createHash } from "node:crypto"
import { crc32c } from "@node-rs/crc32"
import type { Pieces } from "../Pieces.ts"

/** Checksums as Google Cloud Storage writes them: base64, the CRC-32C in big-endian order. */
export interface Checksums {
  readonly crc32c: string
  readonly md5Hash: string
}

/** A CRC-32C as Google Cloud Storage writes it. */
export const encoded = (crc: number): string => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc >>> 0)
  return bytes.toString("base64")
}

/** A CRC-32C that grows with what it is given. */
export const rolling = () => {
  let crc = 0
  return {
    update: (piece: Uint8Array): void => {
      crc = crc32c(piece, crc)
    },
    encoded: (): string => encoded(crc)
  }
}

/** Both checksums of all pieces. */
export const of = (pieces: Pieces): Checksums => {
  const md5 = createHash("md5")
  const crc = rolling()
  for (const piece of pieces) {
    md5.update(piece)
    crc.update(piece)
  }
  return { crc32c: crc.encoded(), md5Hash: md5.digest("base64") }
}
