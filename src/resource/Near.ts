/** The candidate that `word` was probably meant to be; `undefined` when none is near. Case counts for nothing. */
export const nearest = (word: string, candidates: ReadonlyArray<string>): string | undefined => {
  if (word.length > 64) return undefined
  const meant = bare(word)
  const reach = Math.min(3, Math.floor(word.length / 3))
  let best: string | undefined
  let least = reach + 1
  for (const candidate of candidates) {
    const distance = edits(meant, bare(candidate))
    if (distance < least) {
      best = candidate
      least = distance
    }
  }
  return best
}

/** Most words of which is said what they were probably meant to be. */
const mostHinted = 10

/**
 * The end of a message that named `words`, which do not exist: what they were probably meant to be. Empty where nothing
 * is near.
 */
export const didYouMean = (words: ReadonlyArray<string>, candidates: ReadonlyArray<string>): string => {
  const pairs = words.slice(0, mostHinted).flatMap((word) => {
    const near = nearest(word, candidates)
    return near === undefined ? [] : [{ word, near }]
  })
  if (pairs.length === 0) return ""
  const [only] = pairs
  if (words.length === 1) return `; did you mean ${only!.near}?`
  return `; did you mean ${pairs.map(({ near, word }) => `${near} for ${word}`).join(", ")}?`
}

const bare = (word: string) => word.toLowerCase().replaceAll(/[-_ ]/g, "")

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
const edits = (from: string, to: string): number => {
  let beforeLast: Array<number> = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const cost = from[i - 1] === to[j - 1] ? 0 : 1
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost)
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1)
      }
      row.push(least)
    }
    beforeLast = last
    last = row
  }
  return last[to.length]!
}
