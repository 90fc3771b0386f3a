import { constants } from "node:fs"
import { open as openFile, realpath } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import { Clock, Effect, Option, Stream } from "effect"
import * as AtomicFile from "./directory/AtomicFile.ts"
import * as Failure from "./directory/Failure.ts"
import * as Listing from "./directory/Listing.ts"
import * as Paths from "./directory/Paths.ts"
import type { ObjectInfo, ObjectKey, ObjectStoreShape } from "./ObjectStore.ts"
import {
  ContentMismatch,
  Misconfigured,
  ObjectNotFound,
  TargetMissing,
  type ObjectStoreError,
  type Operation
} from "./ObjectStoreError.ts"
import type { DirectoryTarget } from "./StorageTarget.ts"

/** Bytes asked for in one read call. */
const readSize = 1024 * 1024

/** A key's file, opened for reading: never through a symbolic link, never blocking on a pipe. */
const opened = async (root: string, key: string) => {
  const path = await Paths.beneath(root, Paths.segmentsOf(key))
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await openFile(path, flags).catch(async (cause: unknown) => {
    // No root, no answer: an unmounted volume must not say that the object is gone.
    if (Failure.isMissing(cause)) await Paths.assertMounted(root)
    throw cause
  })
  const stats = await handle.stat()
  if (stats.isFile()) return { handle, stats }
  await handle.close()
  throw new Failure.Refusal(new ObjectNotFound({ key }))
}

/** The root directory, created below the volume where needed. */
const rootOf = async ({ volume, subPath }: DirectoryTarget): Promise<string> => {
  if (!isAbsolute(volume)) {
    throw new Failure.Refusal(
      new Misconfigured({ detail: `${volume} is not an absolute path`, advice: "name the volume by its absolute path" })
    )
  }
  const real = await realpath(volume).catch((cause: unknown) => {
    if (!Failure.isMissing(cause)) throw cause
    const advice = "check that the volume claim exists, is bound and is mounted there"
    throw new Failure.Refusal(new TargetMissing({ detail: `${volume} does not exist`, advice, cause }))
  })
  await Paths.assertDirectory(real, "the volume must be a directory: check what is mounted there")
  const below = subPath?.replace(/\/+$/u, "") ?? ""
  return below === "" && !subPath?.startsWith("/")
    ? real
    : Paths.beneathCreated(Paths.rootAt(real), Paths.segmentsOf(below))
}

/**
 * A directory of a mounted volume as a store. `put` is atomic and durable (temporary file, sync, link or rename, sync
 * of the directory); create-if-absent needs a file system with hard links and is refused as `Misconfigured` elsewhere.
 * Symbolic links below the volume are neither followed nor listed. There are no fingerprints.
 *
 * Someone who may write in the volume at the same time can still swap a directory for a link between our look and our
 * use: the volume must belong to the backups alone.
 */
export const open = (target: DirectoryTarget): Effect.Effect<ObjectStoreShape, ObjectStoreError> =>
  Effect.gen(function* () {
    const location = `directory ${target.subPath ? join(target.volume, target.subPath) : target.volume}`

    /** One call into the file system: its failures translated, and waited for when the fiber is interrupted. */
    const step =
      (operation: Operation, key: string) =>
      <A>(work: () => Promise<A>): Effect.Effect<A, ObjectStoreError> =>
        Effect.uninterruptible(
          Effect.tryPromise({ try: work, catch: (cause) => Failure.from(cause, { operation, location, key }) })
        )

    const root = yield* step("open", target.volume)(() => rootOf(target))
    const writable = Paths.rootAt(root)
    const now = yield* Clock.currentTimeMillis
    yield* step("open", target.volume)(() => AtomicFile.sweep(root, now))

    const infoOf = (key: ObjectKey, stats: { readonly size: number; readonly mtimeMs: number }): ObjectInfo => ({
      key,
      size: stats.size,
      modifiedMillis: Math.floor(stats.mtimeMs)
    })

    const read = (key: ObjectKey) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const run = step("read", key)
          const { handle, stats } = yield* Effect.acquireRelease(
            run(() => opened(root, key)),
            // The bytes were read; a failing close loses nothing.
            ({ handle }) => Effect.promise(() => handle.close().catch(() => undefined))
          )
          return Stream.unfold(0, (at: number) =>
            run(async () => {
              if (at === stats.size) return undefined
              const room = Buffer.allocUnsafeSlow(Math.min(readSize, stats.size - at))
              const { bytesRead, buffer } = await handle.read(room, 0, null, at)
              if (bytesRead === 0) {
                const detail = `the file ends after ${at} of ${stats.size} bytes: it was truncated while it was read`
                throw new Failure.Refusal(new ContentMismatch({ key, detail }))
              }
              return [buffer.subarray(0, bytesRead), at + bytesRead] as const
            })
          )
        })
      )

    return {
      location,
      put: (key, content, options = {}) =>
        Effect.map(
          AtomicFile.write(step("put", key), writable, key, content, {
            ifAbsent: options.ifAbsent === true,
            sha256: options.sha256
          }),
          ({ sha256, stats }) => ({ ...infoOf(key, stats), sha256 })
        ),
      get: (key) =>
        step(
          "get",
          key
        )(async () => {
          const { handle, stats } = await opened(root, key)
          try {
            const bytes = await handle.readFile()
            if (bytes.byteLength === stats.size) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
            const detail = `${stats.size} bytes were expected, but ${bytes.byteLength} were read`
            throw new Failure.Refusal(new ContentMismatch({ key, detail }))
          } finally {
            await handle.close()
          }
        }),
      read,
      head: (key) =>
        step(
          "head",
          key
        )(async () => {
          const { handle, stats } = await opened(root, key)
          await handle.close()
          return infoOf(key, stats)
        }),
      list: (prefix) =>
        Stream.unwrap(
          Effect.map(
            step("list", prefix)(() => Listing.begin(root, prefix)),
            (position) =>
              Stream.paginate(position, (at) =>
                Effect.map(
                  step("list", prefix)(() => Listing.next(root, at)),
                  ({ page, more }) => [page, more ? Option.some(at) : Option.none()]
                )
              )
          )
        ),
      folders: Stream.fromIterableEffect(step("list", "")(() => Listing.folders(root))),
      delete: (key) => step("delete", key)(() => AtomicFile.remove(writable, key))
    }
  })
