import { uncompress } from "lz4-napi"
import { DecompressionFailed } from "./DecompressionFailed.ts"
import { freeMemory } from "./freeMemory.ts"
import * as Lz4Block from "./Lz4Block.ts"
import { headerBytes, isPlainBit, isSimpleHeader, largestBlock, sizeBytes, wordBytes } from "./Lz4Frame.ts"
import type { PieceInflater } from "./PieceInflater.ts"

const damaged = (detail: string) => new DecompressionFailed({ kind: "damaged", codec: "lz4", detail })

/** The bytes of pieces, so many at a time. */
class Taking {
  readonly #pieces: AsyncGenerator<Buffer>
  #piece: Buffer = Buffer.alloc(0)
  constructor(pieces: AsyncGenerator<Buffer>) {
    this.#pieces = pieces
  }

  /** Undefined at the end of the pieces; throws where they end before there are so many. */
  async take(bytes: number): Promise<Buffer | undefined> {
    const parts = [this.#piece]
    let held = this.#piece.length
    while (held < bytes) {
      const next = await this.#pieces.next()
      if (next.done === true) {
        if (held === 0) return undefined
        throw damaged("it ends in the middle of a frame")
      }
      parts.push(next.value)
      held += next.value.length
    }
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts, held)
    this.#piece = all.subarray(bytes)
    return all.subarray(0, bytes)
  }
}

/**
 * Frames one behind the other, as `Lz4Frame.compress` makes them, in pieces of a block each. Such a frame has no
 * checksum but that of its header. Memory: two blocks.
 */
export const lz4FramesInPieces: PieceInflater = async function* (pieces, mayFree = false) {
  const taking = new Taking(pieces)
  const taken = async (bytes: number): Promise<Buffer> => {
    const found = await taking.take(bytes)
    if (found === undefined) throw damaged("it ends in the middle of a frame")
    return found
  }
  for (let header = await taking.take(headerBytes); header !== undefined; header = await taking.take(headerBytes)) {
    if (!isSimpleHeader(header)) throw damaged("a frame begins with another header than that of independent blocks")
    const blockBytes = largestBlock(header)
    for (;;) {
      const word = (await taken(wordBytes)).readUInt32LE(0)
      if (word === 0) break
      const stored = (word & ~isPlainBit) >>> 0
      if (stored > blockBytes) throw damaged(`a block claims ${stored} bytes`)
      const block = await taken(stored)
      if (word >>> 31 === 1) {
        yield block
        continue
      }
      const { inflatedBytes } = Lz4Block.walk(block)
      if (!(inflatedBytes <= blockBytes)) throw damaged(`a block inflates to ${inflatedBytes} bytes`)
      const sized = Buffer.allocUnsafe(sizeBytes + stored)
      sized.writeUInt32LE(inflatedBytes)
      block.copy(sized, sizeBytes)
      let output: Buffer
      try {
        output = await uncompress(sized)
      } catch (cause) {
        throw new DecompressionFailed({ kind: "damaged", codec: "lz4", detail: "a block is damaged", cause })
      }
      yield output
      if (mayFree) freeMemory(output)
    }
  }
}
