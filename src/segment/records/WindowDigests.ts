import { recordsSection } from "../../kafka/batch/Decompression.ts"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import { KeyedDigest } from "../KeyedDigest.ts"
import { contentHeader, contentHeaderBytes } from "./batchContent.ts"
import { OffsetRanges } from "./OffsetRanges.ts"

/**
 * Digests of the records in each window of `size` offsets: what two streams of one partition are compared by in this
 * process, without holding either. They mean nothing to another process. Windows begin at multiples of `size`. Records
 * below the first offset that is still expected are ignored, so a stream may be read again from any point.
 */
export class WindowDigests {
  readonly #size: number
  readonly #digests = new Map<number, string>()
  #digest: KeyedDigest | undefined
  #window = -1
  /** First offset that has not been seen. */
  next: number
  recordCount = 0
  /** The offsets whose records came in batches: only a stream that has the same batches there has the same digests. */
  readonly batched = new OffsetRanges()
  readonly #header = Buffer.alloc(contentHeaderBytes)

  constructor(size: number, from: number) {
    this.#size = size
    this.next = from
  }

  /** Whole records with ascending offsets. */
  add(run: Buffer): void {
    let from = 0
    let windowEnd = this.#window < 0 ? 0 : (this.#window + 1) * this.#size
    for (let at = 0; at < run.length;) {
      const offset = run.readUInt32LE(at + 12) + run.readInt32LE(at + 16) * 0x1_0000_0000
      const end = at + 4 + run.readUInt32LE(at)
      if (offset < this.next) {
        at = from = end
        continue
      }
      if (offset >= windowEnd) {
        if (at > from) this.#digest!.add(run.subarray(from, at))
        from = at
        this.#close()
        this.#window = Math.floor(offset / this.#size)
        windowEnd = (this.#window + 1) * this.#size
      }
      this.#digest ??= new KeyedDigest(this.#window)
      this.next = offset + 1
      this.recordCount++
      at = end
    }
    if (run.length > from) this.#digest!.add(run.subarray(from))
  }

  /**
   * A whole batch without holes, as it is compressed, with `offset` for its first record: costs no inflating. It counts
   * to the window where it begins. One that begins below the first offset that is still expected is ignored.
   */
  addBatch(batch: RecordBatch, offset: number): void {
    if (offset < this.next) return
    const window = Math.floor(offset / this.#size)
    if (window !== this.#window) {
      this.#close()
      this.#window = window
    }
    const digest = (this.#digest ??= new KeyedDigest(window))
    contentHeader(batch, offset, this.#header)
    digest.add(this.#header)
    digest.add(recordsSection(batch))
    this.next = offset + batch.recordCount
    this.recordCount += batch.recordCount
    this.batched.add(offset, this.next)
  }

  /** The digest of each window that has records, by number. The object is spent. */
  end(): ReadonlyMap<number, string> {
    this.#close()
    return this.#digests
  }

  #close(): void {
    if (this.#digest !== undefined) this.#digests.set(this.#window, this.#digest.end())
    this.#digest = undefined
  }
}
