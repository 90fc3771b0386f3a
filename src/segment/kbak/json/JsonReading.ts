import { createHash } from "node:crypto"
import { DecompressionFailed } from "../../../compression/DecompressionFailed.ts"
import { sizedLz4Block } from "../../../compression/Lz4Inflater.ts"
import type { PieceInflater } from "../../../compression/PieceInflater.ts"
import { zstdPieces } from "../../../compression/Zstd.ts"
import { TimestampRange } from "../../records/TimestampRange.ts"
import type { SegmentSettings } from "../../Segment.ts"
import { SegmentDamaged, SegmentError } from "../../SegmentError.ts"
import type { SegmentContent } from "../../SegmentReader.ts"
import type * as StreamedReader from "../../StreamedReader.ts"
import { JsonObjects, Malformed } from "./JsonObjects.ts"
import * as JsonRecord from "./JsonRecord.ts"

type Compression = SegmentSettings["compression"]

const inflaters: Record<Compression, PieceInflater> = {
  none: (body) => body,
  zstd: zstdPieces,
  lz4: sizedLz4Block
}

/** Only the name says how such a file is compressed. */
const compressionOf = (key: string): Compression =>
  key.endsWith(".zst") ? "zstd" : key.endsWith(".lz4") ? "lz4" : "none"

const zstdMagic = 0xfd2fb528
const bracket = 0x5b

/** Bytes from the beginning of a file that show its form. */
export const shownBytes = 8

/** Whether a file that begins so, and is named so, is of this form. */
export const looksLike = (key: string, head: Buffer): boolean => {
  switch (compressionOf(key)) {
    case "zstd":
      return head.length >= 4 && head.readUInt32LE(0) === zstdMagic
    case "lz4": {
      // After the size of four bytes, the first literal of the block, behind one more byte where there are 15 or more.
      if (head.length < 7) return false
      return head[4]! >>> 4 < 15 ? head[5] === bracket : head[5] === 255 || head[6] === bracket
    }
    case "none":
      return /^\s*\[/.test(head.toString("latin1"))
  }
}

/** Length of the runs that come out, in bytes; a larger record has one of its own. */
const runBytes = 256 * 1024

/** One reading of one file. Memory: a piece, a run, and one record as text. */
class Reading implements StreamedReader.Reading {
  readonly #key: string
  readonly #compression: Compression
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #sha256 = createHash("sha256")
  readonly #timestamps = new TimestampRange()
  #storedBytes = 0
  #recordCount = 0
  #firstOffset = -1
  #lastOffset = -1
  #uncompressedBytes = 0
  #payloadBytes = 0

  constructor(key: string, pieces: AsyncIterator<Uint8Array>) {
    this.#key = key
    this.#compression = compressionOf(key)
    this.#pieces = pieces
  }

  async *runs(): AsyncGenerator<Buffer, void> {
    try {
      const objects = new JsonObjects()
      let run: Array<Buffer> = []
      let length = 0
      for await (const piece of inflaters[this.#compression](this.#body())) {
        for (const text of objects.push(piece)) {
          const record = this.#record(text)
          run.push(record)
          length += record.length
          if (length < runBytes) continue
          yield Buffer.concat(run, length)
          run = []
          length = 0
        }
      }
      objects.end()
      if (length > 0) yield Buffer.concat(run, length)
    } catch (cause) {
      if (cause instanceof Malformed) throw this.#damaged(cause.message)
      if (cause instanceof DecompressionFailed) throw this.#damaged(`cannot be decompressed: ${cause.message}`)
      throw cause
    }
  }

  content(): SegmentContent {
    return {
      compression: this.#compression,
      storedBytes: this.#storedBytes,
      sha256: this.#sha256.digest("hex"),
      recordCount: this.#recordCount,
      firstOffset: this.#firstOffset,
      lastOffset: this.#lastOffset,
      minTimestamp: this.#timestamps.min,
      maxTimestamp: this.#timestamps.max,
      uncompressedBytes: this.#uncompressedBytes,
      payloadBytes: this.#payloadBytes
    }
  }

  async *#body(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const { done, value } = await this.#pieces.next()
      if (done === true) return
      this.#storedBytes += value.length
      this.#sha256.update(value)
      yield Buffer.from(value.buffer, value.byteOffset, value.length)
    }
  }

  #record(text: string): Buffer {
    const record = JsonRecord.parse(text)
    const offset = Number(record.offset)
    if (!Number.isSafeInteger(offset) || offset < 0) throw new Malformed(`has the invalid offset ${record.offset}`)
    if (offset <= this.#lastOffset) throw new Malformed(`has offset ${offset} after offset ${this.#lastOffset}`)
    const bytes = JsonRecord.encode(record)
    if (this.#recordCount === 0) this.#firstOffset = offset
    this.#lastOffset = offset
    this.#recordCount++
    this.#timestamps.add(bytes.readInt32LE(8), bytes.readInt32LE(4))
    this.#uncompressedBytes += bytes.length
    this.#payloadBytes += (record.key?.length ?? 0) + (record.value?.length ?? 0)
    return bytes
  }

  #damaged(what: string): SegmentError {
    const affected =
      this.#recordCount === 0 ? "" : `; ${this.#recordCount} records were read, up to offset ${this.#lastOffset}`
    return new SegmentError({ reason: new SegmentDamaged({ key: this.#key, detail: `${what}${affected}` }) })
  }
}

/** Begins to read a file of this form. It has no checksum: a flipped bit inside of a value is not noticed. */
export const begin = (key: string, pieces: AsyncIterator<Uint8Array>): StreamedReader.Reading =>
  new Reading(key, pieces)
