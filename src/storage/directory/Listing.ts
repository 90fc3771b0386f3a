import type { Dirent } from "node:fs"
import { lstat, opendir, readdir } from "node:fs/promises"
import { join } from "node:path"
import * as KeyRules from "../KeyRules.ts"
import { Misconfigured } from "../ObjectStoreError.ts"
import type { ObjectInfo, ObjectKey } from "../ObjectStore.ts"
import { isMissing, Refusal } from "./Failure.ts"
import * as Paths from "./Paths.ts"

/** Files looked at in one page, and at the same time; and directories entered for it at most. */
const pageSize = 64

interface Entry {
  /** Name, followed by a slash when it is a directory: sorting by this gives the order of whole keys. */
  readonly name: string
  readonly isFolder: boolean
}

/** What is left of one directory. */
interface Frame {
  /** Key of the directory with a slash behind it, or empty for the root. */
  readonly folder: string
  readonly entries: ReadonlyArray<Entry>
  next: number
}

/** Where a listing stands: the directories that were entered, outermost first. Only their names are held in memory. */
export type Position = Array<Frame>

const missingAs =
  <A>(other: A) =>
  (cause: unknown): A => {
    if (isMissing(cause)) return other
    throw cause
  }

const isForbidden = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && (cause.code === "EACCES" || cause.code === "EPERM")

const entryOf = async (root: string, folder: string, entry: Dirent): Promise<Entry | undefined> => {
  if (folder === "" && entry.name === Paths.temporaryFolder) return undefined
  // Some file systems list names without types.
  const isUntyped = !entry.isFile() && !entry.isDirectory() && !entry.isSymbolicLink()
  const known = isUntyped ? await lstat(join(root, folder, entry.name)).catch(missingAs(undefined)) : entry
  if (known?.isFile()) return { name: entry.name, isFolder: false }
  if (known?.isDirectory()) return { name: `${entry.name}/`, isFolder: true }
  return undefined
}

const frameOf = async (root: string, folder: string, matches: (name: string) => boolean): Promise<Frame> => {
  const path = join(root, folder)
  const found =
    folder === ""
      ? await readdir(path, { withFileTypes: true })
      : await readdir(path, { withFileTypes: true }).catch(missingAs([]))
  const entries: Array<Entry> = []
  for (const dirent of found) {
    const entry = await entryOf(root, folder, dirent)
    if (entry !== undefined && matches(entry.name)) entries.push(entry)
  }
  return { folder, entries: entries.sort((a, b) => KeyRules.byUtf8(a.name, b.name)), next: 0 }
}

/** The beginning of the listing of everything that starts with `prefix`. */
export const begin = async (root: string, prefix: string): Promise<Position> => {
  const refused = KeyRules.prefixRefusal(prefix)
  if (refused !== undefined) {
    const detail = `${KeyRules.shown(prefix)} is not usable as a prefix: ${refused}`
    throw new Refusal(new Misconfigured({ detail, advice: "use another prefix" }))
  }
  await Paths.assertMounted(root)
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1)
  if (folder !== "") await Paths.beneath(root, Paths.segmentsOf(folder.slice(0, -1)))
  const rest = prefix.slice(folder.length)
  return [await frameOf(root, folder, (name) => name.startsWith(rest))]
}

const infoOf = async (root: string, key: string): Promise<ObjectInfo | undefined> => {
  const stats = await lstat(join(root, key)).catch(missingAs(undefined))
  return stats?.isFile()
    ? { key: key as ObjectKey, size: stats.size, modifiedMillis: Math.floor(stats.mtimeMs) }
    : undefined
}

/**
 * The next page, possibly empty, and whether there may be more: of the files in as many directories as it takes to fill
 * it. Files deleted meanwhile are left out.
 */
export const next = async (
  root: string,
  position: Position
): Promise<{ readonly page: Array<ObjectInfo>; readonly more: boolean }> => {
  const keys: Array<string> = []
  for (let entered = 0; keys.length < pageSize && entered < pageSize;) {
    const frame = position.at(-1)
    if (frame === undefined) break
    const entry = frame.entries[frame.next++]
    if (entry === undefined) position.pop()
    else if (!entry.isFolder) keys.push(frame.folder + entry.name)
    else {
      position.push(await frameOf(root, frame.folder + entry.name, () => true))
      entered++
    }
  }
  const infos = await Promise.all(keys.map((key) => infoOf(root, key)))
  return { page: infos.filter((info) => info !== undefined), more: position.length > 0 }
}

const holdsFile = async (root: string, folder: string): Promise<boolean> => {
  const directory = await opendir(join(root, folder)).catch(missingAs(undefined))
  if (directory === undefined) return false
  const inner: Array<string> = []
  for await (const dirent of directory) {
    const entry = await entryOf(root, folder, dirent)
    if (entry?.isFolder === false) return true
    if (entry !== undefined) inner.push(folder + entry.name)
  }
  for (const each of inner) if (await holdsFile(root, each)) return true
  return false
}

/**
 * The directories of the root that hold at least one file somewhere, ascending. Directories that this user may not read
 * belong to somebody else, such as the file system's own `lost+found`: they are left out.
 */
export const folders = async (root: string): Promise<Array<string>> => {
  const [frame] = await begin(root, "")
  const found: Array<string> = []
  for (const entry of frame!.entries) {
    if (!entry.isFolder) continue
    const isHolding = await holdsFile(root, entry.name).catch((cause: unknown) => {
      if (isForbidden(cause)) return false
      throw cause
    })
    if (isHolding) found.push(entry.name.slice(0, -1))
  }
  return found.sort(KeyRules.byUtf8)
}
