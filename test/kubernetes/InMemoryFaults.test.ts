import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import { InMemoryKubernetes } from "../../src/kubernetes/InMemoryKubernetes.ts"
import { jobs, leases } from "../../src/kubernetes/Kind.ts"
import { type Delta, KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import { Gone, Throttled } from "../../src/kubernetes/KubernetesError.ts"
import type { Lease } from "../../src/kubernetes/Objects.ts"

const lease = (name: string): Lease => ({
  apiVersion: leases.apiVersion,
  kind: leases.kind,
  metadata: { namespace: "team", name }
})
const ref = (name: string) => ({ namespace: "team", name })

const fact = <A, E>(title: string, body: () => Effect.Effect<A, E, InMemoryKubernetes | KubernetesApi>) =>
  it.effect(title, () => Effect.provide(body(), InMemoryKubernetes.layer))

const namesOf = Effect.gen(function* () {
  const { behind } = yield* InMemoryKubernetes
  return (yield* behind.list(leases, {})).items.map(({ metadata }) => metadata.name).join("")
})

describe("the in-memory API server under scripted faults", () => {
  fact("fails the n-th matching request before it is carried out, and only that", () =>
    Effect.gen(function* () {
      const { disturb } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      const reason = new Throttled({ detail: "too many requests", retryAfterMillis: 2000 })
      yield* disturb({ _tag: "Fail", when: ({ verb }) => verb === "create", nth: 2, reason })
      yield* api.create(leases, lease("a"))
      yield* api.get(leases, ref("a"))
      const error = yield* Effect.flip(api.create(leases, lease("b")))
      assert.strictEqual(error.reason, reason)
      assert.strictEqual(error.request, "create leases team/b")
      yield* api.create(leases, lease("c"))
      assert.strictEqual(yield* namesOf, "ac")
    })
  )

  fact("fails every request until it is calmed", () =>
    Effect.gen(function* () {
      const { calm, disturb } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* disturb({ _tag: "Fail", times: Infinity, reason: new Gone({ detail: "too old" }) })
      for (let i = 0; i < 3; i++) assert.isTrue((yield* Effect.flip(api.list(leases, {}))).isRetryable)
      yield* calm
      assert.deepStrictEqual((yield* api.list(leases, {})).items, [])
    })
  )

  fact("loses the answer after the request was carried out", () =>
    Effect.gen(function* () {
      const { disturb } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* disturb({ _tag: "LoseAnswer" })
      assert.strictEqual((yield* Effect.flip(api.create(leases, lease("a")))).reason._tag, "Unavailable")
      assert.strictEqual((yield* Effect.flip(api.create(leases, lease("a")))).reason._tag, "AlreadyExists")
    })
  )

  fact("delays under the Clock; a request interrupted meanwhile is not carried out", () =>
    Effect.gen(function* () {
      const { disturb } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* disturb({ _tag: "Delay", duration: "1 minute" })
      const slow = yield* Effect.forkChild(api.create(leases, lease("a")), { startImmediately: true })
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* namesOf, "")
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(slow)
      yield* disturb({ _tag: "Delay", duration: Duration.infinity })
      const hanging = yield* Effect.forkChild(api.create(leases, lease("b")), { startImmediately: true })
      yield* TestClock.adjust("365 days")
      yield* Fiber.interrupt(hanging)
      assert.strictEqual(yield* namesOf, "a")
    })
  )

  fact("lets another client write between two requests", () =>
    Effect.gen(function* () {
      const { behind, disturb } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      const effect = behind.create(leases, lease("a"))
      yield* disturb({ _tag: "Run", moment: "before", when: ({ verb }) => verb === "create", effect })
      assert.strictEqual((yield* Effect.flip(api.create(leases, lease("a")))).reason._tag, "AlreadyExists")
    })
  )

  for (const moment of ["before", "after"] as const) {
    fact(`crashes a client right ${moment} its second write, and nothing of it happens any more`, () =>
      Effect.gen(function* () {
        const { client, disturb, revive, settled } = yield* InMemoryKubernetes
        const api = yield* KubernetesApi
        const steps = ["a", "b", "c"]
        const writing = yield* Effect.forEach(steps, (name) => api.create(leases, lease(name))).pipe(
          Effect.ensuring(Effect.ignore(api.create(leases, lease("z")))),
          Effect.forkChild
        )
        yield* disturb({ _tag: "Crash", moment, nth: 2, kill: Fiber.interrupt(writing) })
        yield* settled
        assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(writing)))
        assert.strictEqual(yield* namesOf, moment === "before" ? "a" : "ab")
        assert.strictEqual((yield* Effect.flip(api.get(leases, ref("a")))).reason._tag, "Unavailable")
        // Its successor goes on where it stopped, and so does the same client once it is revived.
        const next = yield* client("operator")
        yield* next.create(leases, lease("n"))
        yield* revive
        yield* api.create(leases, lease("r"))
      })
    )
  }

  fact("calls a plan before every request, in order, with its body", () =>
    Effect.gen(function* () {
      const { client, plan } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      const seen: Array<string> = []
      yield* plan(({ client, index, kind, name, subresource, verb }) => {
        seen.push([index, client, verb, kind, name, subresource].filter((part) => part !== undefined).join(" "))
        return []
      })
      yield* api.create(leases, lease("a"))
      yield* (yield* client("second")).get(leases, ref("a"))
      yield* api.list(leases, {})
      yield* Effect.flip(api.patch(jobs, ref("j"), { status: {} }, "status"))
      assert.deepStrictEqual(seen, [
        "1 operator create leases a",
        "2 second get leases a",
        "3 operator list leases",
        "4 operator patch jobs j status"
      ])
    })
  )

  fact("remembers every request with its size and time, and forgets on demand", () =>
    Effect.gen(function* () {
      const { behind, calls, forgetCalls } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* behind.create(leases, lease("a"))
      yield* TestClock.adjust("5 seconds")
      yield* api.patch(leases, ref("a"), { metadata: { annotations: { a: "é" } } })
      yield* api.remove(leases, ref("a"))
      const [patch, remove, ...more] = yield* calls
      assert.deepInclude(patch, { verb: "patch", namespace: "team", name: "a", bytes: 39, atMillis: 5000 })
      assert.deepInclude(remove, { index: 2, verb: "remove", bytes: 0 })
      assert.deepStrictEqual(more, [])
      yield* forgetCalls
      assert.deepStrictEqual(yield* calls, [])
    })
  )

  fact("does not know a kind without its definition, and knows its objects again when it is back", () =>
    Effect.gen(function* () {
      const { install, uninstall } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* api.create(leases, lease("a"))
      yield* uninstall(leases)
      const { reason } = yield* Effect.flip(api.get(leases, ref("a")))
      assert.deepInclude(reason, { _tag: "NotFound", isKindMissing: true })
      yield* install(leases)
      assert.strictEqual((yield* api.get(leases, ref("a"))).metadata.name, "a")
    })
  )
})

const shown = (delta: Delta<Lease>): string =>
  delta._tag === "Snapshot"
    ? `Snapshot ${delta.items.map(({ metadata }) => metadata.name).join("")}`
    : `${delta._tag} ${delta.object.metadata.name}`

describe("watches of the in-memory API server", () => {
  /** The deltas of a watch of leases since the last call. */
  const watching = Effect.gen(function* () {
    const api = yield* KubernetesApi
    const { settled } = yield* InMemoryKubernetes
    const deltas = yield* Queue.unbounded<string>()
    yield* Effect.forkScoped(Stream.runForEach(api.watch(leases, {}), (delta) => Queue.offer(deltas, shown(delta))))
    return Effect.andThen(settled, Queue.clear(deltas))
  })

  fact("get stale while they are held, and catch up step by step", () =>
    Effect.gen(function* () {
      const { holdWatches, releaseWatches } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      const news = yield* watching
      assert.deepStrictEqual(yield* news, ["Snapshot "])
      yield* holdWatches(leases)
      for (const name of ["a", "b", "c"]) yield* api.create(leases, lease(name))
      yield* api.remove(leases, ref("b"))
      assert.deepStrictEqual(yield* news, [])
      yield* releaseWatches(2)
      assert.deepStrictEqual(yield* news, ["Upsert a", "Upsert b"])
      yield* releaseWatches()
      assert.deepStrictEqual(yield* news, ["Upsert c", "Delete b"])
      yield* api.create(leases, lease("d"))
      assert.deepStrictEqual(yield* news, ["Upsert d"])
    }).pipe(Effect.scoped)
  )

  fact("start again with a snapshot when history is lost", () =>
    Effect.gen(function* () {
      const { holdWatches, releaseWatches, relistWatches } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* api.create(leases, lease("a"))
      const news = yield* watching
      assert.deepStrictEqual(yield* news, ["Snapshot a"])
      yield* holdWatches()
      yield* api.remove(leases, ref("a"))
      yield* api.create(leases, lease("b"))
      yield* relistWatches()
      yield* releaseWatches()
      assert.deepStrictEqual(yield* news, ["Snapshot b"])
    }).pipe(Effect.scoped)
  )

  fact("wait, without failing, until the server accepts them", () =>
    Effect.gen(function* () {
      const { install, uninstall } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* api.create(leases, lease("a"))
      yield* uninstall(leases)
      const news = yield* watching
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* news, [])
      yield* install(leases)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* news, ["Snapshot a"])
    }).pipe(Effect.scoped)
  )
})
