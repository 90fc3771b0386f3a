/*
 * What a run reads again. All stored objects of a resource form a queue: what was not read for longest stands at its
 * front; what is new, and what was read, goes to its back. Each run reads from the front until it has read its share of
 * the most bytes that were stored at one of the last ceil(100 / share) runs, itself included. So every object is read
 * again within ceil(100 / share) runs, whatever is added or removed meanwhile: what is added stands behind it, and each
 * run takes at least its share of the bytes that once stood before it.
 */

const sum = (sizes: ArrayLike<number>, count: number): number => {
  let total = 0
  for (let n = 0; n < count; n++) total += sizes[n]!
  return total
}

interface Told {
  readonly earlier?: ReadonlyArray<number>
  readonly isPassedOver?: (row: number) => boolean
}

/** Bytes that a run reads of so many, at least. */
export const shareBytes = (totalBytes: number, percent: number): number => Math.ceil((totalBytes * percent) / 100)

/**
 * The stored bytes at each of the last runs, this one last: those that it and the next ones have to know. `percent` is
 * above 0. Pure.
 */
export const window = (earlier: ReadonlyArray<number>, totalBytes: number, percent: number): ReadonlyArray<number> =>
  [...earlier, totalBytes].slice(-Math.ceil(100 / percent))

/**
 * The objects to read again, of a queue of `count` objects of these sizes: as many from its front as make up `percent`
 * of all bytes, and at least one. `earlier`: the stored bytes at earlier runs, as `window` has them. `isPassedOver`:
 * nobody knows how to read it. Pure.
 */
export const due = (
  sizes: ArrayLike<number>,
  count: number,
  percent: number,
  { earlier = [], isPassedOver = () => false }: Told = {}
): ReadonlyArray<number> => {
  if (percent <= 0) return []
  const needed = shareBytes(Math.max(...window(earlier, sum(sizes, count), percent)), percent)
  const rows: Array<number> = []
  let bytes = 0
  for (let row = 0; row < count && (rows.length === 0 || bytes < needed); row++) {
    if (isPassedOver(row)) continue
    rows.push(row)
    bytes += sizes[row]!
  }
  return rows
}

/** In how many more runs the first `waiting` objects are read, if nothing is added or removed. Pure. */
export const runsUntilRead = (
  sizes: ArrayLike<number>,
  count: number,
  percent: number,
  waiting: number,
  earlier: ReadonlyArray<number> = []
): number => {
  const totalBytes = sum(sizes, count)
  let known = earlier
  let runs = 0
  for (let row = 0; row < waiting; runs++) {
    known = window(known, totalBytes, percent)
    const needed = shareBytes(Math.max(...known), percent)
    let bytes = 0
    do bytes += sizes[row++]!
    while (row < waiting && bytes < needed)
  }
  return runs
}
