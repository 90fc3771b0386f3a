/** Smallest and largest of many 64-bit timestamps given as two signed 32-bit halves. */
export class TimestampRange {
  #any = false
  // Lower halves are kept with their top bit flipped, so that signed comparison orders them as unsigned.
  #minHigh = 0x7fff_ffff
  #minLow = 0x7fff_ffff
  #maxHigh = -0x8000_0000
  #maxLow = -0x8000_0000

  add(high: number, low: number): void {
    const flipped = low ^ 0x8000_0000
    this.#any = true
    if (high < this.#minHigh || (high === this.#minHigh && flipped < this.#minLow)) {
      this.#minHigh = high
      this.#minLow = flipped
    }
    if (high > this.#maxHigh || (high === this.#maxHigh && flipped > this.#maxLow)) {
      this.#maxHigh = high
      this.#maxLow = flipped
    }
  }

  /** Milliseconds since 1970, clamped to safe integers; 0 before the first `add`. */
  get min(): number {
    return this.#any ? clamped(this.#minHigh, this.#minLow) : 0
  }
  get max(): number {
    return this.#any ? clamped(this.#maxHigh, this.#maxLow) : 0
  }
}

const clamped = (high: number, flipped: number): number => {
  const exact = (BigInt(high) << 32n) | BigInt((flipped ^ 0x8000_0000) >>> 0)
  return exact > Number.MAX_SAFE_INTEGER
    ? Number.MAX_SAFE_INTEGER
    : exact < Number.MIN_SAFE_INTEGER
      ? Number.MIN_SAFE_INTEGER
      : Number(exact)
}
