import type { TopicPartition } from "../../KafkaSource.ts"
import type { Api, Call } from "./Api.ts"
import { Malformed } from "./Reader.ts"

export const api: Api = { key: 21, name: "DeleteRecords", minVersion: 0, maxVersion: 2, flexibleFrom: 2 }

/** How long the leader may wait for its replicas (Kafka's default `request.timeout.ms`). */
export const replicationMillis = 30_000

/** The error code of one partition whose log is to begin at `offset`. */
export const call = ({ partition, topic }: TopicPartition, offset: number, version: number): Call<number> => ({
  api,
  version,
  encode: (w) => {
    w.arrayLength(1).string(topic).arrayLength(1).int32(partition).int64(offset).noTags()
    w.noTags()
    w.int32(replicationMillis).noTags()
  },
  decode: (r) => {
    r.int32()
    const [errorCode] = r
      .array(3, () => {
        r.string()
        const errorCodes = r.array(14, () => {
          r.int32()
          r.int64()
          const code = r.int16()
          r.tags()
          return code
        })
        r.tags()
        return errorCodes
      })
      .flat()
    r.tags()
    if (errorCode === undefined) throw new Malformed(`the answer does not contain ${topic}[${partition}]`)
    return errorCode
  }
})
