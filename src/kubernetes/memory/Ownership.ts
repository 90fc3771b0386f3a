import * as Tree from "./Tree.ts"

/** Which writer last set which leaves. Writers: `update`, and one per field manager and subresource for apply. */
export type Ownership = ReadonlyMap<string, ReadonlySet<string>>

export const empty: Ownership = new Map()

/** Lists whose entries have owners of their own, with the key of an entry. All other lists have one owner. */
const keyedLists: ReadonlyArray<readonly [parent: string, list: string, key: (entry: unknown) => unknown]> = [
  ["metadata", "finalizers", (entry) => entry],
  ["metadata", "ownerReferences", (entry) => Tree.isTree(entry) && entry["uid"]],
  ["status", "conditions", (entry) => Tree.isTree(entry) && entry["type"]]
]

/** The object with its keyed lists turned into objects by key; each entry stays in one piece. */
const unlisted = (tree: Tree.Tree): Tree.Tree =>
  keyedLists.reduce((tree, [parent, list, key]) => {
    const entries = Tree.inner(tree, parent)[list]
    if (!Array.isArray(entries)) return tree
    const members = Object.fromEntries(entries.map((entry) => [String(key(entry)), [entry]]))
    return Tree.put(tree, parent, Tree.put(Tree.inner(tree, parent), list, members))
  }, tree)

const listed = (tree: Tree.Tree): Tree.Tree =>
  keyedLists.reduce((tree, [parent, list]) => {
    const members = Tree.inner(tree, parent)[list]
    if (!Tree.isTree(members)) return tree
    return Tree.put(tree, parent, Tree.put(Tree.inner(tree, parent), list, Object.values(members).flat()))
  }, tree)

const leavesOf = (tree: Tree.Tree) => Tree.leaves(unlisted(tree))

/** After a write other than apply: the writer alone owns what it changed. */
export const written = (
  owners: Ownership,
  before: Tree.Tree,
  after: Tree.Tree,
  writer: string = "update"
): Ownership => {
  const [old, now] = [leavesOf(before), leavesOf(after)]
  const changed = new Set(
    [...now.keys()].filter((path) => !old.has(path) || !Tree.isSame(old.get(path), now.get(path)))
  )
  const kept = [...owners].map(
    ([owner, paths]) => [owner, new Set([...paths].filter((path) => now.has(path) && !changed.has(path)))] as const
  )
  const own = new Map<string, ReadonlySet<string>>(kept)
  return own.set(writer, new Set([...(own.get(writer) ?? []), ...changed]))
}

/**
 * An apply by `writer`, with force: `tree` with the leaves of `desired`, without the leaves that an earlier apply set,
 * this one does not set, and no other writer owns.
 */
export const applied = (
  owners: Ownership,
  tree: Tree.Tree,
  desired: Tree.Tree,
  writer: string
): { readonly tree: Tree.Tree; readonly owners: Ownership } => {
  const wanted = leavesOf(desired)
  const others = [...owners].filter(([owner]) => owner !== writer)
  const isHeld = (path: string) => others.some(([, paths]) => paths.has(path))
  const dropped = [...(owners.get(writer) ?? [])].filter((path) => !wanted.has(path) && !isHeld(path))
  const base = unlisted(tree)
  const present = Tree.leaves(base)
  const reduced = dropped.reduce((left, path) => (present.has(path) ? Tree.without(left, path) : left), base)
  const result = Tree.joined(reduced, unlisted(desired)) as Tree.Tree
  const now = Tree.leaves(result)
  const isKept = (path: string) =>
    now.has(path) && (!wanted.has(path) || Tree.isSame(present.get(path), wanted.get(path)))
  const left = others.map(([owner, paths]) => [owner, new Set([...paths].filter(isKept))] as const)
  return {
    tree: listed(result),
    owners: new Map<string, ReadonlySet<string>>(left).set(writer, new Set(wanted.keys()))
  }
}
