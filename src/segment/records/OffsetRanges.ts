/** Ranges of offsets that are added in ascending order; neighbours become one. 16 bytes for each. */
export class OffsetRanges {
  /** First offset, and end, exclusive, of each in turn. */
  readonly #bounds: Array<number> = []

  get count(): number {
    return this.#bounds.length / 2
  }

  /** `until` is exclusive. Nothing that was added may lie at or above `from`. */
  add(from: number, until: number): void {
    if (this.#bounds.at(-1) === from) this.#bounds[this.#bounds.length - 1] = until
    else this.#bounds.push(from, until)
  }

  /** Whether all of `[from, until)` lies in one of them. */
  holds(from: number, until: number): boolean {
    const bounds = this.#bounds
    let low = 0
    let high = bounds.length / 2
    while (low < high) {
      const middle = (low + high) >>> 1
      if (bounds[2 * middle + 1]! <= from) low = middle + 1
      else high = middle
    }
    return low < bounds.length / 2 && bounds[2 * low]! <= from && until <= bounds[2 * low + 1]!
  }
}
