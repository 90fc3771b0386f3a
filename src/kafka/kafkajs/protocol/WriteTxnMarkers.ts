import type { Producer } from "../../KafkaSink.ts"
import type { TopicPartition } from "../../KafkaSource.ts"
import type { Api, Call } from "./Api.ts"

export const api: Api = { key: 27, name: "WriteTxnMarkers", minVersion: 0, maxVersion: 1, flexibleFrom: 1 }

/** Kafka's coordinators count their epochs up from 0; a marker with a smaller epoch than the newest is refused. */
const coordinatorEpoch = 0

/** `count` commit markers of one producer; the error code of the first that was refused, or 0. */
export const call = (
  { partition, topic }: TopicPartition,
  { producerEpoch, producerId }: Producer,
  count: number,
  version: number
): Call<number> => ({
  api,
  version,
  encode: (w) => {
    w.arrayLength(count)
    for (let i = 0; i < count; i++) {
      w.int64(producerId).int16(producerEpoch).boolean(true)
      w.arrayLength(1).string(topic).arrayLength(1).int32(partition).noTags()
      w.int32(coordinatorEpoch).noTags()
    }
    w.noTags()
  },
  decode: (r) => {
    const errorCodes: Array<number> = []
    r.array(9, () => {
      r.int64()
      r.array(3, () => {
        r.string()
        r.array(6, () => {
          r.int32()
          errorCodes.push(r.int16())
          r.tags()
        })
        r.tags()
      })
      r.tags()
    })
    r.tags()
    return errorCodes.find((errorCode) => errorCode !== 0) ?? 0
  }
})
