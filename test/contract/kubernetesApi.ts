import { randomBytes } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue, type Scope, Stream } from "effect"
import type { Kind } from "../../src/kubernetes/Kind.ts"
import { events, jobs, kafkaBackups, leases, namespaces } from "../../src/kubernetes/Kind.ts"
import type { Delta, KubernetesApiShape, Selection } from "../../src/kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../src/kubernetes/KubernetesError.ts"
import type { Event, Job, KubeObject, Lease, ObjectMeta } from "../../src/kubernetes/Objects.ts"

export interface ContractOptions {
  /** How many objects a listing must be complete with: more than fit on a page. */
  readonly many?: number
}

/** What a test is given: the API server and a namespace of its own, which nobody else writes to. */
interface Site {
  readonly api: KubernetesApiShape
  readonly namespace: string
}

type NewMeta = Partial<ObjectMeta> & Pick<ObjectMeta, "name">

const leaseIn =
  ({ namespace }: Site) =>
  (metadata: NewMeta, spec: NonNullable<Lease["spec"]> = {}): Lease => ({
    apiVersion: leases.apiVersion,
    kind: leases.kind,
    metadata: { namespace, ...metadata },
    spec
  })

const backupIn =
  ({ namespace }: Site) =>
  (metadata: NewMeta, spec: Readonly<Record<string, unknown>> = {}, more: object = {}): KubeObject => ({
    apiVersion: kafkaBackups.apiVersion,
    kind: kafkaBackups.kind,
    metadata: { namespace, ...metadata },
    spec: {
      kafkaCluster: { bootstrapServers: ["kafka:9092"] },
      topics: ["orders"],
      storage: { storageType: "pvc", pvc: { claimName: "backups" } },
      ...spec
    },
    ...more
  })

const jobIn =
  ({ namespace }: Site) =>
  (metadata: NewMeta, spec: NonNullable<Job["spec"]> = {}): Job => ({
    apiVersion: jobs.apiVersion,
    kind: jobs.kind,
    metadata: { namespace, ...metadata },
    spec: {
      backoffLimit: 1,
      template: {
        spec: { restartPolicy: "Never", containers: [{ name: "backup", image: "example.invalid/backup:1" }] }
      },
      ...spec
    }
  })

const names = (items: ReadonlyArray<KubeObject>) => items.map(({ metadata }) => metadata.name).sort()

const reasonOf = <A>(effect: Effect.Effect<A, KubernetesError>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

const tagOf = <A>(effect: Effect.Effect<A, KubernetesError>) => Effect.map(reasonOf(effect), ({ _tag }) => _tag)

/** A field of spec or status, wherever it is. */
const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Readonly<Record<string, unknown>> | undefined)?.[key], value)

/** Runs a watch in the background; each call of the answer waits for the next delta. */
const watching = <A extends KubeObject>(api: KubernetesApiShape, kind: Kind<A>, selection: Selection) =>
  Effect.gen(function* () {
    const deltas = yield* Queue.unbounded<Delta<A>>()
    const fiber = yield* Effect.forkScoped(
      Stream.runForEach(api.watch(kind, selection), (delta) => Queue.offer(deltas, delta))
    )
    const next = Queue.take(deltas).pipe(Effect.timeout("20 seconds"))
    return { fiber, next, told: Effect.map(next, told) }
  })

/** A delta as one line: `Upsert a`. */
const told = (delta: Delta<KubeObject>): string =>
  delta._tag === "Snapshot"
    ? `Snapshot ${names(delta.items).join(" ")}`.trimEnd()
    : `${delta._tag} ${delta.object.metadata.name}`

/**
 * What every `KubernetesApi` promises. The API server behind it must know KafkaBackup; no controller needs to run
 * there, and none is counted on.
 */
export const kubernetesApiContract = <E>(
  name: string,
  makeApi: Effect.Effect<KubernetesApiShape, E, Scope.Scope>,
  { many = 620 }: ContractOptions = {}
) =>
  describe(`KubernetesApi ${name}`, () => {
    const fact = (title: string, body: (site: Site) => Effect.Effect<void, unknown, Scope.Scope>) =>
      it.live(title, () =>
        Effect.gen(function* () {
          const api = yield* makeApi
          const namespace = `contract-${randomBytes(6).toString("hex")}`
          yield* Effect.acquireRelease(
            api.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }),
            () => Effect.ignore(api.remove(namespaces, { name: namespace }))
          )
          yield* body({ api, namespace })
        })
      )

    describe("objects", () => {
      fact("returns what was created, with the server's marks on it", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const labels = { app: "backup", "kafka.oso.sh/uid": "1-2-3" }
          const made = yield* api.create(kafkaBackups, backupIn(site)({ name: "a", labels }))
          assert.strictEqual(made.apiVersion, kafkaBackups.apiVersion)
          assert.strictEqual(made.kind, "KafkaBackup")
          assert.match(made.metadata.uid ?? "", /^[0-9a-f-]{36}$/)
          assert.match(made.metadata.resourceVersion ?? "", /^[0-9]+$/)
          assert.match(made.metadata.creationTimestamp ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
          assert.strictEqual(made.metadata.generation, 1)
          assert.deepStrictEqual(made.metadata.labels, labels)
          assert.deepStrictEqual(yield* api.get(kafkaBackups, { namespace, name: "a" }), made)
        })
      )

      fact("gives every object a uid of its own, also under a name that was used before", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const first = yield* api.create(leases, leaseIn(site)({ name: "a" }))
          yield* api.remove(leases, { namespace, name: "a" })
          const second = yield* api.create(leases, leaseIn(site)({ name: "a" }))
          assert.notStrictEqual(first.metadata.uid, second.metadata.uid)
        })
      )

      fact("refuses to create a name twice, and keeps the first", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          yield* api.create(leases, leaseIn(site)({ name: "a" }, { holderIdentity: "first" }))
          const again = api.create(leases, leaseIn(site)({ name: "a" }, { holderIdentity: "second" }))
          const error = yield* Effect.flip(again)
          assert.strictEqual(error.reason._tag, "AlreadyExists")
          assert.include(error.message, "a")
          assert.strictEqual((yield* api.get(leases, { namespace, name: "a" })).spec?.holderIdentity, "first")
        })
      )

      fact("lets exactly one of 250 simultaneous creators of a name win, and tells the others", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const outcomes = yield* Effect.forEach(
            Array.from({ length: 250 }, (_, i) => `writer-${i}`),
            (holderIdentity) => Effect.result(api.create(leases, leaseIn(site)({ name: "slot" }, { holderIdentity }))),
            { concurrency: "unbounded" }
          )
          const won = outcomes.flatMap((outcome) => (outcome._tag === "Success" ? [outcome.success] : []))
          const lost = outcomes.flatMap((outcome) => (outcome._tag === "Failure" ? [outcome.failure.reason._tag] : []))
          assert.strictEqual(won.length, 1)
          assert.deepStrictEqual(new Set(lost), new Set(["AlreadyExists" as const]))
          assert.deepStrictEqual(yield* api.get(leases, { namespace, name: "slot" }), won[0])
        })
      )

      fact("tells an absent object from an absent kind", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const unknown: Kind = { ...kafkaBackups, kind: "KafkaTopic", plural: "kafkatopics" }
          const place = { namespace, name: "nobody" }
          for (const [kind, isKindMissing] of [
            [kafkaBackups, false],
            [unknown, true]
          ] as const) {
            const asked = [api.get(kind, place), api.patch(kind, place, { metadata: {} }), api.remove(kind, place)]
            for (const each of asked) {
              const reason = yield* reasonOf<unknown>(each)
              assert.deepInclude(reason, { _tag: "NotFound", isKindMissing })
            }
          }
          assert.deepInclude(yield* reasonOf(api.list(unknown, { namespace })), {
            _tag: "NotFound",
            isKindMissing: true
          })
          const orphan = { ...backupIn(site)({ name: "a" }), kind: unknown.kind }
          assert.deepInclude(yield* reasonOf(api.create(unknown, orphan)), { _tag: "NotFound", isKindMissing: true })
        })
      )

      fact("refuses what can never be, with the server's words", (site) =>
        Effect.gen(function* () {
          const { api } = site
          const badName = yield* Effect.flip(api.create(leases, leaseIn(site)({ name: "Not_A_Name" })))
          assert.strictEqual(badName.reason._tag, "Invalid")
          assert.include(badName.message, "metadata.name")
          assert.include(badName.message, "Not_A_Name")
          const badSpec = yield* Effect.flip(
            api.create(kafkaBackups, backupIn(site)({ name: "a" }, { topics: "orders" }))
          )
          assert.strictEqual(badSpec.reason._tag, "Invalid")
          assert.include(badSpec.message, "spec.topics")
          assert.isFalse(badSpec.isRetryable)
        })
      )

      fact("fills in the defaults of the definition", (site) =>
        Effect.gen(function* () {
          const made = yield* site.api.create(kafkaBackups, backupIn(site)({ name: "a" }))
          assert.strictEqual(at(made.spec, "compression"), "zstd")
        })
      )

      fact("takes names with dots and dashes, and any text in annotations", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const annotations = { plain: "ä € 漢字 🦀 \u202Eright", quotes: `"'\\`, lines: "one\ntwo\ttab", empty: "" }
          for (const name of ["0", "a.b-c.d0", `x${"-y".repeat(30)}`]) {
            const made = yield* api.create(leases, leaseIn(site)({ name, annotations }))
            assert.deepStrictEqual(made.metadata.annotations, annotations)
            const read = yield* api.get(leases, { namespace, name })
            assert.strictEqual(read.metadata.name, name)
            assert.deepStrictEqual(read.metadata.annotations, annotations)
          }
          assert.strictEqual((yield* api.list(leases, { namespace })).items.length, 3)
        })
      )

      fact("keeps the microseconds of a Lease", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const spec = {
            holderIdentity: "pod-a",
            leaseDurationSeconds: 15,
            acquireTime: "2026-01-02T03:04:05.678901Z",
            renewTime: "2026-01-02T03:04:06.000001Z",
            leaseTransitions: 3
          }
          yield* api.create(leases, leaseIn(site)({ name: "leader" }, spec))
          assert.deepStrictEqual((yield* api.get(leases, { namespace, name: "leader" })).spec, spec)
        })
      )
    })

    describe("lists", () => {
      fact("lists a namespace, and nobody else's", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          assert.deepStrictEqual((yield* api.list(leases, { namespace })).items, [])
          for (const name of ["b", "a"]) yield* api.create(leases, leaseIn(site)({ name }))
          yield* api.create(kafkaBackups, backupIn(site)({ name: "c" }))
          const { items, resourceVersion } = yield* api.list(leases, { namespace })
          assert.deepStrictEqual(names(items), ["a", "b"])
          assert.match(resourceVersion, /^[0-9]+$/)
          // Items of a list carry no kind of their own on the wire.
          for (const item of items) assert.deepInclude(item, { apiVersion: leases.apiVersion, kind: "Lease" })
        })
      )

      fact("lists every namespace at once when none is given", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          yield* api.create(leases, leaseIn(site)({ name: `of-${namespace}`, labels: { of: namespace } }))
          const { items } = yield* api.list(leases, { labelSelector: `of=${namespace}` })
          assert.deepStrictEqual(
            items.map(({ metadata }) => [metadata.namespace, metadata.name]),
            [[namespace, `of-${namespace}`]]
          )
        })
      )

      fact("selects by labels: equal, different, present, absent", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const make = (name: string, labels: Record<string, string>) =>
            api.create(leases, leaseIn(site)({ name, labels }))
          yield* make("a", { app: "x", "kafka.oso.sh/purpose": "run" })
          yield* make("b", { app: "x" })
          yield* make("c", { app: "y", "kafka.oso.sh/purpose": "prune" })
          yield* make("d", {})
          const select = (labelSelector: string) =>
            Effect.map(api.list(leases, { namespace, labelSelector }), ({ items }) => names(items).join(""))
          assert.strictEqual(yield* select("app=x"), "ab")
          assert.strictEqual(yield* select("app==x"), "ab")
          assert.strictEqual(yield* select("app!=x"), "cd")
          assert.strictEqual(yield* select("kafka.oso.sh/purpose"), "ac")
          assert.strictEqual(yield* select("!kafka.oso.sh/purpose"), "bd")
          assert.strictEqual(yield* select("app=x,kafka.oso.sh/purpose=run"), "a")
          assert.strictEqual(yield* select("app=z"), "")
        })
      )

      fact("selects by fields, and refuses those that the kind has not", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          for (const name of ["a", "b"]) yield* api.create(kafkaBackups, backupIn(site)({ name }))
          const { items } = yield* api.list(kafkaBackups, { namespace, fieldSelector: "metadata.name=b" })
          assert.deepStrictEqual(names(items), ["b"])
          const odd = api.list(kafkaBackups, { namespace, fieldSelector: "spec.topics=orders" })
          assert.strictEqual(yield* tagOf(odd), "Invalid")
        })
      )

      fact(`is complete and without doubles when there are ${many}, and so is what a watch begins with`, (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const all = Array.from({ length: many }, (_, i) => `lease-${String(i).padStart(5, "0")}`)
          yield* Effect.forEach(all, (name) => api.create(leases, leaseIn(site)({ name })), { concurrency: 16 })
          assert.deepStrictEqual(names((yield* api.list(leases, { namespace })).items), all)
          const { next } = yield* watching(api, leases, { namespace })
          const upserted: Array<string> = []
          let delta = yield* next
          for (; delta._tag === "Upsert"; delta = yield* next) upserted.push(delta.object.metadata.name)
          if (delta._tag !== "Snapshot") return assert.fail(told(delta))
          const others = (delta.others ?? []).map(({ name }) => name)
          assert.deepStrictEqual(upserted, others, "a part of it told before, each once")
          assert.deepStrictEqual([...others, ...names(delta.items)].toSorted(), all)
        })
      )
    })

    describe("writes", () => {
      fact("replaces the object that was read, and no newer one", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const read = yield* api.create(leases, leaseIn(site)({ name: "a" }, { holderIdentity: "first" }))
          const written = yield* api.replace(leases, { ...read, spec: { holderIdentity: "second" } })
          assert.strictEqual(written.spec?.holderIdentity, "second")
          assert.notStrictEqual(written.metadata.resourceVersion, read.metadata.resourceVersion)
          const late = api.replace(leases, { ...read, spec: { holderIdentity: "third" } })
          assert.strictEqual(yield* tagOf(late), "Conflict")
          assert.deepStrictEqual(yield* api.get(leases, { namespace, name: "a" }), written)
        })
      )

      fact("lets exactly one of several simultaneous replacers of one state win", (site) =>
        Effect.gen(function* () {
          const { api } = site
          const read = yield* api.create(leases, leaseIn(site)({ name: "a" }))
          const outcomes = yield* Effect.forEach(
            ["a", "b", "c", "d", "e", "f"],
            (holderIdentity) => Effect.result(api.replace(leases, { ...read, spec: { holderIdentity } })),
            { concurrency: "unbounded" }
          )
          assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Success").length, 1)
          for (const outcome of outcomes) {
            if (outcome._tag === "Failure") assert.strictEqual(outcome.failure.reason._tag, "Conflict")
          }
        })
      )

      fact("replaces nothing that is not there", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const read = yield* api.create(kafkaBackups, backupIn(site)({ name: "a" }))
          yield* api.remove(kafkaBackups, { namespace, name: "a" })
          assert.strictEqual(yield* tagOf(api.replace(kafkaBackups, read)), "NotFound")
        })
      )

      fact("patches what is named: sets values, removes nulls, puts whole lists", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const annotations = { keep: "1", change: "1", remove: "1" }
          yield* api.create(kafkaBackups, backupIn(site)({ name: "a", annotations }, { topics: ["orders", "events"] }))
          const patched = yield* api.patch(
            kafkaBackups,
            { namespace, name: "a" },
            { metadata: { annotations: { change: "2", remove: null, add: "2" } }, spec: { topics: ["sales"] } }
          )
          assert.deepStrictEqual(patched.metadata.annotations, { keep: "1", change: "2", add: "2" })
          assert.deepStrictEqual(at(patched.spec, "topics"), ["sales"])
          assert.deepStrictEqual(at(patched.spec, "kafkaCluster", "bootstrapServers"), ["kafka:9092"])
          assert.deepStrictEqual(yield* api.get(kafkaBackups, { namespace, name: "a" }), patched)
        })
      )

      fact("patches only the object and the state that the patch asks for", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const place = { namespace, name: "a" }
          const made = yield* api.create(leases, leaseIn(site)({ name: "a" }))
          const { uid, resourceVersion } = made.metadata
          const mark = (metadata: object) =>
            api.patch(leases, place, { metadata: { ...metadata, labels: { mark: "1" } } })
          const otherUid = "00000000-0000-4000-8000-000000000000"
          assert.strictEqual(yield* tagOf(mark({ uid: otherUid })), "Conflict")
          const patched = yield* mark({ uid, resourceVersion })
          assert.strictEqual(patched.metadata.labels?.["mark"], "1")
          const late = api.patch(leases, place, { metadata: { uid, resourceVersion, labels: { mark: "2" } } })
          assert.strictEqual(yield* tagOf(late), "Conflict")
          assert.deepStrictEqual(yield* api.get(leases, place), patched)
        })
      )

      fact("writes nothing where a patch or an application changes nothing", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          yield* api.create(leases, leaseIn(site)({ name: "a", labels: { app: "x" } }))
          const before = yield* api.apply(leases, leaseIn(site)({ name: "a", labels: { ours: "1" } }))
          const patched = yield* api.patch(leases, { namespace, name: "a" }, { metadata: { labels: { app: "x" } } })
          assert.strictEqual(patched.metadata.resourceVersion, before.metadata.resourceVersion)
        })
      )

      fact("counts a generation when the spec changes, and only then", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const place = { namespace, name: "a" }
          yield* api.create(kafkaBackups, backupIn(site)({ name: "a" }))
          const generation = (patch: Readonly<Record<string, unknown>>, subresource?: "status") =>
            Effect.map(api.patch(kafkaBackups, place, patch, subresource), ({ metadata }) => metadata.generation)
          assert.strictEqual(yield* generation({ metadata: { labels: { a: "b" } } }), 1)
          assert.strictEqual(yield* generation({ status: { phase: "Running" } }, "status"), 1)
          assert.strictEqual(yield* generation({ spec: { suspend: true } }), 2)
          assert.strictEqual(yield* generation({ spec: { suspend: true } }), 2)
        })
      )

      fact("keeps spec and status apart: each is written by its own requests only", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const place = { namespace, name: "a" }
          const status = { phase: "Failed" }
          const made = yield* api.create(kafkaBackups, backupIn(site)({ name: "a" }, {}, { status }))
          assert.isUndefined(made.status)
          assert.isUndefined((yield* api.patch(kafkaBackups, place, { status })).status)
          assert.isUndefined((yield* api.replace(kafkaBackups, { ...made, status })).status)
          assert.isUndefined((yield* api.apply(kafkaBackups, backupIn(site)({ name: "a" }, {}, { status }))).status)
          const written = yield* api.patch(
            kafkaBackups,
            place,
            { status: { phase: "Running" }, spec: { suspend: true }, metadata: { labels: { a: "b" } } },
            "status"
          )
          assert.deepStrictEqual(written.status, { phase: "Running" })
          assert.strictEqual(at(written.spec, "suspend"), false)
          assert.isUndefined(written.metadata.labels)
          const plain = yield* api.patch(kafkaBackups, place, { spec: { suspend: true } })
          assert.deepStrictEqual(plain.status, { phase: "Running" })
        })
      )

      fact("completes a Job, labels its pods with its name, and keeps its pod template as it is", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const place = { namespace, name: "a" }
          const made = yield* api.create(jobs, jobIn(site)({ name: "a" }))
          assert.strictEqual(made.spec?.["completions"], 1)
          const labels = at(made.spec, "template", "metadata", "labels")
          assert.strictEqual(at(labels, "batch.kubernetes.io/job-name"), "a")
          assert.strictEqual(at(labels, "batch.kubernetes.io/controller-uid"), made.metadata.uid)
          const containers = [{ name: "backup", image: "example.invalid/backup:2" }]
          const changed = api.patch(jobs, place, { spec: { template: { spec: { containers } } } })
          assert.strictEqual(yield* tagOf(changed), "Invalid")
          const ttl = yield* api.patch(jobs, place, { spec: { ttlSecondsAfterFinished: 60 } })
          assert.strictEqual(ttl.spec?.ttlSecondsAfterFinished, 60)
          assert.strictEqual(yield* tagOf(api.create(jobs, jobIn(site)({ name: "j".repeat(64) }))), "Invalid")
          const noPolicy = { template: { spec: { containers } } }
          assert.strictEqual(yield* tagOf(api.create(jobs, jobIn(site)({ name: "b" }, noPolicy))), "Invalid")
        })
      )

      fact("takes an Event about an object, and finds it by what it regards", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const event = (name: string, regarding: string): Event => ({
            apiVersion: events.apiVersion,
            kind: events.kind,
            metadata: { namespace, name },
            eventTime: "2026-01-02T03:04:05.678901Z",
            reportingController: "kafka.oso.sh/operator",
            reportingInstance: "operator-0",
            action: "Starting",
            reason: "BackupStarted",
            type: "Normal",
            note: "Backup started ✓",
            regarding: {
              apiVersion: kafkaBackups.apiVersion,
              kind: "KafkaBackup",
              namespace,
              name: regarding
            } as NonNullable<Event["regarding"]>
          })
          const made = yield* api.create(events, event("a.1", "a"))
          yield* api.create(events, event("b.1", "b"))
          assert.strictEqual(made["eventTime"], "2026-01-02T03:04:05.678901Z")
          assert.strictEqual(made.note, "Backup started ✓")
          const { items } = yield* api.list(events, { namespace, fieldSelector: "regarding.name=a" })
          assert.deepStrictEqual(names(items), ["a.1"])
          const series = { count: 2, lastObservedTime: "2026-01-02T03:05:05.678901Z" }
          const repeated = yield* api.patch(events, { namespace, name: "a.1" }, { series })
          assert.deepStrictEqual(repeated.series, series)
        })
      )
    })

    describe("server-side apply", () => {
      const applied = (site: Site, labels: Record<string, string>, spec: Readonly<Record<string, unknown>> = {}) =>
        site.api.apply(kafkaBackups, backupIn(site)({ name: "a", labels }, spec))

      fact("creates what is not there, and says the same again without a change", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const first = yield* applied(site, { ours: "1" })
          assert.deepStrictEqual(first.metadata.labels, { ours: "1" })
          assert.strictEqual(first.metadata.generation, 1)
          const again = yield* applied(site, { ours: "1" })
          assert.strictEqual(again.metadata.resourceVersion, first.metadata.resourceVersion)
          assert.deepStrictEqual(yield* api.get(kafkaBackups, { namespace, name: "a" }), again)
        })
      )

      fact("removes what it set before and says no more; what others set stays", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const place = { namespace, name: "a" }
          yield* applied(site, { ours: "1", gone: "1" }, { sourceClusterId: "berlin" })
          yield* api.patch(kafkaBackups, place, { metadata: { labels: { theirs: "1" } }, spec: { schedule: "@daily" } })
          const after = yield* applied(site, { ours: "2" })
          assert.deepStrictEqual(after.metadata.labels, { ours: "2", theirs: "1" })
          assert.isFalse("sourceClusterId" in (after.spec as object))
          assert.strictEqual(at(after.spec, "schedule"), "@daily")
        })
      )

      fact("takes over fields that others hold", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          yield* api.create(kafkaBackups, backupIn(site)({ name: "a", labels: { shared: "theirs" } }))
          assert.strictEqual((yield* applied(site, { shared: "ours" })).metadata.labels?.["shared"], "ours")
          yield* api.patch(kafkaBackups, { namespace, name: "a" }, { metadata: { labels: { shared: "theirs" } } })
          assert.strictEqual((yield* applied(site, { shared: "ours" })).metadata.labels?.["shared"], "ours")
        })
      )

      fact("leaves a field that somebody else has taken over since", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          yield* applied(site, { ours: "1", taken: "1" })
          yield* api.patch(kafkaBackups, { namespace, name: "a" }, { metadata: { labels: { taken: "2" } } })
          assert.deepStrictEqual((yield* applied(site, { ours: "1" })).metadata.labels, { ours: "1", taken: "2" })
        })
      )

      fact("applies a status alone, to an object that exists", (site) =>
        Effect.gen(function* () {
          const { api } = site
          const status = (fields: object, spec = {}) =>
            api.apply(kafkaBackups, backupIn(site)({ name: "a" }, spec, { status: fields }), "status")
          assert.strictEqual(yield* tagOf(status({ phase: "Running" })), "NotFound")
          yield* api.create(kafkaBackups, backupIn(site)({ name: "a" }))
          const first = yield* status({ phase: "Running", lastBackupSize: 5 }, { suspend: true })
          assert.deepStrictEqual(first.status, { phase: "Running", lastBackupSize: 5 })
          assert.strictEqual(at(first.spec, "suspend"), false)
          const second = yield* status({ phase: "Completed" })
          assert.deepStrictEqual(second.status, { phase: "Completed" })
          assert.strictEqual(second.metadata.generation, 1)
          // The spec's owner and the status's owner do not undo each other.
          const spec = yield* applied(site, { ours: "1" })
          assert.deepStrictEqual(spec.status, { phase: "Completed" })
        })
      )

      fact("writes nothing when the same status is applied again", (site) =>
        Effect.gen(function* () {
          const { api } = site
          yield* api.create(kafkaBackups, backupIn(site)({ name: "a" }))
          const status = { phase: "Running", skippedSlots: 3 }
          const say = api.apply(kafkaBackups, backupIn(site)({ name: "a" }, {}, { status }), "status")
          const first = yield* say
          assert.strictEqual((yield* say).metadata.resourceVersion, first.metadata.resourceVersion)
        })
      )

      fact("has one owner for each finalizer and each condition", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const place = { namespace, name: "a" }
          const condition = (type: string) => ({
            type,
            status: "True",
            reason: "Because",
            message: "so it is",
            lastTransitionTime: "2026-01-02T03:04:05Z"
          })
          const types = ({ status }: KubeObject) =>
            (at(status, "conditions") as ReadonlyArray<{ readonly type: string }>).map(({ type }) => type).sort()
          const finalizers = ["example.com/theirs"]
          yield* api.create(kafkaBackups, backupIn(site)({ name: "a", finalizers }))
          yield* api.patch(kafkaBackups, place, { status: { conditions: [condition("Theirs")] } }, "status")
          const ours = backupIn(site)({ name: "a", finalizers: ["example.com/ours"] })
          const both = (yield* api.apply(kafkaBackups, ours)).metadata.finalizers
          assert.sameMembers([...(both ?? [])], ["example.com/ours", "example.com/theirs"])
          const left = yield* api.apply(kafkaBackups, backupIn(site)({ name: "a" }))
          assert.deepStrictEqual(left.metadata.finalizers, finalizers)
          const say = (...conditions: ReadonlyArray<string>) =>
            api.apply(
              kafkaBackups,
              backupIn(site)({ name: "a" }, {}, { status: { conditions: conditions.map(condition) } }),
              "status"
            )
          assert.deepStrictEqual(types(yield* say("Ready", "Stalled")), ["Ready", "Stalled", "Theirs"])
          assert.deepStrictEqual(types(yield* say("Ready")), ["Ready", "Theirs"])
          yield* api.patch(kafkaBackups, place, { metadata: { finalizers: null } })
        })
      )

      fact("applies only to the object and the state that are asked for", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const place = { namespace, name: "a" }
          const old = yield* api.create(kafkaBackups, backupIn(site)({ name: "a" }))
          yield* api.remove(kafkaBackups, place)
          const say = (metadata: Partial<ObjectMeta>, subresource?: "status") =>
            api.apply(
              kafkaBackups,
              backupIn(site)({ name: "a", ...metadata }, {}, { status: { phase: "Running" } }),
              subresource
            )
          const { resourceVersion, uid } = old.metadata
          assert.strictEqual(yield* tagOf(say({ uid: uid! })), "Conflict")
          const made = yield* api.create(kafkaBackups, backupIn(site)({ name: "a" }))
          assert.strictEqual(yield* tagOf(say({ uid: uid! })), "Conflict")
          assert.strictEqual(yield* tagOf(say({ resourceVersion: resourceVersion! })), "Conflict")
          assert.strictEqual(yield* tagOf(say({ resourceVersion: resourceVersion! }, "status")), "Conflict")
          assert.deepStrictEqual(yield* api.get(kafkaBackups, place), made)
          assert.deepStrictEqual((yield* say({ uid: made.metadata.uid! }, "status")).status, { phase: "Running" })
        })
      )

      fact("binds a status to its object by resourceVersion alone: a uid does not count there", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const made = yield* api.create(kafkaBackups, backupIn(site)({ name: "a" }))
          const uid = "00000000-0000-4000-8000-00000000dead"
          const status = { phase: "Running" }
          const applied = api.apply(kafkaBackups, backupIn(site)({ name: "a", uid }, {}, { status }), "status")
          assert.strictEqual((yield* applied).metadata.uid, made.metadata.uid)
          const place = { namespace, name: "a" }
          const phase = (phase: string, metadata: object) =>
            api.patch(kafkaBackups, place, { metadata, status: { phase } }, "status")
          assert.deepStrictEqual((yield* phase("Failed", { uid })).status, { phase: "Failed" })
          const { resourceVersion } = made.metadata
          assert.strictEqual(yield* tagOf(phase("Pending", { resourceVersion })), "Conflict")
        })
      )
    })

    describe("removal", () => {
      fact("removes an object, and only one that is there", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          yield* api.create(leases, leaseIn(site)({ name: "a" }))
          yield* api.remove(leases, { namespace, name: "a" })
          assert.strictEqual(yield* tagOf(api.get(leases, { namespace, name: "a" })), "NotFound")
          assert.strictEqual(yield* tagOf(api.remove(leases, { namespace, name: "a" })), "NotFound")
        })
      )

      fact("removes the object of one uid, and no later one of its name", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const place = { namespace, name: "a" }
          const old = yield* api.create(jobs, jobIn(site)({ name: "a" }))
          yield* api.remove(jobs, place, { uid: old.metadata.uid!, propagation: "Background" })
          const made = yield* api.create(jobs, jobIn(site)({ name: "a" }))
          const stale = api.remove(jobs, place, { uid: old.metadata.uid!, propagation: "Background" })
          assert.strictEqual(yield* tagOf(stale), "Conflict")
          assert.strictEqual((yield* api.get(jobs, place)).metadata.uid, made.metadata.uid)
          yield* api.remove(jobs, place, { uid: made.metadata.uid!, propagation: "Background" })
          assert.strictEqual(yield* tagOf(api.get(jobs, place)), "NotFound")
        })
      )

      fact("removes no object that has changed since the given resourceVersion", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const place = { namespace, name: "a" }
          const { metadata } = yield* api.create(leases, leaseIn(site)({ name: "a" }))
          const version = { uid: metadata.uid!, resourceVersion: metadata.resourceVersion! }
          const changed = yield* api.patch(leases, place, { metadata: { labels: { a: "b" } } })
          assert.strictEqual(yield* tagOf(api.remove(leases, place, version)), "Conflict")
          yield* api.remove(leases, place, { resourceVersion: changed.metadata.resourceVersion! })
          assert.strictEqual(yield* tagOf(api.get(leases, place)), "NotFound")
        })
      )

      fact("keeps a removed object, marked, until its last finalizer is gone", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const place = { namespace, name: "a" }
          const finalizers = ["kafka.oso.sh/cleanup", "example.com/other"]
          const made = yield* api.create(kafkaBackups, backupIn(site)({ name: "a", finalizers }))
          assert.isUndefined(made.metadata.deletionTimestamp)
          yield* api.remove(kafkaBackups, place)
          const marked = yield* api.get(kafkaBackups, place)
          assert.match(marked.metadata.deletionTimestamp ?? "", /^\d{4}-.*Z$/)
          assert.strictEqual(marked.metadata.uid, made.metadata.uid)
          assert.strictEqual(marked.metadata.generation, 2)
          yield* api.remove(kafkaBackups, place)
          const release = (left: ReadonlyArray<string>) =>
            api.patch(kafkaBackups, place, { metadata: { finalizers: left } })
          yield* release(["example.com/other"])
          assert.strictEqual((yield* api.get(kafkaBackups, place)).metadata.uid, made.metadata.uid)
          yield* release([])
          assert.strictEqual(yield* tagOf(api.get(kafkaBackups, place)), "NotFound")
        })
      )

      fact("takes no new objects into a namespace that is being deleted", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          yield* api.create(leases, leaseIn(site)({ name: "holds", finalizers: ["example.com/hold"] }))
          yield* api.remove(namespaces, { name: namespace })
          const late = yield* Effect.flip(api.create(jobs, jobIn(site)({ name: "late" })))
          assert.deepInclude(late.reason, { _tag: "Forbidden", isNamespaceTerminating: true })
          assert.isFalse(late.isRetryable)
          assert.isDefined((yield* api.get(leases, { namespace, name: "holds" })).metadata.uid)
        })
      )
    })

    describe("watches", () => {
      fact("tells what is there, then every change in order", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          for (const name of ["a", "b"]) yield* api.create(leases, leaseIn(site)({ name }))
          const { told, next } = yield* watching(api, leases, { namespace })
          assert.strictEqual(yield* told, "Snapshot a b")
          const made = yield* api.create(leases, leaseIn(site)({ name: "c" }))
          const patched = yield* api.patch(leases, { namespace, name: "a" }, { metadata: { labels: { x: "1" } } })
          yield* api.remove(leases, { namespace, name: "b" })
          yield* api.create(kafkaBackups, backupIn(site)({ name: "not-a-lease" }))
          yield* api.create(leases, leaseIn(site)({ name: "b" }))
          assert.deepStrictEqual(yield* next, { _tag: "Upsert", object: made })
          assert.deepStrictEqual(yield* next, { _tag: "Upsert", object: patched })
          assert.strictEqual(yield* told, "Delete b")
          assert.strictEqual(yield* told, "Upsert b")
        })
      )

      fact("begins with an empty snapshot where nothing is there", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const { told } = yield* watching(api, kafkaBackups, { namespace })
          assert.strictEqual(yield* told, "Snapshot")
          yield* api.create(kafkaBackups, backupIn(site)({ name: "a" }))
          assert.strictEqual(yield* told, "Upsert a")
        })
      )

      fact("tells of an object that stops matching as gone, and of one that starts as there", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const label = (name: string, app: string | null) =>
            api.patch(leases, { namespace, name }, { metadata: { labels: { app } } })
          yield* api.create(leases, leaseIn(site)({ name: "a", labels: { app: "x" } }))
          yield* api.create(leases, leaseIn(site)({ name: "b" }))
          const { told } = yield* watching(api, leases, { namespace, labelSelector: "app=x" })
          assert.strictEqual(yield* told, "Snapshot a")
          yield* label("b", "y")
          yield* label("a", null)
          yield* label("b", "x")
          yield* api.remove(leases, { namespace, name: "a" })
          yield* api.remove(leases, { namespace, name: "b" })
          assert.strictEqual(yield* told, "Delete a")
          assert.strictEqual(yield* told, "Upsert b")
          assert.strictEqual(yield* told, "Delete b")
        })
      )

      fact("tells of one object alone when asked for its name", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          yield* api.create(leases, leaseIn(site)({ name: "other" }))
          const { told } = yield* watching(api, leases, { namespace, fieldSelector: "metadata.name=one" })
          assert.strictEqual(yield* told, "Snapshot")
          yield* api.create(leases, leaseIn(site)({ name: "another" }))
          yield* api.create(leases, leaseIn(site)({ name: "one" }))
          assert.strictEqual(yield* told, "Upsert one")
        })
      )

      fact("tells a removal that waits for finalizers as a change first", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          yield* api.create(leases, leaseIn(site)({ name: "a", finalizers: ["example.com/hold"] }))
          const { told, next } = yield* watching(api, leases, { namespace })
          assert.strictEqual(yield* told, "Snapshot a")
          yield* api.remove(leases, { namespace, name: "a" })
          const marked = yield* next
          assert.isTrue(marked._tag === "Upsert" && marked.object.metadata.deletionTimestamp !== undefined)
          yield* api.patch(leases, { namespace, name: "a" }, { metadata: { finalizers: null } })
          assert.strictEqual(yield* told, "Delete a")
        })
      )

      fact("loses nothing and doubles nothing while many write", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const { next } = yield* watching(api, leases, { namespace })
          const seen: Array<string> = []
          const all = Array.from({ length: 120 }, (_, i) => `lease-${i}`)
          assert.strictEqual(told(yield* next), "Snapshot")
          yield* Effect.forEach(all, (name) => api.create(leases, leaseIn(site)({ name })), { concurrency: 16 })
          const versions: Array<bigint> = []
          while (seen.length < all.length) {
            const delta = yield* next
            if (delta._tag !== "Upsert") return assert.fail(told(delta))
            seen.push(delta.object.metadata.name)
            versions.push(BigInt(delta.object.metadata.resourceVersion ?? "0"))
          }
          assert.deepStrictEqual(seen.toSorted(), all.toSorted())
          assert.deepStrictEqual(
            versions,
            versions.toSorted((a, b) => (a < b ? -1 : 1))
          )
        })
      )

      fact("ends when it is interrupted, and not before", (site) =>
        Effect.gen(function* () {
          const { api, namespace } = site
          const { fiber, told } = yield* watching(api, leases, { namespace })
          assert.strictEqual(yield* told, "Snapshot")
          assert.isUndefined(fiber.pollUnsafe())
          yield* Fiber.interrupt(fiber).pipe(Effect.timeout("5 seconds"))
          assert.isDefined(fiber.pollUnsafe())
        })
      )
    })
  })
