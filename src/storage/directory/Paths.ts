import { constants } from "node:fs"
import { lstat, mkdir, open, realpath } from "node:fs/promises"
import { join } from "node:path"
import * as KeyRules from "../KeyRules.ts"
import { Misconfigured, TargetMissing } from "../ObjectStoreError.ts"
import { errorCode, isMissing, Refusal } from "./Failure.ts"

/** Our own folder inside the root: unfinished files lie there, on the same file system as the objects. Never listed. */
export const temporaryFolder = ".kafka-backup-tmp"

/** The directory that a store was opened for. */
export interface Root {
  readonly path: string
  /** Directories below whose own names are known to survive a crash: created or met, and their parents synced since. */
  readonly durable: Set<string>
  /** Syncs of directories that are under way, by path; see `syncedTogether`. */
  readonly syncing: Map<string, Syncing>
}

interface Syncing {
  readonly running: Promise<void>
  /** For those who asked since it began: what they did may not be in it. */
  next: Promise<void> | undefined
}

export const rootAt = (path: string): Root => ({ path, durable: new Set(), syncing: new Map() })

const symbolicLink = (path: string): Refusal =>
  new Refusal(
    new Misconfigured({
      detail: `${path} is a symbolic link; symbolic links below the volume are not followed`,
      advice: "put a real directory or file in its place, or choose a path without it"
    })
  )

/** Segments of a key that may be touched; throws `Misconfigured` for one that may not. */
export const segmentsOf = (key: string): ReadonlyArray<string> => {
  const refused = KeyRules.refusal(key)
  if (refused !== undefined) {
    const detail = `${KeyRules.shown(key)} is not usable as a key: ${refused}`
    throw new Refusal(new Misconfigured({ detail, advice: "use another name" }))
  }
  const segments = key.split("/")
  if (segments[0] === temporaryFolder) {
    const detail = `${key} is in the folder for unfinished files`
    throw new Refusal(new Misconfigured({ detail, advice: `choose a name other than ${temporaryFolder}` }))
  }
  return segments
}

/** Durable names: what was created, linked or removed in a directory survives a crash once this returns. */
export const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } catch (cause) {
    // Some network file systems do not know how to sync a directory, and need no such call.
    if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP"].includes(errorCode(cause))) throw cause
  } finally {
    await handle.close()
  }
}

/**
 * As `syncDirectory`. Writers who ask while a sync of the same directory is under way share the one after it: many new
 * directories beside each other cost few syncs.
 */
export const syncedTogether = (root: Root, path: string): Promise<void> => {
  const begin = (): Promise<void> => {
    const running = syncDirectory(path).finally(() => {
      if (root.syncing.get(path) === syncing && syncing.next === undefined) root.syncing.delete(path)
    })
    const syncing: Syncing = { running, next: undefined }
    root.syncing.set(path, syncing)
    return running
  }
  const underWay = root.syncing.get(path)
  if (underWay === undefined) return begin()
  return (underWay.next ??= underWay.running.then(begin, begin))
}

/** In one call where all of it is there: no symbolic link is on the way to `path`, nor is it one itself. */
const isReal = (path: string): Promise<boolean> =>
  realpath(path).then(
    (real) => real === path,
    () => false
  )

/**
 * The path of `segments` below `root`, after a look at all of them: throws `Misconfigured` at the first symbolic link.
 * Segments that do not exist are fine; what is found there is for the caller to meet.
 */
export const beneath = async (root: string, segments: ReadonlyArray<string>): Promise<string> => {
  if (segments.length > 1) {
    const whole = join(root, ...segments)
    if (await isReal(whole)) return whole
  }
  // Which of them it is, or what is not there.
  let path = root
  let exists = true
  for (const segment of segments) {
    path = join(path, segment)
    if (!exists) continue
    try {
      if ((await lstat(path)).isSymbolicLink()) throw symbolicLink(path)
    } catch (cause) {
      if (!isMissing(cause)) throw cause
      exists = false
    }
  }
  return path
}

/** Throws unless there is a real directory; `cause` is why it could not be created. */
const assertReal = async (path: string, cause: unknown): Promise<void> => {
  const found = await lstat(path).catch((gone: unknown) => {
    throw errorCode(cause) === "EEXIST" ? gone : cause
  })
  if (found.isSymbolicLink()) throw symbolicLink(path)
  if (found.isDirectory()) return
  const detail = `${path} is a file where a directory is needed`
  const advice =
    "use another name, or remove the file: a key must not be the beginning of another one followed by a slash"
  throw new Refusal(new Misconfigured({ detail, advice }))
}

/** How many of `segments`, from the root, are directories that are there and that need not be synced. */
const knownOf = async (root: Root, segments: ReadonlyArray<string>): Promise<number> => {
  let path = root.path
  let known = 0
  for (const segment of segments) {
    const next = join(path, segment)
    if (!root.durable.has(next)) break
    path = next
    known++
  }
  return known > 0 && (await isReal(path)) ? known : 0
}

/**
 * Like `beneath`, creating every directory that is missing; `root` itself must exist. All of them survive a crash on
 * return, those too that another writer has created but perhaps not yet synced.
 */
export const beneathCreated = async (root: Root, segments: ReadonlyArray<string>): Promise<string> => {
  const known = await knownOf(root, segments)
  let path = join(root.path, ...segments.slice(0, known))
  for (const segment of segments.slice(known)) {
    const parent = path
    path = join(parent, segment)
    try {
      await mkdir(path)
      root.durable.delete(path)
    } catch (cause) {
      // A read-only file system may say so before it says that the directory is there already.
      const code = errorCode(cause)
      if (!["EEXIST", "EROFS", "EACCES"].includes(code)) throw cause
      await assertReal(path, cause)
      if (code !== "EEXIST") continue
    }
    if (root.durable.has(path)) continue
    await syncedTogether(root, parent)
    root.durable.add(path)
  }
  return path
}

/** Throws `TargetMissing` unless `path` is a directory: an absent volume must never look like an empty one. */
export const assertDirectory = async (path: string, advice: string): Promise<void> => {
  const found = await lstat(path).catch((cause: unknown) => {
    if (isMissing(cause)) {
      throw new Refusal(new TargetMissing({ detail: `${path} does not exist`, advice, notFromStore: "connection" }))
    }
    throw cause
  })
  if (!found.isDirectory()) throw new Refusal(new TargetMissing({ detail: `${path} is not a directory`, advice }))
}

/** Throws `TargetMissing` when the root that was opened is no longer there. */
export const assertMounted = (root: string): Promise<void> => assertDirectory(root, "check that the volume is mounted")
