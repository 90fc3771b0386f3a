import { crc32 } from "@node-rs/crc32"
import { Effect } from "effect"
import * as Kbak from "./Kbak.ts"

/** Bytes that are checksummed without a pause for other fibers; about 2 ms. */
const hashStep = 1024 * 1024

/** The footer, with the CRC-32 of header and body. */
export const footerOf = Effect.fnUntraced(function* (header: Buffer, body: ReadonlyArray<Uint8Array>) {
  let crc = 0
  for (const piece of [header, ...body]) {
    for (let at = 0; at < piece.length; at += hashStep) {
      const step = piece.subarray(at, at + hashStep)
      crc = crc32(step, crc)
      yield* Effect.yieldNow
    }
  }
  return Kbak.footer(crc)
})
