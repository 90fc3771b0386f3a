import { createHash } from "node:crypto"
import { DecompressionFailed } from "../../compression/DecompressionFailed.ts"
import { lz4FramesInPieces } from "../../compression/Lz4FramePieces.ts"
import type { PieceInflater } from "../../compression/PieceInflater.ts"
import { zstdFramesAtOnce } from "../../compression/Zstd.ts"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import { SegmentDamaged, SegmentError, UnknownFormat } from "../SegmentError.ts"
import type { NamedSegment } from "../SegmentReader.ts"
import * as Log from "./Log.ts"
import * as StoredBatch from "./StoredBatch.ts"

const unwrappers: Readonly<Record<Log.Compression, PieceInflater>> = {
  none: (file) => file,
  zstd: zstdFramesAtOnce,
  lz4: lz4FramesInPieces
}

const nothing = Buffer.alloc(0)

/** Reads the batches of one file, each whole and checked, in order. Memory: a piece, and the batch at its end. */
export class LogWalk {
  readonly #key: string
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #named: NamedSegment | undefined
  readonly #sha256 = createHash("sha256")
  #digest: string | undefined
  /** Of the wrapping; known after the first batch. */
  compression: Log.Compression = "none"
  storedBytes = 0
  /** Bytes of batches. */
  logBytes = 0
  /** Offset of the last batch that was found good; −1 before the first. */
  lastOffset = -1

  constructor(key: string, pieces: AsyncIterator<Uint8Array>, named: NamedSegment | undefined) {
    this.#key = key
    this.#pieces = pieces
    this.#named = named
  }

  /** Of the file, lower-case hex; to be asked after the batches have ended. */
  get sha256(): string {
    return (this.#digest ??= this.#sha256.digest("hex"))
  }

  /**
   * The batches, as many at a time as a piece brings. With `mayFree` their bytes may be free when the next ones are
   * asked for. Throws `SegmentError`, and what the pieces throw. Ends only when the file ends behind a batch.
   */
  async *batches(mayFree: boolean): AsyncGenerator<ReadonlyArray<RecordBatch>, void> {
    try {
      const first = await this.#head()
      this.compression = Log.wrapping(first)
      yield* this.#whole(unwrappers[this.compression](this.#file(first), mayFree))
      if (this.lastOffset === -1) throw new Log.Corruption("has no record batch")
    } catch (cause) {
      if (cause instanceof Log.OtherMagic) throw await this.#unknown(cause)
      throw this.failure(cause)
    }
  }

  /** What a reader fails with that met this. */
  failure(cause: unknown): unknown {
    if (cause instanceof Log.Corruption) return this.#damaged(cause.message, undefined, cause.isBefore)
    if (cause instanceof DecompressionFailed) return this.#damaged(`cannot be decompressed: ${cause.message}`, cause)
    return cause
  }

  async *#whole(log: AsyncGenerator<Buffer, void>): AsyncGenerator<ReadonlyArray<RecordBatch>, void> {
    /** The beginning of a batch, in parts, and how many bytes must come before anything can be said of it. */
    let parts: Array<Buffer> = []
    let held = 0
    let needed = StoredBatch.lengthKnownBytes
    for await (const piece of log) {
      held += piece.length
      if (held < needed) {
        parts.push(Buffer.from(piece))
        continue
      }
      const bytes = parts.length === 0 ? piece : Buffer.concat([...parts, piece], held)
      const batches: Array<RecordBatch> = []
      let at = 0
      for (;;) {
        needed = StoredBatch.lengthKnownBytes
        if (bytes.length - at < needed) break
        const end = StoredBatch.endOf(bytes, at, this.lastOffset)
        needed = end - at
        if (end > bytes.length) break
        const batch = StoredBatch.at(bytes, at, end, this.lastOffset)
        this.#assertNamed(batch)
        batches.push(batch)
        this.lastOffset = batch.lastOffset
        this.logBytes += end - at
        at = end
      }
      // A copy: the piece may be gone when the next one is there.
      const rest = at === bytes.length ? nothing : Buffer.from(bytes.subarray(at))
      parts = rest.length === 0 ? [] : [rest]
      held = rest.length
      if (batches.length > 0) yield batches
    }
    if (held > 0) throw new Log.Corruption(`ends ${held} bytes after the beginning of a batch`)
  }

  /** A batch outside of what the manifest names is of another file. */
  #assertNamed({ baseOffset, lastOffset }: RecordBatch): void {
    const named = this.#named
    if (named === undefined || (lastOffset >= named.firstOffset && baseOffset <= named.lastOffset)) return
    throw new Log.Corruption(
      `has a batch with the offsets ${baseOffset} to ${lastOffset}, but the manifest says ${named.firstOffset} to ${named.lastOffset}`,
      true
    )
  }

  async #next(): Promise<Buffer | undefined> {
    const { done, value } = await this.#pieces.next()
    if (done === true) return undefined
    this.storedBytes += value.length
    this.#sha256.update(value)
    return Buffer.from(value.buffer, value.byteOffset, value.length)
  }

  async #head(): Promise<Buffer> {
    let head: Buffer = nothing
    while (head.length < Log.shownBytes) {
      const piece = await this.#next()
      if (piece === undefined) break
      head = head.length === 0 ? piece : Buffer.concat([head, piece])
    }
    return head
  }

  async *#file(first: Buffer): AsyncGenerator<Buffer, void> {
    if (first.length > 0) yield first
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) yield piece
  }

  /** Another format is believed only of the file that was stored: else the byte that names it is damaged. */
  async #unknown({ message }: Log.OtherMagic): Promise<SegmentError> {
    while ((await this.#next()) !== undefined);
    return this.#named?.sha256 === this.sha256
      ? new SegmentError({ reason: new UnknownFormat({ key: this.#key, format: message }) })
      : this.#damaged(`has ${message}`)
  }

  #damaged(what: string, cause?: DecompressionFailed, isBefore = false): SegmentError {
    const detail = `${what}${this.#affected(isBefore)}`
    const reason = new SegmentDamaged({ key: this.#key, detail, ...(cause === undefined ? {} : { cause }) })
    return new SegmentError({ reason })
  }

  /** Which records a person must do without, as far as that can be told. */
  #affected(isBefore: boolean): string {
    if (this.#named === undefined) return ""
    const from = isBefore ? this.#named.firstOffset : Math.max(this.#named.firstOffset, this.lastOffset + 1)
    const { lastOffset } = this.#named
    return from > lastOffset ? "" : `; affected: offsets ${from} to ${lastOffset}, by the manifest`
  }
}
