import { DecompressionFailed } from "./DecompressionFailed.ts"
import { inflatedPieceBytes } from "./PieceInflater.ts"

/**
 * How far back a copy may reach, in bytes. The format allows 4 GiB; encoders look back 64 KiB, because they compress
 * blocks of that size one by one. Source: Snappy's format description and its reference implementation.
 */
const historyBytes = 1024 * 1024

const refuse = (kind: "damaged" | "unsupported", detail: string) =>
  new DecompressionFailed({ kind, codec: "snappy", detail })
const cut = () => refuse("damaged", "a block ends in the middle of an element")

/** Inflates one raw block, whose preamble says `inflatedBytes`, into pieces: what it inflates to is never whole. */
export function* rawSnappyPieces(block: Buffer, inflatedBytes: number): Generator<Buffer, void> {
  const end = block.length
  const history = Math.min(historyBytes, inflatedBytes)
  const capacity = history + inflatedPieceBytes
  /** History, then the output that is not handed out yet. */
  const output = Buffer.allocUnsafeSlow(capacity)
  let out = history
  let given = 0
  let at = 0
  while (block[at]! > 127) at++
  at++

  const take = (): Buffer => {
    const piece = Buffer.from(output.subarray(history, out))
    output.copyWithin(0, out - history, out)
    given += piece.length
    out = history
    return piece
  }

  while (at < end) {
    const tag = block[at++]!
    const isLiteral = (tag & 3) === 0
    let length = (tag >> 2) + 1
    let distance = 0
    if (isLiteral && length > 60) {
      const bytes = length - 60
      if (at + bytes > end) throw cut()
      length = block.readUIntLE(at, bytes) + 1
      at += bytes
    } else if ((tag & 3) === 1) {
      length = ((tag >> 2) & 7) + 4
      distance = ((tag >> 5) << 8) | block[at]!
      at += 1
    } else if (!isLiteral) {
      const bytes = (tag & 3) === 2 ? 2 : 4
      if (at + bytes > end) throw cut()
      distance = block.readUIntLE(at, bytes)
      at += bytes
    }
    if (at > end || (isLiteral && at + length > end)) throw cut()
    const produced = given + out - history
    if (produced + length > inflatedBytes) throw refuse("damaged", "a block inflates to more than its preamble says")
    if (!isLiteral) {
      if (distance === 0 || distance > produced) throw refuse("damaged", "a copy is from before the beginning")
      if (distance > history) throw refuse("unsupported", `a copy from ${distance} bytes back`)
    }
    while (length > 0) {
      const step = Math.min(length, capacity - out)
      if (isLiteral) {
        block.copy(output, out, at, at + step)
        at += step
      } else for (let i = 0; i < step; i++) output[out + i] = output[out + i - distance]!
      out += step
      length -= step
      if (out === capacity) yield take()
    }
  }
  if (given + out - history !== inflatedBytes)
    throw refuse("damaged", "a block inflates to less than its preamble says")
  if (out > history) yield take()
}
