import { createHash } from "node:crypto"
import { crc32c } from "@node-rs/crc32"
import type { Pieces } from "../Pieces.ts"

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

/** CRC-32C of all pieces: what the server compares content with. */
export const crc32cOf = (pieces: Pieces): string => {
  const crc = rolling()
  for (const piece of pieces) crc.update(piece)
  return crc.encoded()
}

/** MD5 of all pieces, as the server computes it by itself. */
export const md5Of = (pieces: Pieces): string => {
  const md5 = createHash("md5")
  for (const piece of pieces) md5.update(piece)
  return md5.digest("base64")
}
