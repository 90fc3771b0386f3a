/** A partition is long if it has more offsets to read than this many times the mean of all. */
const longTimes = 4

/** Partitions that wait for their turn. */
export interface ReadingOrder<A> {
  /** Those that wait, in about the order in which they come. */
  readonly waiting: ReadonlyArray<A>
  /** Whose turn it is now; undefined when all have had theirs. Call `ended` of it when it is at its end. */
  readonly next: () => Turn<A> | undefined
}

export interface Turn<A> {
  readonly one: A
  readonly ended: () => void
}

/**
 * The order in which partitions are read of which `open` may be read at the same time. Long ones have at most half of
 * the places while others wait, the longest first: so a few that are huge keep nobody waiting for hours, and none of
 * them is begun when all others are done. The others come in the order in which they are given.
 *
 * `offsets` says how many offsets are to be read of one.
 */
export const make = <A>(all: ReadonlyArray<A>, offsets: (one: A) => number, open: number): ReadingOrder<A> => {
  const mean = all.reduce((sum, one) => sum + offsets(one), 0) / all.length
  const isLong = (one: A) => offsets(one) > longTimes * mean
  const long = all.filter(isLong).toSorted((a, b) => offsets(b) - offsets(a))
  const others = all.filter((one) => !isLong(one))
  const places = Math.floor(open / 2)
  let longBegun = 0
  let othersBegun = 0
  let longOpen = 0
  return {
    waiting: [...others, ...long],
    next: () => {
      const isLongNext = longBegun < long.length && (longOpen < places || othersBegun === others.length)
      if (!isLongNext) {
        const one = others[othersBegun++]
        return one === undefined ? undefined : { one, ended: () => undefined }
      }
      longOpen++
      return { one: long[longBegun++]!, ended: () => void longOpen-- }
    }
  }
}
