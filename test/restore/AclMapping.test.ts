import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { keyOfAcl } from "../../src/kafka/AccessRules.ts"
import type { StoredAcl } from "../../src/manifest/ClusterMetadata.ts"
import * as AclMapping from "../../src/restore/AclMapping.ts"
import { aliceReadsOrders } from "../kafka/acls.ts"

const acl = (changes: Partial<StoredAcl> = {}): StoredAcl => ({
  ...aliceReadsOrders,
  ...changes
})

const restored: AclMapping.Restored = {
  topics: [
    { source: "orders", target: "restored-orders" },
    { source: "orders-late", target: "orders-late" }
  ],
  groups: ["billing", "bill"]
}

const made = (...stored: ReadonlyArray<StoredAcl>) =>
  AclMapping.wanted(stored, restored).map(
    ({ name, pattern, permission, resource }) => `${permission} ${resource} ${pattern} ${name}`
  )

describe("ACLs of a restore", () => {
  it("follow a topic to its new name, and stay with a group", () => {
    assert.deepStrictEqual(made(acl()), ["Allow topic literal restored-orders"])
    assert.deepStrictEqual(made(acl({ name: "other" })), [])
    assert.deepStrictEqual(made(acl({ resource: "group", name: "bill" })), ["Allow group literal bill"])
    assert.deepStrictEqual(made(acl({ resource: "group", name: "orders" })), [])
  })

  it("of a prefix become one for each topic or group that they cover under its old name", () => {
    assert.deepStrictEqual(made(acl({ name: "ord", pattern: "prefixed", permission: "Deny" })), [
      "Deny topic literal restored-orders",
      "Deny topic literal orders-late"
    ])
    assert.deepStrictEqual(made(acl({ name: "orders-", pattern: "prefixed" })), ["Allow topic literal orders-late"])
    assert.deepStrictEqual(made(acl({ name: "restored-", pattern: "prefixed" })), [])
    assert.deepStrictEqual(made(acl({ resource: "group", name: "bill", pattern: "prefixed" })), [
      "Allow group literal billing",
      "Allow group literal bill"
    ])
  })

  it("of all topics become one for each restored topic, and a prefix of one star is no such ACL", () => {
    assert.deepStrictEqual(made(acl({ name: "*" })), [
      "Allow topic literal restored-orders",
      "Allow topic literal orders-late"
    ])
    assert.deepStrictEqual(made(acl({ name: "*", pattern: "prefixed" })), [])
  })

  it("are each there once, and those with an operation that nobody knows are left out", () => {
    assert.deepStrictEqual(made(acl(), acl(), acl({ name: "*" })).length, 2)
    assert.deepStrictEqual(made(acl({ operation: "Ponder" })), [])
  })

  it("that differ in one word are different ACLs", () => {
    const [there] = AclMapping.wanted([acl()], restored)
    for (const changes of [{ host: "10.0.0.1" }, { principal: "User:bob" }, { permission: "Deny" as const }]) {
      const some = AclMapping.wanted([acl(changes)], restored)
      assert.deepStrictEqual(AclMapping.missing(some, [there!]), some)
    }
    assert.deepStrictEqual(AclMapping.missing([there!], [there!]), [])
  })

  const Name = Schema.Literals(["orders", "orders-", "orders-late", "or", "*", "billing", "bill", "other", "restored-"])
  const Stored = Schema.Struct({
    resource: Schema.Literals(["topic", "group"]),
    name: Name,
    pattern: Schema.Literals(["literal", "prefixed"]),
    principal: Schema.String,
    host: Schema.Literals(["*", "10.0.0.1"]),
    operation: Schema.Literals(["Read", "Write", "All"]),
    permission: Schema.Literals(["Allow", "Deny"])
  })

  it.prop(
    "say the same of each restored name as those of the backup did, and nothing of any other",
    [Schema.Array(Stored)],
    ([stored]) => {
      const wanted = AclMapping.wanted(stored, restored)
      const covers = ({ name, pattern }: StoredAcl, one: string) =>
        pattern === "prefixed" ? one.startsWith(name) : name === "*" || name === one
      const said = (all: ReadonlyArray<StoredAcl>, resource: string, name: string) =>
        new Set(
          all
            .filter((one) => one.resource === resource && covers(one, name))
            .map((one) => JSON.stringify([one.principal, one.host, one.operation, one.permission]))
        )
      for (const { source, target } of restored.topics) {
        assert.deepStrictEqual(said(wanted, "topic", target), said(stored, "topic", source))
      }
      for (const group of restored.groups) {
        assert.deepStrictEqual(said(wanted, "group", group), said(stored, "group", group))
      }
      for (const name of ["orders", "other", "orders-", "*"]) assert.strictEqual(said(wanted, "topic", name).size, 0)
      assert.strictEqual(new Set(wanted.map(keyOfAcl)).size, wanted.length)
    }
  )
})

describe("quotas of a restore", () => {
  const user = (name: string | null) => [{ type: "user", name }]

  it("are the values that the client has none of, in whatever order its entity is written", () => {
    const stored = [
      {
        entity: [...user("alice"), { type: "client-id", name: "app" }],
        values: { consumer_byte_rate: 1, request_percentage: 2 }
      },
      { entity: user("bob"), values: { consumer_byte_rate: 3 } },
      { entity: user(null), values: { consumer_byte_rate: 4 } }
    ]
    const there = [
      { entity: [{ type: "client-id", name: "app" }, ...user("alice")], values: { consumer_byte_rate: 99 } },
      { entity: user("bob"), values: { consumer_byte_rate: 99, producer_byte_rate: 1 } }
    ]
    assert.deepStrictEqual(AclMapping.missingQuotas(stored, there), [
      { entity: stored[0]!.entity, values: { request_percentage: 2 } },
      stored[2]!
    ])
  })

  it("and ACLs name the users that somebody has to make", () => {
    const users = ["alice", "bob", "carol", "dave"].map((name) => ({ name, mechanisms: ["SCRAM-SHA-512"] }))
    const acls = AclMapping.wanted([acl(), acl({ principal: "User:dave" })], restored)
    const quotas = [{ entity: user("bob"), values: { consumer_byte_rate: 1 } }]
    assert.deepStrictEqual(
      AclMapping.usersToMake(users, acls, quotas, new Set(["dave"])).map(({ name }) => name),
      ["alice", "bob"]
    )
  })
})
