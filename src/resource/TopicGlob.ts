/** True when the text selects by wildcard (`*` any run of characters, `?` exactly one) instead of naming one topic. */
export const isWildcard = (pattern: string): boolean => pattern.includes("*") || pattern.includes("?")

/**
 * True when `pattern` covers all of `name`. No backtracking beyond the last `*`, so the cost is bounded by
 * pattern length times name length whatever the pattern; topic names have at most 249 characters.
 */
export const matches = (pattern: string, name: string): boolean => {
  let p = 0
  let n = 0
  let star = -1
  let resume = 0
  while (n < name.length) {
    if (p < pattern.length && pattern[p] !== "*" && (pattern[p] === "?" || pattern[p] === name[n])) {
      p++
      n++
    } else if (p < pattern.length && pattern[p] === "*") {
      star = p++
      resume = n
    } else if (star >= 0) {
      p = star + 1
      n = ++resume
    } else {
      return false
    }
  }
  while (p < pattern.length && pattern[p] === "*") p++
  return p === pattern.length
}
