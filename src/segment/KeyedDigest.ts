import { type CipherGCM, createCipheriv, randomBytes } from "node:crypto"

/** Of this process alone, and never told: nobody can make bytes that differ and have the same digest. */
const key = randomBytes(16)

/**
 * What two streams of bytes are compared by in this process, without holding either: GMAC, which is AES-128-GCM without
 * a text. It means nothing to another process. Two streams of up to 2^42 bytes that differ have the same one with a
 * probability below 2^-90. Source: NIST SP 800-38D. It takes a tenth of the time of SHA-256.
 */
export class KeyedDigest {
  readonly #mac: CipherGCM

  /** `number`: of the stream among those of one kind, a safe integer; the two that are compared have the same. */
  constructor(number = 0) {
    const nonce = Buffer.alloc(12)
    nonce.writeBigUInt64BE(BigInt(number))
    this.#mac = createCipheriv("aes-128-gcm", key, nonce)
  }

  add(bytes: Uint8Array): void {
    this.#mac.setAAD(bytes)
  }

  /** The digest, lower-case hex. The object is spent. */
  end(): string {
    this.#mac.final()
    return this.#mac.getAuthTag().toString("hex")
  }
}
