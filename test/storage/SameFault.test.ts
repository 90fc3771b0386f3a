import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope, Stream } from "effect"
import * as DirectoryObjectStore from "../../src/storage/DirectoryObjectStore.ts"
import * as KnownObjectStore from "../../src/storage/KnownObjectStore.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { lockedText, type ObjectStoreError } from "../../src/storage/ObjectStoreError.ts"
import { type HttpBackend, httpBackends } from "./httpBackends.ts"
import {
  always,
  type Attempt,
  content,
  create,
  type Fault,
  faults,
  get,
  head,
  html,
  key,
  type Name,
  patient,
  put,
  type Tag
} from "./httpFaults.ts"
import { type Answer, answering, breaking } from "./scriptedS3.ts"
import { scriptedServer } from "./scriptedServer.ts"
import { temporaryVolume } from "./temporaryVolume.ts"

/*
 * One fault, one verdict, whatever the store: status, exit code, patience and what a person is told all hang on it.
 * Every fault is provoked on every backend that talks HTTP, by a local server that answers in that backend's words.
 */

/** What the attempt ends with, on the backend with a server that answers so. */
const verdict = (
  backend: HttpBackend,
  { attempt, times = patient }: Pick<Fault, "attempt" | "times">,
  answers: ReadonlyArray<Answer>
) =>
  Effect.gen(function* () {
    const isOpen = attempt === "open"
    const { address, arrived } = yield* scriptedServer(
      answers,
      (request) => !isOpen && backend.isOpening(request),
      backend.page([])
    )
    const tag = yield* tagOf(
      isOpen ? backend.open(address, times) : attempt(yield* Effect.orDie(backend.open(address, patient)))
    )
    assert.isFalse(
      arrived.some(({ path }) => path === "/elsewhere"),
      "credentials follow no redirect"
    )
    return tag
  })

const tagOf = (attempted: Effect.Effect<unknown, ObjectStoreError, Scope.Scope>) =>
  Effect.matchEffect(Effect.scoped(attempted), {
    onSuccess: () => Effect.succeed("nothing at all"),
    onFailure: (error) => Effect.succeed(error.reason._tag)
  })

const names = Object.keys(httpBackends) as ReadonlyArray<Name>

/** Verdicts of all backends for which there is one. */
const verdicts = (of: (name: Name) => Effect.Effect<string, never, Scope.Scope> | undefined) =>
  Effect.map(
    Effect.forEach(names, (name) => Effect.map(of(name) ?? Effect.succeed(undefined), (tag) => [name, tag] as const), {
      concurrency: "unbounded"
    }),
    (all) => Object.fromEntries(all.filter(([, tag]) => tag !== undefined))
  )

/** The name of a fact, with what deviates from it and why. */
const title = ({ differs = {}, fault, tag }: Pick<Fault, "differs" | "fault" | "tag">) =>
  [
    `${fault} is ${tag}`,
    ...Object.entries(differs).map(([name, [other, because]]) => `${other} on ${name}: ${because}`)
  ].join("; ")

describe("A fault means the same on every store:", () => {
  for (const each of faults) {
    const { answers, differs = {}, tag } = each
    it.live(title(each), () =>
      Effect.gen(function* () {
        const told = yield* verdicts((name) => {
          const said = answers(httpBackends[name])
          return said && verdict(httpBackends[name], each, said)
        })
        const expected = Object.fromEntries(Object.keys(told).map((name) => [name, differs[name as Name]?.[0] ?? tag]))
        assert.deepStrictEqual(told, expected)
      })
    )
  }
})

/** The answer with which this kind of request works. */
const working = ({ headers, page, says }: HttpBackend, attempt: Attempt): Answer => {
  if (attempt === put) return says.stored
  return attempt === get ? answering(200, { ...headers, "content-length": "1" }, "x") : page([])
}

describe("Once a store has worked in a run, the same fault means the same on every store:", () => {
  for (const { answers, attempt, fault, onceItWorked, tag } of faults) {
    if (attempt === "open") continue
    it.live(`${fault} is ${onceItWorked ?? tag}`, () =>
      Effect.gen(function* () {
        const told = yield* verdicts((name) => {
          const backend = httpBackends[name]
          const said = answers(backend)
          if (said === undefined) return undefined
          // A fault of one object, or of another kind of request, has no request before it that worked.
          const before = onceItWorked === undefined ? [] : [working(backend, attempt)]
          return Effect.gen(function* () {
            const server = yield* scriptedServer([...before, ...said], backend.isOpening, backend.page([]))
            const store = KnownObjectStore.make(yield* Effect.orDie(backend.open(server.address, patient)))
            if (before.length > 0) yield* Effect.orDie(attempt(store))
            return yield* tagOf(attempt(store))
          })
        })
        assert.deepStrictEqual(told, Object.fromEntries(Object.keys(told).map((name) => [name, onceItWorked ?? tag])))
      })
    )
  }

  it.live("a proxy that refuses every write from the beginning is no outage", () =>
    Effect.gen(function* () {
      const told = yield* verdicts((name) =>
        Effect.gen(function* () {
          const backend = httpBackends[name]
          const { address } = yield* scriptedServer(always(html(405)), backend.isOpening, backend.page([]))
          return yield* tagOf(put(KnownObjectStore.make(yield* Effect.orDie(backend.open(address, patient)))))
        })
      )
      assert.deepStrictEqual(told, Object.fromEntries(names.map((name) => [name, "Misconfigured"])))
    })
  )
})

describe("A lock on an object is told from a missing permission by every store:", () => {
  it.live("with its end where the store names it", () =>
    Effect.gen(function* () {
      const found = yield* verdicts((name) => {
        const backend = httpBackends[name]
        const { locked } = backend.says
        if (locked === undefined) return undefined
        return Effect.gen(function* () {
          const { address } = yield* scriptedServer(always(locked), backend.isOpening, backend.page([]))
          const store = yield* Effect.orDie(backend.open(address, patient))
          return yield* store
            .delete(key("a"))
            .pipe(Effect.match({ onSuccess: () => "removed", onFailure: (error) => lockedText(error) ?? "not locked" }))
        })
      })
      assert.deepStrictEqual(found, { s3: "locked", azure: "locked", gcs: "locked until 2027-01-01T08:00:00.123Z" })
    })
  )
})

describe("What a server asks for is passed on by every store:", () => {
  it.live("the wait of a Retry-After, which no adapter sits out itself", () =>
    Effect.gen(function* () {
      for (const name of names) {
        const backend = httpBackends[name]
        const busy = always(html(503, { "retry-after": "30" }))
        const { address, arrived } = yield* scriptedServer(busy, backend.isOpening, backend.page([]))
        const store = yield* backend.open(address, patient)
        const { reason } = yield* Effect.flip(put(store))
        assert.strictEqual(reason._tag === "StoreUnavailable" && reason.retryAfterMillis, 30_000, name)
        assert.strictEqual(arrived.length, 1, name)
      }
    })
  )
})

interface Unreachable extends Pick<Fault, "differs" | "fault" | "tag"> {
  readonly address: Effect.Effect<string, never, Scope.Scope>
}

/** Addresses where no store can be reached. */
const unreachable: ReadonlyArray<Unreachable> = [
  {
    fault: "a port where nobody listens",
    // tcpmux: a port that was free a moment ago may be another test's by now.
    address: Effect.succeed("http://127.0.0.1:1"),
    tag: "StoreUnavailable"
  },
  {
    fault: "a host that does not exist",
    // No name can have a label of more than 63 characters, so no name server is asked.
    address: Effect.succeed(`http://${"x".repeat(64)}.example`),
    tag: "StoreUnavailable"
  },
  {
    fault: "a certificate that nobody vouches for",
    address: Effect.gen(function* () {
      const folder = yield* temporaryVolume
      const [keyFile, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")]
      const self = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
      assert.strictEqual(spawnSync("openssl", ["req", ...self, "-keyout", keyFile, "-out", certificate]).status, 0)
      const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(certificate) })
      return `https://127.0.0.1:${yield* listening(server)}`
    }),
    tag: "Misconfigured"
  },
  {
    fault: "TLS where plain HTTP is spoken",
    address: Effect.map(
      scriptedServer([], () => false, breaking),
      ({ address }) => address.replace("http:", "https:")
    ),
    tag: "Misconfigured"
  }
]

function listening(server: ReturnType<typeof createServer>) {
  return Effect.map(
    Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
    ),
    () => (server.address() as AddressInfo).port
  )
}

/** A store of which nothing but the method under test is called. */
const nowhere: ObjectStoreShape = {
  location: "nowhere",
  put: () => Effect.die("not asked"),
  get: () => Effect.die("not asked"),
  read: () => Stream.die("not asked"),
  head: () => Effect.die("not asked"),
  list: () => Stream.die("not asked"),
  folders: Stream.die("not asked"),
  delete: () => Effect.die("not asked")
}

describe("No way to the store means the same on every store:", () => {
  for (const each of unreachable) {
    const { address, differs = {}, tag } = each
    it.live(title(each), () =>
      Effect.gen(function* () {
        const at = yield* address
        const told = yield* verdicts((name) => tagOf(httpBackends[name].open(at, patient)))
        const expected = Object.fromEntries(names.map((name) => [name, differs[name]?.[0] ?? tag]))
        assert.deepStrictEqual(told, expected)
        // The same way lost in the middle of a run, by a store that was reached before.
        for (const name of names) {
          const error = yield* Effect.flip(Effect.scoped(httpBackends[name].open(at, patient)))
          const lost = KnownObjectStore.make({ ...nowhere, put: () => Effect.fail(error) })
          assert.strictEqual((yield* Effect.flip(put(lost))).reason._tag, "StoreUnavailable", name)
        }
      })
    )
  }
})

describe("Stores that are no servers agree with them:", () => {
  const local: Readonly<Record<string, Effect.Effect<ObjectStoreShape, ObjectStoreError, Scope.Scope>>> = {
    directory: Effect.flatMap(temporaryVolume, (volume) => DirectoryObjectStore.open({ _tag: "Directory", volume })),
    "in memory": Effect.map(
      Effect.flatMap(InMemoryObjectStores, ({ named }) => named("s")).pipe(Effect.provide(InMemoryObjectStores.layer)),
      ({ store }) => store
    )
  }
  for (const [fault, attempt, tag] of [
    ["an object that does not exist, at a read", get, "ObjectNotFound"],
    ["an object that does not exist, at a look", head, "ObjectNotFound"],
    ["a create where an object is", (store) => Effect.andThen(put(store), create(store)), "ObjectExists"],
    [
      "other bytes than were announced",
      (store) => store.put(key("a"), [content], { sha256: "0".repeat(64) }),
      "ContentMismatch"
    ],
    ["a key that leads elsewhere", (store) => store.get(key("../a")), "Misconfigured"]
  ] as ReadonlyArray<readonly [string, Attempt, Tag]>) {
    it.live(`${fault} is ${tag}`, () =>
      Effect.gen(function* () {
        for (const [name, open] of Object.entries(local)) {
          assert.strictEqual(yield* tagOf(Effect.flatMap(open, attempt)), tag, name)
        }
      })
    )
  }

  it.live("a place that does not exist is TargetMissing", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryVolume
      const volume = join(folder, "not-mounted")
      assert.strictEqual(yield* tagOf(DirectoryObjectStore.open({ _tag: "Directory", volume })), "TargetMissing")
    })
  )
})
