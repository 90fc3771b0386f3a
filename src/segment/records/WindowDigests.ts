import { KeyedDigest } from "../KeyedDigest.ts"

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
