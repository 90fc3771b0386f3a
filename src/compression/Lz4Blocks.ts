/** Fewer literals than this are copied rather than made pieces of their own: writing a piece costs more. */
const copiedBytes = 4096

/**
 * One LZ4 block that inflates to what the given blocks inflate to, one after the other. A block is a list of sequences:
 * a token (number of literals, length of the match), the literals, and a match, which the last sequence has not. So the
 * literals at the end of each block move in front of those that the next one begins with; all else stays as it is.
 * The pieces are views of the blocks, but for a few literals. Source: the LZ4 block format description.
 */
export const joinedBlocks = (blocks: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
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
    const last = lastSequence(block)
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

/** Where the last sequence begins. A tight loop: a block has a sequence for every ten bytes or so. */
const lastSequence = (block: Uint8Array): number => {
  const end = block.length
  let at = 0
  for (;;) {
    const start = at
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
    if (at >= end) return start
    at += 2 // distance of the match
    if ((token & 15) === 15) while (block[at++] === 255);
  }
}

const tokenOf = (literals: number, matchCode: number): Uint8Array => {
  if (literals < 15) return Uint8Array.of((literals << 4) | matchCode)
  const more = literals - 15
  const token = new Uint8Array(2 + Math.floor(more / 255)).fill(255)
  token[0] = (15 << 4) | matchCode
  token[token.length - 1] = more % 255
  return token
}
