import { DecompressionFailed } from "./DecompressionFailed.ts"
import { freeMemory } from "./freeMemory.ts"
import { shortestMatch } from "./Lz4Block.ts"
import { inflatedPieceBytes, type PieceInflater } from "./PieceInflater.ts"

/** Matches reach back this far. Source: their distance is a u16 in the LZ4 block format. */
const historyBytes = 64 * 1024

/** What the next byte of the block belongs to. */
const token = 0
const moreLiterals = 1
const literals = 2
const distanceLow = 3
const distanceHigh = 4
const moreMatch = 5
const match = 6

/**
 * Most that a sequence without additional length bytes takes, and most that it makes: 14 literals and a match of 18.
 */
const shortInputBytes = 17
const shortOutputBytes = 32

const damaged = (detail: string) => new DecompressionFailed({ kind: "damaged", codec: "lz4", detail })
const beforeBeginning = () => damaged("a match is from before the beginning of the block")

/**
 * Inflates one LZ4 block that comes in pieces, into pieces: a block as long as a segment never is in memory. (lz4-napi
 * wants it whole and gives it back whole, in memory that the garbage collector does not see: gigabytes after a while.)
 */
export class Lz4Inflater {
  #state = token
  #count = 0
  #matchCode = 0
  #distance = 0
  /** History, then the output that is not handed out yet. */
  #output = Buffer.allocUnsafeSlow(historyBytes + inflatedPieceBytes)
  #filled = historyBytes
  /** Inflated bytes that were handed out. */
  #given = 0

  get inflatedBytes(): number {
    return this.#given + this.#filled - historyBytes
  }

  /** Whether the block may end here: behind literals. */
  get complete(): boolean {
    return this.#state === distanceLow
  }

  /** Ends a block that another one follows, which may refer to its bytes. */
  endBlock(): void {
    if (!this.complete) throw damaged("a block ends in the middle of a sequence")
    this.#state = token
  }

  /** Takes a block that is stored as it is, from `start` on, and returns where it stopped, as `push`. */
  pushPlain(input: Uint8Array, start: number): number {
    const step = Math.min(input.length - start, this.#output.length - this.#filled)
    this.#output.set(input.subarray(start, start + step), this.#filled)
    this.#filled += step
    return start + step
  }

  /** The output so far, alone in its memory; to be called when `push` stopped early and at the end. */
  take(): Buffer {
    const full = this.#output
    const filled = this.#filled
    this.#output = Buffer.allocUnsafeSlow(historyBytes + inflatedPieceBytes)
    full.copy(this.#output, 0, filled - historyBytes, filled)
    this.#given += filled - historyBytes
    this.#filled = historyBytes
    return full.subarray(historyBytes, filled)
  }

  /** Reads on from `start` and returns where it stopped: at the end of the input, or where the output is full. */
  push(input: Uint8Array, start: number): number {
    const output = this.#output
    const capacity = output.length
    const end = input.length
    let state = this.#state
    let count = this.#count
    let out = this.#filled
    let at = start
    for (;;) {
      if (state === token) {
        // Whole short sequences, most of any block, without a look at the state between their parts.
        while (end - at >= shortInputBytes && capacity - out >= shortOutputBytes) {
          const head = input[at]!
          let length = head >> 4
          if (length === 15 || (head & 15) === 15) break
          at++
          for (; length > 0; length--) output[out++] = input[at++]!
          const distance = input[at]! | (input[at + 1]! << 8)
          at += 2
          if (distance === 0 || distance > this.#given + out - historyBytes) throw beforeBeginning()
          for (length = (head & 15) + shortestMatch; length > 0; length--, out++) output[out] = output[out - distance]!
        }
      } else if (state === match) {
        const step = Math.min(count, capacity - out)
        const from = out - this.#distance
        if (step > 32 && this.#distance >= step) output.copyWithin(out, from, from + step)
        else for (let i = 0; i < step; i++) output[out + i] = output[from + i]!
        out += step
        count -= step
        if (count > 0) break
        state = token
      } else if (state === literals) {
        const step = Math.min(count, capacity - out, end - at)
        if (step > 32) output.set(input.subarray(at, at + step), out)
        else for (let i = 0; i < step; i++) output[out + i] = input[at + i]!
        out += step
        at += step
        count -= step
        if (count > 0) break
        state = distanceLow
      }
      if (at === end) break
      const byte = input[at++]!
      if (state === token) {
        this.#matchCode = byte & 15
        count = byte >> 4
        state = count === 15 ? moreLiterals : literals
      } else if (state === moreLiterals) {
        count += byte
        if (byte < 255) state = literals
      } else if (state === distanceLow) {
        this.#distance = byte
        state = distanceHigh
      } else if (state === distanceHigh) {
        this.#distance |= byte << 8
        if (this.#distance === 0 || this.#distance > this.#given + out - historyBytes) throw beforeBeginning()
        count = this.#matchCode + shortestMatch
        state = this.#matchCode === 15 ? moreMatch : match
      } else {
        count += byte
        if (byte < 255) state = match
      }
    }
    this.#state = state
    this.#count = count
    this.#filled = out
    return at
  }

  /** True when `push` stopped because `take` is due. */
  get full(): boolean {
    return this.#filled === this.#output.length
  }
}

/** Length of the field in front of a sized block. */
const sizeBytes = 4

/**
 * One block behind the length of what it inflates to (u32, little-endian), as lz4_flex and lz4-napi write it; in
 * pieces. Memory: a few pieces.
 */
export const sizedLz4Block: PieceInflater = async function* (pieces, mayFree = false) {
  const inflater = new Lz4Inflater()
  let size: Buffer = Buffer.alloc(0)
  for await (const piece of pieces) {
    let at = Math.min(piece.length, sizeBytes - size.length)
    if (at > 0) size = Buffer.concat([size, piece.subarray(0, at)])
    for (;;) {
      at = inflater.push(piece, at)
      if (size.length === sizeBytes && inflater.inflatedBytes > size.readUInt32LE(0))
        throw damaged(`the block inflates to more than the ${size.readUInt32LE(0)} bytes it says`)
      if (!inflater.full) break
      const output = inflater.take()
      yield output
      if (mayFree) freeMemory(output)
    }
  }
  if (!inflater.complete) throw damaged("it ends in the middle of a block")
  const rest = inflater.take()
  if (rest.length > 0) yield rest
  if (inflater.inflatedBytes !== size.readUInt32LE(0))
    throw damaged(`the block inflates to ${inflater.inflatedBytes} bytes and says ${size.readUInt32LE(0)}`)
}
