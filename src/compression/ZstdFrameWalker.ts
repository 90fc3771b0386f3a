import { DecompressionFailed } from "./DecompressionFailed.ts"
import { isSkippable } from "./SkippableFrame.ts"

const frameMagic = 0xfd2fb528
const dictionaryIdBytes: ReadonlyArray<number> = [0, 1, 2, 4]
const rleBlock = 1
const reservedBlock = 3

type Expected = "magic" | "skippable size" | "descriptor" | "block" | "end"

const damaged = (detail: string) => new DecompressionFailed({ kind: "damaged", codec: "zstd", detail })

/**
 * Finds where zstd frames end, in bytes that come whole or in pieces, without decoding them: Node's decoders stop at
 * the end of the first of several frames, and at a skippable one, without a word. Source: RFC 8878, section 3.
 */
export class ZstdFrameWalker {
  #expected: Expected = "magic"
  /** Bytes without meaning here that come before what is expected. */
  #skip = 0
  /** Length of the little-endian integer that is expected, how much of it is there, and its value so far. */
  #wanted = 4
  #gathered = 0
  #value = 0
  #checksumBytes = 0
  /** True between frames: only here may the bytes end. */
  between = true
  /** Whether the frame that was walked last is one without content, which decoders pass over. */
  skippable = false

  /** Walks from `start` to the end of the frame (then `between` is true) or of the piece, and returns where that is. */
  walk(piece: Uint8Array, start: number): number {
    let at = start
    for (;;) {
      const step = Math.min(this.#skip, piece.length - at)
      this.#skip -= step
      at += step
      if (this.#skip > 0) return at
      if (this.#expected === "end") {
        this.between = true
        this.#expect("magic", 4, 0)
        return at
      }
      while (this.#gathered < this.#wanted) {
        if (at === piece.length) return at
        this.between = false
        this.#value += piece[at++]! * 2 ** (8 * this.#gathered++)
      }
      this.#advance(this.#value)
    }
  }

  #advance(value: number): void {
    switch (this.#expected) {
      case "magic":
        this.skippable = isSkippable(value)
        if (this.skippable) return this.#expect("skippable size", 4, 0)
        if (value !== frameMagic) throw damaged("where a frame should begin there is none")
        return this.#expect("descriptor", 1, 0)
      case "skippable size":
        return this.#expect("end", 0, value)
      case "descriptor": {
        const singleSegment = (value >> 5) & 1
        const contentSizeCode = value >> 6
        const contentSizeBytes = contentSizeCode === 0 ? singleSegment : 1 << contentSizeCode
        this.#checksumBytes = (value >> 2) & 1 ? 4 : 0
        return this.#expect("block", 3, 1 - singleSegment + dictionaryIdBytes[value & 3]! + contentSizeBytes)
      }
      case "block": {
        const type = (value >> 1) & 3
        if (type === reservedBlock) throw damaged("a block has the reserved type")
        const size = type === rleBlock ? 1 : value >> 3
        return (value & 1) === 1 ? this.#expect("end", 0, size + this.#checksumBytes) : this.#expect("block", 3, size)
      }
      case "end": // nothing is gathered here
        return
    }
  }

  #expect(expected: Expected, wanted: number, skip: number): void {
    this.#expected = expected
    this.#wanted = wanted
    this.#gathered = 0
    this.#value = 0
    this.#skip = skip
  }
}
