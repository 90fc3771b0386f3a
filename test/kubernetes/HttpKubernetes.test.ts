import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { leases } from "../../src/kubernetes/Kind.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import * as HttpKubernetes from "../../src/kubernetes/HttpKubernetes.ts"
import { type Observation, RequestObserver } from "../../src/kubernetes/RequestObserver.ts"
import { ServedSchemas } from "../../src/kubernetes/ServedSchemas.ts"
import { type Answer, type Arrived, fakeApiServer, json, lease, listOf, refusal } from "./fakeApiServer.ts"

const ref = { namespace: "ns", name: "a" }
const path = "/apis/coordination.k8s.io/v1/namespaces/ns/leases"

/** The adapter before a server that answers as `route` says. */
const before = (route: (request: Arrived) => Answer, timings: HttpKubernetes.Options["timings"] = {}) =>
  Effect.gen(function* () {
    const server = yield* fakeApiServer(route)
    const observed: Array<Observation> = []
    const layer = HttpKubernetes.layer({ source: { _tag: "File", path: server.kubeconfig }, timings })
    const observer = Layer.succeed(RequestObserver, (one) => Effect.sync(() => void observed.push(one)))
    const context = yield* Layer.build(Layer.provide(layer, observer))
    const served = yield* Effect.provide(ServedSchemas, context)
    return { ...server, observed, served: served!, api: yield* Effect.provide(KubernetesApi, context) }
  })

/** Answers in turn; the last one again and again. */
const inTurn = (...answers: readonly [Answer, ...Array<Answer>]) => {
  let next = 0
  return () => answers[Math.min(next++, answers.length - 1)]!
}

const asWritten = json(lease("a", "7"))
const never: Answer = () => {}

describe("the HTTP adapter sends", () => {
  it.live("fifty requests, one after the other, over one or two connections", () =>
    Effect.gen(function* () {
      const { api, arrived, state } = yield* before(() => asWritten)
      for (let i = 0; i < 50; i++) yield* api.get(leases, ref)
      assert.lengthOf(arrived, 50)
      assert.isAtMost(state.connections, 2)
    })
  )

  it.live("what the server publishes of a group and version, or that it has none", () =>
    Effect.gen(function* () {
      const document = { openapi: "3.0.0", components: { schemas: {} } }
      const path = "/openapi/v3/apis/kafka.oso.sh/v1alpha1"
      const { arrived, observed, served } = yield* before((request) =>
        request.path === path ? json(document) : refusal(404, "NotFound")
      )
      assert.deepStrictEqual(yield* served("kafka.oso.sh/v1alpha1"), document)
      assert.deepInclude(observed[0], { verb: "get", kind: "openapi", status: 200 })
      const error = yield* Effect.flip(served("other.example/v1"))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.deepStrictEqual(
        arrived.map(({ method }) => method),
        ["GET", "GET"]
      )
    })
  )

  it.live("each verb with the API's method, path, parameters and content type", () =>
    Effect.gen(function* () {
      const { api, arrived } = yield* before(() => asWritten)
      const object = lease("a", "7")
      yield* api.create(leases, object)
      yield* api.apply(leases, object, "status")
      yield* api.replace(leases, object)
      yield* api.patch(leases, ref, { metadata: { labels: { a: "b" } } })
      yield* api.remove(leases, ref, { uid: "uid-a", propagation: "Background" })
      assert.deepStrictEqual(
        arrived.map(({ headers, method, path, query }) => [
          `${method} ${path}`,
          query.toString(),
          headers["content-type"]
        ]),
        [
          [`POST ${path}`, "fieldManager=kafka-backup-operator", "application/json"],
          [`PATCH ${path}/a/status`, "fieldManager=kafka-backup-operator&force=true", "application/apply-patch+yaml"],
          [`PUT ${path}/a`, "fieldManager=kafka-backup-operator", "application/json"],
          [`PATCH ${path}/a`, "fieldManager=kafka-backup-operator", "application/merge-patch+json"],
          [`DELETE ${path}/a`, "", "application/json"]
        ]
      )
      assert.deepStrictEqual(JSON.parse(arrived[0]!.body), object)
      assert.deepStrictEqual(JSON.parse(arrived[3]!.body), { metadata: { labels: { a: "b" } } })
      assert.deepStrictEqual(JSON.parse(arrived[4]!.body), {
        apiVersion: "v1",
        kind: "DeleteOptions",
        preconditions: { uid: "uid-a" },
        propagationPolicy: "Background"
      })
      assert.isTrue(arrived.every(({ headers }) => headers.authorization === "Bearer first"))
    })
  )

  it.live("nothing for a name that would lead to another path", () =>
    Effect.gen(function* () {
      const { api, arrived } = yield* before(() => asWritten)
      for (const name of ["", ".", ".."]) {
        const error = yield* Effect.flip(api.remove(leases, { namespace: "ns", name }))
        assert.strictEqual(error.reason._tag, "Invalid")
      }
      assert.strictEqual((yield* Effect.flip(api.get(leases, { name: "a" }))).reason._tag, "Invalid")
      assert.lengthOf(arrived, 0)
      yield* api.get(leases, { namespace: "ns", name: "../secrets" })
      assert.strictEqual(arrived[0]!.path, `${path}/..%2Fsecrets`)
    })
  )

  it.live("requests that are aborted when they are interrupted", () =>
    Effect.gen(function* () {
      const { api, arrived, state } = yield* before(() => never)
      const asking = yield* Effect.forkChild(api.get(leases, ref))
      while (arrived.length === 0) yield* Effect.sleep(5)
      yield* Fiber.interrupt(asking)
      while (state.aborted === 0) yield* Effect.sleep(5)
      assert.lengthOf(arrived, 1)
    })
  )

  it.live("verb, kind and status of every request to the observer", () =>
    Effect.gen(function* () {
      const { api, observed } = yield* before(inTurn(refusal(503, "ServiceUnavailable"), asWritten, never), {
        requestMillis: 200
      })
      yield* api.get(leases, ref)
      yield* Effect.flip(api.replace(leases, lease("a", "7")))
      assert.deepStrictEqual(
        observed.map(({ kind, status, verb }) => [verb, kind, status]),
        [
          ["get", "leases", 503],
          ["get", "leases", 200],
          ["replace", "leases", "error"]
        ]
      )
    })
  )
})

describe("when a request fails, the HTTP adapter", () => {
  it.live("repeats a read after an error of the server, and never a write", () =>
    Effect.gen(function* () {
      const { api, arrived } = yield* before(
        inTurn(
          refusal(500, "InternalError"),
          refusal(503, "ServiceUnavailable"),
          asWritten,
          refusal(500, "InternalError")
        )
      )
      assert.strictEqual((yield* api.get(leases, ref)).metadata.name, "a")
      assert.lengthOf(arrived, 3)
      const error = yield* Effect.flip(api.create(leases, lease("a", "7")))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.strictEqual(error.message, "create leases ns/a: the server says InternalError")
      assert.lengthOf(arrived, 4)
    })
  )

  it.live("repeats a read whose connection breaks, and not a write", () =>
    Effect.gen(function* () {
      let cuts = 0
      const { api, arrived } = yield* before(({ method }) => (response) => {
        if (method === "GET" && cuts++ > 0) return asWritten(response)
        response.socket?.resetAndDestroy()
      })
      yield* api.get(leases, ref)
      assert.lengthOf(arrived, 2)
      assert.strictEqual((yield* Effect.flip(api.remove(leases, ref))).reason._tag, "Unavailable")
      assert.lengthOf(arrived, 3)
    })
  )

  it.live("repeats a write after 429 with Retry-After, because it was not carried out", () =>
    Effect.gen(function* () {
      const putOff = refusal(429, "TooManyRequests", {}, { "retry-after": "1" })
      const { api, arrived } = yield* before(
        inTurn(putOff, asWritten, refusal(503, "Busy", {}, { "retry-after": "1" }))
      )
      yield* api.create(leases, lease("a", "7"))
      assert.lengthOf(arrived, 2)
      const { reason } = yield* Effect.flip(api.create(leases, lease("a", "7")))
      assert.deepInclude(reason, { _tag: "Throttled", retryAfterMillis: 1_000 })
      assert.lengthOf(arrived, 3)
    })
  )

  it.live("does not wait longer than a read may take, and passes Retry-After on", () =>
    Effect.gen(function* () {
      const { api, arrived } = yield* before(() => refusal(429, "TooManyRequests", {}, { "retry-after": "3600" }))
      const { reason } = yield* Effect.flip(api.get(leases, ref))
      assert.deepInclude(reason, { _tag: "Throttled", retryAfterMillis: 3_600_000 })
      assert.lengthOf(arrived, 1)
    })
  )

  it.live("gives up on an answer whose body does not end", () =>
    Effect.gen(function* () {
      const half: Answer = (response) => {
        response.writeHead(201, { "content-type": "application/json" })
        response.write('{"metadata":')
      }
      const { api, state } = yield* before(() => half, { requestMillis: 200 })
      const { reason } = yield* Effect.flip(api.create(leases, lease("a", "7")))
      assert.strictEqual(reason._tag, "Unavailable")
      while (state.aborted === 0) yield* Effect.sleep(5)
    })
  )

  it.live("fails with Unavailable for an unexpected answer", () =>
    Effect.gen(function* () {
      const { api } = yield* before(inTurn((response) => response.end("<html>"), json({ kind: "Lease" })))
      for (const detail of ["the answer is not JSON", "the answer is not a Lease"]) {
        const { reason } = yield* Effect.flip(api.replace(leases, lease("a", "7")))
        assert.deepInclude(reason, { _tag: "Unavailable", detail })
      }
    })
  )

  const causes = (...causes: ReadonlyArray<object>) => ({ name: "a", kind: "leases", causes })
  it.live.each<readonly [string, Answer, Readonly<Record<string, unknown>>]>([
    ["400", refusal(400, "BadRequest"), { _tag: "Invalid" }],
    ["401", refusal(401, "Unauthorized"), { _tag: "Unauthorized" }],
    ["403", refusal(403, "Forbidden"), { _tag: "Forbidden", isNamespaceTerminating: false, isQuota: false }],
    [
      "403 of a namespace that ends",
      refusal(403, "Forbidden", causes({ reason: "NamespaceTerminating", field: "metadata.namespace" })),
      { _tag: "Forbidden", isNamespaceTerminating: true }
    ],
    [
      "403 of a quota",
      json({ ...lease("a", "1"), kind: "Status", message: 'pods "a" is forbidden: exceeded quota: few' }, 403),
      { _tag: "Forbidden", isQuota: true }
    ],
    ["404 of an object", refusal(404, "NotFound", causes()), { _tag: "NotFound", isKindMissing: false }],
    [
      "404 of a kind",
      (response) => response.writeHead(404).end("404 page not found\n"),
      { _tag: "NotFound", isKindMissing: true }
    ],
    ["409 of a name", refusal(409, "AlreadyExists", causes()), { _tag: "AlreadyExists" }],
    ["409 of a version", refusal(409, "Conflict", causes()), { _tag: "Conflict" }],
    ["410", refusal(410, "Expired"), { _tag: "Gone" }],
    [
      "504 of a version that the server has not reached",
      refusal(504, "Timeout", causes({ reason: "ResourceVersionTooLarge" })),
      { _tag: "Gone" }
    ],
    ["413", (response) => response.writeHead(413).end("too large"), { _tag: "Invalid", detail: "HTTP 413: too large" }],
    ["422", refusal(422, "Invalid", causes({ reason: "FieldValueInvalid", field: "spec" })), { _tag: "Invalid" }],
    [
      "422 of a uid that is another's",
      refusal(422, "Invalid", causes({ reason: "FieldValueInvalid", field: "metadata.uid" })),
      { _tag: "Conflict" }
    ],
    ["429", refusal(429, "TooManyRequests"), { _tag: "Throttled" }],
    [
      "503 with retryAfterSeconds in its body",
      refusal(503, "ServerTimeout", { retryAfterSeconds: 2 }),
      { _tag: "Throttled", retryAfterMillis: 2_000 }
    ],
    ["502 of something in between", (response) => response.writeHead(502).end("bad gateway"), { _tag: "Unavailable" }]
  ])("fails with the reason of %s", ([, answer, expected]) =>
    Effect.gen(function* () {
      const { api } = yield* before(() => answer)
      const { reason } = yield* Effect.flip(api.replace(leases, lease("a", "7")))
      assert.deepInclude(reason, expected)
    })
  )
})

describe("a list", () => {
  it.live("is complete over pages, and its items have apiVersion and kind", () =>
    Effect.gen(function* () {
      const { api, arrived } = yield* before(({ query }) =>
        query.get("continue") === null ? json(listOf("5", ["a", "b"], "here")) : json(listOf("5", ["c"]))
      )
      const { items, resourceVersion } = yield* api.list(leases, { namespace: "ns", labelSelector: "a=b,c" })
      assert.deepStrictEqual(
        items.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
        ["Lease a", "Lease b", "Lease c"]
      )
      assert.strictEqual(resourceVersion, "5")
      assert.deepStrictEqual(
        arrived.map(({ path, query }) => `${path}?${query.toString()}`),
        [`${path}?labelSelector=a%3Db%2Cc&limit=500`, `${path}?labelSelector=a%3Db%2Cc&limit=500&continue=here`]
      )
    })
  )

  it.live("starts again when its next page has expired", () =>
    Effect.gen(function* () {
      const { api, arrived } = yield* before(
        inTurn(
          json(listOf("5", ["a", "b"], "here")),
          refusal(410, "Expired"),
          json(listOf("9", ["b"], "there")),
          json(listOf("9", ["c"]))
        )
      )
      const { items, resourceVersion } = yield* api.list(leases, {})
      assert.deepStrictEqual(
        items.map(({ metadata }) => metadata.name),
        ["b", "c"]
      )
      assert.strictEqual(resourceVersion, "9")
      assert.lengthOf(arrived, 4)
      assert.strictEqual(arrived[0]!.path, "/apis/coordination.k8s.io/v1/leases")
    })
  )

  it.live("that cannot be finished fails with Gone after a few attempts", () =>
    Effect.gen(function* () {
      const { api, arrived } = yield* before(({ query }) =>
        query.get("continue") === null ? json(listOf("5", ["a"], "here")) : refusal(410, "Expired")
      )
      assert.strictEqual((yield* Effect.flip(api.list(leases, {}))).reason._tag, "Gone")
      assert.lengthOf(arrived, 6)
    })
  )
})
