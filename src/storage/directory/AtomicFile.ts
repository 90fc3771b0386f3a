import { createHash, randomUUID } from "node:crypto"
import { constants, type Stats } from "node:fs"
import { type FileHandle, link, lstat, open, readdir, rename, rmdir, statfs, unlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { ContentMismatch, Misconfigured, ObjectExists } from "../ObjectStoreError.ts"
import * as Pieces from "../Pieces.ts"
import { errorCode, isMissing, Refusal } from "./Failure.ts"
import * as Paths from "./Paths.ts"

/** Most bytes in one write call; the fiber can be interrupted between calls. */
const writeSize = 8 * 1024 * 1024

/** Our own names in the folder for unfinished files; nothing else there is ever removed. */
const unfinishedName = /^put-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u

/** Age from which an unfinished file is taken for a leftover of a killed process: no upload lasts a day. */
const leftoverMillis = 24 * 60 * 60 * 1000

/** Magic numbers of file systems that are known for their missing hard links. Source: Linux statfs(2). */
const fileSystems: Readonly<Record<number, string>> = {
  0x4d44: "vfat",
  0x2011bab0: "exfat",
  0x65735546: "FUSE",
  0xff534d42: "CIFS",
  0xfe534d42: "SMB2",
  0x01021997: "9p"
}

/** A file that does not have its name yet. */
interface Unfinished {
  readonly path: string
  readonly handle: FileHandle
  /** It was renamed: nothing is left at `path`. */
  isMoved: boolean
}

const unlessMissing = (cause: unknown): void => {
  if (!isMissing(cause)) throw cause
}

const writeAll = async (handle: FileHandle, batch: Array<Uint8Array>): Promise<void> => {
  let left = batch
  while (left.length > 0) {
    let { bytesWritten } = await handle.writev(left)
    let whole = 0
    while (whole < left.length && bytesWritten >= left[whole]!.byteLength) bytesWritten -= left[whole++]!.byteLength
    left = left.slice(whole)
    if (bytesWritten > 0) left[0] = left[0]!.subarray(bytesWritten)
  }
}

/** Batches of at most `writeSize` bytes and 1,024 pieces (IOV_MAX on Linux). */
function* batches(pieces: Pieces.Pieces): Generator<Array<Uint8Array>, void> {
  let batch: Array<Uint8Array> = []
  let size = 0
  for (const slice of Pieces.slices(pieces, writeSize)) {
    if (batch.length === 1024 || size + slice.byteLength > writeSize) {
      yield batch
      batch = []
      size = 0
    }
    batch.push(slice)
    size += slice.byteLength
  }
  if (batch.length > 0) yield batch
}

const noHardLinks = async (root: string, cause: unknown): Promise<Refusal> => {
  const type = await statfs(root).then(
    ({ type }) => fileSystems[type] ?? `0x${type.toString(16)}`,
    () => "unknown"
  )
  return new Refusal(
    new Misconfigured({
      detail: `the file system of ${root} (type ${type}) has no hard links, so two writers could overwrite each other`,
      advice: "use a volume whose file system has hard links, such as ext4, XFS or NFS",
      cause
    })
  )
}

/** Gives the finished file its name, unless there is one already. Throws `ObjectExists`. */
const linked = async (root: Paths.Root, from: string, to: string, key: string): Promise<void> => {
  try {
    await link(from, to)
  } catch (cause) {
    switch (errorCode(cause)) {
      case "EEXIST": {
        // Over NFS a repeated request may meet its own success.
        const [ours, there] = await Promise.all([lstat(from), lstat(to).catch(() => undefined)])
        if (there !== undefined && there.ino === ours.ino && there.dev === ours.dev) return
        if (there?.isDirectory()) throw Object.assign(new Error(`${to} is a directory`), { code: "EISDIR" })
        throw new Refusal(new ObjectExists({ key }))
      }
      case "EPERM":
      case "ENOTSUP":
      case "EOPNOTSUPP":
      case "ENOSYS":
      case "EMLINK":
        throw await noHardLinks(root.path, cause)
      default:
        throw cause
    }
  }
}

/** How often a write starts again because a deletion pruned the directories that it had just made. */
const prunedTimes = 100

/** Creates the parents and names the file in them; starts again when a deletion pruned the parents in between. */
const named = async (root: Paths.Root, file: Unfinished, key: string, ifAbsent: boolean): Promise<void> => {
  const segments = Paths.segmentsOf(key)
  const name = async () => {
    const folder = await Paths.beneathCreated(root, segments.slice(0, -1))
    const to = await Paths.beneath(folder, segments.slice(-1))
    if (ifAbsent) await linked(root, file.path, to, key)
    else {
      await rename(file.path, to)
      file.isMoved = true
    }
    return folder
  }
  for (let attempt = 1; ; attempt++) {
    try {
      const folder = await name()
      // Whoever deleted the object and its directory since then did so on purpose.
      return await Paths.syncedTogether(root, folder).catch(unlessMissing)
    } catch (cause) {
      if (errorCode(cause) !== "ENOENT" || attempt === prunedTimes) throw cause
      await Paths.assertMounted(root.path)
    }
  }
}

/** A new file for what is not finished. Throws `TargetMissing` when the root is gone. */
const begun = async (root: Paths.Root): Promise<Unfinished> => {
  const folder = join(root.path, Paths.temporaryFolder)
  const isThere =
    root.durable.has(folder) &&
    (await lstat(folder).then(
      (found) => found.isDirectory(),
      () => false
    ))
  if (!isThere) {
    await Paths.assertMounted(root.path)
    await Paths.beneathCreated(root, [Paths.temporaryFolder])
  }
  const path = join(folder, `put-${randomUUID()}`)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  return { path, handle: await open(path, flags, 0o666), isMoved: false }
}

/** How one step of a write runs: translates failures, and is waited for when the fiber is interrupted. */
export type Step<E> = <A>(work: () => Promise<A>) => Effect.Effect<A, E>

/**
 * Writes a file that is either wholly there or not at all, also after a crash: a temporary file beside the objects,
 * synced, then named by `link` (only if absent) or `rename`, then the directory synced. The temporary name is gone on
 * return, on failure and on interruption. The bytes are hashed while they are written.
 */
export const write = <E>(
  step: Step<E>,
  root: Paths.Root,
  key: string,
  pieces: Pieces.Pieces,
  options: { readonly ifAbsent: boolean; readonly sha256: string | undefined }
): Effect.Effect<{ readonly stats: Stats; readonly sha256: string }, E> =>
  Effect.acquireUseRelease(
    step(async () => {
      // An early answer, so that a second writer need not upload everything to hear that it came second.
      if (options.ifAbsent) {
        const there = await lstat(await Paths.beneath(root.path, Paths.segmentsOf(key))).catch(unlessMissing)
        if (there?.isFile()) throw new Refusal(new ObjectExists({ key }))
      }
      return await begun(root)
    }),
    (file) =>
      Effect.gen(function* () {
        const { handle } = file
        const hash = createHash("sha256")
        for (const batch of batches(pieces)) {
          yield* step(async () => {
            const written = writeAll(handle, batch)
            for (const piece of batch) hash.update(piece)
            await written
          })
        }
        return yield* step(async () => {
          const sha256 = hash.digest("hex")
          if (options.sha256 !== undefined && sha256 !== options.sha256) {
            throw new Refusal(new ContentMismatch({ key, detail: "the bytes do not match the announced SHA-256" }))
          }
          await handle.sync()
          const stats = await handle.stat()
          const expected = Pieces.byteLength(pieces)
          if (stats.size !== expected) {
            const detail = `${expected} bytes were written, but the file has ${stats.size}`
            throw new Refusal(new ContentMismatch({ key, detail }))
          }
          await named(root, file, key, options.ifAbsent)
          return { stats, sha256 }
        })
      }),
    (file) =>
      // Losing these is harmless: a name left behind is not listed and is swept by a later opening.
      Effect.promise(async () => {
        await file.handle.close().catch(() => undefined)
        if (!file.isMoved) await unlink(file.path).catch(() => undefined)
      })
  )

/** Removes unfinished files that a killed process left behind a day or more ago. Never fails: it is only tidying. */
export const sweep = async (root: string, nowMillis: number): Promise<void> => {
  const folder = join(root, Paths.temporaryFolder)
  const found = await lstat(folder).catch(() => undefined)
  if (!found?.isDirectory()) return
  for (const name of await readdir(folder).catch(() => [])) {
    if (!unfinishedName.test(name)) continue
    const path = join(folder, name)
    const stats = await lstat(path).catch(() => undefined)
    if (stats?.isFile() && nowMillis - stats.mtimeMs > leftoverMillis) await unlink(path).catch(() => undefined)
  }
}

/** A directory that another deletion removed first counts as removed; any other reason to keep it ends the pruning. */
const removedWhenEmpty = (folder: string): Promise<boolean> => rmdir(folder).then(() => true, isMissing)

/** Deletes the file and every parent that became empty, up to the root. A missing file is fine. */
export const remove = async (root: Paths.Root, key: string): Promise<void> => {
  const path = await Paths.beneath(root.path, Paths.segmentsOf(key))
  try {
    await unlink(path)
  } catch (cause) {
    // A directory of that name is not an object.
    if (isMissing(cause) || errorCode(cause) === "EISDIR") return Paths.assertMounted(root.path)
    throw cause
  }
  let folder = dirname(path)
  while (folder !== root.path && (await removedWhenEmpty(folder))) {
    root.durable.delete(folder)
    folder = dirname(folder)
  }
  // Another deletion may have pruned it just now, and syncs what it left.
  await Paths.syncDirectory(folder).catch(unlessMissing)
}
