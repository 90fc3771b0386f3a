/**
 * True when two statuses are equal: the order of keys does not count, and a key without value is no key. Asked before a
 * status is written, so that a reconcile that found nothing new writes nothing.
 */
export const deepEqual = (a: unknown, b: unknown): boolean => {
  // Not Object.is: JSON has one zero.
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => deepEqual(item, b[index]))
    )
  }
  const left = present(a)
  const right = present(b)
  return (
    left.size === right.size && [...left].every(([key, value]) => right.has(key) && deepEqual(value, right.get(key)))
  )
}

const present = (value: object): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(value).filter(([, item]) => item !== undefined))
