import { describe, expect, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import type { Call } from "../../../src/kafka/kafkajs/protocol/Api.ts"
import type { TopicOutcome } from "../../../src/kafka/KafkaSink.ts"
import * as DeleteTopics from "../../../src/kafka/kafkajs/protocol/DeleteTopics.ts"
import * as OffsetCommit from "../../../src/kafka/kafkajs/protocol/OffsetCommit.ts"
import * as OffsetFetch from "../../../src/kafka/kafkajs/protocol/OffsetFetch.ts"
import * as Produce from "../../../src/kafka/kafkajs/protocol/Produce.ts"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"
import * as WriteTxnMarkers from "../../../src/kafka/kafkajs/protocol/WriteTxnMarkers.ts"
import { answers, calls, cases, decode, encode, goldenBatch, writtenId } from "./exchanges.ts"

describe("answers of Kafka 4.3.1 to writes", () => {
  it("hold the offset of an appended batch", () => {
    expect(answers("Produce")).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((baseOffset) => ({ errorCode: 0, detail: undefined, baseOffset, throttleMillis: 0 }))
    )
  })

  it("hold a producer, whose epoch rises with every request", () => {
    expect(answers("InitProducerId")).toEqual(
      [0, 1, 2, 3, 4].map((producerEpoch) => ({ errorCode: 0, producerId: 1, producerEpoch }))
    )
    expect(answers("DescribeTransactions")).toEqual([{ errorCode: 0, producerId: 1, producerEpoch: 4 }])
  })

  it("hold an outcome for each topic, ids of created topics from version 7", () => {
    for (const { call, frame } of cases.filter(({ api }) => api === "CreateTopics")) {
      const [created, refused] = decode(call, frame) as ReadonlyArray<TopicOutcome>
      expect(created).toMatchObject({ name: "golden-created", errorCode: 0, detail: undefined })
      expect(typeof created?.topicId).toBe(call.version >= 7 ? "string" : "undefined")
      expect(refused).toMatchObject({ name: "golden-refused", errorCode: 38 })
      expect(refused?.detail).toContain("replication factor of 9")
      expect(refused?.topicId).toBeUndefined()
    }
    for (const answer of answers("DeleteTopics")) {
      expect(answer).toHaveLength(2)
      expect(answer).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ name: "golden-created", errorCode: 0 }),
          expect.objectContaining({ name: "golden-refused", errorCode: 3 })
        ])
      )
    }
  })

  it("hold an error code for markers, configurations, deleted records and committed offsets", () => {
    expect(answers("WriteTxnMarkers")).toEqual([0])
    expect(answers("IncrementalAlterConfigs")).toEqual([0, 0].map((errorCode) => ({ errorCode, detail: undefined })))
    expect(answers("DeleteRecords")).toEqual([0, 0, 0])
    expect(answers("OffsetCommit")).toEqual([0, 1, 2].map(() => [0, 3]))
  })
})

describe("a DeleteTopics request", () => {
  const [first, second] = ["4f4f7c8e-0b0d-4f43-9a70-1c6d3a8f0a01", "4f4f7c8e-0b0d-4f43-9a70-1c6d3a8f0a02"]
  const doomed = [{ name: "a", topicId: first }, { name: "b" }, { name: "c", topicId: second }]

  it("asks nothing about topics with an id where the broker deletes by name alone", () => {
    const call = DeleteTopics.call(doomed, 5)
    expect(encode(call)).toBe(
      new Writer(true).noTags().arrayLength(1).string("b").int32(30_000).noTags().finish().toString("hex")
    )
    const answer = new Writer(true).int32(0).noTags().int32(0).arrayLength(1)
    answer.string("b").int16(3).nullableString(undefined).noTags().noTags()
    expect(decode(call, answer.finish())).toEqual([
      { name: "a", errorCode: 35, detail: undefined },
      { name: "b", errorCode: 3, detail: undefined },
      { name: "c", errorCode: 35, detail: undefined }
    ])
  })

  it("is answered by id, also without a name and in another order", () => {
    const answer = new Writer(true).int32(0).noTags().int32(0).arrayLength(3)
    answer.nullableString(undefined).uuid(second).int16(100).nullableString("unknown").noTags()
    answer.nullableString("b").zeroUuid().int16(0).nullableString(undefined).noTags()
    answer.nullableString("a").uuid(first).int16(29).nullableString(undefined).noTags().noTags()
    expect(decode(DeleteTopics.call(doomed, 6), answer.finish())).toEqual([
      { name: "a", errorCode: 29, detail: undefined },
      { name: "b", errorCode: 0, detail: undefined },
      { name: "c", errorCode: 100, detail: "unknown" }
    ])
  })
})

describe("a Produce request", () => {
  it("carries the very buffers of the batch", () => {
    for (const { call } of cases.filter(({ api }) => api === "Produce")) {
      const writer = new Writer(call.version >= 9).noTags()
      call.encode(writer)
      const pieces = writer.pieces()
      expect(pieces).toHaveLength(goldenBatch.length + 2)
      for (const [i, piece] of goldenBatch.entries()) expect(pieces[i + 1]).toBe(piece)
      expect(Buffer.concat(pieces).toString("hex")).toBe(encode(call))
    }
  })

  it("names the topic by id only if the id is known and the broker knows ids", () => {
    expect(Produce.versionFor({ topicId: writtenId }, 13)).toBe(13)
    expect(Produce.versionFor({ topicId: writtenId }, 11)).toBe(11)
    expect(Produce.versionFor({}, 13)).toBe(12)
  })
})

describe("a Produce answer", () => {
  const request = { topic: "t", partition: 3, leader: 1, batch: [] }
  const answered = (partition: number, version: number) => {
    const w = new Writer(version >= 9).int32(0).noTags().arrayLength(1).string("t").arrayLength(1).int32(partition)
    w.int16(87).int64(-1).int64(-1).int64(-1)
    if (version >= 8) w.arrayLength(2).int32(0).nullableString(undefined).noTags().int32(4).string("no key").noTags()
    if (version >= 8) w.nullableString(version === 8 ? undefined : "refused").noTags()
    return w.noTags().int32(1234).noTags().finish()
  }

  it("explains an error by the message of the batch, or else of its first record that has one", () => {
    const refusal = { errorCode: 87, baseOffset: -1, throttleMillis: 1234 }
    expect(decode(Produce.call(request, 7), answered(3, 7))).toEqual({ ...refusal, detail: undefined })
    expect(decode(Produce.call(request, 8), answered(3, 8))).toEqual({ ...refusal, detail: "no key" })
    expect(decode(Produce.call(request, 9), answered(3, 9))).toEqual({ ...refusal, detail: "refused" })
  })

  it("must name the partition", () => {
    expect(() => decode(Produce.call(request, 9), answered(4, 9))).toThrow("does not contain t[3]")
  })
})

describe("requests to brokers before Kafka 4", () => {
  it("write markers without compact lengths", () => {
    const call = WriteTxnMarkers.call({ topic: "t", partition: 1 }, { producerId: 7, producerEpoch: 2 }, 1, 0)
    expect(encode(call)).toBe(
      ["00000001", "0000000000000007", "0002", "01", "00000001", "000174", "00000001", "00000001", "00000000"].join("")
    )
    const answer = new Writer(false).int32(0).arrayLength(2)
    for (const code of [0, 47]) {
      answer.int64(7).arrayLength(1).string("t").arrayLength(1).int32(1).int16(code)
    }
    expect(decode(call, answer.finish())).toBe(47)
  })
})

describe("offsets of a group", () => {
  const offsets = [
    { topic: "a", partition: 1, offset: 5, metadata: "m" },
    { topic: "b", partition: 0, offset: 6 },
    { topic: "a", partition: 0, offset: 7 }
  ]

  it("are answered in the order of the request, whatever the broker's", () => {
    const answer = new Writer(true).int32(0).noTags().int32(0).arrayLength(2)
    answer.string("b").arrayLength(1).int32(0).int16(29).noTags().noTags()
    answer.string("a").arrayLength(2).int32(0).int16(0).noTags().int32(1).int16(3).noTags().noTags().noTags()
    expect(decode(OffsetCommit.call("g", offsets, 8), answer.finish())).toEqual([3, 29, 0])
  })

  it("are kept for a time in the one version that can say so", () => {
    const written = encode(OffsetCommit.call("g", offsets.slice(1, 2), 4, 1000))
    const expected = new Writer(false).noTags().string("g").int32(-1).string("").int64(1000).arrayLength(1).string("b")
    expected.arrayLength(1).int32(0).int64(6).string("")
    expect(written).toBe(expected.finish().toString("hex"))
  })

  it("are stable only where the broker knows the flag", () => {
    const requireStable = (version: number): string => encode(OffsetFetch.call("g", true, version))
    const not = (version: number): string => encode(OffsetFetch.call("g", false, version))
    expect(requireStable(7)).not.toBe(not(7))
    expect(requireStable(6)).toBe(not(6))
  })

  it("keep their metadata, and the error of their partition", () => {
    const answer = new Writer(true).int32(0).noTags().int32(0).arrayLength(1).string("a").arrayLength(2)
    answer.int32(0).int64(7).int32(-1).string("digest").int16(0).noTags()
    answer.int32(1).int64(-1).int32(-1).string("").int16(88).noTags()
    expect(decode(OffsetFetch.call("g", true, 7), answer.noTags().int16(0).noTags().finish())).toEqual({
      errorCode: 0,
      offsets: [
        { topic: "a", partition: 0, offset: 7, leaderEpoch: -1, metadata: "digest", errorCode: 0 },
        { topic: "a", partition: 1, offset: -1, leaderEpoch: -1, metadata: "", errorCode: 88 }
      ]
    })
  })
})

describe("the recorded requests", () => {
  it("are made for every call", () => {
    const recorded: ReadonlyArray<Call<unknown>> = cases.map(({ call }) => call)
    expect([...new Set(recorded.map(({ api }) => api.name))].toSorted()).toEqual(Object.keys(calls).toSorted())
  })
})
