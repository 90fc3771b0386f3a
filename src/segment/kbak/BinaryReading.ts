import { DecompressionFailed } from "../../compression/DecompressionFailed.ts"
import { sizedLz4Block } from "../../compression/Lz4Inflater.ts"
import type { PieceInflater } from "../../compression/PieceInflater.ts"
import { zstdFramesAtOnce } from "../../compression/Zstd.ts"
import { SegmentDamaged, SegmentError, UnknownFormat } from "../SegmentError.ts"
import type { SegmentContent } from "../SegmentReader.ts"
import type * as StreamedReader from "../StreamedReader.ts"
import * as Kbak from "./Kbak.ts"
import { RecordScan } from "./RecordScan.ts"
import { SegmentEnvelope } from "./SegmentEnvelope.ts"
import { WholeRecords } from "./WholeRecords.ts"

const inflaters: Record<Kbak.Compression, PieceInflater> = {
  none: (body) => body,
  zstd: zstdFramesAtOnce,
  lz4: sizedLz4Block
}

/** One reading of one file: whole records come out as they are found good, and the sums are there at the end. */
class Reading implements StreamedReader.Reading {
  readonly #key: string
  readonly #envelope: SegmentEnvelope
  #header: Kbak.Header | undefined
  #scan: RecordScan | undefined

  constructor(key: string, pieces: AsyncIterator<Uint8Array>) {
    this.#key = key
    this.#envelope = new SegmentEnvelope(pieces)
  }

  async *runs(mayFree: boolean): AsyncGenerator<Buffer, void> {
    try {
      const header = await this.#envelope.header()
      if (typeof header === "string") throw await this.#unknown(header)
      this.#header = header
      const scan = (this.#scan = new RecordScan(header))
      const whole = new WholeRecords()
      for await (const piece of inflaters[header.compression](this.#envelope.body(), mayFree)) {
        for (const records of whole.push(piece)) {
          scan.push(records)
          yield records
        }
      }
      whole.end()
      scan.end()
    } catch (cause) {
      if (cause instanceof Kbak.Corruption) throw this.#damaged(cause.message)
      if (cause instanceof DecompressionFailed) throw this.#damaged(`cannot be decompressed: ${cause.message}`, cause)
      throw cause
    }
  }

  content(): SegmentContent {
    const { firstOffset, lastOffset, payloadBytes, recordCount, timestamps, uncompressedBytes } = this.#scan!
    const { compression, storedBytes } = this.#envelope
    return {
      compression,
      storedBytes,
      sha256: this.#envelope.sha256(),
      recordCount,
      firstOffset,
      lastOffset,
      minTimestamp: timestamps.min,
      maxTimestamp: timestamps.max,
      uncompressedBytes,
      payloadBytes
    }
  }

  /** A version or codec is believed only when the file's checksum is right: else the byte that names it is damaged. */
  async #unknown(format: string): Promise<SegmentError> {
    for await (const _ of this.#envelope.body());
    return new SegmentError({ reason: new UnknownFormat({ key: this.#key, format }) })
  }

  #damaged(what: string, cause?: DecompressionFailed): SegmentError {
    const detail = `${what}${this.#affected()}`
    const reason = new SegmentDamaged({ key: this.#key, detail, ...(cause === undefined ? {} : { cause }) })
    return new SegmentError({ reason })
  }

  /** Which records a person must do without, as far as that can be told. */
  #affected(): string {
    const header = this.#header
    if (header === undefined || header.recordCount === 0) return ""
    const read = this.#scan?.recordCount ?? 0
    if (read === 0) return `; affected: offsets ${header.firstOffset} to ${header.lastOffset}, by its header`
    const last = this.#scan!.lastOffset
    return last >= header.lastOffset
      ? `; all ${read} records were read, but any of offsets ${header.firstOffset} to ${header.lastOffset} may be wrong`
      : `; ${read} of ${header.recordCount} records were read, up to offset ${last}; affected: offsets ${last + 1} to ${header.lastOffset}`
  }
}

/**
 * Begins to read KBAK version 1: magic, version, codec, every frame and record, count, order and range of the offsets,
 * nothing behind the end, CRC-32. Memory: one record, and a few pieces, a frame of up to 4 MiB or zstd's window.
 */
export const begin = (key: string, pieces: AsyncIterator<Uint8Array>): StreamedReader.Reading =>
  new Reading(key, pieces)
