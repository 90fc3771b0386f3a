/**
 * Where a test chooses at random, it prints its seed, and KBO_SEED repeats it. Mulberry32: small, and good enough to
 * choose moments and signals.
 */
export const seed = Number(process.env["KBO_SEED"] ?? Date.now() % 2 ** 31)

export const makeRandom = (from: number) => {
  let state = from >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    /** A whole number from `least` to `most`, both inclusive. */
    between: (least: number, most: number) => least + Math.floor(next() * (most - least + 1)),
    choose: <A>(items: ReadonlyArray<A>): A => items[Math.floor(next() * items.length)]!
  }
}
