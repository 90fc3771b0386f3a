/**
 * Lends one buffer to so many borrowers, each of whom gets a function that gives it back: `release` is called when the
 * last one has done so. Giving back twice counts once.
 */
export const lent = (borrowers: number, release: () => void): (() => () => void) => {
  let left = borrowers
  return () => {
    let isLent = true
    return () => {
      if (!isLent) return
      isLent = false
      if (--left === 0) release()
    }
  }
}
