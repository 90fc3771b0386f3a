import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Layer, Queue, Stream } from "effect"
import { vi } from "vitest"
import * as HttpKubernetes from "../../src/kubernetes/HttpKubernetes.ts"
import { leases } from "../../src/kubernetes/Kind.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import { type Certificate, eventLine, fakeApiServer, json, lease, listOf, refusal, watchOf } from "./fakeApiServer.ts"

const ref = { namespace: "ns", name: "a" }

const opened = (path: string) =>
  Effect.flatMap(
    Layer.build(HttpKubernetes.layer({ source: { _tag: "File", path }, timings: { firstDelayMillis: 20 } })),
    (context) => Effect.provide(KubernetesApi, context)
  )

describe("over TLS the HTTP adapter", () => {
  let folder: string
  /** A certificate that is its own authority, for loopback or a user. */
  const certificate = (name: string): Certificate => {
    const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
    const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"]
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key]
    execFileSync("openssl", ["req", "-x509", "-days", "2", ...names, ...newKey, "-out", cert], { stdio: "pipe" })
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") }
  }
  let [first, second]: ReadonlyArray<Certificate> = []
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tls-"))
    ;[first, second] = [certificate("first"), certificate("second")]
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.live("refuses a server whose authority it does not trust, and says why", () =>
    Effect.gen(function* () {
      const server = yield* fakeApiServer(() => json(lease("a", "7")), first)
      const trusted = join(server.folder, "ca.crt")
      writeFileSync(trusted, second!.cert)
      server.login({ token: "first" }, { "certificate-authority": trusted })
      const api = yield* opened(server.kubeconfig)
      const { reason } = yield* Effect.flip(api.create(leases, lease("a", "7")))
      assert.strictEqual(reason._tag, "Unavailable")
      assert.match(reason.detail, /self-signed certificate/u)
      assert.lengthOf(server.arrived, 0)
    })
  )

  it.live("continues, watches included, when the server's authority is replaced", () =>
    Effect.gen(function* () {
      let round = 0
      const server = yield* fakeApiServer(({ query }) => {
        if (query.get("watch") === "true")
          return watchOf([eventLine("ADDED", lease(`l-${++round}`, String(5 + round)))])
        return query.get("limit") === null ? json(lease("a", "7")) : json(listOf("5", []))
      }, first)
      const trusted = join(server.folder, "ca.crt")
      writeFileSync(trusted, first!.cert)
      server.login({ token: "first" }, { "certificate-authority": trusted })
      const api = yield* opened(server.kubeconfig)
      const deltas = yield* Queue.unbounded<string>()
      yield* Effect.forkScoped(
        Stream.runForEach(api.watch(leases, { namespace: "ns" }), (delta) => Queue.offer(deltas, delta._tag))
      )
      const next = Queue.take(deltas).pipe(Effect.timeout("20 seconds"))
      assert.deepStrictEqual(yield* Effect.all([next, next]), ["Snapshot", "Upsert"])
      yield* api.get(leases, ref)
      yield* server.certify(second!)
      writeFileSync(trusted, second!.cert)
      yield* api.replace(leases, lease("a", "7"))
      assert.strictEqual(yield* next, "Upsert")
    })
  )

  it.live("is the pod's service account in a cluster, whose token and authority the kubelet replaces", () =>
    Effect.gen(function* () {
      let token = "first"
      const server = yield* fakeApiServer(
        ({ headers }) =>
          headers.authorization === `Bearer ${token}` ? json(lease("a", "7")) : refusal(401, "Unauthorized"),
        first
      )
      const account = join(server.folder, "var/run/secrets/kubernetes.io/serviceaccount")
      mkdirSync(account, { recursive: true })
      const mount = (authority: Certificate) => {
        writeFileSync(join(account, "token"), token)
        writeFileSync(join(account, "ca.crt"), authority.cert)
      }
      mount(first!)
      vi.stubEnv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
      vi.stubEnv("KUBERNETES_SERVICE_PORT", String(server.port))
      const context = yield* Layer.build(HttpKubernetes.layer({ source: { _tag: "InCluster", root: server.folder } }))
      const api = yield* Effect.provide(KubernetesApi, context)
      yield* api.create(leases, lease("a", "7"))
      token = "second"
      mount(first!)
      yield* api.create(leases, lease("a", "7"))
      yield* server.certify(second!)
      mount(second!)
      yield* api.create(leases, lease("a", "7"))
      assert.deepStrictEqual(
        server.arrived.map(({ headers }) => headers.authorization),
        ["Bearer first", "Bearer first", "Bearer second", "Bearer second"]
      )
    }).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs())))
  )

  it.live("presents its new client certificate when the old one is refused", () =>
    Effect.gen(function* () {
      let accepted = "old-user"
      const server = yield* fakeApiServer(
        ({ user }) => (user === accepted ? json(lease("a", "7")) : refusal(401, "Unauthorized")),
        first
      )
      const trusted = join(server.folder, "ca.crt")
      writeFileSync(trusted, first!.cert)
      const [cert, key] = [join(server.folder, "user.crt"), join(server.folder, "user.key")]
      const become = (name: string) => {
        const user = certificate(name)
        writeFileSync(cert, user.cert)
        writeFileSync(key, user.key)
      }
      become("old-user")
      server.login({ "client-certificate": cert, "client-key": key }, { "certificate-authority": trusted })
      const api = yield* opened(server.kubeconfig)
      yield* api.get(leases, ref)
      accepted = "new-user"
      become("new-user")
      yield* api.create(leases, lease("a", "7"))
      yield* api.get(leases, ref)
      assert.deepStrictEqual(
        server.arrived.map(({ method, user }) => `${method} ${user ?? ""}`),
        ["GET old-user", "POST old-user", "POST new-user", "GET new-user"]
      )
    })
  )
})
