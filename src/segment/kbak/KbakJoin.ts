import { crc32 } from "@node-rs/crc32"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as Lz4Block from "../../compression/Lz4Block.ts"
import { SegmentDamaged, SegmentError } from "../SegmentError.ts"
import type { JoinedFile, JoinPart, SegmentJoin } from "../SegmentJoin.ts"
import { sha256Of } from "../body/sha256Of.ts"
import { footerOf } from "./FileSums.ts"
import * as Kbak from "./Kbak.ts"

/** What an lz4 body begins with: the length of the record stream. */
const sizeBytes = 4

/** Bytes that are checksummed without a pause for other fibers; about 2 ms. */
const step = 1024 * 1024

interface ProvenPart {
  readonly compression: Kbak.Compression
  readonly body: Buffer
}

const damaged = ({ key }: JoinPart, detail: string) => new SegmentError({ reason: new SegmentDamaged({ key, detail }) })

/** What contradicts the manifest in a file whose checksum is not known yet; a text, or its parts. */
const opened = (part: JoinPart): { readonly header: Kbak.Header; readonly crc: number } | string => {
  const { file } = part
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.length < Kbak.headerBytes + Kbak.footerBytes) return `has ${bytes.length} bytes`
  try {
    const header = Kbak.parseHeader(bytes.subarray(0, Kbak.headerBytes))
    if (typeof header === "string") return header
    const crc = Kbak.parseFooter(bytes.subarray(bytes.length - Kbak.footerBytes))
    const { firstOffset, lastOffset, recordCount } = header
    return firstOffset === part.firstOffset && lastOffset === part.lastOffset && recordCount === part.recordCount
      ? { header, crc }
      : `holds ${recordCount} records of offsets ${firstOffset} to ${lastOffset}, but the manifest says ${part.recordCount} of ${part.firstOffset} to ${part.lastOffset}`
  } catch (cause) {
    if (cause instanceof Kbak.Corruption) return cause.message
    throw cause
  }
}

const proven = Effect.fnUntraced(function* (part: JoinPart) {
  const found = opened(part)
  if (typeof found === "string") return yield* damaged(part, found)
  const { file } = part
  const end = file.byteLength - Kbak.footerBytes
  const hash = createHash("sha256")
  let crc = 0
  for (let at = 0; at < end; at += step) {
    const piece = file.subarray(at, Math.min(at + step, end))
    crc = crc32(piece, crc)
    hash.update(piece)
    yield* Effect.yieldNow
  }
  const sha256 = hash.update(file.subarray(end)).digest("hex")
  if (crc !== found.crc) return yield* damaged(part, "has another checksum than its footer says")
  if (part.sha256 !== undefined && part.sha256 !== sha256) {
    return yield* damaged(part, `has the SHA-256 ${sha256}, but the manifest says ${part.sha256}`)
  }
  const body = Buffer.from(file.buffer, file.byteOffset + Kbak.headerBytes, end - Kbak.headerBytes)
  return { compression: found.header.compression, body } satisfies ProvenPart
})

/** The bodies as one: frames and plain records follow one another, blocks become one block. */
const bodyOf = (compression: Kbak.Compression, bodies: ReadonlyArray<Buffer>): ReadonlyArray<Uint8Array> => {
  if (compression !== "lz4") return bodies
  const size = Buffer.alloc(sizeBytes)
  size.writeUInt32LE(bodies.reduce((sum, body) => sum + body.readUInt32LE(0), 0))
  return [size, ...Lz4Block.joined(bodies.map((body) => body.subarray(sizeBytes)))]
}

/**
 * Joins KBAK files. zstd frames and plain record streams may follow one another in a body: readers of the format,
 * other tools among them, read them as one. LZ4 bodies are one block, so their blocks are joined at the seams.
 */
export const join: SegmentJoin = Effect.fn("KbakJoin.join")(function* (parts) {
  const found = yield* Effect.forEach(parts, proven)
  const compression = found[0]!.compression
  const other = found.findIndex((part) => part.compression !== compression)
  if (other !== -1) {
    return yield* damaged(parts[other]!, `is ${found[other]!.compression}, unlike ${parts[0]!.key}`)
  }
  const header = Kbak.header({
    compression,
    recordCount: parts.reduce((sum, { recordCount }) => sum + recordCount, 0),
    firstOffset: parts[0]!.firstOffset,
    lastOffset: parts.at(-1)!.lastOffset
  })
  const body = bodyOf(
    compression,
    found.map((part) => part.body)
  )
  const pieces = [header, ...body, yield* footerOf(header, body)]
  return {
    pieces,
    storedBytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
    sha256: () => sha256Of(pieces)
  } satisfies JoinedFile
})
