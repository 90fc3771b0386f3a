/**
 * Writes one request body. `flexible` (KIP-482) chooses compact lengths and tag buffers; a version is either flexible
 * in all of its fields or in none.
 */
export class Writer {
  private bytes: Buffer
  private length = 0
  private readonly before: Array<Buffer> = []
  readonly flexible: boolean

  constructor(flexible: boolean) {
    this.flexible = flexible
    this.bytes = Buffer.allocUnsafe(256)
  }

  private room(more: number): number {
    const at = this.length
    if (at + more > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, at + more))
      this.bytes.copy(larger, 0, 0, at)
      this.bytes = larger
    }
    this.length = at + more
    return at
  }

  private byte(value: number): this {
    // Makes room first, because that may replace `this.bytes`.
    const at = this.room(1)
    this.bytes[at] = value
    return this
  }

  int8(value: number): this {
    const at = this.room(1)
    this.bytes.writeInt8(value, at)
    return this
  }

  int16(value: number): this {
    const at = this.room(2)
    this.bytes.writeInt16BE(value, at)
    return this
  }

  int32(value: number): this {
    const at = this.room(4)
    this.bytes.writeInt32BE(value, at)
    return this
  }

  /** A safe integer as int64. */
  int64(value: number): this {
    const at = this.room(8)
    const high = Math.floor(value / 4294967296)
    this.bytes.writeInt32BE(high, at)
    this.bytes.writeUInt32BE(value - high * 4294967296, at + 4)
    return this
  }

  float64(value: number): this {
    const at = this.room(8)
    this.bytes.writeDoubleBE(value, at)
    return this
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  unsignedVarint(value: number): this {
    let rest = value
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    return this.byte(rest)
  }

  /** 16 bytes from the textual form of a UUID; throws for any other text. */
  uuid(text: string): this {
    const id = Buffer.from(text.replaceAll("-", ""), "hex")
    if (id.length !== 16) throw new RangeError(`${text} is not a UUID`)
    const at = this.room(16)
    id.copy(this.bytes, at)
    return this
  }

  zeroUuid(): this {
    const at = this.room(16)
    this.bytes.fill(0, at, at + 16)
    return this
  }

  string(text: string): this {
    const encoded = Buffer.from(text, "utf8")
    if (this.flexible) this.unsignedVarint(encoded.length + 1)
    else this.int16(encoded.length)
    const at = this.room(encoded.length)
    encoded.copy(this.bytes, at)
    return this
  }

  nullableString(text: string | undefined): this {
    if (text !== undefined) return this.string(text)
    return this.flexible ? this.unsignedVarint(0) : this.int16(-1)
  }

  /** Bytes with their length, given in pieces that follow each other. They are not copied: see `pieces`. */
  bytesOf(pieces: ReadonlyArray<Buffer>): this {
    const count = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (this.flexible) this.unsignedVarint(count + 1)
    else this.int32(count)
    this.before.push(this.bytes.subarray(0, this.length), ...pieces)
    this.bytes = Buffer.allocUnsafe(256)
    this.length = 0
    return this
  }

  /** Length of an array, followed by its elements; null is the absent array. */
  arrayLength(count: number | null): this {
    return this.flexible ? this.unsignedVarint(count === null ? 0 : count + 1) : this.int32(count ?? -1)
  }

  /** Empty tag buffer after a struct; nothing in versions that are not flexible. */
  noTags(): this {
    return this.flexible ? this.unsignedVarint(0) : this
  }

  /** The body in one piece. */
  finish(): Buffer {
    const last = this.bytes.subarray(0, this.length)
    return this.before.length === 0 ? last : Buffer.concat([...this.before, last])
  }

  /** The body in pieces that follow each other; those of `bytesOf` are the very buffers that were given. */
  pieces(): readonly [Buffer, ...Array<Buffer>] {
    const [first, ...rest] = this.before
    const last = this.bytes.subarray(0, this.length)
    return first === undefined ? [last] : [first, ...rest, last]
  }
}
