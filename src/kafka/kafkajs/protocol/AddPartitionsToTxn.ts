import type { Producer } from "../../KafkaSink.ts"
import type { TopicPartition } from "../../KafkaSource.ts"
import type { Api, Call } from "./Api.ts"
import { Malformed } from "./Reader.ts"

/** Later versions are for brokers (KIP-890). */
export const api: Api = { key: 24, name: "AddPartitionsToTxn", minVersion: 0, maxVersion: 3, flexibleFrom: 3 }

/** The error code of one partition that is to be in the open transaction; the first opens it. */
export const call = (
  transactionalId: string,
  { producerEpoch, producerId }: Producer,
  { partition, topic }: TopicPartition,
  version: number
): Call<number> => ({
  api,
  version,
  encode: (w) => {
    w.string(transactionalId).int64(producerId).int16(producerEpoch)
    w.arrayLength(1).string(topic).arrayLength(1).int32(partition).noTags()
    w.noTags()
  },
  decode: (r) => {
    r.int32()
    const [errorCode] = r
      .array(3, () => {
        r.string()
        const errorCodes = r.array(6, () => {
          r.int32()
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
