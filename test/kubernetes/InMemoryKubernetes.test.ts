import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { InMemoryKubernetes } from "../../src/kubernetes/InMemoryKubernetes.ts"
import { jobs, kafkaBackups, kafkaRestores, leases, namespaces } from "../../src/kubernetes/Kind.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import type { Lease, ObjectMeta } from "../../src/kubernetes/Objects.ts"
import { kubernetesApiContract } from "../contract/kubernetesApi.ts"
import { manifest } from "../resource/manifests.ts"

kubernetesApiContract(
  "in memory",
  Effect.map(Layer.build(Layer.fresh(InMemoryKubernetes.layer)), (context) => Context.get(context, KubernetesApi))
)

const lease = (name: string, metadata: Partial<ObjectMeta> = {}): Lease => ({
  apiVersion: leases.apiVersion,
  kind: leases.kind,
  metadata: { namespace: "team", name, ...metadata }
})
const ref = (name: string) => ({ namespace: "team", name })

/** What makes an object belong to `owner`. */
const ownedBy = (...owners: ReadonlyArray<Lease>): Partial<ObjectMeta> => ({
  ownerReferences: owners.map(({ apiVersion, kind, metadata }) => ({
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid ?? ""
  }))
})

const fact = <A, E>(title: string, body: () => Effect.Effect<A, E, InMemoryKubernetes | KubernetesApi>) =>
  it.effect(title, () => Effect.provide(body(), InMemoryKubernetes.layer))

const namesOf = Effect.gen(function* () {
  const { behind } = yield* InMemoryKubernetes
  return (yield* behind.list(leases, {})).items.map(({ metadata }) => metadata.name).join("")
})

describe("the in-memory API server", () => {
  fact("stamps objects with the Clock's time", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      yield* TestClock.setTime(Date.parse("2026-01-02T03:04:05.678Z"))
      const made = yield* api.create(leases, lease("a"))
      assert.strictEqual(made.metadata.creationTimestamp, "2026-01-02T03:04:05Z")
    })
  )

  fact("returns objects that cannot be changed", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      const labels = { a: "1" }
      const made = yield* api.create(leases, lease("a", { labels }))
      labels.a = "2"
      assert.throws(() => Object.assign(made.metadata.labels ?? {}, { a: "3" }))
      assert.deepStrictEqual((yield* api.get(leases, ref("a"))).metadata.labels, { a: "1" })
    })
  )

  fact("checks KafkaBackups against their definition, or against another rule", () =>
    Effect.gen(function* () {
      const { admit } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      const whole = manifest() as ReturnType<typeof manifest> & Lease
      const { reason } = yield* Effect.flip(api.create(kafkaBackups, { ...whole, spec: { schedule: "never" } }))
      assert.strictEqual(reason._tag, "Invalid")
      assert.include(reason.detail, "spec.schedule")
      yield* admit(kafkaBackups, () => Result.fail("denied by policy"))
      assert.include((yield* Effect.flip(api.create(kafkaBackups, whole))).message, "denied by policy")
      yield* admit(kafkaBackups, (object) => Result.succeed({ ...object, spec: { topics: ["x"] } }))
      assert.deepStrictEqual((yield* api.create(kafkaBackups, whole)).spec, { topics: ["x"] })
    })
  )

  fact("checks KafkaRestores against their definition, and keeps a spec whose restore has begun to write", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      const spec = {
        backupId: "shop-20260301-020000",
        targetCluster: { bootstrapServers: ["kafka:9092"] },
        storage: { storageType: "pvc", pvc: { claimName: "backups" } }
      }
      const { apiVersion, kind } = kafkaRestores
      const restore = { apiVersion, kind, metadata: { namespace: "team", name: "a" }, spec }
      const report = (status: object) => api.patch(kafkaRestores, ref("a"), { status }, "status")
      const bad = yield* Effect.flip(api.create(kafkaRestores, { ...restore, spec: { ...spec, backupId: "No" } }))
      assert.include(bad.message, "spec.backupId")
      const made = yield* api.create(kafkaRestores, restore)
      assert.strictEqual((made.spec as { readonly offsets?: string }).offsets, "Auto")
      yield* api.patch(kafkaRestores, ref("a"), { spec: { dryRun: true } })
      yield* report({ startedWriting: "2026-03-01T02:00:00Z" })
      const refused = yield* Effect.flip(api.patch(kafkaRestores, ref("a"), { spec: { dryRun: false } }))
      assert.include(refused.message, "spec: Forbidden: cannot be changed")
      yield* api.patch(kafkaRestores, ref("a"), { spec: { dryRun: true }, metadata: { labels: { a: "b" } } })
      const after = yield* report({ phase: "Completed" })
      assert.strictEqual(after.metadata.generation, 2)
    })
  )

  fact("refuses a Job that could never run, and a change of its pod template", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      const container = { name: "c", image: "i" }
      const job = (pod: object) => ({
        apiVersion: jobs.apiVersion,
        kind: jobs.kind,
        metadata: ref("j"),
        spec: { template: { spec: pod } }
      })
      const noPolicy = yield* Effect.flip(api.create(jobs, job({ containers: [container] })))
      assert.include(noPolicy.message, "spec.template.spec.restartPolicy")
      yield* api.create(jobs, job({ restartPolicy: "Never", containers: [container] }))
      const changed = { spec: { template: { spec: { containers: [{ ...container, image: "other" }] } } } }
      assert.include((yield* Effect.flip(api.patch(jobs, ref("j"), changed))).message, "field is immutable")
      const made = yield* api.get(jobs, ref("j"))
      assert.strictEqual(made.spec?.["backoffLimit"], 6)
    })
  )

  fact("keeps the entries of finalizers apart by who applied them", () =>
    Effect.gen(function* () {
      const { behind } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* api.apply(leases, lease("a", { finalizers: ["example.com/ours"] }))
      yield* behind.apply(leases, lease("a", { finalizers: ["example.com/theirs"] }))
      const both = (yield* api.get(leases, ref("a"))).metadata.finalizers
      assert.sameMembers([...(both ?? [])], ["example.com/ours", "example.com/theirs"])
      const left = yield* api.apply(leases, lease("a"))
      assert.deepStrictEqual(left.metadata.finalizers, ["example.com/theirs"])
    })
  )

  fact("keeps a field that two managers applied until both have let it go", () =>
    Effect.gen(function* () {
      const { behind } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* api.apply(leases, lease("a", { labels: { x: "1" } }))
      yield* behind.apply(leases, lease("a", { labels: { x: "1" } }))
      assert.deepStrictEqual((yield* api.apply(leases, lease("a"))).metadata.labels, { x: "1" })
      assert.isUndefined((yield* behind.apply(leases, lease("a"))).metadata.labels)
    })
  )

  fact("takes no new finalizer on an object that is being deleted", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      yield* api.create(leases, lease("a", { finalizers: ["example.com/one"] }))
      yield* api.remove(leases, ref("a"))
      const late = api.patch(leases, ref("a"), { metadata: { finalizers: ["example.com/one", "example.com/two"] } })
      assert.strictEqual((yield* Effect.flip(late)).reason._tag, "Invalid")
    })
  )
})

describe("garbage collection in memory", () => {
  fact("takes what belongs to a removed object, and what belongs to that", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      const a = yield* api.create(leases, lease("a"))
      const b = yield* api.create(leases, lease("b", ownedBy(a)))
      yield* api.create(leases, lease("c", ownedBy(b)))
      yield* api.create(leases, lease("d"))
      yield* api.remove(leases, ref("a"))
      assert.strictEqual(yield* namesOf, "d")
    })
  )

  fact("waits for the last of several owners", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      const a = yield* api.create(leases, lease("a"))
      const b = yield* api.create(leases, lease("b"))
      yield* api.create(leases, lease("c", ownedBy(a, b)))
      yield* api.remove(leases, ref("a"))
      assert.strictEqual(yield* namesOf, "bc")
      yield* api.remove(leases, ref("b"))
      assert.strictEqual(yield* namesOf, "")
    })
  )

  fact("leaves what a removal orphans, without the owner", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      const a = yield* api.create(leases, lease("a"))
      yield* api.create(leases, lease("b", ownedBy(a)))
      yield* api.remove(leases, ref("a"), { propagation: "Orphan" })
      assert.isUndefined((yield* api.get(leases, ref("b"))).metadata.ownerReferences)
    })
  )

  fact("keeps an owner that is removed in the foreground until its dependents are gone", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      const a = yield* api.create(leases, lease("a"))
      yield* api.create(leases, lease("b", { ...ownedBy(a), finalizers: ["example.com/hold"] }))
      yield* api.remove(leases, ref("a"), { propagation: "Foreground" })
      const waiting = yield* api.get(leases, ref("a"))
      assert.isDefined(waiting.metadata.deletionTimestamp)
      yield* api.patch(leases, ref("b"), { metadata: { finalizers: null } })
      assert.strictEqual(yield* namesOf, "")
    })
  )

  fact("takes an object whose owner was gone before it came", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      const a = yield* api.create(leases, lease("a"))
      yield* api.remove(leases, ref("a"))
      yield* api.create(leases, lease("b", ownedBy(a)))
      assert.strictEqual(yield* namesOf, "")
    })
  )

  fact("leaves objects whose owner is of a kind that it knows nothing of", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      const ownerReferences = [{ apiVersion: "apps/v1", kind: "Deployment", name: "operator", uid: "1-2-3" }]
      yield* api.create(leases, lease("a", { ownerReferences }))
      assert.strictEqual(yield* namesOf, "a")
    })
  )
})

describe("namespaces in memory", () => {
  fact("come to be with their first object", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      yield* api.create(leases, lease("a"))
      assert.deepInclude(yield* api.get(namespaces, { name: "team" }), { status: { phase: "Active" } })
    })
  )

  fact("take everything along when they are removed, and can be made again", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      for (const name of ["a", "b"]) yield* api.create(leases, lease(name))
      yield* api.create(leases, lease("c", { namespace: "other" }))
      yield* api.remove(namespaces, { name: "team" })
      assert.strictEqual(yield* namesOf, "c")
      assert.strictEqual((yield* Effect.flip(api.get(namespaces, { name: "team" }))).reason._tag, "NotFound")
      yield* api.create(leases, lease("a"))
    })
  )

  fact("stay, and take nothing new, until the last finalizer in them is gone", () =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      yield* api.create(leases, lease("a", { finalizers: ["example.com/hold"] }))
      yield* api.remove(namespaces, { name: "team" })
      assert.deepInclude(yield* api.get(namespaces, { name: "team" }), { status: { phase: "Terminating" } })
      const { reason } = yield* Effect.flip(api.apply(leases, lease("b")))
      assert.deepInclude(reason, { _tag: "Forbidden", isNamespaceTerminating: true })
      yield* api.patch(leases, ref("a"), { metadata: { finalizers: [] } })
      assert.strictEqual((yield* Effect.flip(api.get(namespaces, { name: "team" }))).reason._tag, "NotFound")
    })
  )

  fact("can be seen terminating while everything is still in them", () =>
    Effect.gen(function* () {
      const { terminate } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* api.create(leases, lease("a"))
      yield* terminate("team")
      assert.strictEqual((yield* Effect.flip(api.create(leases, lease("b")))).reason._tag, "Forbidden")
      assert.strictEqual(yield* namesOf, "a")
      yield* api.remove(namespaces, { name: "team" })
      assert.strictEqual(yield* namesOf, "")
    })
  )
})
