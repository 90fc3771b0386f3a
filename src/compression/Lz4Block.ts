/**
 * An LZ4 block is a list of sequences: a token (number of literals, length of the match), the literals, and a match,
 * which the last sequence has not. Lengths of 15 and more go on in further bytes. Source: the LZ4 block format
 * description.
 */

/** A match is this many bytes longer than its code says. */
export const shortestMatch = 4

/** What a walk over the sequences of a block finds. */
export interface Shape {
  /** Bytes that it inflates to; NaN where it ends inside of a length. */
  readonly inflatedBytes: number
  /** Where the last sequence begins. */
  readonly lastSequence: number
}

/**
 * Walks the block without inflating it; it may be damaged. A tight loop: a block has a sequence for every ten bytes or
 * so. What lies behind the end is read as undefined, which makes lengths NaN, so that bounds are looked at once a
 * sequence.
 */
export const walk = (block: Uint8Array): Shape => {
  const end = block.length
  let at = 0
  let inflatedBytes = 0
  for (;;) {
    const lastSequence = at
    const token = block[at++]!
    let count = token >> 4
    if (count === 15) {
      let more: number
      do {
        more = block[at++]!
        count += more
      } while (more === 255)
    }
    at += count
    inflatedBytes += count
    if (!(at < end)) return { inflatedBytes, lastSequence }
    at += 2 // distance of the match
    inflatedBytes += (token & 15) + shortestMatch
    if ((token & 15) === 15) {
      let more: number
      do {
        more = block[at++]!
        inflatedBytes += more
      } while (more === 255)
    }
  }
}

/** Fewer literals than this are copied rather than made pieces of their own: writing a piece costs more. */
const copiedBytes = 4096

/**
 * One LZ4 block that inflates to what the given blocks inflate to, one after the other: the literals
 * at the end of each block move in front of those that the next one begins with; all else stays as it is. The pieces
 * are views of the blocks, but for a few literals.
 */
export const joined = (blocks: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  let literals: Array<Uint8Array> = []
  let literalBytes = 0
  const carry = (bytes: Uint8Array) => {
    literals.push(bytes)
    literalBytes += bytes.length
  }
  /** A sequence of all literals that are carried and, if there is one, the match whose length code is `matchCode`. */
  const flush = (matchCode: number) => {
    const sequence = [tokenOf(literalBytes, matchCode), ...literals]
    if (literalBytes < copiedBytes) pieces.push(Buffer.concat(sequence))
    else pieces.push(...sequence)
    literals = []
    literalBytes = 0
  }
  for (const block of blocks) {
    const first = sequenceAt(block, 0)
    carry(block.subarray(first.literals, first.match))
    if (first.match === block.length) continue
    flush(block[0]! & 15)
    const last = walk(block).lastSequence
    pieces.push(block.subarray(first.match, last))
    carry(block.subarray(sequenceAt(block, last).literals))
  }
  flush(0)
  return pieces
}

/** Where the literals and the match of the sequence at `start` begin; a match that begins at the end is none. */
const sequenceAt = (block: Uint8Array, start: number) => {
  let at = start + 1
  let count = block[start]! >> 4
  if (count === 15) {
    let more: number
    do {
      more = block[at++]!
      count += more
    } while (more === 255)
  }
  return { literals: at, match: at + count }
}

const tokenOf = (literals: number, matchCode: number): Uint8Array => {
  if (literals < 15) return Uint8Array.of((literals << 4) | matchCode)
  const more = literals - 15
  const token = new Uint8Array(2 + Math.floor(more / 255)).fill(255)
  token[0] = (15 << 4) | matchCode
  token[token.length - 1] = more % 255
  return token
}
