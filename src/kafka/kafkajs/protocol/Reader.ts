/** An answer that ends too early, contradicts itself, or holds a number that cannot be represented. */
export class Malformed extends Error {
  constructor(detail: string) {
    super(detail)
    this.name = "Malformed"
  }
}

/** The all-zero id stands for no id. */
const noUuid = "00000000-0000-0000-0000-000000000000"

/** Reads one answer. Every read is bounded by the frame: a read beyond its end throws `Malformed`. */
export class Reader {
  private readonly bytes: Buffer
  private at: number
  readonly flexible: boolean

  constructor(bytes: Buffer, at: number, flexible: boolean) {
    this.bytes = bytes
    this.at = at
    this.flexible = flexible
  }

  get remaining(): number {
    return this.bytes.length - this.at
  }

  private advance(count: number): number {
    if (count < 0 || count > this.remaining) {
      throw new Malformed(`${count} bytes are announced, but ${this.remaining} are left`)
    }
    const at = this.at
    this.at = at + count
    return at
  }

  int8(): number {
    return this.bytes.readInt8(this.advance(1))
  }

  int16(): number {
    return this.bytes.readInt16BE(this.advance(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.advance(4))
  }

  /** A 64-bit integer that a number holds exactly; larger ones throw `Malformed` instead of being rounded. */
  int64(): number {
    const at = this.advance(8)
    const value = this.bytes.readInt32BE(at) * 4294967296 + this.bytes.readUInt32BE(at + 4)
    if (!Number.isSafeInteger(value)) {
      throw new Malformed(`${this.bytes.readBigInt64BE(at)} is beyond 2^53-1, the largest offset that is supported`)
    }
    return value
  }

  float64(): number {
    return this.bytes.readDoubleBE(this.advance(8))
  }

  boolean(): boolean {
    return this.int8() !== 0
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.advance(1)]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffffffff) break
        return value
      }
    }
    throw new Malformed("a variable-length integer is longer than 32 bits")
  }

  /** UUID text, or undefined for the all-zero id. */
  uuid(): string | undefined {
    const at = this.advance(16)
    const hex = this.bytes.toString("hex", at, at + 16)
    const text = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    return text === noUuid ? undefined : text
  }

  nullableString(): string | undefined {
    const length = this.flexible ? this.unsignedVarint() - 1 : this.int16()
    if (length < 0) return undefined
    const at = this.advance(length)
    return this.bytes.toString("utf8", at, at + length)
  }

  string(): string {
    const text = this.nullableString()
    if (text === undefined) throw new Malformed("a required string is missing")
    return text
  }

  /** A view of bytes; absent bytes are an empty view. */
  nullableBytes(): Buffer {
    const length = this.flexible ? this.unsignedVarint() - 1 : this.int32()
    if (length < 0) return this.bytes.subarray(this.at, this.at)
    const at = this.advance(length)
    return this.bytes.subarray(at, at + length)
  }

  /**
   * The elements of an array; an absent one is empty. `elementBytes` is the least size of one element: a count that
   * cannot fit in the remaining bytes throws before anything is read.
   */
  array<A>(elementBytes: number, element: () => A): Array<A> {
    const count = this.flexible ? this.unsignedVarint() - 1 : this.int32()
    if (count * elementBytes > this.remaining) {
      throw new Malformed(`${count} elements are announced, but ${this.remaining} bytes are left`)
    }
    const elements: Array<A> = []
    for (let index = 0; index < count; index++) elements.push(element())
    return elements
  }

  /** Skips the tag buffer after a struct; nothing in versions that are not flexible. */
  tags(): void {
    if (!this.flexible) return
    const count = this.unsignedVarint()
    for (let index = 0; index < count; index++) {
      this.unsignedVarint()
      this.advance(this.unsignedVarint())
    }
  }
}
