import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { type Acl, keyOfAcl, keyOfQuota, type Quota } from "../../src/kafka/AccessRules.ts"
import type { KafkaError } from "../../src/kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../../src/kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../../src/kafka/KafkaSource.ts"

export interface AccessSubject {
  readonly sink: KafkaSinkShape
  /** The same cluster. */
  readonly source: KafkaSourceShape
  /** Gives a user a SCRAM password, for SCRAM-SHA-512. */
  readonly makeUser: (name: string) => Effect.Effect<void, unknown>
  /** The same cluster, as a principal who may do nothing with it. */
  readonly powerless: Effect.Effect<Pick<AccessSubject, "sink" | "source">, unknown, Scope.Scope>
}

let count = 0
const fresh = (hint: string) => `access.${hint}_${process.pid}-${++count}`

/** Brokers apply what they have accepted some moments later. */
const eventually = <A>(read: Effect.Effect<A, KafkaError>, is: (answer: A) => boolean) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 100; tries++) {
      const answer = yield* read
      if (is(answer)) return answer
      yield* Effect.sleep(50)
    }
    return yield* read
  })

const aclsOf = (subject: Pick<AccessSubject, "sink" | "source">, of: "sink" | "source") =>
  Effect.map(subject[of].access.acls, (found) => (found._tag === "Acls" ? found.acls : []))

/** The promises of `AccessReading` and `AccessChanging`, whatever stands behind them. */
export const clusterAccessContract = (name: string, setup: Effect.Effect<AccessSubject, unknown, Scope.Scope>) => {
  const fact = (text: string, body: (subject: AccessSubject) => Effect.Effect<void, unknown, Scope.Scope>) =>
    it(text, () => Effect.runPromise(Effect.scoped(Effect.flatMap(setup, body))))

  describe(`cluster access contract: ${name}`, () => {
    fact("lists the ACLs that were added, whole and once, and takes one that is there", (subject) =>
      Effect.gen(function* () {
        const topic = fresh("topic")
        const user = `User:${fresh("user")}`
        const common = { principal: user, host: "*", permission: "Allow" } as const
        const acls: ReadonlyArray<Acl> = [
          { resource: "topic", name: topic, pattern: "literal", ...common, operation: "DescribeConfigs" },
          { resource: "topic", name: topic, pattern: "prefixed", ...common, operation: "Read" },
          { resource: "topic", name: "*", pattern: "literal", ...common, host: "10.1.2.3", operation: "Write" },
          { resource: "group", name: topic, pattern: "literal", ...common, permission: "Deny", operation: "All" }
        ]
        assert.isTrue(yield* subject.sink.access.mayCreateAcls)
        for (let round = 0; round < 2; round++) {
          const outcomes = yield* subject.sink.access.createAcls(acls)
          assert.deepStrictEqual(
            outcomes.map(({ errorCode }) => errorCode),
            [0, 0, 0, 0]
          )
        }
        const own = (all: ReadonlyArray<Acl>) => all.filter(({ principal }) => principal === user)
        for (const of of ["sink", "source"] as const) {
          const found = yield* eventually(aclsOf(subject, of), (all) => own(all).length >= acls.length)
          assert.sameDeepMembers(own(found).map(keyOfAcl), acls.map(keyOfAcl))
        }
      })
    )

    fact("creates nothing when it only asks", (subject) =>
      Effect.gen(function* () {
        yield* subject.sink.access.mayCreateAcls
        const all = yield* aclsOf(subject, "source")
        assert.deepStrictEqual(
          all.filter(({ principal }) => principal === "User:kafka-backup"),
          []
        )
      })
    )

    fact("names users that have a SCRAM password, with its mechanism", (subject) =>
      Effect.gen(function* () {
        const user = fresh("scram")
        yield* subject.makeUser(user)
        const known = yield* eventually(subject.source.access.scramUsers, (all) => all.some((one) => one.name === user))
        assert.deepStrictEqual(
          known.find((one) => one.name === user),
          { name: user, mechanisms: ["SCRAM-SHA-512"] }
        )
      })
    )

    fact("sets quotas beside others of the same client, and none when it only asks", (subject) =>
      Effect.gen(function* () {
        const entity = [
          { type: "user", name: fresh("quota") },
          { type: "client-id", name: null }
        ]
        const ofOwn = (all: ReadonlyArray<Quota>) =>
          all.find((one) => keyOfQuota(one) === keyOfQuota({ entity }))?.values
        const set = (values: Quota["values"], validateOnly = false) =>
          subject.sink.access.alterQuotas([{ entity, values }], { validateOnly })
        assert.strictEqual((yield* set({ producer_byte_rate: 5 }, true))[0]?.errorCode, 0)
        assert.strictEqual((yield* set({ consumer_byte_rate: 1024 }))[0]?.errorCode, 0)
        assert.strictEqual((yield* set({ request_percentage: 7 }))[0]?.errorCode, 0)
        const found = yield* eventually(subject.source.access.quotas, (all) => Object.keys(ofOwn(all) ?? {}).length > 1)
        assert.deepStrictEqual(ofOwn(found), { consumer_byte_rate: 1024, request_percentage: 7 })
      })
    )

    fact("refuses whoever may not, and names the permission", (subject) =>
      Effect.gen(function* () {
        const { sink, source } = yield* subject.powerless
        const lacks = (work: Effect.Effect<unknown, KafkaError>) =>
          Effect.map(Effect.flip(work), ({ advice }) => advice)
        for (const access of [sink.access, source.access]) {
          assert.strictEqual(yield* lacks(access.acls), "grant the principal Describe on cluster")
          assert.strictEqual(yield* lacks(access.scramUsers), "grant the principal Describe on cluster")
          assert.strictEqual(yield* lacks(access.quotas), "grant the principal DescribeConfigs on cluster")
        }
        assert.isFalse(yield* sink.access.mayCreateAcls)
        const acl: Acl = {
          resource: "topic",
          name: fresh("refused"),
          pattern: "literal",
          principal: "User:nobody",
          host: "*",
          operation: "Read",
          permission: "Allow"
        }
        assert.deepStrictEqual(
          (yield* sink.access.createAcls([acl])).map(({ errorCode }) => errorCode),
          [31]
        )
        const quota = { entity: [{ type: "user", name: "nobody" }], values: { consumer_byte_rate: 1 } }
        for (const validateOnly of [true, false]) {
          const outcomes = yield* sink.access.alterQuotas([quota], { validateOnly })
          assert.deepStrictEqual(
            outcomes.map(({ errorCode }) => errorCode),
            [31]
          )
        }
      })
    )
  })
}
