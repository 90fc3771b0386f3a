import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import { type AddressInfo, createServer as createTcpServer } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope, Stream } from "effect"
import * as DirectoryObjectStore from "../../src/storage/DirectoryObjectStore.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import type { ObjectKey, ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import type { ObjectStoreError, ObjectStoreReason } from "../../src/storage/ObjectStoreError.ts"
import { type HttpBackend, httpBackends } from "./httpBackends.ts"
import { type Answer, answering, breaking, stalling } from "./scriptedS3.ts"
import { scriptedServer } from "./scriptedServer.ts"
import { temporaryVolume } from "./temporaryVolume.ts"

/*
 * One fault, one verdict, whatever the store: status, exit code, patience and what a person is told all hang on it. Every
 * fault is provoked on every backend that talks HTTP, by a local server that answers in that backend's words.
 */

type Tag = ObjectStoreReason["_tag"]
type Name = keyof typeof httpBackends
type Attempt = (store: ObjectStoreShape) => Effect.Effect<unknown, ObjectStoreError>

const key = (text: string) => text as ObjectKey
const content = new TextEncoder().encode("the content of a manifest")
/** Long enough for a busy machine: only a server that never answers is waited for so briefly as `quick`. */
const patient = { idle: 10_000, answer: 10_000 }
const quick = { idle: 100, answer: 100 }

const put: Attempt = (store) => store.put(key("a"), [content])
const create: Attempt = (store) => store.put(key("a"), [content], { ifAbsent: true })
const get: Attempt = (store) => store.get(key("a"))
const head: Attempt = (store) => store.head(key("a"))
const remove: Attempt = (store) => store.delete(key("a"))
const list: Attempt = (store) => Stream.runDrain(store.list(""))
const folders: Attempt = (store) => Stream.runDrain(store.folders)

/** More often than anything is asked for. */
const always = (answer: Answer): ReadonlyArray<Answer> => Array.from({ length: 20 }, () => answer)

const html = (status: number, headers: Readonly<Record<string, string>> = {}) =>
  answering(status, { "content-type": "text/html", ...headers }, "<html><body><h1>Welcome</h1></body></html>")

/** Announces 100 bytes, sends 10, and breaks. */
const cutOff =
  (headers: Readonly<Record<string, string>>): Answer =>
  (response) => {
    response.writeHead(200, { ...headers, "content-length": "100" })
    response.write("x".repeat(10), () => response.destroy())
  }

interface Fault {
  readonly fault: string
  readonly attempt: Attempt | "open"
  readonly answers: (backend: HttpBackend) => ReadonlyArray<Answer> | undefined
  readonly tag: Tag
  readonly times?: typeof patient
  /** Where a store must differ, and why. */
  readonly differs?: Readonly<Partial<Record<Name, readonly [tag: Tag, because: string]>>>
}

const notTold = "its reader of JSON does not tell a web page from an answer that was cut off"

const faults: ReadonlyArray<Fault> = [
  {
    fault: "an object that is not there",
    attempt: get,
    answers: ({ says }) => says.noSuchObject,
    tag: "ObjectNotFound"
  },
  {
    fault: "a bucket that is not there, at opening",
    attempt: "open",
    answers: ({ says }) => always(says.noSuchBucket[0]!),
    tag: "TargetMissing"
  },
  {
    fault: "a bucket that is gone, at a read",
    attempt: get,
    answers: ({ says }) => says.noSuchBucket,
    tag: "TargetMissing"
  },
  {
    fault: "a bucket that is gone, at a delete",
    attempt: remove,
    answers: ({ says }) => says.noSuchBucket,
    tag: "TargetMissing"
  },
  { fault: "a create where an object is", attempt: create, answers: ({ says }) => [says.exists], tag: "ObjectExists" },
  {
    fault: "an object that is replaced while it is read",
    attempt: get,
    answers: ({ headers, says }) => [cutOff(headers), says.replaced],
    tag: "ContentMismatch"
  },
  {
    fault: "other bytes than were sent",
    attempt: put,
    answers: ({ says }) => always(says.otherBytes),
    tag: "ContentMismatch"
  },
  {
    fault: "an unknown identity",
    attempt: "open",
    answers: ({ says }) => always(says.unknownIdentity),
    tag: "StorageAuthenticationFailed"
  },
  {
    fault: "an identity that has ended",
    attempt: put,
    answers: ({ says }) => always(says.expired),
    tag: "StorageAuthenticationFailed"
  },
  {
    fault: "a missing permission, at opening",
    attempt: "open",
    answers: ({ says }) => always(says.forbidden),
    tag: "StorageAuthorizationFailed"
  },
  {
    fault: "a missing permission, at a write",
    attempt: put,
    answers: ({ says }) => always(says.forbidden),
    tag: "StorageAuthorizationFailed"
  },
  {
    fault: "a missing permission, at a delete",
    attempt: remove,
    answers: ({ says }) => always(says.forbidden),
    tag: "StorageAuthorizationFailed"
  },
  {
    fault: "a clock that is wrong",
    attempt: put,
    answers: ({ says }) => says.wrongClock && always(says.wrongClock),
    tag: "Misconfigured"
  },
  { fault: "no room", attempt: put, answers: ({ says }) => always(says.full), tag: "OutOfSpace" },
  { fault: "throttling", attempt: put, answers: ({ says }) => always(says.slowDown), tag: "StoreUnavailable" },
  { fault: "a server error", attempt: put, answers: ({ says }) => always(says.broken), tag: "StoreUnavailable" },
  {
    fault: "another writer at the same moment",
    attempt: put,
    answers: ({ says }) => always(says.conflict),
    tag: "StoreUnavailable"
  },

  // Not said by the store, but by what stands between us and it.
  { fault: "a gateway's 429", attempt: put, answers: () => always(html(429)), tag: "StoreUnavailable" },
  { fault: "a gateway's 500", attempt: get, answers: () => always(html(500)), tag: "StoreUnavailable" },
  { fault: "a gateway's 502", attempt: head, answers: () => always(html(502)), tag: "StoreUnavailable" },
  { fault: "a gateway's 503", attempt: list, answers: () => always(html(503)), tag: "StoreUnavailable" },
  { fault: "a gateway's 504, at opening", attempt: "open", answers: () => always(html(504)), tag: "StoreUnavailable" },
  { fault: "a gateway's 408", attempt: put, answers: () => always(html(408)), tag: "StoreUnavailable" },
  { fault: "a gateway's 501", attempt: put, answers: () => always(html(501)), tag: "Misconfigured" },
  { fault: "a gateway's 413", attempt: put, answers: () => always(html(413)), tag: "Misconfigured" },
  { fault: "a gateway's 507", attempt: put, answers: () => always(html(507)), tag: "OutOfSpace" },
  { fault: "a gateway's 401", attempt: put, answers: () => always(html(401)), tag: "StorageAuthenticationFailed" },
  { fault: "a gateway's 403", attempt: get, answers: () => always(html(403)), tag: "StorageAuthorizationFailed" },
  {
    fault: "a gateway's 404, which is no word of the store on the object",
    attempt: get,
    answers: () => always(html(404)),
    tag: "TargetMissing"
  },
  { fault: "a gateway's 404, at opening", attempt: "open", answers: () => always(html(404)), tag: "TargetMissing" },
  { fault: "a gateway's 400", attempt: put, answers: () => always(html(400)), tag: "Misconfigured" },
  {
    fault: "a redirect",
    attempt: "open",
    answers: () => always(html(302, { location: "/elsewhere" })),
    tag: "Misconfigured"
  },
  {
    fault: "a lasting redirect, at a write",
    attempt: put,
    answers: () => always(html(308, { location: "/elsewhere" })),
    tag: "Misconfigured"
  },
  {
    fault: "a web page instead of a listing",
    attempt: "open",
    answers: () => always(html(200)),
    tag: "Misconfigured",
    differs: { gcs: ["StoreUnavailable", notTold] }
  },
  {
    fault: "a web page that no parser of XML reads",
    attempt: "open",
    answers: () =>
      always(answering(200, { "content-type": "text/html" }, "<!DOCTYPE html><meta charset=utf-8><br><p>Hi")),
    tag: "Misconfigured",
    differs: { gcs: ["StoreUnavailable", notTold] }
  },
  {
    fault: "a web page in the middle of a run",
    attempt: list,
    answers: () => always(html(200)),
    tag: "Misconfigured",
    differs: { gcs: ["StoreUnavailable", notTold] }
  },

  {
    fault: "a connection that breaks before the answer",
    attempt: put,
    answers: () => always(breaking),
    tag: "StoreUnavailable"
  },
  {
    fault: "a connection that breaks at opening",
    attempt: "open",
    answers: () => always(breaking),
    tag: "StoreUnavailable"
  },
  {
    fault: "no answer in time",
    attempt: "open",
    times: quick,
    answers: () => always(stalling),
    tag: "StoreUnavailable"
  },
  { fault: "a listing that is cut off", attempt: list, answers: () => always(cutOff({})), tag: "StoreUnavailable" },
  {
    fault: "a body without end",
    attempt: get,
    answers: ({ headers }) =>
      always((response) => {
        response.writeHead(200, { ...headers, "content-length": "100" })
        response.flushHeaders()
        response.destroy()
      }),
    tag: "StoreUnavailable"
  },

  {
    fault: "a page that names itself as the next",
    attempt: list,
    answers: ({ page }) => always(page([], "t")),
    tag: "Misconfigured"
  },
  {
    fault: "a page that comes again under another name",
    attempt: list,
    answers: ({ page }) => [page(["a"], "t"), page(["a"], "u"), page([])],
    tag: "Misconfigured"
  },
  {
    fault: "pages that lead in a circle",
    attempt: list,
    answers: ({ page }) => [page([], "t"), page([], "u"), page([], "t"), page([])],
    tag: "Misconfigured"
  },
  {
    fault: "folders that lead in a circle",
    attempt: folders,
    answers: ({ page }) => [page([], "t"), page([], "u"), page([], "t"), page([])],
    tag: "Misconfigured"
  }
]

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
    const attempted = isOpen ? backend.open(address, times) : Effect.flatMap(backend.open(address, patient), attempt)
    const tag = yield* tagOf(attempted)
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

describe("A fault means the same on every store:", () => {
  for (const each of faults) {
    const { answers, differs = {}, fault, tag } = each
    it.live(`${fault} is ${tag}`, () =>
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

/** Addresses where no store can be reached. */
const unreachable: ReadonlyArray<{
  readonly fault: string
  readonly address: Effect.Effect<string, never, Scope.Scope>
  readonly tag: Tag
  readonly differs?: Fault["differs"]
}> = [
  {
    fault: "a port where nobody listens",
    address: Effect.map(listening(createTcpServer()), (port) => `http://127.0.0.1:${port}`).pipe(Effect.scoped),
    tag: "StoreUnavailable"
  },
  {
    fault: "a host that does not exist",
    // No name can have a label of more than 63 characters, so no name server is asked.
    address: Effect.succeed(`http://${"x".repeat(64)}.example`),
    tag: "StoreUnavailable",
    differs: { gcs: ["TargetMissing", "its host is the same for everybody, so it does not come back by waiting"] }
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

function listening(server: ReturnType<typeof createServer> | ReturnType<typeof createTcpServer>) {
  return Effect.map(
    Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
    ),
    () => (server.address() as AddressInfo).port
  )
}

describe("No way to the store means the same on every store:", () => {
  for (const { address, differs = {}, fault, tag } of unreachable) {
    it.live(`${fault} is ${tag}`, () =>
      Effect.gen(function* () {
        const at = yield* address
        const told = yield* verdicts((name) => tagOf(httpBackends[name].open(at, patient)))
        const expected = Object.fromEntries(names.map((name) => [name, differs[name]?.[0] ?? tag]))
        assert.deepStrictEqual(told, expected)
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
    ["an object that is not there, at a read", get, "ObjectNotFound"],
    ["an object that is not there, at a look", head, "ObjectNotFound"],
    ["a create where an object is", (store) => Effect.andThen(put(store), create(store)), "ObjectExists"],
    [
      "other bytes than were announced",
      (store) => store.put(key("a"), [content], { sha256: "0".repeat(64) }),
      "ContentMismatch"
    ],
    ["a key that leads elsewhere", (store) => store.get(key("../a")), "Misconfigured"]
  ] as const satisfies ReadonlyArray<readonly [string, Attempt, Tag]>) {
    it.live(`${fault} is ${tag}`, () =>
      Effect.gen(function* () {
        for (const [name, open] of Object.entries(local)) {
          assert.strictEqual(yield* tagOf(Effect.flatMap(open, attempt)), tag, name)
        }
      })
    )
  }

  it.live("a place that is not there is TargetMissing", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryVolume
      const volume = join(folder, "not-mounted")
      assert.strictEqual(yield* tagOf(DirectoryObjectStore.open({ _tag: "Directory", volume })), "TargetMissing")
    })
  )
})
