import { describe, expect, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { type Acl, aclOperations, type Quota } from "../../../src/kafka/AccessRules.ts"
import type { Call } from "../../../src/kafka/kafkajs/protocol/Api.ts"
import * as ClientQuotas from "../../../src/kafka/kafkajs/protocol/ClientQuotas.ts"
import * as CreateAcls from "../../../src/kafka/kafkajs/protocol/CreateAcls.ts"
import * as DescribeAcls from "../../../src/kafka/kafkajs/protocol/DescribeAcls.ts"
import * as DescribeScramUsers from "../../../src/kafka/kafkajs/protocol/DescribeScramUsers.ts"
import { Malformed, Reader } from "../../../src/kafka/kafkajs/protocol/Reader.ts"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"

/* Bodies of requests and answers. Source: the message definitions of Apache Kafka 4.3. */

const isFlexible = ({ api, version }: Call<unknown>) => version >= api.flexibleFrom
const encode = (call: Call<unknown>): string => {
  const writer = new Writer(isFlexible(call))
  call.encode(writer)
  return writer.finish().toString("hex")
}
const decode = <A>(call: Call<A>, body: Buffer): A => call.decode(new Reader(body, 0, isFlexible(call)))

const alice = { principal: "User:alice", host: "*" } as const
const acls: ReadonlyArray<Acl> = [
  { resource: "topic", name: "orders", pattern: "literal", ...alice, operation: "Read", permission: "Allow" },
  { resource: "topic", name: "orders", pattern: "literal", ...alice, operation: "Delete", permission: "Deny" },
  { resource: "topic", name: "pay-", pattern: "prefixed", ...alice, operation: "All", permission: "Allow" }
]

const listed = (version: number, odd: { pattern?: number; operation?: number; permission?: number } = {}): Buffer => {
  const w = new Writer(version >= 2).int32(0).int16(0).nullableString(undefined).arrayLength(2)
  w.int8(2).string("orders").int8(3).arrayLength(2)
  w.string("User:alice").string("*").int8(3).int8(3).noTags()
  w.string("User:alice").string("*").int8(6).int8(2).noTags().noTags()
  w.int8(2)
    .string("pay-")
    .int8(odd.pattern ?? 4)
    .arrayLength(1)
  w.string("User:alice")
    .string("*")
    .int8(odd.operation ?? 2)
    .int8(odd.permission ?? 3)
    .noTags()
    .noTags()
  return w.noTags().finish()
}

const outcomes = (version: number, codes: ReadonlyArray<number>): Buffer => {
  const w = new Writer(version >= 2).int32(0).arrayLength(codes.length)
  for (const code of codes)
    w.int16(code)
      .nullableString(code === 0 ? undefined : "why")
      .noTags()
  return w.noTags().finish()
}

const users = (): Buffer => {
  const w = new Writer(true).int32(0).int16(0).nullableString(undefined).arrayLength(2)
  w.string("alice").int16(0).nullableString(undefined).arrayLength(2)
  w.int8(2).int32(4096).noTags().int8(1).int32(8192).noTags().noTags()
  w.string("gone").int16(91).nullableString("no such user").arrayLength(0).noTags()
  return w.noTags().finish()
}

const quotas: ReadonlyArray<Quota> = [
  {
    entity: [
      { type: "user", name: "alice" },
      { type: "client-id", name: null }
    ],
    values: { consumer_byte_rate: 1048576.5, request_percentage: 12 }
  },
  { entity: [{ type: "ip", name: "10.0.0.1" }], values: { connection_creation_rate: 3 } }
]

const writeEntity = (w: Writer, { entity }: Quota) => {
  w.arrayLength(entity.length)
  for (const { name, type } of entity)
    w.string(type)
      .nullableString(name ?? undefined)
      .noTags()
}

const limits = (version: number, some: ReadonlyArray<Quota>): Buffer => {
  const w = new Writer(version >= 1).int32(0).int16(0).nullableString(undefined).arrayLength(some.length)
  for (const quota of some) {
    writeEntity(w, quota)
    const values = Object.entries(quota.values)
    w.arrayLength(values.length)
    for (const [key, value] of values) w.string(key).float64(value).noTags()
    w.noTags()
  }
  return w.noTags().finish()
}

const altered = (version: number, some: ReadonlyArray<Quota>): Buffer => {
  const w = new Writer(version >= 1).int32(0).arrayLength(some.length)
  for (const [i, quota] of some.entries()) {
    w.int16(i === 0 ? 0 : 42).nullableString(i === 0 ? undefined : "no")
    writeEntity(w, quota)
    w.noTags()
  }
  return w.noTags().finish()
}

const versions = [1, 2, 3]

describe("ACLs on the wire", () => {
  it.each(versions)("are asked for by the kind of resource alone (version %d)", (version) => {
    const nothing = version === 1 ? "ffff" : "00"
    expect(encode(DescribeAcls.call("group", version))).toBe(
      `03${nothing}01${nothing}${nothing}0101${version === 1 ? "" : "00"}`
    )
  })

  it.each(versions)("are listed by resource, and become one each (version %d)", (version) => {
    expect(decode(DescribeAcls.call("topic", version), listed(version))).toEqual({
      errorCode: 0,
      detail: undefined,
      acls,
      unknown: 0
    })
  })

  it("of a later Kafka are counted and left out", () => {
    for (const odd of [{ pattern: 9 }, { operation: 99 }, { permission: 0 }, { operation: 1 }]) {
      const { acls: found, unknown } = decode(DescribeAcls.call("topic", 3), listed(3, odd))
      expect([found, unknown]).toEqual([acls.slice(0, 2), 1])
    }
  })

  it("keep every operation that Kafka knows through a request and back", () => {
    for (const operation of aclOperations) {
      const acl: Acl = { ...acls[0]!, operation }
      const r = new Reader(Buffer.from(encode(CreateAcls.call([acl], 3)), "hex"), 0, true)
      const [body] = r.array(1, () => [r.int8(), r.string(), r.int8(), r.string(), r.string(), r.int8(), r.int8()])
      const answer = new Writer(true).int32(0).int16(0).nullableString(undefined).arrayLength(1)
      answer.int8(2).string("orders").int8(3).arrayLength(1)
      answer.string("User:alice").string("*").int8(Number(body![5])).int8(3).noTags().noTags().noTags()
      expect(decode(DescribeAcls.call("topic", 3), answer.finish()).acls).toEqual([acl])
    }
  })

  it.each(versions)("are added with an outcome for each (version %d)", (version) => {
    const call = CreateAcls.call(acls.slice(0, 2), version)
    const string = (text: string) => {
      const bytes = Buffer.from(text)
      const length = version === 1 ? [0, bytes.length] : [bytes.length + 1]
      return Buffer.concat([Buffer.from(length), bytes]).toString("hex")
    }
    const end = version === 1 ? "" : "00"
    const one = (codes: string) => `02${string("orders")}03${string("User:alice")}${string("*")}${codes}${end}`
    expect(encode(call)).toBe(`${version === 1 ? "00000002" : "03"}${one("0303")}${one("0602")}${end}`)
    expect(decode(call, outcomes(version, [0, 31]))).toEqual([
      { errorCode: 0, detail: undefined },
      { errorCode: 31, detail: "why" }
    ])
    expect(() => decode(call, outcomes(version, [0]))).toThrow("1 answers to 2 ACLs")
  })

  it("may be asked about by one that no broker would add", () => {
    expect(encode(CreateAcls.question(3))).toBe(
      `0202010312${Buffer.from("User:kafka-backup").toString("hex")}022a08030000`
    )
    expect(decode(CreateAcls.question(3), outcomes(3, [42]))).toBe(42)
  })
})

describe("users with SCRAM passwords on the wire", () => {
  it("have names and mechanisms, and those that the broker cannot describe are left out", () => {
    expect(encode(DescribeScramUsers.call(0))).toBe("0100")
    expect(decode(DescribeScramUsers.call(0), users())).toEqual({
      errorCode: 0,
      detail: undefined,
      users: [{ name: "alice", mechanisms: ["SCRAM-SHA-512", "SCRAM-SHA-256"] }]
    })
  })
})

describe("client quotas on the wire", () => {
  it.each([0, 1])("are listed with their entities and numbers (version %d)", (version) => {
    expect(encode(ClientQuotas.describe(version))).toBe(version === 0 ? "0000000000" : "010000")
    expect(decode(ClientQuotas.describe(version), limits(version, quotas)).quotas).toEqual(quotas)
  })

  it("without a finite number limit nothing", () => {
    const odd = [{ entity: quotas[1]!.entity, values: { a: Infinity, b: Number.NaN, c: 1 } }]
    expect(decode(ClientQuotas.describe(1), limits(1, odd)).quotas).toEqual([{ ...odd[0], values: { c: 1 } }])
  })

  it.each([0, 1])("are set with an outcome for each, whatever the order of the answer (version %d)", (version) => {
    const call = ClientQuotas.alter(quotas, true, version)
    const request = encode(call)
    expect(request.endsWith(version === 0 ? "01" : "0100")).toBe(true)
    const value = Buffer.alloc(8)
    value.writeDoubleBE(1048576.5)
    expect(request).toContain(`${Buffer.from("consumer_byte_rate").toString("hex")}${value.toString("hex")}00`)
    expect(decode(call, altered(version, quotas.toReversed()))).toEqual([
      { errorCode: 42, detail: "no" },
      { errorCode: 0, detail: undefined }
    ])
    expect(() => decode(call, altered(version, quotas.slice(1)))).toThrow(Malformed)
  })
})

describe("damaged answers about access", () => {
  const cases: ReadonlyArray<readonly [string, Call<unknown>, Buffer]> = [
    ...versions.map(
      (version) => [`DescribeAcls ${version}`, DescribeAcls.call("topic", version), listed(version)] as const
    ),
    ...versions.map(
      (version) => [`CreateAcls ${version}`, CreateAcls.call(acls, version), outcomes(version, [0, 42, 31])] as const
    ),
    ["DescribeUserScramCredentials 0", DescribeScramUsers.call(0), users()],
    ...[0, 1].map(
      (version) => [`DescribeClientQuotas ${version}`, ClientQuotas.describe(version), limits(version, quotas)] as const
    ),
    ...[0, 1].map(
      (version) =>
        [`AlterClientQuotas ${version}`, ClientQuotas.alter(quotas, false, version), altered(version, quotas)] as const
    )
  ]

  /** Failures of reading are typed; anything else that is thrown is a defect. */
  const survives = (call: Call<unknown>, body: Buffer): boolean => {
    try {
      decode(call, body)
      return true
    } catch (error) {
      if (error instanceof Malformed) return false
      throw error
    }
  }

  it.each(cases)("%s cut anywhere is refused as malformed", (_, call, body) => {
    expect(survives(call, body)).toBe(true)
    for (let end = 0; end < body.length; end++) expect(survives(call, body.subarray(0, end))).toBe(false)
  })

  it.each(cases)("%s with random bytes is read or refused, quickly", (_, call, body) => {
    let seed = body.length
    const next = () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return seed / 4294967296
    }
    for (let round = 0; round < 500; round++) {
      const damaged = Buffer.from(body)
      for (let hits = 0; hits <= round % 4; hits++) {
        damaged[Math.floor(next() * damaged.length)] = Math.floor(next() * 256)
      }
      survives(call, damaged)
    }
  })
})
