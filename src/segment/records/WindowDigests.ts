import { type CipherGCM, createCipheriv, randomBytes } from "node:crypto"

/** Of this process alone, and never told: nobody can make records that differ and have the same digest. */
const key = randomBytes(16)

/**
 * GMAC (AES-128-GCM without a text) of one window. Two streams that differ have the same one with a probability below
 * 2^-90 for windows of up to 2^42 bytes. Source: NIST SP 800-38D. It takes a tenth of the time of SHA-256.
 */
const begin = (window: number): CipherGCM => {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(window))
  return createCipheriv("aes-128-gcm", key, nonce)
}

/**
 * Digests of the records in each window of `size` offsets: what two streams of one partition are compared by in this
 * process, without holding either. They mean nothing to another process. Windows begin at multiples of `size`. Records
 * below the first offset that is still expected are ignored, so a stream may be read again from any point.
 */
export class WindowDigests {
  readonly #size: number
  readonly #digests = new Map<number, string>()
  #hash: CipherGCM | undefined
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
        if (at > from) this.#hash!.setAAD(run.subarray(from, at))
        from = at
        this.#close()
        this.#window = Math.floor(offset / this.#size)
        windowEnd = (this.#window + 1) * this.#size
      }
      this.#hash ??= begin(this.#window)
      this.next = offset + 1
      this.recordCount++
      at = end
    }
    if (run.length > from) this.#hash!.setAAD(run.subarray(from))
  }

  /** The digest of each window that has records, by number. The object is spent. */
  end(): ReadonlyMap<number, string> {
    this.#close()
    return this.#digests
  }

  #close(): void {
    if (this.#hash !== undefined) {
      this.#hash.final()
      this.#digests.set(this.#window, this.#hash.getAuthTag().toString("hex"))
    }
    this.#hash = undefined
  }
}
