import { randomBytes } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Queue, Stream } from "effect"
import { TestConsole } from "effect/testing"
import { parse } from "yaml"
import { asLeader, type Standing } from "../../src/kubernetes/Election.ts"
import * as HttpKubernetes from "../../src/kubernetes/HttpKubernetes.ts"
import { leases, namespaces } from "../../src/kubernetes/Kind.ts"
import { type Delta, KubernetesApi, type KubernetesApiShape } from "../../src/kubernetes/KubernetesApi.ts"
import type { Lease } from "../../src/kubernetes/Objects.ts"
import { kubernetesApiContract } from "../contract/kubernetesApi.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"

const crdFile = fileURLToPath(new URL("../../crds/kafkabackup.yaml", import.meta.url))

/** Forwards bytes to the API server, and can break all connections. */
const bytesTo = (target: URL) =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    const server = createServer((near) => {
      const far = connect(Number(target.port), target.hostname)
      for (const [from, to] of [
        [near, far],
        [far, near]
      ] as const) {
        sockets.add(from)
        from.on("error", () => {})
        from.on("close", () => {
          sockets.delete(from)
          to.destroy()
        })
        from.pipe(to)
      }
    })
    const cut = () => {
      for (const socket of sockets) socket.resetAndDestroy()
    }
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.close()
          cut()
        })
    )
    return { port: (server.address() as AddressInfo).port, cut, open: () => sockets.size / 2 }
  })

/** A copy of the kubeconfig that goes to another port of loopback. */
const redirected = (kubeconfig: string, port: number) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "kubeconfig-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const config = parse(readFileSync(kubeconfig, "utf8")) as {
      readonly clusters: ReadonlyArray<{ readonly cluster: Record<string, string> }>
    }
    for (const { cluster } of config.clusters) {
      cluster["server"] = `https://127.0.0.1:${port}`
      const authority = cluster["certificate-authority"]
      if (authority !== undefined) cluster["certificate-authority"] = resolve(dirname(kubeconfig), authority)
    }
    const file = join(folder, "kubeconfig")
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
    return file
  })

const shown = (delta: Delta<Lease>): string =>
  delta._tag === "Snapshot" ? `Snapshot of ${delta.items.length}` : `${delta._tag} ${delta.object.metadata.name}`

describeWith("apiserver", "the HTTP adapter before a real API server", ({ apiserver }) => {
  const apiFor = (path: string) =>
    Effect.flatMap(Layer.build(HttpKubernetes.layer({ source: { _tag: "File", path } })), (context) =>
      Effect.provide(KubernetesApi, context)
    )
  const api = apiFor(apiserver.kubeconfig)

  const inNamespace = (api: KubernetesApiShape) =>
    Effect.acquireRelease(
      Effect.map(
        api.create(namespaces, {
          apiVersion: "v1",
          kind: "Namespace",
          metadata: { name: `adapter-${randomBytes(6).toString("hex")}` }
        }),
        ({ metadata }) => metadata.name
      ),
      (name) => Effect.ignore(api.remove(namespaces, { name }))
    )

  const lease = (namespace: string, name: string): Lease => ({
    apiVersion: leases.apiVersion,
    kind: leases.kind,
    metadata: { namespace, name },
    spec: {}
  })

  beforeAll(async () => {
    await Kubectl.succeed(apiserver, ["apply", "--server-side", "--force-conflicts", "-f", crdFile])
    await Kubectl.established(apiserver, "-f", crdFile)
  })

  kubernetesApiContract("over HTTP", api)

  describe("over connections that break", () => {
    it.live("a watch misses no change, and does not start again", () =>
      Effect.gen(function* () {
        const direct = yield* api
        const namespace = yield* inNamespace(direct)
        const proxy = yield* bytesTo(new URL(apiserver.server))
        const broken = yield* apiFor(yield* redirected(apiserver.kubeconfig, proxy.port))
        const deltas = yield* Queue.unbounded<string>()
        yield* Effect.forkScoped(
          Stream.runForEach(broken.watch(leases, { namespace }), (delta) => Queue.offer(deltas, shown(delta)))
        )
        const next = Queue.take(deltas).pipe(Effect.timeout("30 seconds"))
        assert.strictEqual(yield* next, "Snapshot of 0")
        for (let n = 0; n < 6; n++) {
          yield* direct.create(leases, lease(namespace, `l-${n}`))
          assert.strictEqual(yield* next, `Upsert l-${n}`)
          proxy.cut()
          yield* direct.remove(leases, { namespace, name: `l-${n}` })
          assert.strictEqual(yield* next, `Delete l-${n}`)
        }
      })
    )

    it.live("reads are repeated, and requests use few connections", () =>
      Effect.gen(function* () {
        const direct = yield* api
        const namespace = yield* inNamespace(direct)
        yield* direct.create(leases, lease(namespace, "a"))
        const proxy = yield* bytesTo(new URL(apiserver.server))
        const broken = yield* apiFor(yield* redirected(apiserver.kubeconfig, proxy.port))
        for (let n = 0; n < 30; n++) {
          if (n % 10 === 5) proxy.cut()
          assert.strictEqual((yield* broken.get(leases, { namespace, name: "a" })).metadata.name, "a")
          assert.isAtMost(proxy.open(), 2)
        }
      })
    )
  })

  describe("leaders", () => {
    it.live("hand over at once when one ends, and the Lease names the leader", () =>
      Effect.gen(function* () {
        const direct = yield* api
        const namespace = yield* inNamespace(direct)
        const standings = yield* Queue.unbounded<string>()
        const candidate = (identity: string) => {
          const onChange = (standing: Standing) =>
            Queue.offer(
              standings,
              standing._tag === "Standby" ? `${identity} sees ${standing.holder ?? "nobody"}` : `${identity} leads`
            )
          const settings = {
            namespace,
            name: "leader",
            identity,
            onChange: (one: Standing) => Effect.asVoid(onChange(one))
          }
          return asLeader({ ...settings, leaseMillis: 60_000, retryMillis: 200 }, Effect.never).pipe(
            Effect.provideService(KubernetesApi, direct)
          )
        }
        const next = Queue.take(standings).pipe(Effect.timeout("30 seconds"))
        const first = yield* Effect.forkScoped(candidate("first"))
        assert.strictEqual(yield* next, "first leads")
        const second = yield* Effect.forkScoped(candidate("second"))
        assert.strictEqual(yield* next, "second sees first")
        const held = yield* direct.get(leases, { namespace, name: "leader" })
        assert.strictEqual(held.spec?.holderIdentity, "first")
        assert.match(held.spec?.renewTime ?? "", /\.\d{6}Z$/u)
        yield* Fiber.interrupt(first)
        assert.strictEqual(yield* next, "first sees nobody")
        assert.strictEqual(yield* next, "second leads")
        const after = yield* direct.get(leases, { namespace, name: "leader" })
        assert.deepInclude(after.spec, { holderIdentity: "second", leaseDurationSeconds: 60, leaseTransitions: 1 })
        yield* Fiber.interrupt(second)
        const released = yield* direct.get(leases, { namespace, name: "leader" })
        assert.isNotOk(released.spec?.holderIdentity)
      }).pipe(Effect.provide(TestConsole.layer))
    )

    it.live("are never two, out of eight candidates", () =>
      Effect.gen(function* () {
        const direct = yield* api
        const namespace = yield* inNamespace(direct)
        const state = { now: 0, most: 0, turns: 0 }
        const all = yield* Deferred.make<void>()
        const turn = Effect.gen(function* () {
          state.now++
          state.most = Math.max(state.most, state.now)
          yield* Effect.sleep(30)
          state.now--
          if (++state.turns === 8) yield* Deferred.succeed(all, undefined)
        })
        yield* Effect.forEach(
          Array.from({ length: 8 }, (_, n) => `candidate-${n}`),
          (identity) =>
            asLeader({ namespace, name: "leader", identity, leaseMillis: 60_000, retryMillis: 50 }, turn).pipe(
              Effect.provideService(KubernetesApi, direct)
            ),
          { concurrency: "unbounded" }
        )
        yield* Deferred.await(all)
        assert.deepStrictEqual(state, { now: 0, most: 1, turns: 8 })
      }).pipe(Effect.provide(TestConsole.layer))
    )
  })
})
