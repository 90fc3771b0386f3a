import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { vi } from "vitest"
import * as HttpKubernetes from "../../src/kubernetes/HttpKubernetes.ts"
import { leases } from "../../src/kubernetes/Kind.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import { type Arrived, fakeApiServer, json, lease, refusal } from "./fakeApiServer.ts"

const ref = { namespace: "ns", name: "a" }

/** Takes one token at a time. */
const guarded = () => {
  const state = { token: "first" }
  const route = ({ headers }: Arrived) =>
    headers.authorization === `Bearer ${state.token}` ? json(lease("a", "7")) : refusal(401, "Unauthorized")
  return { state, route }
}

const opened = (options: HttpKubernetes.Options) =>
  Effect.flatMap(Layer.build(HttpKubernetes.layer(options)), (context) => Effect.provide(KubernetesApi, context))

const failure = (options: HttpKubernetes.Options) =>
  Effect.map(Effect.flip(Effect.scoped(Layer.build(HttpKubernetes.layer(options)))), (error) => error.message)

describe("a login", () => {
  it.live("whose token is refused is read again, and the request sent once more, a write too", () =>
    Effect.gen(function* () {
      const { route, state } = guarded()
      const { arrived, kubeconfig, login } = yield* fakeApiServer(route)
      const api = yield* opened({ source: { _tag: "File", path: kubeconfig } })
      yield* api.get(leases, ref)
      state.token = "second"
      login({ token: "second" })
      yield* api.replace(leases, lease("a", "7"))
      yield* api.get(leases, ref)
      assert.deepStrictEqual(
        arrived.map(({ headers, method }) => `${method} ${headers.authorization ?? ""}`),
        ["GET Bearer first", "PUT Bearer first", "PUT Bearer second", "GET Bearer second"]
      )
    })
  )

  it.live("that is refused twice fails without further attempts", () =>
    Effect.gen(function* () {
      const { route, state } = guarded()
      const { arrived, kubeconfig } = yield* fakeApiServer(route)
      const api = yield* opened({ source: { _tag: "File", path: kubeconfig } })
      state.token = "second"
      assert.strictEqual((yield* Effect.flip(api.get(leases, ref))).reason._tag, "Unauthorized")
      assert.lengthOf(arrived, 2)
    })
  )

  it.live("from a file follows the file, and continues while the file is missing", () =>
    Effect.gen(function* () {
      const { route, state } = guarded()
      const { arrived, folder, kubeconfig, login } = yield* fakeApiServer(route)
      const tokenFile = join(folder, "token")
      writeFileSync(tokenFile, "first\n")
      login({ "auth-provider": { name: "tokenFile", config: { tokenFile } } })
      const api = yield* opened({ source: { _tag: "File", path: kubeconfig }, timings: { freshMillis: 0 } })
      yield* api.get(leases, ref)
      writeFileSync(kubeconfig, "")
      yield* api.get(leases, ref)
      login({ "auth-provider": { name: "tokenFile", config: { tokenFile } } })
      writeFileSync(tokenFile, "second\n")
      state.token = "second"
      yield* api.create(leases, lease("a", "7"))
      assert.strictEqual(arrived.at(-1)?.headers.authorization, "Bearer second")
    })
  )

  it.live("keeps its token while the file is empty, because it is being written", () =>
    Effect.gen(function* () {
      const { route, state } = guarded()
      const { arrived, folder, kubeconfig, login } = yield* fakeApiServer(route)
      const tokenFile = join(folder, "token")
      writeFileSync(tokenFile, "first\n")
      login({ tokenFile })
      const api = yield* opened({ source: { _tag: "File", path: kubeconfig } })
      yield* api.get(leases, ref)
      state.token = "second"
      for (const content of ["", "\n"]) {
        writeFileSync(tokenFile, content)
        assert.strictEqual((yield* Effect.flip(api.get(leases, ref))).reason._tag, "Unauthorized")
      }
      writeFileSync(tokenFile, "second\n")
      yield* api.get(leases, ref)
      assert.deepStrictEqual(
        new Set(arrived.map(({ headers }) => headers.authorization)),
        new Set(["Bearer first", "Bearer second"])
      )
    })
  )

  it.live("names its token's file as kubectl does, relative to the kubeconfig, before a token beside it", () =>
    Effect.gen(function* () {
      const { route, state } = guarded()
      const { arrived, folder, kubeconfig, login } = yield* fakeApiServer(route)
      writeFileSync(join(folder, "token"), "first\n")
      login({ tokenFile: "token", token: "old" })
      const api = yield* opened({ source: { _tag: "File", path: kubeconfig } })
      yield* api.get(leases, ref)
      writeFileSync(join(folder, "token"), "second\n")
      state.token = "second"
      yield* api.get(leases, ref)
      assert.deepStrictEqual(
        arrived.map(({ headers }) => headers.authorization),
        ["Bearer first", "Bearer first", "Bearer second"]
      )
    })
  )

  it.live("with name and password is sent as basic authentication", () =>
    Effect.gen(function* () {
      const { arrived, kubeconfig, login } = yield* fakeApiServer(() => json(lease("a", "7")))
      login({ username: "me", password: "pass:word" })
      const api = yield* opened({ source: { _tag: "File", path: kubeconfig } })
      yield* api.get(leases, ref)
      assert.strictEqual(arrived[0]?.headers.authorization, `Basic ${Buffer.from("me:pass:word").toString("base64")}`)
    })
  )

  it.live("that cannot be determined reports the file and the reason", () =>
    Effect.gen(function* () {
      const { kubeconfig, login } = yield* fakeApiServer(() => json({}))
      const source = { _tag: "File", path: kubeconfig } as const
      assert.include(yield* failure({ source: { ...source, path: "/nowhere/config" } }), "/nowhere/config")
      assert.strictEqual(
        yield* failure({ source: { ...source, context: "production" } }),
        `the kubeconfig ${kubeconfig} has no context production`
      )
      vi.stubEnv("KUBERNETES_SERVICE_HOST", "")
      assert.include(yield* failure({ source: { _tag: "InCluster" } }), "this process does not run in a pod")
      vi.stubEnv("KUBECONFIG", "")
      vi.stubEnv("HOME", "/nowhere")
      assert.include(yield* failure({}), "no API server is configured")
      vi.stubEnv("KUBECONFIG", "/nowhere/config")
      assert.include(yield* failure({}), "/nowhere/config")
      login({}, { "proxy-url": "socks5://127.0.0.1:1" })
      assert.include(yield* failure({ source }), "only http:// and https:// proxies are")
      writeFileSync(kubeconfig, "{}")
      assert.include(yield* failure({ source }), "no current context")
    }).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs())))
  )
})
