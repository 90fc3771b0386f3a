import { spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat, symlink, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import * as DirectoryObjectStore from "../../src/storage/DirectoryObjectStore.ts"
import type { ObjectKey, ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import type { ObjectStoreError } from "../../src/storage/ObjectStoreError.ts"
import { objectStoreContract } from "../contract/objectStore.ts"
import { temporaryVolume } from "./temporaryVolume.ts"

objectStoreContract(
  "in a directory",
  Effect.map(temporaryVolume, (volume) => ({
    open: (subPath) => DirectoryObjectStore.open({ _tag: "Directory", volume, subPath })
  })),
  { fingerprints: false }
)

const key = (text: string) => text as ObjectKey
const bytes = (text: string) => new TextEncoder().encode(text)
const io = <A>(work: () => Promise<A>) => Effect.promise(work)
const inVolume = (volume: string, subPath?: string) =>
  DirectoryObjectStore.open({ _tag: "Directory", volume, ...(subPath === undefined ? {} : { subPath }) })
const keysOf = (store: ObjectStoreShape, prefix = "") =>
  store.list(prefix).pipe(
    Stream.map((info) => info.key as string),
    Stream.runCollect
  )
const reasonOf = <A>(effect: Effect.Effect<A, ObjectStoreError>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason._tag)
const unfinished = (volume: string) =>
  io(() => readdir(join(volume, ".kafka-backup-tmp")).catch((): Array<string> => []))

describe("DirectoryObjectStore.open", () => {
  it.live("creates the sub-path, but never the volume: an unmounted claim must not become an empty backup", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const store = yield* inVolume(volume, "team/a/")
      assert.strictEqual(store.location, `directory ${join(volume, "team/a/")}`)
      assert.isTrue((yield* io(() => stat(join(volume, "team/a")))).isDirectory())
      const error = yield* Effect.flip(inVolume(join(volume, "not-there"), "a"))
      assert.strictEqual(error.reason._tag, "TargetMissing")
      assert.include(error.advice, "claim")
      assert.isFalse(existsSync(join(volume, "not-there")))
      yield* io(() => writeFile(join(volume, "file"), "x"))
      assert.strictEqual(yield* reasonOf(inVolume(join(volume, "file"))), "TargetMissing")
      assert.strictEqual(yield* reasonOf(inVolume(volume, "file/below")), "Misconfigured")
    })
  )

  it.live("refuses sub-paths that lead out of the volume", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const outside = yield* temporaryVolume
      yield* io(() => symlink(outside, join(volume, "link")))
      for (const subPath of [
        "..",
        "../other",
        "a/../../b",
        "/etc",
        "/",
        "./a",
        "a//b",
        "a\u0000",
        "link",
        "link/deeper"
      ]) {
        const error = yield* Effect.flip(inVolume(volume, subPath))
        assert.strictEqual(error.reason._tag, "Misconfigured", subPath)
        if (subPath.startsWith("link")) assert.include(error.message, join(volume, "link"))
      }
      assert.strictEqual(yield* reasonOf(inVolume("relative/path")), "Misconfigured")
      assert.deepStrictEqual(yield* io(() => readdir(outside)), [])
    })
  )

  it.live("sweeps unfinished files of killed processes after a day, and nothing else", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const folder = join(volume, ".kafka-backup-tmp")
      const [old, young] = [
        "put-0b0b0b0b-0000-4000-8000-000000000001",
        "put-0b0b0b0b-0000-4000-8000-000000000002"
      ] as const
      const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000)
      yield* io(async () => {
        await mkdir(folder)
        for (const name of [old, young, "somebody-elses"]) await writeFile(join(folder, name), "half")
        for (const name of [old, "somebody-elses"]) await utimes(join(folder, name), twoDaysAgo, twoDaysAgo)
      })
      const store = yield* inVolume(volume)
      assert.deepStrictEqual((yield* unfinished(volume)).toSorted(), [young, "somebody-elses"])
      assert.deepStrictEqual(yield* keysOf(store), [])
      assert.deepStrictEqual(yield* keysOf(store, ".kafka"), [])
      assert.deepStrictEqual(yield* Stream.runCollect(store.folders), [])
      assert.strictEqual(yield* reasonOf(store.get(key(`.kafka-backup-tmp/${young}`))), "Misconfigured")
      assert.strictEqual(yield* reasonOf(store.put(key(".kafka-backup-tmp/x"), [])), "Misconfigured")
    })
  )
})

describe("DirectoryObjectStore.put", () => {
  it.live("leaves no unfinished file: neither after success, nor refusal, nor interruption", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const store = yield* inVolume(volume)
      yield* store.put(key("a/b"), [bytes("1")], { ifAbsent: true })
      yield* store.put(key("a/b"), [bytes("2")])
      yield* Effect.flip(store.put(key("a/b"), [bytes("3")], { ifAbsent: true }))
      yield* Effect.flip(store.put(key("a/c"), [bytes("4")], { sha256: "00" }))
      yield* Effect.flip(store.put(key("a/b/c"), [bytes("5")]))
      assert.deepStrictEqual(yield* unfinished(volume), [])
      const large = new Uint8Array(16 * 1024 * 1024)
      const writing = yield* Effect.forkChild(
        store.put(
          key("large"),
          Array.from({ length: 16 }, () => large)
        )
      )
      while ((yield* unfinished(volume)).length === 0) yield* Effect.sleep(1)
      yield* Fiber.interrupt(writing)
      assert.deepStrictEqual(yield* unfinished(volume), [])
      assert.deepStrictEqual(yield* keysOf(store), ["a/b"])
    })
  )

  it.live("refuses a key that is the beginning of another one, either way round", () =>
    Effect.gen(function* () {
      const store = yield* inVolume(yield* temporaryVolume)
      yield* store.put(key("a/b"), [bytes("x")])
      for (const options of [{}, { ifAbsent: true }]) {
        assert.strictEqual(yield* reasonOf(store.put(key("a"), [bytes("x")], options)), "Misconfigured")
        assert.strictEqual(yield* reasonOf(store.put(key("a/b/c"), [bytes("x")], options)), "Misconfigured")
      }
      assert.deepStrictEqual(yield* keysOf(store), ["a/b"])
    })
  )

  it.live(
    "survives kill -9: what was acknowledged is whole, what was not is absent or whole, nothing else is listed",
    () =>
      Effect.gen(function* () {
        const volume = yield* temporaryVolume
        const writer = join(import.meta.dirname, "writeForever.ts")
        const size = 3 * 1024 * 1024
        const acknowledged = new Set<string>()
        for (let round = 0; round < 4; round++) {
          yield* Effect.callback<void>((resume) => {
            const child = spawn(process.execPath, [writer, volume, `round-${round}`, String(size)], {
              stdio: ["ignore", "pipe", "inherit"]
            })
            let lines = ""
            child.stdout.on("data", (chunk: Buffer) => {
              lines += chunk.toString()
              // Between two acknowledgements, hence in the middle of a put.
              if (lines.split("\n").length > 3 + round) child.kill("SIGKILL")
            })
            child.on("close", () => {
              for (const line of lines.split("\n").slice(0, -1)) acknowledged.add(line)
              resume(Effect.void)
            })
          })
        }
        const store = yield* inVolume(volume)
        const listed = yield* Stream.runCollect(store.list(""))
        assert.isAtLeast(acknowledged.size, 4)
        for (const acked of acknowledged)
          assert.include(
            listed.map((info) => info.key as string),
            acked
          )
        for (const info of listed) {
          assert.match(info.key, /^round-\d\/\d+$/u)
          assert.strictEqual(info.size, size)
          const content = yield* store.get(info.key)
          const fill = Number(info.key.split("/")[1]) % 256
          assert.isTrue(content.every((byte) => byte === fill))
        }
      })
  )
})

describe("DirectoryObjectStore and symbolic links", () => {
  it.live("follows none below the root, lists none, and touches nothing behind them", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const outside = yield* temporaryVolume
      const store = yield* inVolume(volume, "backups")
      const root = join(volume, "backups")
      yield* io(async () => {
        await writeFile(join(outside, "secret"), "secret")
        await mkdir(join(root, "set"))
        await symlink(outside, join(root, "set", "way-out"))
        await symlink(join(outside, "secret"), join(root, "set", "file-link"))
        await symlink(join(root, "nowhere"), join(root, "dangling"))
      })
      yield* store.put(key("set/mine"), [bytes("x")])
      for (const behind of ["set/way-out/secret", "set/way-out/new", "set/file-link", "dangling"]) {
        for (const call of [
          store.get(key(behind)),
          store.head(key(behind)),
          Stream.runDrain(store.read(key(behind))),
          store.put(key(behind), [bytes("x")]),
          store.put(key(behind), [bytes("x")], { ifAbsent: true }),
          store.delete(key(behind))
        ]) {
          const error = yield* Effect.flip<unknown, ObjectStoreError, never>(call)
          assert.strictEqual(error.reason._tag, "Misconfigured", `${error.operation} ${behind}`)
          assert.include(error.message, "symbolic link")
        }
      }
      assert.strictEqual(yield* reasonOf(Stream.runDrain(store.list("set/way-out/"))), "Misconfigured")
      assert.deepStrictEqual(yield* keysOf(store), ["set/mine"])
      assert.deepStrictEqual(yield* Stream.runCollect(store.folders), ["set"])
      assert.deepStrictEqual(yield* io(() => readdir(outside)), ["secret"])
      assert.strictEqual(yield* io(() => readFile(join(outside, "secret"), "utf8")), "secret")
    })
  )
})

describe("DirectoryObjectStore and directories that it knows", () => {
  it.live("refuses one that somebody has replaced by a symbolic link since, and touches nothing behind it", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const outside = yield* temporaryVolume
      const store = yield* inVolume(volume)
      yield* store.put(key("set/topics/a/1"), [bytes("x")])
      yield* io(async () => {
        await writeFile(join(outside, "1"), "secret")
        await rm(join(volume, "set/topics/a"), { recursive: true })
        await symlink(outside, join(volume, "set/topics/a"))
      })
      for (const call of [
        store.get(key("set/topics/a/1")),
        Stream.runDrain(store.read(key("set/topics/a/1"))),
        store.put(key("set/topics/a/1"), [bytes("x")]),
        store.put(key("set/topics/a/2"), [bytes("x")]),
        store.put(key("set/topics/a/2"), [bytes("x")], { ifAbsent: true })
      ]) {
        const error = yield* Effect.flip<unknown, ObjectStoreError, never>(call)
        assert.strictEqual(error.reason._tag, "Misconfigured", error.operation)
        assert.include(error.message, "symbolic link")
      }
      assert.deepStrictEqual(yield* io(() => readdir(outside)), ["1"])
      assert.strictEqual(yield* io(() => readFile(join(outside, "1"), "utf8")), "secret")
      assert.deepStrictEqual(yield* unfinished(volume), [])
    })
  )

  it.live("makes those again that somebody has removed since", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const store = yield* inVolume(volume)
      yield* store.put(key("set/topics/a/1"), [bytes("x")])
      yield* io(() => rm(join(volume, "set"), { recursive: true }))
      yield* io(() => rm(join(volume, ".kafka-backup-tmp"), { recursive: true }))
      yield* store.put(key("set/topics/a/2"), [bytes("y")])
      yield* store.put(key("set/topics/b/1"), [bytes("z")], { ifAbsent: true })
      assert.deepStrictEqual(yield* keysOf(store), ["set/topics/a/2", "set/topics/b/1"])
    })
  )
})

describe("DirectoryObjectStore.list", () => {
  it.live("lists foreign files, skips pipes and empty directories, and does not hang on a pipe", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      yield* io(async () => {
        await mkdir(join(volume, "empty/deeper"), { recursive: true })
        await mkdir(join(volume, "lost+found"))
        await writeFile(join(volume, "README"), "foreign")
        await writeFile(join(volume, "lost+found", "#123"), "foreign")
      })
      assert.strictEqual(spawnSync("mkfifo", [join(volume, "pipe")]).status, 0)
      const store = yield* inVolume(volume)
      assert.deepStrictEqual(yield* keysOf(store), ["README", "lost+found/#123"])
      assert.deepStrictEqual(yield* Stream.runCollect(store.folders), ["lost+found"])
      assert.strictEqual(yield* reasonOf(store.get(key("pipe"))), "ObjectNotFound")
    })
  )

  it.live("goes on when files and whole directories vanish in the middle", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const store = yield* inVolume(volume)
      const keys = Array.from({ length: 400 }, (_, i) => `set/${Math.floor(i / 100)}/${String(i).padStart(3, "0")}`)
      yield* Effect.forEach(keys, (each) => store.put(key(each), [bytes("x")]), { concurrency: 8, discard: true })
      const seen = yield* store.list("").pipe(
        Stream.tap((info) =>
          info.key === "set/0/000"
            ? io(() => rm(join(volume, "set/2"), { recursive: true }))
            : store.delete(key("set/3/350"))
        ),
        Stream.map((info) => info.key as string),
        Stream.runCollect
      )
      assert.deepStrictEqual(
        seen,
        keys.filter((each) => !each.startsWith("set/2/") && each !== "set/3/350")
      )
    })
  )

  it.live("fails when the volume is gone, and so does everything else: absent is not empty", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const store = yield* inVolume(volume, "backups")
      yield* store.put(key("a"), [bytes("x")])
      yield* io(() => rm(join(volume, "backups"), { recursive: true }))
      assert.strictEqual(yield* reasonOf(Stream.runDrain(store.list(""))), "TargetMissing")
      assert.strictEqual(yield* reasonOf(Stream.runDrain(store.folders)), "TargetMissing")
      assert.strictEqual(yield* reasonOf(store.get(key("a"))), "TargetMissing")
      assert.strictEqual(yield* reasonOf(store.head(key("a"))), "TargetMissing")
      assert.strictEqual(yield* reasonOf(store.put(key("a"), [bytes("x")])), "TargetMissing")
      assert.strictEqual(yield* reasonOf(store.delete(key("a"))), "TargetMissing")
      assert.deepStrictEqual(yield* io(() => readdir(volume)), [])
    })
  )
})

describe("DirectoryObjectStore.delete", () => {
  it.live("removes the directories that it emptied, up to the root and not the root itself", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const store = yield* inVolume(volume, "team")
      for (const each of ["set/topics/t/p/1", "set/topics/u/1"]) yield* store.put(key(each), [bytes("x")])
      yield* store.delete(key("set/topics/t/p/1"))
      assert.deepStrictEqual(yield* io(() => readdir(join(volume, "team/set/topics"))), ["u"])
      yield* store.delete(key("set/topics/u/1"))
      assert.isFalse(existsSync(join(volume, "team/set")))
      assert.isTrue(existsSync(join(volume, "team")))
    })
  )
})

describe("DirectoryObjectStore without the means", () => {
  const isRoot = process.getuid?.() === 0

  /** A file system of 4 MiB; undefined where mounting is not allowed. */
  const smallDisk = Effect.acquireRelease(
    io(async () => {
      const path = await mkdtemp(join(tmpdir(), "kafka-backup-disk-"))
      const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", path]).status === 0
      if (mounted) return path
      await rmdir(path)
      return undefined
    }),
    (path) =>
      io(async () => {
        if (path === undefined) return
        spawnSync("umount", [path])
        await rmdir(path)
      })
  )
  const canMount = isRoot && spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).status === 0

  it.live.skipIf(!canMount)(
    "says OutOfSpace on a full disk, keeps what was there, and works again when there is room",
    () =>
      Effect.gen(function* () {
        const disk = yield* smallDisk
        const store = yield* inVolume(disk!)
        yield* store.put(key("before"), [bytes("kept")])
        const error = yield* Effect.flip(store.put(key("set/large"), [new Uint8Array(8 * 1024 * 1024)]))
        assert.strictEqual(error.reason._tag, "OutOfSpace")
        assert.isFalse(error.isRetryable)
        assert.deepStrictEqual(yield* keysOf(store), ["before"])
        assert.deepStrictEqual(yield* unfinished(disk!), [])
        assert.strictEqual(yield* reasonOf(store.put(key("before"), [new Uint8Array(8 * 1024 * 1024)])), "OutOfSpace")
        assert.deepStrictEqual(yield* store.get(key("before")), bytes("kept"))
        yield* store.put(key("set/small"), [new Uint8Array(1024 * 1024)])
        assert.deepStrictEqual(yield* keysOf(store), ["before", "set/small"])
      })
  )

  it.live.skipIf(!canMount)("says StorageAuthorizationFailed on a disk that became read-only, and still reads", () =>
    Effect.gen(function* () {
      const disk = yield* smallDisk
      const store = yield* inVolume(disk!, "backups")
      yield* store.put(key("set/a"), [bytes("x")])
      spawnSync("mount", ["-o", "remount,ro", disk!])
      const reader = yield* inVolume(disk!, "backups")
      for (const put of [
        reader.put(key("set/b"), [bytes("x")]),
        reader.put(key("new/b"), [bytes("x")], { ifAbsent: true })
      ]) {
        const error = yield* Effect.flip(put)
        assert.strictEqual(error.reason._tag, "StorageAuthorizationFailed")
        assert.include(error.advice, "read-write")
      }
      assert.strictEqual(yield* reasonOf(reader.delete(key("set/a"))), "StorageAuthorizationFailed")
      assert.deepStrictEqual(yield* reader.get(key("set/a")), bytes("x"))
      assert.deepStrictEqual(yield* keysOf(reader), ["set/a"])
    })
  )

  it.live.skipIf(!isRoot)("says StorageAuthorizationFailed with advice when the volume belongs to another user", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const store = yield* inVolume(volume)
      yield* store.put(key("set/a"), [bytes("x")])
      yield* io(() => chmod(volume, 0o755))
      yield* io(() => chmod(join(volume, "set/a"), 0o600))
      yield* Effect.acquireRelease(
        Effect.sync(() => process.seteuid!(65_534)),
        () => Effect.sync(() => process.seteuid!(0))
      )
      const theirs = yield* inVolume(volume)
      for (const call of [
        theirs.put(key("set/b"), [bytes("x")]),
        theirs.get(key("set/a")),
        theirs.delete(key("set/a"))
      ]) {
        const error = yield* Effect.flip<unknown, ObjectStoreError, never>(call)
        assert.strictEqual(error.reason._tag, "StorageAuthorizationFailed", error.operation)
        assert.include(error.advice, `let user ${process.getuid!()} read and write there`)
      }
      assert.strictEqual(yield* reasonOf(inVolume(volume, "new")), "StorageAuthorizationFailed")
    })
  )
})
