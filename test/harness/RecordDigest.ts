import { createHash } from "node:crypto"

/** A record as the digest sees it. Integers are exact up to 2^53. */
export interface DigestedRecord {
  readonly offset: number | bigint
  readonly timestamp: number | bigint
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: ReadonlyArray<readonly [key: Uint8Array, value: Uint8Array | null]>
}

/**
 * Hash of a partition's records in offset order; equal to `sha256` of `JavaKafka.digest` exactly when both saw the same
 * records. The layout is described at Dump.java's digest.
 */
export class RecordDigest {
  readonly #hash = createHash("sha256")
  readonly #head = Buffer.alloc(16)
  readonly #length = Buffer.alloc(4)
  records = 0

  add(record: DigestedRecord): void {
    this.records += 1
    this.#head.writeBigInt64BE(BigInt(record.offset), 0)
    this.#head.writeBigInt64BE(BigInt(record.timestamp), 8)
    this.#hash.update(this.#head)
    this.#bytes(record.key)
    this.#bytes(record.value)
    this.#int(record.headers.length)
    for (const [key, value] of record.headers) {
      this.#bytes(key)
      this.#bytes(value)
    }
  }

  #int(value: number): void {
    this.#length.writeInt32BE(value)
    this.#hash.update(this.#length)
  }

  #bytes(bytes: Uint8Array | null): void {
    this.#int(bytes === null ? -1 : bytes.length)
    if (bytes !== null) this.#hash.update(bytes)
  }

  /** Hexadecimal; ends the digest. */
  hex(): string {
    return this.#hash.digest("hex")
  }
}
