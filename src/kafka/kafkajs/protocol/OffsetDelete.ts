import type { TopicPartition } from "../../KafkaSource.ts"
import type { Api, Call } from "./Api.ts"
import { groupByTopic } from "./groupByTopic.ts"

/** Kafka 2.4 and later (KIP-496). */
export const api: Api = { key: 47, name: "OffsetDelete", minVersion: 0, maxVersion: 0, flexibleFrom: 1 }

/** The error code of the group, and those of the partitions in the order of the broker. */
export const call = (
  groupId: string,
  partitions: ReadonlyArray<TopicPartition>,
  version: number
): Call<{ readonly errorCode: number; readonly partitionCodes: ReadonlyArray<number> }> => ({
  api,
  version,
  encode: (w) => {
    w.string(groupId)
    const topics = groupByTopic(partitions)
    w.arrayLength(topics.size)
    for (const [topic, ids] of topics) {
      w.string(topic).arrayLength(ids.length)
      for (const id of ids) w.int32(id)
    }
  },
  decode: (r) => {
    const errorCode = r.int16()
    r.int32()
    const partitionCodes: Array<number> = []
    r.array(6, () => {
      r.string()
      r.array(6, () => {
        r.int32()
        partitionCodes.push(r.int16())
      })
    })
    return { errorCode, partitionCodes }
  }
})
