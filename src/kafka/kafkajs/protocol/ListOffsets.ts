import type { TopicPartition } from "../../KafkaSource.ts"
import type { OffsetSpec } from "../../KafkaWire.ts"
import type { Api, Call } from "./Api.ts"
import { groupByTopic } from "./groupByTopic.ts"
import { Malformed } from "./Reader.ts"

/** 2 is the first with an isolation level (KIP-98), 4 the first with leader epochs (KIP-320). */
export const api: Api = { key: 2, name: "ListOffsets", minVersion: 2, maxVersion: 5, flexibleFrom: 6 }

const earliest = -2
const latest = -1
/** Who asks: a consumer. */
const consumer = -1
/**
 * A replica is told the end of the leader's log instead of the high watermark, and needs no other permission than a
 * consumer. Brokers do not compare the id with those of the cluster. It is not -2, to which a follower answers, too.
 * Source: Partition.fetchOffsetForTimestamp and ReplicaManager.fetchOffset of Kafka 2.1 to 4.3.
 */
const someReplica = 0x7fff_ffff
const readUncommitted = 0
const readCommitted = 1

const timestampOf = (kind: OffsetSpec): number =>
  typeof kind === "object" ? kind.timestampMillis : kind === "logStart" ? earliest : latest

export interface Answer {
  readonly errorCode: number
  /** -1 with an error, or when no record has that time or a later one. */
  readonly offset: number
}

/** One answer per partition, in the order of the request. */
export const call = (
  partitions: ReadonlyArray<TopicPartition>,
  kind: OffsetSpec,
  version: number
): Call<ReadonlyArray<Answer>> => ({
  api,
  version,
  encode: (w) => {
    w.int32(kind === "logEnd" ? someReplica : consumer).int8(
      kind === "logStart" || kind === "lastStable" ? readCommitted : readUncommitted
    )
    const topics = groupByTopic(partitions)
    w.arrayLength(topics.size)
    for (const [topic, ids] of topics) {
      w.string(topic).arrayLength(ids.length)
      for (const id of ids) {
        w.int32(id)
        if (version >= 4) w.int32(-1)
        w.int64(timestampOf(kind))
      }
    }
  },
  decode: (r) => {
    r.int32()
    const found = new Map<string, Answer>()
    r.array(6, () => {
      const topic = r.string()
      r.array(22, () => {
        const partition = r.int32()
        const errorCode = r.int16()
        r.int64()
        const offset = r.int64()
        if (version >= 4) r.int32()
        found.set(`${topic}/${partition}`, { errorCode, offset })
      })
    })
    return partitions.map(({ topic, partition }) => {
      const answer = found.get(`${topic}/${partition}`)
      if (answer === undefined) throw new Malformed(`the answer does not contain ${topic}[${partition}]`)
      return answer
    })
  }
})
