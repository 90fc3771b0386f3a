import { isDeepStrictEqual } from "node:util"

/** A JSON object. */
export type Tree = Readonly<Record<string, unknown>>

export const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const isSame = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b)

/** The member as an object; an empty object when the member is something else. */
export const inner = (tree: unknown, key: string): Tree => {
  const value = isTree(tree) ? tree[key] : undefined
  return isTree(value) ? value : {}
}

/** The object with `key` set, or without it when there is no value. */
export const put = (tree: Tree, key: string, value: unknown): Tree => {
  const { [key]: _old, ...rest } = tree
  return value === undefined ? rest : { ...tree, [key]: value }
}

/** A frozen copy, as it would arrive over the wire. Members that are null do not arrive. */
export const received = (value: unknown): unknown => frozen(JSON.parse(JSON.stringify(value)))

const frozen = (value: unknown): unknown => {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen))
  if (!isTree(value)) return value
  const members = Object.entries(value).filter(([, member]) => member !== null)
  return Object.freeze(Object.fromEntries(members.map(([key, member]) => [key, frozen(member)])))
}

/** JSON merge patch (RFC 7396). */
export const patched = (target: unknown, patch: unknown): unknown => {
  if (!isTree(patch)) return patch
  const result: Record<string, unknown> = { ...(isTree(target) ? target : {}) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = patched(result[key], value)
  }
  return result
}

/** `base` overwritten by `over`: objects are merged, everything else is replaced. */
export const joined = (base: unknown, over: unknown): unknown => {
  if (!isTree(base) || !isTree(over)) return over
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) result[key] = key in base ? joined(base[key], value) : value
  return result
}

/** All leaves by path (the keys as a JSON text): everything that is not an object, and empty objects. */
export const leaves = (tree: Tree): ReadonlyMap<string, unknown> => {
  const found = new Map<string, unknown>()
  const walk = (value: unknown, path: ReadonlyArray<string>): void => {
    if (!isTree(value) || (path.length > 0 && Object.keys(value).length === 0)) {
      found.set(JSON.stringify(path), value)
      return
    }
    for (const [key, member] of Object.entries(value)) walk(member, [...path, key])
  }
  walk(tree, [])
  return found
}

/** Without the leaf at `path`, and without the objects that it leaves empty. */
export const without = (tree: Tree, path: string): Tree => cut(tree, JSON.parse(path) as ReadonlyArray<string>)

const cut = (tree: Tree, [key = "", ...rest]: ReadonlyArray<string>): Tree => {
  if (!(key in tree)) return tree
  if (rest.length === 0) return put(tree, key, undefined)
  const below = inner(tree, key)
  const left = cut(below, rest)
  return left === below ? tree : put(tree, key, Object.keys(left).length === 0 ? undefined : left)
}
