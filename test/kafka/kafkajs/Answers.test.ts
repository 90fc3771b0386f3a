import { describe, expect, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import type { Api, Call } from "../../../src/kafka/kafkajs/protocol/Api.ts"
import * as CreateTopics from "../../../src/kafka/kafkajs/protocol/CreateTopics.ts"
import * as DeleteRecords from "../../../src/kafka/kafkajs/protocol/DeleteRecords.ts"
import * as DeleteTopics from "../../../src/kafka/kafkajs/protocol/DeleteTopics.ts"
import * as DescribeTransactions from "../../../src/kafka/kafkajs/protocol/DescribeTransactions.ts"
import * as IncrementalAlterConfigs from "../../../src/kafka/kafkajs/protocol/IncrementalAlterConfigs.ts"
import * as InitProducerId from "../../../src/kafka/kafkajs/protocol/InitProducerId.ts"
import * as OffsetCommit from "../../../src/kafka/kafkajs/protocol/OffsetCommit.ts"
import * as OffsetDelete from "../../../src/kafka/kafkajs/protocol/OffsetDelete.ts"
import * as OffsetFetch from "../../../src/kafka/kafkajs/protocol/OffsetFetch.ts"
import * as Produce from "../../../src/kafka/kafkajs/protocol/Produce.ts"
import * as WriteTxnMarkers from "../../../src/kafka/kafkajs/protocol/WriteTxnMarkers.ts"
import * as DescribeConfigs from "../../../src/kafka/kafkajs/protocol/DescribeConfigs.ts"
import * as Fetch from "../../../src/kafka/kafkajs/protocol/Fetch.ts"
import * as Groups from "../../../src/kafka/kafkajs/protocol/Groups.ts"
import * as ListOffsets from "../../../src/kafka/kafkajs/protocol/ListOffsets.ts"
import * as OffsetForLeaderEpoch from "../../../src/kafka/kafkajs/protocol/OffsetForLeaderEpoch.ts"
import * as ReadRights from "../../../src/kafka/kafkajs/protocol/ReadRights.ts"
import * as Metadata from "../../../src/kafka/kafkajs/protocol/Metadata.ts"
import { Malformed, Reader } from "../../../src/kafka/kafkajs/protocol/Reader.ts"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"
import { answers, cases, decode, encode, topicId } from "./exchanges.ts"

/** Failures of reading are typed; anything else that is thrown is a defect. */
const survives = (call: Call<unknown>, frame: Buffer): boolean => {
  try {
    decode(call, frame)
    return true
  } catch (error) {
    if (error instanceof Malformed) return false
    throw error
  }
}

/** The same numbers in every run. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 4294967296
}

describe("requests", () => {
  it.each(cases)("$name is what the broker accepted", ({ call, request }) => {
    expect(encode(call)).toBe(request)
  })

  it("covers every version that is offered", () => {
    const apis: ReadonlyArray<Api> = [
      Metadata.api,
      ListOffsets.api,
      OffsetForLeaderEpoch.api,
      Fetch.api,
      DescribeConfigs.api,
      Groups.listApi,
      Groups.coordinatorApi,
      OffsetFetch.api,
      Produce.api,
      InitProducerId.api,
      DescribeTransactions.api,
      // Kafka 4 dropped version 0.
      { ...WriteTxnMarkers.api, minVersion: 1 },
      CreateTopics.api,
      DeleteTopics.api,
      IncrementalAlterConfigs.api,
      DeleteRecords.api,
      OffsetCommit.api,
      OffsetDelete.api
    ]
    const offered = apis.flatMap(({ name, minVersion, maxVersion }) =>
      Array.from({ length: maxVersion - minVersion + 1 }, (_, index) => `${name} ${minVersion + index}`)
    )
    expect(cases.map(({ name }) => name).sort()).toEqual(offered.sort())
  })
})

describe("answers of Kafka 4.3.1", () => {
  it("hold brokers, topics and partitions, ids from version 10 and epochs from version 7", () => {
    for (const { call, frame } of cases.filter(({ api }) => api === "Metadata")) {
      const answer = decode(call, frame) as Metadata.Answer
      expect(answer.nodes).toEqual([{ nodeId: 1, host: "127.0.0.1", port: 31092 }])
      expect(answer.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
        ["golden", 0],
        ["missing", 3]
      ])
      expect(answer.topics[0]!.topicId).toBe(call.version >= 10 ? topicId : undefined)
      expect(answer.topics[1]!.topicId).toBeUndefined()
      const leaderEpoch = call.version >= 7 ? 0 : -1
      expect(answer.topics[0]!.partitions).toEqual(
        [0, 1].map((partition) => ({ partition, errorCode: 0, leader: 1, leaderEpoch, replicas: [1] }))
      )
    }
  })

  it("hold offsets in the order of the request, with the error of a missing partition", () => {
    for (const answer of answers("ListOffsets")) {
      expect(answer).toEqual([
        { errorCode: 0, offset: 1 },
        { errorCode: 0, offset: 2 },
        { errorCode: 3, offset: -1 }
      ])
    }
  })

  it("tell whether a topic may be read, and are malformed where they do not name it, unless a quota emptied them", () => {
    const at = (partition: number) => ({ topic: "golden", partition, offset: 1 })
    const fetched = cases.filter(({ api, call }) => api === "Fetch" && call.version <= ReadRights.api.maxVersion)
    expect(fetched).toHaveLength(3)
    for (const { call, frame } of fetched) {
      expect(decode(ReadRights.call([at(0)], call.version), frame)).toEqual([0])
      expect(() => decode(ReadRights.call([at(1)], call.version), frame)).toThrow(Malformed)
    }
    const answer = (throttleMillis: number, errorCode: number) =>
      new Writer(false).int32(0).int32(throttleMillis).int16(errorCode).int32(0).arrayLength(0).finish()
    const asked = ReadRights.call([at(0), at(1)], 11)
    expect(decode(asked, answer(500, 0))).toEqual([0, 0])
    expect(decode(asked, answer(0, 29))).toEqual([29, 29])
    expect(() => decode(asked, answer(0, 0))).toThrow(Malformed)
  })

  it("hold the ends of epochs, and -1 for an epoch that the log does not know", () => {
    expect(answers("OffsetForLeaderEpoch")).toHaveLength(3)
    for (const answer of answers("OffsetForLeaderEpoch")) {
      expect(answer).toEqual([
        { errorCode: 0, leaderEpoch: 0, endOffset: 1 },
        { errorCode: 0, leaderEpoch: -1, endOffset: -1 },
        { errorCode: 3, leaderEpoch: -1, endOffset: -1 }
      ])
    }
  })

  it("carry the same record batch in every Fetch version", () => {
    for (const answer of answers("Fetch") as ReadonlyArray<Fetch.Answer>) {
      expect(answer).toMatchObject({ errorCode: 0, highWatermark: 1, lastStableOffset: 1, logStartOffset: 0 })
      expect(answer.records.readInt32BE(8) + 12).toBe(answer.records.length)
      expect(answer.records.includes("three")).toBe(true)
    }
  })

  it("hold only the configuration of the topic itself", () => {
    for (const answer of answers("DescribeConfigs")) {
      expect(answer).toMatchObject([
        { topic: "golden", errorCode: 0, config: { "retention.ms": "-1" } },
        { topic: "missing", errorCode: 3, config: {} }
      ])
    }
  })

  it("hold groups, their coordinator and their offsets", () => {
    for (const { call, frame } of cases.filter(({ api }) => api === "ListGroups")) {
      const golden = {
        groupId: "golden-group",
        ...(call.version >= 4 ? { state: "Empty" } : {}),
        ...(call.version >= 5 ? { type: "classic" } : {})
      }
      expect(decode(call, frame)).toEqual({ errorCode: 0, groups: expect.arrayContaining([golden]) })
    }
    for (const answer of answers("FindCoordinator")) {
      expect(answer).toEqual({ errorCode: 0, node: { nodeId: 1, host: "127.0.0.1", port: 31092 } })
    }
    for (const { call, frame } of cases.filter(({ api, name }) => api === "OffsetFetch" && !/[67]$/.test(name))) {
      const leaderEpoch = call.version >= 5 ? 0 : -1
      expect(decode(call, frame)).toEqual({
        errorCode: 0,
        offsets: [
          { topic: "golden", partition: 0, offset: 1, leaderEpoch, metadata: "", errorCode: 0 },
          { topic: "golden", partition: 1, offset: 2, leaderEpoch, metadata: "", errorCode: 0 }
        ]
      })
    }
  })
})

describe("a Fetch answer", () => {
  const request = { topic: "t", partition: 3, leader: 1, offset: 0, maxBytes: 1, maxWaitMillis: 1 }
  const head = (throttleMillis: number, errorCode: number) =>
    new Writer(false).int32(0).int32(throttleMillis).int16(errorCode).int32(0)

  it("that is throttled may be empty, and holds the time to wait", () => {
    const answer = decode(Fetch.call(request, 11), head(1234, 0).arrayLength(0).finish())
    expect(answer).toMatchObject({ errorCode: 0, throttleMillis: 1234, records: Buffer.alloc(0) })
  })

  it("that fails as a whole has an error code, with or without its partition", () => {
    const answer = decode(Fetch.call(request, 11), head(0, 100).arrayLength(0).finish())
    expect(answer).toMatchObject({ errorCode: 100, throttleMillis: 0 })
  })

  it("that neither throttles nor fails must name the partition", () => {
    expect(() => decode(Fetch.call(request, 11), head(0, 0).arrayLength(0).finish())).toThrow("does not contain t[3]")
  })

  it("holds everything about its partition", () => {
    const writer = head(5, 0).arrayLength(1).string("t").arrayLength(1).int32(3).int16(1)
    writer.int64(30).int64(20).int64(10).arrayLength(2).int64(7).int64(11).int64(8).int64(12).int32(42).int32(0)
    expect(decode(Fetch.call(request, 11), writer.finish())).toEqual({
      errorCode: 1,
      throttleMillis: 5,
      highWatermark: 30,
      lastStableOffset: 20,
      logStartOffset: 10,
      aborted: [
        { producerId: 7, firstOffset: 11 },
        { producerId: 8, firstOffset: 12 }
      ],
      preferredReadReplica: 42,
      records: Buffer.alloc(0)
    })
  })
})

describe("damaged answers", () => {
  it.each(cases)("$name cut anywhere is refused as malformed", ({ call, frame }) => {
    for (let end = 4; end < frame.length; end++) expect(survives(call, frame.subarray(0, end))).toBe(false)
  })

  it.each(cases)("$name with random bytes is read or refused, quickly", ({ call, frame }) => {
    const next = random(frame.length)
    for (let round = 0; round < 500; round++) {
      const damaged = Buffer.from(frame)
      for (let hits = 0; hits <= round % 4; hits++) {
        damaged[4 + Math.floor(next() * (damaged.length - 4))] = Math.floor(next() * 256)
      }
      survives(call, damaged)
    }
  })

  it("announcing more elements than there are bytes are refused before any is read", () => {
    const billion = new Writer(false).int32(0).int32(0).int32(1_000_000_000).int32(0).finish()
    expect(() => decode(Metadata.call([], 5), billion)).toThrow(Malformed)
    const compact = new Writer(true).int32(0).noTags().int32(0).unsignedVarint(1_000_000_000).int32(0).finish()
    expect(() => decode(Metadata.call([], 12), compact)).toThrow(Malformed)
  })

  it("with an offset beyond 2^53-1 are refused, not rounded", () => {
    const answer = (high: number, low: number) =>
      new Writer(false)
        .int32(0)
        .int32(0)
        .arrayLength(1)
        .string("t")
        .arrayLength(1)
        .int32(0)
        .int16(0)
        .int64(-1)
        .int32(high)
        .int32(low)
        .finish()
    const call = ListOffsets.call([{ topic: "t", partition: 0 }], "logStart", 2)
    expect(decode(call, answer(0x1fffff, -1))).toEqual([{ errorCode: 0, offset: Number.MAX_SAFE_INTEGER }])
    expect(() => decode(call, answer(0x200000, 0))).toThrow("9007199254740992 is beyond 2^53-1")
  })
})

describe("integers", () => {
  it.each([0, 1, -1, -2, 127, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 32 + 1, -(2 ** 32) - 1, 2 ** 53 - 1, -(2 ** 53) + 1])(
    "%d survives as int64, as other implementations write it",
    (value) => {
      const written = new Writer(false).int64(value).finish()
      expect(written.readBigInt64BE(0)).toBe(BigInt(value))
      expect(new Reader(written, 0, false).int64()).toBe(value)
    }
  )

  it.each([0, 1, 127, 128, 16383, 16384, 2 ** 28, 2 ** 31 - 1])("%d survives as a variable-length integer", (value) => {
    const written = new Writer(true).unsignedVarint(value).finish()
    expect(new Reader(written, 0, true).unsignedVarint()).toBe(value)
  })

  it("longer than 32 bits are refused", () => {
    expect(() => new Reader(Buffer.from("ffffffff1f", "hex"), 0, true).unsignedVarint()).toThrow(Malformed)
    expect(() => new Reader(Buffer.from("ffffffffff01", "hex"), 0, true).unsignedVarint()).toThrow(Malformed)
  })
})
