import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Acl } from "../../src/kafka/AccessRules.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as AccessNotes from "../../src/restore/AccessNotes.ts"
import * as AccessPreflight from "../../src/restore/AccessPreflight.ts"
import * as AccessText from "../../src/restore/AccessText.ts"
import * as Restore from "../../src/restore/Restore.ts"
import * as RestoreNotes from "../../src/restore/RestoreNotes.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import * as Backup from "../backup/world.ts"
import { aRestore, inTime, layer, restore, slot, systems, worlds } from "./world.ts"
import { aliceReadsOrders } from "../kafka/acls.ts"

const acl = (changes: Partial<Acl> = {}): Acl => ({
  ...aliceReadsOrders,
  ...changes
})

const quota = (name: string | null, values: Readonly<Record<string, number>>) => ({
  entity: [{ type: "user", name }],
  values
})

const fill = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("orders")
  yield* cluster.createTopic("other")
  yield* cluster.produce("orders", 0, [{ key: "k", value: "v" }])
  yield* cluster.commitGroupOffsets("billing", [{ topic: "orders", partition: 0, offset: 1 }])
  yield* cluster.commitGroupOffsets("mailer", [{ topic: "other", partition: 0, offset: 0 }])
  yield* cluster.addAcls(
    acl(),
    acl({ name: "ord", pattern: "prefixed", permission: "Deny", operation: "Delete" }),
    acl({ name: "other" }),
    acl({ resource: "group", name: "billing", principal: "User:bob" }),
    acl({ resource: "group", name: "mailer", principal: "User:carol" })
  )
  for (const name of ["alice", "bob", "carol"]) {
    yield* cluster.addScramUser({ name, mechanisms: ["SCRAM-SHA-512"] })
  }
  yield* cluster.setQuota(quota("alice", { consumer_byte_rate: 1024, producer_byte_rate: 2048 }))
  yield* cluster.setQuota(quota(null, { request_percentage: 50 }))
})

const everything = { acls: true, users: true, quotas: true }

const backUp = (clusterMetadata = everything) =>
  Effect.map(Backup.attempt(Backup.aRequest(slot, { clusterMetadata })), ({ facts }) => facts.backupId)

const asked = (backupId: string, changes: Partial<RestoreRequest> = {}) =>
  aRestore(backupId, {
    topics: ["orders"],
    topicMapping: new Map([["orders", "restored"]]),
    createsAcls: true,
    createsQuotas: true,
    ...changes
  })

const prepare = (request: RestoreRequest) =>
  Effect.scoped(Effect.flatMap(systems, (opened) => Restore.prepare(opened, request)))

const aclsOf = (cluster: InMemoryCluster) =>
  Effect.map(cluster.wire.access.acls, (found) => (found._tag === "Acls" ? found.acls.map(AccessText.ofAcl) : []))

const objectionsOf = (request: RestoreRequest) =>
  Effect.map(
    Effect.flip(inTime(prepare(request))),
    (error) => `${error.message} ${"advice" in error ? error.advice : ""}`
  )

const expected = [
  "Allow User:alice Read on topic restored",
  "Deny User:alice Delete on topic restored",
  "Allow User:bob Read on group billing"
]

describe("a restore with acls: Create", () => {
  it.effect("adds those of what it restored, under the new names, and leaves those that are there", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const own = [acl({ name: "restored" }), acl({ name: "theirs", principal: "User:zoe" })]
      yield* target.addAcls(...own)
      const request = asked(yield* backUp())
      const restored = yield* inTime(restore(request))
      assert.sameMembers([...(yield* aclsOf(target))], [...expected, "Allow User:zoe Read on topic theirs"])
      assert.strictEqual(restored.accessDone?.acls?.existing, 1)
      assert.sameMembers(restored.accessDone?.acls?.created.map(AccessText.ofAcl) ?? [], expected.slice(1))
      assert.includeMembers(
        [...RestoreNotes.notes(restored)],
        [
          "2 ACLs were created and read back, and 1 was there before",
          "2 client quotas were created and read back, and 0 were there before",
          "a backup has no passwords: make these users with a password, unless they are there already: alice (SCRAM-SHA-512); bob (SCRAM-SHA-512)"
        ]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("is told by a dry run, which adds nothing", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* target.addScramUser({ name: "bob", mechanisms: ["SCRAM-SHA-256"] })
      const { access } = yield* inTime(prepare(asked(yield* backUp())))
      assert.deepStrictEqual(access?.acls?.missing.map(AccessText.ofAcl).toSorted(), expected.toSorted())
      const lines = AccessNotes.planned(access, false)
      assert.include(lines, "3 ACLs would be created; 0 more of the backup are there already")
      for (const one of expected) assert.include(lines, `  ${one}`)
      assert.include(lines, "  consumer_byte_rate 1024, producer_byte_rate 2048 of user alice")
      assert.deepStrictEqual(AccessNotes.counts(access, false).slice(0, 2), [
        "3 ACLs would be created; 0 more of the backup are there already",
        "2 client quotas would be created; 0 more of the backup are there already"
      ])
      assert.include(lines, "  request_percentage 50 of every other user")
      // Bob has one.
      assert.include(lines.at(-1), "unless they are there already: alice (SCRAM-SHA-512)")
      assert.notInclude(lines.at(-1), "bob")
      assert.deepStrictEqual(yield* aclsOf(target), [])
      assert.deepStrictEqual(yield* target.wire.access.quotas, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("sets values that a client has none of, and leaves others", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* target.setQuota(quota("alice", { consumer_byte_rate: 7 }))
      const request = asked(yield* backUp())
      const differs =
        "1 client quota of the backup has another value in the cluster, and nothing is overwritten: consumer_byte_rate of user alice is 7 in the cluster and 1024 in the backup"
      const { access } = yield* inTime(prepare(request))
      const would = "2 client quotas would be created; 0 more of the backup are there already"
      assert.includeMembers([...AccessNotes.planned(access, false)], [would, `Note: ${differs}`])
      assert.includeMembers([...AccessNotes.counts(access, false)], [would, differs])
      const restored = yield* inTime(restore(request))
      assert.include(RestoreNotes.notes(restored), differs)
      assert.sameDeepMembers(
        [...(yield* target.wire.access.quotas)],
        [quota("alice", { consumer_byte_rate: 7, producer_byte_rate: 2048 }), quota(null, { request_percentage: 50 })]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("names an ACL whose opposite is there, which stays", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* target.addAcls(acl({ name: "restored", permission: "Deny" }), acl({ name: "other", permission: "Deny" }))
      const request = asked(yield* backUp())
      const says =
        "the cluster has the opposite of 1 ACL of the backup, which stays, and what denies wins: Allow User:alice Read on topic restored"
      const { access } = yield* inTime(prepare(request))
      assert.include(AccessNotes.planned(access, false), `Note: ${says}`)
      assert.include(AccessNotes.counts(access, false), says)
      assert.include(RestoreNotes.notes(yield* inTime(restore(request))), says)
      assert.includeMembers([...(yield* aclsOf(target))], ["Deny User:alice Read on topic restored", expected[0]!])
    }).pipe(Effect.provide(layer))
  )

  it.effect("does not count a quota with another value among those that are there already", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const theirs = [
        quota("alice", { consumer_byte_rate: 7, producer_byte_rate: 2048 }),
        quota(null, { request_percentage: 50 })
      ]
      yield* Effect.forEach(theirs, (one) => target.setQuota(one))
      const request = asked(yield* backUp())
      const { access } = yield* inTime(prepare(request))
      assert.include(
        AccessNotes.planned(access, false),
        "0 client quotas would be created; 1 more of the backup is there already"
      )
      const { accessDone } = yield* inTime(restore(request))
      assert.deepStrictEqual(accessDone?.quotas, {
        created: [],
        existing: 1,
        refused: [],
        different: [
          {
            entity: [{ type: "user", name: "alice" }],
            backup: { consumer_byte_rate: 1024 },
            cluster: { consumer_byte_rate: 7 }
          }
        ]
      })
      assert.sameDeepMembers([...(yield* target.wire.access.quotas)], theirs)
    }).pipe(Effect.provide(layer))
  )

  it.effect("adds them once: a repeat does not bring back what somebody took away", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const request = asked(yield* backUp())
      yield* inTime(restore(request))
      yield* target.forgetAcls
      const again = yield* inTime(restore(request))
      assert.deepStrictEqual(yield* aclsOf(target), [])
      assert.isTrue(again.wasAccessDone)
      assert.include(RestoreNotes.notes(again).join(), "an earlier attempt has created the ACLs and quotas")
    }).pipe(Effect.provide(layer))
  )

  it.effect("leaves everything alone without it", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const restored = yield* inTime(restore(asked(yield* backUp(), { createsAcls: false, createsQuotas: false })))
      assert.deepStrictEqual(yield* aclsOf(target), [])
      assert.deepStrictEqual(yield* target.wire.access.quotas, [])
      assert.notInclude(RestoreNotes.notes(restored).join(), "ACL")
    }).pipe(Effect.provide(layer))
  )
})

describe("a restore with acls: Create is refused beforehand", () => {
  const rights = [
    ["DescribeCluster", "lacks Describe on cluster, needed to compare ACLs"],
    ["Alter", "lacks Alter on cluster, needed to create ACLs"],
    ["DescribeClusterConfigs", "lacks DescribeConfigs on cluster, needed to compare client quotas"],
    ["AlterClusterConfigs", "lacks AlterConfigs on cluster, needed to set client quotas"]
  ] as const

  it.effect.each(rights)("without %s, by the name of the permission: %s", ([denied, says]) =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const backupId = yield* backUp()
      yield* target.deny(denied)
      assert.include(yield* objectionsOf(asked(backupId)), says)
      assert.isUndefined((yield* target.wire.metadata("all")).topics.find(({ name }) => name === "restored"))
    }).pipe(Effect.provide(layer))
  )

  it.effect("where the backup has none, with the reason", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* fill(source)
      const none = yield* backUp({ acls: false, users: false, quotas: true })
      const said = yield* objectionsOf(asked(none))
      assert.include(said, `backup ${none} has no ACLs: its run did not ask for any`)
      assert.notInclude(said, "has no client quotas")
    }).pipe(Effect.provide(layer))
  )

  it.effect("where another program has rewritten the manifest, and it names no ACLs any more", () =>
    Effect.gen(function* () {
      const { source, store } = yield* worlds
      yield* fill(source)
      const backupId = yield* backUp()
      const set = yield* Catalogue.open(store, backupId)
      const { "cluster-metadata.json": _dropped, ...kb_documents } = set.manifest.kb_documents ?? {}
      const { sink } = yield* systems
      const { plan } = yield* Restore.planOf(store, asked(backupId))
      const rewritten = { ...set, manifest: { ...set.manifest, kb_documents } }
      const { objections } = yield* AccessPreflight.prepare({ sink, store }, asked(backupId), rewritten, plan)
      assert.deepStrictEqual(
        objections.map(({ message }) => message),
        ["ACLs", "client quotas"].map(
          (what) => `backup ${backupId} has no ${what}: its manifest does not name cluster-metadata.json any more`
        )
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("where the permission to see them was missing then", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* fill(source)
      yield* source.deny("DescribeCluster")
      assert.include(
        yield* objectionsOf(asked(yield* backUp())),
        "has no ACLs: permission denied: the principal lacks Describe on cluster"
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("where the brokers of the target keep no ACLs", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* target.removeAuthorizer
      assert.include(yield* objectionsOf(asked(yield* backUp())), "the brokers of the target have no authorizer")
    }).pipe(Effect.provide(layer))
  )

  it.effect("but not where the source had no authorizer: then there is none to add, which is said", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* source.removeAuthorizer
      yield* target.removeAuthorizer
      const restored = yield* inTime(restore(asked(yield* backUp())))
      assert.include(RestoreNotes.notes(restored).join("\n"), "the backup has no ACLs: the brokers have no authorizer")
    }).pipe(Effect.provide(layer))
  )
})

describe("a complete restore", () => {
  it.effect("stays complete where brokers refuse an ACL at the end, and names it", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const request = asked(yield* backUp(), { createsQuotas: false })
      const opened = yield* systems
      const prepared = yield* inTime(Restore.prepare(opened, request))
      const createAcls: typeof opened.sink.access.createAcls = (acls) =>
        Effect.succeed(acls.map(() => ({ errorCode: 44, detail: "not by policy" })))
      const sink = { ...opened.sink, access: { ...opened.sink.access, createAcls } }
      const stubborn = Effect.succeed({ ...opened, sink })
      const restored = yield* inTime(restore(request, {}, stubborn))
      assert.lengthOf(restored.accessDone?.acls?.refused ?? [], 3)
      assert.lengthOf(prepared.access?.acls?.missing ?? [], 3)
      assert.include(
        RestoreNotes.notes(restored).join("\n"),
        "this ACL was not created: Allow User:alice Read on topic restored: the broker answered with error code 44: not by policy"
      )
      // The next attempt tries again.
      yield* inTime(restore(request))
      assert.sameMembers([...(yield* aclsOf(target))], expected)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
