/*
 * What a run reads again. All stored objects of a resource form a queue: what was not read for longest stands at its
 * front; what is new, and what was read, goes to its back. Each run reads from the front until it has read its share of
 * all stored bytes. So, while the stored bytes do not become fewer, every object is read again within ceil(100 / share)
 * runs, whatever is added or removed meanwhile: what is added stands behind it, and each run takes at least its share
 * of the bytes that once stood before it.
 */

const sum = (sizes: ArrayLike<number>, count: number): number => {
  let total = 0
  for (let n = 0; n < count; n++) total += sizes[n]!
  return total
}

/** Bytes that a run reads of so many, at least. */
export const shareBytes = (totalBytes: number, percent: number): number => Math.ceil((totalBytes * percent) / 100)

/**
 * The objects to read again, of a queue of `count` objects of these sizes: as many from its front as make up `percent`
 * of all bytes, and at least one. `isPassedOver`: nobody knows how to read it. Pure.
 */
export const due = (
  sizes: ArrayLike<number>,
  count: number,
  percent: number,
  isPassedOver: (row: number) => boolean = () => false
): ReadonlyArray<number> => {
  if (percent <= 0) return []
  const needed = shareBytes(sum(sizes, count), percent)
  const rows: Array<number> = []
  let bytes = 0
  for (let row = 0; row < count && (rows.length === 0 || bytes < needed); row++) {
    if (isPassedOver(row)) continue
    rows.push(row)
    bytes += sizes[row]!
  }
  return rows
}

/** In how many runs the first `waiting` objects of such a queue are read. Pure. */
export const runsUntilRead = (sizes: ArrayLike<number>, count: number, percent: number, waiting: number): number => {
  const needed = shareBytes(sum(sizes, count), percent)
  let runs = 0
  for (let row = 0; row < waiting; runs++) {
    let bytes = 0
    do bytes += sizes[row++]!
    while (row < waiting && bytes < needed)
  }
  return runs
}
