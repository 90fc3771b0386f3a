import { Buffer } from "node:buffer"
import { type Call, isFlexible } from "../../../src/kafka/kafkajs/protocol/Api.ts"
import * as CreateTopics from "../../../src/kafka/kafkajs/protocol/CreateTopics.ts"
import * as DeleteRecords from "../../../src/kafka/kafkajs/protocol/DeleteRecords.ts"
import * as DeleteTopics from "../../../src/kafka/kafkajs/protocol/DeleteTopics.ts"
import * as DescribeConfigs from "../../../src/kafka/kafkajs/protocol/DescribeConfigs.ts"
import * as DescribeTransactions from "../../../src/kafka/kafkajs/protocol/DescribeTransactions.ts"
import * as Fetch from "../../../src/kafka/kafkajs/protocol/Fetch.ts"
import * as Groups from "../../../src/kafka/kafkajs/protocol/Groups.ts"
import * as IncrementalAlterConfigs from "../../../src/kafka/kafkajs/protocol/IncrementalAlterConfigs.ts"
import * as InitProducerId from "../../../src/kafka/kafkajs/protocol/InitProducerId.ts"
import * as ListOffsets from "../../../src/kafka/kafkajs/protocol/ListOffsets.ts"
import * as Metadata from "../../../src/kafka/kafkajs/protocol/Metadata.ts"
import * as OffsetCommit from "../../../src/kafka/kafkajs/protocol/OffsetCommit.ts"
import * as OffsetDelete from "../../../src/kafka/kafkajs/protocol/OffsetDelete.ts"
import * as OffsetForLeaderEpoch from "../../../src/kafka/kafkajs/protocol/OffsetForLeaderEpoch.ts"
import * as OffsetFetch from "../../../src/kafka/kafkajs/protocol/OffsetFetch.ts"
import * as Produce from "../../../src/kafka/kafkajs/protocol/Produce.ts"
import { Reader } from "../../../src/kafka/kafkajs/protocol/Reader.ts"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"
import * as WriteTxnMarkers from "../../../src/kafka/kafkajs/protocol/WriteTxnMarkers.ts"
import { encodeBatch } from "../../../src/kafka/batch/RecordBatchEncoding.ts"
import exchanges from "./kafka-4.3.1.json" with { type: "json" }
import writes from "./kafka-4.3.1-writes.json" with { type: "json" }

/** Ids of the topics `golden` and `golden-written` of the recorded exchanges. */
export const topicId = "da3b2017-3519-4548-a85e-01526fdd88ae"
export const writtenId = "ac177295-5916-4478-ba34-4aee73cadcf9"
/** Id of the topic `golden-created` of the recorded DeleteTopics 6. */
const createdId = "5daa7b0c-3055-40ac-aefa-e14637242fdc"

const partitions = [0, 1, 9].map((partition) => ({ topic: "golden", partition }))
const written = { topic: "golden-written", partition: 0 }

/** The batch of the recorded Produce requests, in two pieces. */
export const goldenBatch: ReadonlyArray<Buffer> = (() => {
  const record = {
    offset: 0,
    key: Buffer.from("k"),
    value: Buffer.from("v"),
    headers: [],
    timestamp: 1_700_000_000_000
  }
  const bytes = encodeBatch({ baseOffset: 0, records: [record], leaderEpoch: -1 })
  return [bytes.subarray(0, 61), bytes.subarray(61)]
})()

export const calls: Readonly<Record<string, (version: number) => Call<unknown>>> = {
  Metadata: (version) => Metadata.call(["golden", "missing"], version),
  OffsetForLeaderEpoch: (version) =>
    OffsetForLeaderEpoch.call(
      partitions.map((place) => ({ ...place, leaderEpoch: place.partition })),
      version
    ),
  ListOffsets: (version) => ListOffsets.call(partitions, "lastStable", version),
  Fetch: (version) =>
    Fetch.call(
      {
        topic: "golden",
        ...(version >= 13 ? { topicId } : {}),
        partition: 0,
        leader: 1,
        offset: 0,
        maxBytes: 65536,
        maxWaitMillis: 100
      },
      version
    ),
  DescribeConfigs: (version) => DescribeConfigs.call(["golden", "missing"], version),
  ListGroups: Groups.list,
  FindCoordinator: (version) => Groups.coordinator("group", "golden-group", version),
  OffsetFetch: (version) => OffsetFetch.call("golden-group", true, version),
  Produce: (version) =>
    Produce.call(
      { ...written, ...(version >= 13 ? { topicId: writtenId } : {}), leader: 1, batch: goldenBatch },
      version
    ),
  InitProducerId: (version) => InitProducerId.call("golden-writer", version),
  DescribeTransactions: (version) => DescribeTransactions.call("golden-writer", version),
  WriteTxnMarkers: (version) =>
    WriteTxnMarkers.call({ ...written, partition: 1 }, { producerId: 987654321, producerEpoch: 0 }, 2, version),
  CreateTopics: (version) =>
    CreateTopics.call(
      [
        { name: "golden-created", partitions: 2, replicationFactor: 1, configs: { "retention.ms": "-1" } },
        { name: "golden-refused", partitions: 1, replicationFactor: 9, configs: {} }
      ],
      false,
      version
    ),
  DeleteTopics: (version) =>
    DeleteTopics.call(
      [{ name: "golden-created", ...(version >= 6 ? { topicId: createdId } : {}) }, { name: "golden-refused" }],
      version
    ),
  IncrementalAlterConfigs: (version) =>
    IncrementalAlterConfigs.call("golden-written", { "retention.ms": "-1", "segment.ms": null }, version),
  DeleteRecords: (version) => DeleteRecords.call(written, 1, version),
  OffsetDelete: (version) =>
    OffsetDelete.call(
      "golden-group",
      [0, 1, 9].map((partition) => ({ topic: "golden", partition })),
      version
    ),
  OffsetCommit: (version) =>
    OffsetCommit.call(
      "golden-writers",
      [
        { ...written, offset: 1, metadata: "digest" },
        { topic: "golden-missing", partition: 9, offset: 1 }
      ],
      version
    )
}

export const encode = (call: Call<unknown>): string => {
  const writer = new Writer(isFlexible(call.api, call.version)).noTags()
  call.encode(writer)
  return writer.finish().toString("hex")
}

export const decode = (call: Call<unknown>, frame: Buffer): unknown => {
  const reader = new Reader(frame, 4, isFlexible(call.api, call.version))
  reader.tags()
  return call.decode(reader)
}

/** Requests that Apache Kafka 4.3.1 accepted, and its answers, in every version that is used and that it offers. */
export const cases = [...exchanges, ...writes].map(({ api, version, request, answer }) => ({
  name: `${api} ${version}`,
  api,
  call: calls[api]!(version),
  request,
  frame: Buffer.from(answer, "base64")
}))

export const answers = (api: string) =>
  cases.filter((one) => one.api === api).map(({ call, frame }) => decode(call, frame))
