import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, type Scope, Stream } from "effect"
import type { ObjectKey, ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { isReason, type ObjectStoreError } from "../../src/storage/ObjectStoreError.ts"

/** An empty place in which stores can be opened side by side; gone, with all its objects, when the scope closes. */
export interface ObjectSpace {
  /**
   * The store of `root`, a relative path inside the space. Opening the same root twice gives two views of the same
   * objects.
   */
  readonly open: (root: string) => Effect.Effect<ObjectStoreShape, ObjectStoreError, Scope.Scope>
}

export interface ContractOptions {
  /** False for a backend without fingerprints of its own. */
  readonly fingerprints?: boolean
  /**
   * Why this server, and not our adapter, fails where several writers work at the same moment: the facts about that are
   * then skipped, with this reason in their names. Absent for every server that keeps the promise.
   */
  readonly unfitForRaces?: string
  /** The server refuses a put whose folder it is removing at that moment; a repeat is taken. */
  readonly refusesInGoingFolders?: boolean
}

const key = (text: string) => text as ObjectKey
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (content: Uint8Array) => new TextDecoder().decode(content)
const hex = (pieces: ReadonlyArray<Uint8Array>) => {
  const hash = createHash("sha256")
  for (const piece of pieces) hash.update(piece)
  return hash.digest("hex")
}

/** Bytes that no compression or repetition hides a mistake in; the same for the same seed. */
const noise = (size: number, seed: number): Uint8Array => {
  const words = new Uint32Array(Math.ceil(size / 4))
  let state = seed | 1
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return new Uint8Array(words.buffer, 0, size)
}

const keysOf = (store: ObjectStoreShape, prefix = "") =>
  store.list(prefix).pipe(
    Stream.map((info) => info.key as string),
    Stream.runCollect
  )

const reasonOf = <A>(effect: Effect.Effect<A, ObjectStoreError>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason._tag)

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** What every object store promises. An adapter or wrapper is done when this passes. */
export const objectStoreContract = <E>(
  name: string,
  makeSpace: Effect.Effect<ObjectSpace, E, Scope.Scope>,
  { fingerprints = true, refusesInGoingFolders = false, unfitForRaces }: ContractOptions = {}
) =>
  describe(`ObjectStore ${name}`, () => {
    type Body = (store: ObjectStoreShape, space: ObjectSpace) => Effect.Effect<void, unknown, Scope.Scope>

    const inSpace = (body: Body) =>
      Effect.gen(function* () {
        const space = yield* makeSpace
        yield* body(yield* space.open("root"), space)
      })

    /** A fact about one store, opened in a space of its own. */
    const fact = (title: string, body: Body) => it.live(title, () => inSpace(body))

    /** A fact about several writers at the same moment. */
    const raceFact = (title: string, body: Body) =>
      unfitForRaces === undefined
        ? fact(title, body)
        : it.live.skip(`${title} (skipped: ${unfitForRaces})`, () => inSpace(body))

    fact("returns what was put, by get and by read, and describes it", (store) =>
      Effect.gen(function* () {
        const put = yield* store.put(key("set/manifest.json"), [bytes("hello "), bytes("world")])
        assert.strictEqual(put.key, "set/manifest.json")
        assert.strictEqual(put.size, 11)
        assert.strictEqual(text(yield* store.get(key("set/manifest.json"))), "hello world")
        const read = yield* Stream.runCollect(store.read(key("set/manifest.json")))
        assert.strictEqual(text(Buffer.concat(read)), "hello world")
        const head = yield* store.head(key("set/manifest.json"))
        assert.strictEqual(head.size, 11)
        const [listed] = yield* Stream.runCollect(store.list("set/"))
        assert.strictEqual(listed?.size, 11)
      })
    )

    fact("tells when an object was written", (store) =>
      Effect.gen(function* () {
        yield* store.put(key("a"), [bytes("1")])
        const millis = (yield* store.head(key("a"))).modifiedMillis
        assert.isNumber(millis)
        // A day of tolerance: the store's clock is its own.
        assert.closeTo(millis!, yield* Effect.clockWith((clock) => clock.currentTimeMillis), 86_400_000)
      })
    )

    fact("keeps an empty object apart from an absent one", (store) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* store.put(key("empty"), [])).size, 0)
        assert.strictEqual((yield* store.put(key("empty-too"), [new Uint8Array()], { ifAbsent: true })).size, 0)
        assert.strictEqual((yield* store.get(key("empty"))).byteLength, 0)
        assert.deepStrictEqual(yield* Stream.runCollect(store.read(key("empty"))), [])
        assert.strictEqual((yield* store.head(key("empty-too"))).size, 0)
        assert.deepStrictEqual(yield* keysOf(store), ["empty", "empty-too"])
      })
    )

    fact("overwrites by default, and the last content stays", (store) =>
      Effect.gen(function* () {
        yield* store.put(key("a/b"), [bytes("a long first content")])
        yield* store.put(key("a/b"), [bytes("second")])
        assert.strictEqual(text(yield* store.get(key("a/b"))), "second")
        assert.strictEqual((yield* store.head(key("a/b"))).size, 6)
      })
    )

    fact("creates only if absent: the second put fails and changes nothing", (store) =>
      Effect.gen(function* () {
        yield* store.put(key("lock"), [bytes("first")], { ifAbsent: true })
        assert.strictEqual(
          yield* reasonOf(store.put(key("lock"), [bytes("second")], { ifAbsent: true })),
          "ObjectExists"
        )
        assert.strictEqual(
          yield* reasonOf(store.put(key("lock"), [bytes("first")], { ifAbsent: true })),
          "ObjectExists"
        )
        assert.strictEqual(text(yield* store.get(key("lock"))), "first")
        yield* store.delete(key("lock"))
        yield* store.put(key("lock"), [bytes("third")], { ifAbsent: true })
        assert.strictEqual(text(yield* store.get(key("lock"))), "third")
      })
    )

    raceFact("lets exactly one of several simultaneous creators win, and tells the others", (store, space) =>
      Effect.gen(function* () {
        const rival = yield* space.open("root")
        for (let round = 0; round < 10; round++) {
          const claim = key(`claims/${round}`)
          const outcomes = yield* Effect.forEach(
            [0, 1, 2, 3, 4, 5],
            (writer) =>
              Effect.result((writer % 2 ? store : rival).put(claim, [bytes(`writer ${writer}`)], { ifAbsent: true })),
            { concurrency: "unbounded" }
          )
          const winners = outcomes.flatMap((outcome, writer) => (outcome._tag === "Success" ? [writer] : []))
          const losses = outcomes.flatMap((outcome) =>
            outcome._tag === "Failure" ? [outcome.failure.reason._tag] : []
          )
          assert.strictEqual(winners.length, 1)
          assert.deepStrictEqual(
            losses,
            Array.from({ length: 5 }, () => "ObjectExists" as const)
          )
          assert.strictEqual(text(yield* store.get(claim)), `writer ${winners[0]}`)
        }
      })
    )

    fact("shows the whole object or none of it while it is being written", (store) =>
      Effect.gen(function* () {
        const size = 2 * 1024 * 1024
        const watching = yield* Effect.forkChild(
          Effect.gen(function* () {
            let whole = 0
            while (whole < 20) {
              const seen = yield* Effect.result(store.get(key("set/changing")))
              if (seen._tag === "Failure") {
                assert.strictEqual(seen.failure.reason._tag, "ObjectNotFound")
                continue
              }
              whole++
              assert.strictEqual(seen.success.byteLength, size)
              assert.isTrue(seen.success.every((byte) => byte === seen.success[0]))
              const sizes = yield* store.list("set/").pipe(
                Stream.map((info) => info.size),
                Stream.runCollect
              )
              assert.deepStrictEqual(sizes, [size])
            }
          })
        )
        const writing = yield* Effect.forkChild(
          Effect.gen(function* () {
            for (let version = 0; ; version = (version + 1) % 200) {
              const piece = new Uint8Array(size / 4).fill(version)
              yield* store.put(key("set/changing"), [piece, piece, piece, piece])
              // Effects that are all synchronous must let the reader in.
              yield* Effect.yieldNow
            }
          })
        )
        yield* Fiber.join(watching)
        yield* Fiber.interrupt(writing)
      })
    )

    fact("joins many small pieces in order", (store) =>
      Effect.gen(function* () {
        const pieces = Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? new Uint8Array() : bytes(`${i},`)))
        const expected = Buffer.concat(pieces)
        yield* store.put(key("pieces"), pieces, { sha256: hex(pieces) })
        assert.isTrue(expected.equals(yield* store.get(key("pieces"))))
      })
    )

    fact("takes an 80 MiB object and streams it back, byte for byte", (store) =>
      Effect.gen(function* () {
        const pieces = Array.from({ length: 20 }, (_, i) => noise(4 * 1024 * 1024, i + 1))
        const sha256 = hex(pieces)
        const put = yield* store.put(key("set/segment.bin"), pieces, { ifAbsent: true, sha256 })
        assert.strictEqual(put.size, 80 * 1024 * 1024)
        const hash = createHash("sha256")
        let largest = 0
        yield* store.read(key("set/segment.bin")).pipe(
          Stream.runForEach((piece) =>
            Effect.sync(() => {
              largest = Math.max(largest, piece.byteLength)
              hash.update(piece)
            })
          )
        )
        assert.strictEqual(hash.digest("hex"), sha256)
        assert.isBelow(largest, 16 * 1024 * 1024, "a stream in pieces, not the whole object at once")
      })
    )

    fact("can be read in part, and again", (store) =>
      Effect.gen(function* () {
        const content = noise(3 * 1024 * 1024, 9)
        yield* store.put(key("part"), [content])
        for (let i = 0; i < 5; i++) {
          const [first] = yield* store.read(key("part")).pipe(Stream.take(1), Stream.runCollect)
          assert.deepStrictEqual(first!.slice(0, 16), content.slice(0, 16))
        }
        assert.isTrue(Buffer.from(content).equals(yield* store.get(key("part"))))
      })
    )

    fact("refuses bytes that do not have the announced SHA-256, and stores nothing", (store) =>
      Effect.gen(function* () {
        const wrong = { sha256: hex([bytes("something else")]) }
        assert.strictEqual(yield* reasonOf(store.put(key("bad"), [bytes("content")], wrong)), "ContentMismatch")
        const wrongIfAbsent = store.put(key("bad"), [bytes("content")], { ...wrong, ifAbsent: true })
        assert.strictEqual(yield* reasonOf(wrongIfAbsent), "ContentMismatch")
        assert.strictEqual(yield* reasonOf(store.head(key("bad"))), "ObjectNotFound")
        yield* store.put(key("kept"), [bytes("before")])
        assert.strictEqual(yield* reasonOf(store.put(key("kept"), [bytes("after")], wrong)), "ContentMismatch")
        assert.strictEqual(text(yield* store.get(key("kept"))), "before")
        yield* store.put(key("good"), [bytes("con"), bytes("tent")], { sha256: hex([bytes("content")]) })
        assert.strictEqual(text(yield* store.get(key("good"))), "content")
      })
    )

    fact("says ObjectNotFound for what does not exist, whichever way it is asked for", (store) =>
      Effect.gen(function* () {
        yield* store.put(key("a/b/c"), [bytes("x")])
        for (const missing of ["nothing", "a/nothing", "a", "a/b", "a/b/c/d", "no/such/folder"].map(key)) {
          assert.strictEqual(yield* reasonOf(store.get(missing)), "ObjectNotFound", missing)
          assert.strictEqual(yield* reasonOf(store.head(missing)), "ObjectNotFound", missing)
          assert.strictEqual(yield* reasonOf(Stream.runDrain(store.read(missing))), "ObjectNotFound", missing)
        }
      })
    )

    fact("deletes, and deleting what does not exist succeeds", (store) =>
      Effect.gen(function* () {
        yield* store.put(key("a/b/one"), [bytes("1")])
        yield* store.put(key("a/two"), [bytes("2")])
        yield* store.delete(key("a/b/one"))
        yield* store.delete(key("a/b/one"))
        yield* store.delete(key("never/was"))
        yield* store.delete(key("a"))
        assert.deepStrictEqual(yield* keysOf(store), ["a/two"])
        assert.strictEqual(yield* reasonOf(store.get(key("a/b/one"))), "ObjectNotFound")
        yield* store.put(key("a/b/one"), [bytes("again")])
        assert.strictEqual(text(yield* store.get(key("a/b/one"))), "again")
      })
    )

    raceFact("holds keys next to each other while their neighbours come and go", (store) =>
      Effect.gen(function* () {
        const churn = (writer: number) =>
          Effect.gen(function* () {
            for (let round = 0; round < 15; round++) {
              const mine = key(`shared/deep/folder/${writer}`)
              yield* store.put(mine, [bytes(`${round}`)], { ifAbsent: true }).pipe(
                Effect.retry({
                  times: 5,
                  while: (error) => refusesInGoingFolders && isReason("StorageAuthorizationFailed")(error)
                })
              )
              assert.strictEqual(text(yield* store.get(mine)), `${round}`)
              yield* store.delete(mine)
            }
          })
        yield* Effect.forEach([1, 2, 3, 4], churn, { concurrency: "unbounded" })
        assert.deepStrictEqual(yield* keysOf(store), [])
      })
    )

    fact("lists more than a thousand objects, ascending and complete", (store) =>
      Effect.gen(function* () {
        const keys = Array.from({ length: 1100 }, (_, i) => `set/topics/t${i % 3}/partition=${i % 7}/segment-${i}.bin`)
        yield* Effect.forEach(keys, (each) => store.put(key(each), [bytes("x")]), { concurrency: 16, discard: true })
        assert.deepStrictEqual(yield* keysOf(store), keys.toSorted(byBytes))
        const ofTopic = keys.filter((each) => each.startsWith("set/topics/t1/")).toSorted(byBytes)
        assert.deepStrictEqual(yield* keysOf(store, "set/topics/t1/"), ofTopic)
        assert.deepStrictEqual(yield* Stream.runCollect(store.folders), ["set"])
        // A listing may be left early.
        const few = yield* store.list("set/").pipe(Stream.take(3), Stream.runCollect)
        assert.deepStrictEqual(
          few.map((info) => info.key as string),
          keys.toSorted(byBytes).slice(0, 3)
        )
      })
    )

    fact("orders by whole keys, so a folder's slash sorts after a dash and a dot", (store) =>
      Effect.gen(function* () {
        const keys = ["a/z", "a-b/y", "a.b", "a=1", "ab", "a0", "A/x", "b/a-1", "b/a/1", "b/a.1", "_", "0"]
        for (const each of keys) yield* store.put(key(each), [bytes(each)])
        assert.deepStrictEqual(yield* keysOf(store), keys.toSorted(byBytes))
        assert.deepStrictEqual(yield* keysOf(store, "b/a"), ["b/a-1", "b/a.1", "b/a/1"])
        assert.deepStrictEqual(yield* Stream.runCollect(store.folders), ["A", "a", "a-b", "b"])
      })
    )

    fact("takes every character of a topic name, and the equals sign", (store) =>
      Effect.gen(function* () {
        const all = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-="
        const odd = ["..a", "a..", "...", "-", "_", "=", "a=b=c", ".hidden", "-rf", "x".repeat(249)]
        const keys = [...all].filter((each) => each !== ".").map((each) => `one/${each}`)
        const names = [`all/${all}/partition=0/x.bin.zst`, ...keys, ...odd.map((each) => `odd/${each}`)]
        yield* Effect.forEach(names, (each) => store.put(key(each), [bytes(each)]), { concurrency: 8, discard: true })
        assert.deepStrictEqual(yield* keysOf(store), names.toSorted(byBytes))
        for (const each of names) assert.strictEqual(text(yield* store.get(key(each))), each)
      })
    )

    fact("treats a list prefix as the beginning of a string, with or without a slash", (store) =>
      Effect.gen(function* () {
        for (const each of ["set-1/a", "set-1/b/c", "set-10/a", "set-2/a"]) yield* store.put(key(each), [bytes("x")])
        assert.deepStrictEqual(yield* keysOf(store, "set-1"), ["set-1/a", "set-1/b/c", "set-10/a"])
        assert.deepStrictEqual(yield* keysOf(store, "set-1/"), ["set-1/a", "set-1/b/c"])
        assert.deepStrictEqual(yield* keysOf(store, "set-1/b"), ["set-1/b/c"])
        assert.deepStrictEqual(yield* keysOf(store, "set-1/a"), ["set-1/a"])
        assert.deepStrictEqual(yield* keysOf(store, "set-1/a/"), [])
        assert.deepStrictEqual(yield* keysOf(store, "nothing/here"), [])
        assert.deepStrictEqual(yield* Stream.runCollect(store.folders), ["set-1", "set-10", "set-2"])
      })
    )

    fact("is empty before anything is put: nothing listed, no folders", (store) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* keysOf(store), [])
        assert.deepStrictEqual(yield* Stream.runCollect(store.folders), [])
      })
    )

    fact("stays inside its root: neighbours are neither seen nor touched", (_, space) =>
      Effect.gen(function* () {
        const inner = yield* space.open("team/a")
        const neighbours = [yield* space.open("team/ab"), yield* space.open("team/b"), yield* space.open("team-a")]
        for (const neighbour of neighbours) yield* neighbour.put(key("set/x"), [bytes("theirs")])
        yield* inner.put(key("set/x"), [bytes("mine")])
        assert.deepStrictEqual(yield* keysOf(inner), ["set/x"])
        assert.deepStrictEqual(yield* Stream.runCollect(inner.folders), ["set"])
        yield* inner.delete(key("set/x"))
        for (const neighbour of neighbours) assert.strictEqual(text(yield* neighbour.get(key("set/x"))), "theirs")
        assert.strictEqual(yield* reasonOf(inner.get(key("set/x"))), "ObjectNotFound")
      })
    )

    fact("refuses keys that could point elsewhere, and does nothing", (store) =>
      Effect.gen(function* () {
        const escapes = [
          "",
          "/",
          "/etc/x",
          "../x",
          "a/../x",
          "a/..",
          "./a",
          "a//b",
          "a/",
          "a\u0000b",
          "a\nb",
          "a\\b",
          "x".repeat(2000)
        ]
        for (const escape of escapes.map(key)) {
          assert.strictEqual(yield* reasonOf(store.put(escape, [bytes("x")])), "Misconfigured", escape)
          assert.strictEqual(
            yield* reasonOf(store.put(escape, [bytes("x")], { ifAbsent: true })),
            "Misconfigured",
            escape
          )
          assert.strictEqual(yield* reasonOf(store.get(escape)), "Misconfigured", escape)
          assert.strictEqual(yield* reasonOf(Stream.runDrain(store.read(escape))), "Misconfigured", escape)
          assert.strictEqual(yield* reasonOf(store.head(escape)), "Misconfigured", escape)
          assert.strictEqual(yield* reasonOf(store.delete(escape)), "Misconfigured", escape)
        }
        for (const escape of ["/", "../", "../x", "a/../", "a/../../b", "a//", "a\u0000"]) {
          assert.strictEqual(yield* reasonOf(Stream.runDrain(store.list(escape))), "Misconfigured", escape)
        }
        assert.deepStrictEqual(yield* keysOf(store), [])
      })
    )

    fact(
      fingerprints
        ? "gives the same fingerprint at put, head and list, until the content changes"
        : "claims no fingerprint that it cannot have",
      (store) =>
        Effect.gen(function* () {
          const put = yield* store.put(key("a"), [bytes("one")])
          const head = yield* store.head(key("a"))
          const [listed] = yield* Stream.runCollect(store.list("a"))
          assert.strictEqual(head.fingerprint, put.fingerprint)
          assert.strictEqual(listed?.fingerprint, put.fingerprint)
          assert.strictEqual(put.fingerprint !== undefined, fingerprints)
          const changed = yield* store.put(key("a"), [bytes("two")])
          if (fingerprints) assert.notStrictEqual(changed.fingerprint, put.fingerprint)
          assert.strictEqual((yield* store.head(key("a"))).fingerprint, changed.fingerprint)
        })
    )

    fact(
      "keeps what it was given: later changes to the caller's buffers and to what it handed out do not reach the store",
      (store) =>
        Effect.gen(function* () {
          const mine = bytes("original")
          yield* store.put(key("a"), [mine])
          mine.fill(0)
          const got = yield* store.get(key("a"))
          got.fill(0)
          assert.strictEqual(text(yield* store.get(key("a"))), "original")
        })
    )

    fact("leaves nothing behind when a put is interrupted", (store) =>
      Effect.gen(function* () {
        const writing = yield* Effect.forkChild(store.put(key("set/interrupted"), [noise(32 * 1024 * 1024, 3)]), {
          startImmediately: true
        })
        yield* Fiber.interrupt(writing)
        const exit = yield* Fiber.await(writing)
        const seen = yield* Effect.result(store.head(key("set/interrupted")))
        // Whoever was faster: a put that ended as interrupted may have happened, but never by half.
        if (seen._tag === "Success") assert.strictEqual(seen.success.size, 32 * 1024 * 1024)
        else assert.isTrue(Exit.isFailure(exit))
      })
    )

    fact("removes data that nothing protects, and says that nothing does", (store) =>
      Effect.gen(function* () {
        yield* store.put(key("set/data"), [bytes("a segment")], { role: "data" })
        const info = yield* store.head(key("set/data"))
        assert.isUndefined(yield* store.protection?.(info) ?? Effect.succeed(undefined))
        yield* store.delete(key("set/data"), { role: "data" })
        yield* store.delete(key("set/data"), { role: "data" })
        assert.isUndefined(yield* store.protection?.({ key: key("set/data") }) ?? Effect.succeed(undefined))
        assert.strictEqual((yield* Effect.flip(store.head(key("set/data")))).reason._tag, "ObjectNotFound")
      })
    )

    fact("passes on a rehearsed object to its end, and has nothing of it afterwards", (store) =>
      Effect.gen(function* () {
        yield* store.rehearse?.(key("set/rehearsed"), [noise(9 * 1024 * 1024, 5)]) ?? Effect.void
        assert.deepStrictEqual(yield* Stream.runCollect(store.list("set/rehearsed")), [])
      })
    )

    fact("names itself in every error, with advice", (store) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(store.get(key("missing")))
        assert.strictEqual(error.location, store.location)
        assert.include(error.message, store.location)
        assert.include(error.message, "missing")
        assert.isFalse(error.isRetryable)
        assert.isNotEmpty(error.advice)
      })
    )
  })
