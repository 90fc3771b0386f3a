import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Capturing from "../../src/backup/Capturing.ts"
import type { AccessReading, Acl } from "../../src/kafka/AccessRules.ts"
import { KafkaError, KafkaAuthorizationFailed, ProtocolFailure } from "../../src/kafka/KafkaError.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as MetadataDocument from "../../src/manifest/MetadataDocument.ts"
import * as Seal from "../../src/manifest/Seal.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import { inTime } from "../restore/world.ts"
import { aRequest, attempt, dyingAt, fill, layer, world } from "./world.ts"
import { aliceReadsOrders } from "../kafka/acls.ts"

const everything = { acls: true, users: true, quotas: true }
const slot = "2026-11-23T12:00:00Z"
const acl = (changes: Partial<Acl> = {}): Acl => ({
  ...aliceReadsOrders,
  ...changes
})
const kept = [
  acl(),
  acl({ permission: "Deny", operation: "Delete" }),
  acl({ name: "pay", pattern: "prefixed" }),
  acl({ name: "*" }),
  acl({ resource: "group", name: "billing" }),
  acl({ resource: "group", name: "bill", pattern: "prefixed" })
]
const others = [
  acl({ name: "secrets" }),
  acl({ name: "sec", pattern: "prefixed" }),
  acl({ resource: "group", name: "orders" }),
  acl({ resource: "group", name: "elsewhere" })
]
const quota = { entity: [{ type: "user", name: "alice" }], values: { consumer_byte_rate: 1024 } }
const alice = { name: "alice", mechanisms: ["SCRAM-SHA-512"] } as const

/** Two selected topics, a group of theirs, and ACLs, users and quotas. */
const populate = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* fill(cluster)
  yield* cluster.createTopic("secrets")
  yield* cluster.commitGroupOffsets("billing", [{ topic: "orders", partition: 0, offset: 1 }])
  yield* cluster.commitGroupOffsets("elsewhere", [{ topic: "secrets", partition: 0, offset: 0 }])
  yield* cluster.addAcls(...kept, ...others)
  yield* cluster.addScramUser(alice)
  yield* cluster.setQuota(quota)
})

const request = aRequest(slot, { topics: ["orders", "payments"], clusterMetadata: everything })

const back = Effect.fnUntraced(function* (asked = request) {
  const { store } = yield* world
  const { facts } = yield* attempt(asked)
  const set = yield* Catalogue.open(store, facts.backupId)
  return { facts, set, store, document: yield* MetadataDocument.read(store, set) }
})

describe("what a backup keeps beside records", () => {
  it.effect("are the ACLs of its topics and their groups, all names of users, and all quotas", () =>
    Effect.gen(function* () {
      yield* populate((yield* world).cluster)
      const { document, facts, set, store } = yield* back()
      assert.sameDeepMembers([...(document?.acls?.state === "captured" ? document.acls.entries : [])], kept)
      assert.deepStrictEqual(document?.users, { state: "captured", entries: [alice] })
      assert.deepStrictEqual(document?.quotas, { state: "captured", entries: [quota] })
      assert.deepStrictEqual(facts.clusterMetadata, {
        acls: { state: "captured", count: kept.length },
        users: { state: "captured", count: 1 },
        quotas: { state: "captured", count: 1 }
      })
      assert.deepStrictEqual((yield* Seal.inspect(store, set)).broken, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is whole in a backup that builds on another one", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* populate(cluster)
      const incremental = { incremental: { fullEvery: 24 } }
      yield* back({ ...request, ...incremental })
      yield* cluster.addAcls(acl({ principal: "User:bob" }))
      const later = aRequest("2026-11-23T13:00:00Z", {
        ...request,
        identity: { ...request.identity, slot: "2026-11-23T13:00:00Z" },
        ...incremental
      })
      const { document, facts } = yield* back(later)
      assert.isDefined(facts.base)
      assert.lengthOf(document?.acls?.state === "captured" ? document.acls.entries : [], kept.length + 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("costs no object where there is nothing to keep, and the facts say why", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* fill(cluster)
      yield* cluster.removeAuthorizer
      const { document, facts, store } = yield* back()
      assert.isUndefined(document)
      assert.strictEqual(facts.clusterMetadata?.acls?.state, "noAuthorizer")
      assert.deepStrictEqual(facts.clusterMetadata?.users, { state: "captured", count: 0 })
      const names = yield* store.list(`${facts.backupId}/`).pipe(
        Stream.map(({ key }) => key),
        Stream.runCollect
      )
      assert.isFalse(names.some((name) => name.includes("cluster-metadata")))
      assert.deepStrictEqual(facts.notes, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("lacks what the principal may not see, says which permission is missing, and the backup succeeds", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* populate(cluster)
      yield* cluster.deny("DescribeCluster")
      const { document, facts } = yield* back()
      const detail = "permission denied: the principal lacks Describe on cluster"
      assert.deepStrictEqual(facts.clusterMetadata?.acls, { state: "notAllowed", detail })
      assert.deepStrictEqual(facts.clusterMetadata?.users, { state: "notAllowed", detail })
      assert.deepStrictEqual(document?.quotas, { state: "captured", entries: [quota] })
      // A note would be a warning in the status of everybody who grants no more than a backup needs.
      assert.deepStrictEqual(facts.notes, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is nothing where nothing is asked for", () =>
    Effect.gen(function* () {
      yield* populate((yield* world).cluster)
      const { document, facts } = yield* back({
        ...request,
        clusterMetadata: { acls: false, users: false, quotas: false }
      })
      assert.isUndefined(document)
      assert.isUndefined(facts.clusterMetadata)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is what the first attempt saw, wherever that attempt died", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* populate(cluster)
      const counted = dyingAt(store, Infinity, "before")
      yield* attempt(
        aRequest("2026-11-23T11:00:00Z", {
          ...request,
          identity: { ...request.identity, slot: "2026-11-23T11:00:00Z" }
        }),
        {
          store: counted.store
        }
      )
      const last = counted.calls()
      for (const [i, before] of [8, 5, 2].entries()) {
        const hour = `2026-11-23T1${3 + i}:00:00Z`
        const asked = { ...request, identity: { ...request.identity, slot: hour } }
        yield* Effect.exit(attempt(asked, { store: dyingAt(store, last - before, "after").store }))
        const later = `User:since-${i}`
        yield* cluster.addAcls(acl({ principal: later }))
        const { document, set } = yield* inTime(back(asked))
        const entries = document?.acls?.state === "captured" ? document.acls.entries : []
        assert.lengthOf(entries, kept.length + i)
        assert.isFalse(entries.some(({ principal }) => principal === later))
        assert.deepStrictEqual((yield* Seal.inspect(store, set)).broken, [])
      }
    }).pipe(Effect.provide(layer))
  )
})

describe("a document with ACLs", () => {
  it.effect("counts only where the manifest names it, with this very content", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* populate(cluster)
      const { facts, set, store } = yield* back()
      const key = ObjectKey.make(`${facts.backupId}/cluster-metadata.json`)
      const forged = MetadataDocument.encode(
        facts.backupId,
        { acls: { state: "captured", entries: [acl({ principal: "User:mallory" })] } },
        0
      )
      yield* store.put(key, [forged])
      assert.include((yield* Effect.flip(MetadataDocument.read(store, set))).message, "it is not as it was committed")
      yield* store.delete(key)
      assert.include((yield* Effect.flip(MetadataDocument.read(store, set))).message, "it is not there")
      const { [`cluster-metadata.json`]: _listed, ...rest } = set.manifest.kb_documents ?? {}
      yield* store.put(key, [forged])
      const unlisted = { ...set, manifest: { ...set.manifest, kb_documents: rest } }
      assert.isUndefined(yield* MetadataDocument.read(store, unlisted))
    }).pipe(Effect.provide(layer))
  )
})

describe("capturing", () => {
  const failing = (reason: KafkaError["reason"]) => Effect.fail(new KafkaError({ operation: "access", reason }))
  const nobody: AccessReading = {
    acls: failing(new ProtocolFailure({ detail: "no common version", transient: false })),
    scramUsers: Effect.never,
    quotas: failing(new KafkaAuthorizationFailed({ resource: "cluster", missing: "DescribeConfigs" }))
  }
  const concerned = { topics: new Set(["orders"]), groups: new Set<string>() }

  it.effect("never fails, and waits for no broker for long", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* inTime(Capturing.capture(nobody, everything, concerned)), {
        acls: { state: "failed", detail: "no common version" },
        users: { state: "failed", detail: "the brokers did not list users in time" },
        quotas: { state: "notAllowed", detail: "permission denied: the principal lacks DescribeConfigs on cluster" }
      })
    })
  )

  it.effect("keeps all of a kind or nothing: not the first ones, and not those that it understands", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: Capturing.mostEntries + 1 }, (_, i) => acl({ principal: `User:${i}` }))
      const of = (acls: AccessReading["acls"]) =>
        Effect.map(
          Capturing.capture({ ...nobody, acls }, { ...everything, users: false, quotas: false }, concerned),
          (found) => found.acls
        )
      const tooMany = yield* of(Effect.succeed({ _tag: "Acls", acls: many, unknown: 0 }))
      assert.strictEqual(tooMany?.state, "tooMany")
      const odd = yield* of(Effect.succeed({ _tag: "Acls", acls: [acl()], unknown: 2 }))
      assert.strictEqual(odd?.state, "failed")
    })
  )
})
