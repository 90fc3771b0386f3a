import { DecompressionFailed } from "./DecompressionFailed.ts"

/**
 * Inflates what is in memory as a whole into fresh memory. Fails with `DecompressionFailed` and nothing else: when the
 * bytes are damaged, when bytes are left over behind the compressed data, or when more than `maxBytes` come out.
 */
export interface WholeInflater {
  /** On the calling thread. */
  readonly inflateSync: (bytes: Buffer, maxBytes: number) => Buffer
  /** On the thread pool, part after part, so that one call never holds more than one thread. */
  readonly inflate: (bytes: Buffer, maxBytes: number) => Promise<Buffer>
}

/** What a codec has to say of its own. */
interface Codec {
  /** Its name, for people. */
  readonly codec: string
  /** The parts that inflate by themselves, in order: frames or blocks. May throw. */
  readonly parts: (bytes: Buffer, maxBytes: number) => ReadonlyArray<Buffer>
  /** Inflates one part; need not notice by itself that more than `maxBytes` (at least 1) come out. */
  readonly oneSync: (part: Buffer, maxBytes: number) => Buffer
  readonly one: (part: Buffer, maxBytes: number) => Promise<Buffer>
}

export const wholeInflater = ({ codec, one, oneSync, parts }: Codec): WholeInflater => ({
  inflateSync: (bytes, maxBytes) => {
    const inflated = new Inflated(codec, maxBytes)
    try {
      for (const part of parts(bytes, maxBytes)) inflated.add(oneSync(part, inflated.room))
      return inflated.joined()
    } catch (cause) {
      throw failure(codec, maxBytes, cause)
    }
  },
  inflate: async (bytes, maxBytes) => {
    const inflated = new Inflated(codec, maxBytes)
    try {
      for (const part of parts(bytes, maxBytes)) inflated.add(await one(part, inflated.room))
      return inflated.joined()
    } catch (cause) {
      throw failure(codec, maxBytes, cause)
    }
  }
})

/** What came out of the parts so far. */
class Inflated {
  readonly #codec: string
  readonly #maxBytes: number
  readonly #parts: Array<Buffer> = []
  #bytes = 0

  constructor(codec: string, maxBytes: number) {
    this.#codec = codec
    this.#maxBytes = maxBytes
  }

  /** Bytes that may still come. At least 1, since a decoder takes no smaller bound. */
  get room(): number {
    return Math.max(1, this.#maxBytes - this.#bytes)
  }

  add(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > this.#maxBytes) throw tooLarge(this.#codec, this.#maxBytes)
    this.#parts.push(part)
  }

  joined(): Buffer {
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
  }
}

export const tooLarge = (codec: string, maxBytes: number) =>
  new DecompressionFailed({ kind: "too large", codec, detail: `inflates beyond the bound of ${maxBytes} bytes` })

/** What a decoder threw, in the words of this room. */
const failure = (codec: string, maxBytes: number, cause: unknown): DecompressionFailed => {
  if (cause instanceof DecompressionFailed) return cause
  if ((cause as { readonly code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") return tooLarge(codec, maxBytes)
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new DecompressionFailed({ kind: "damaged", codec, detail, cause })
}
