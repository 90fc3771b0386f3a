import type { WireProducer } from "../../KafkaWriteWire.ts"
import type { Api, Call } from "./Api.ts"
import { Malformed } from "./Reader.ts"

/** Kafka 3.0 and later (KIP-664). */
export const api: Api = { key: 65, name: "DescribeTransactions", minVersion: 0, maxVersion: 0, flexibleFrom: 0 }

/** The producer that a transactional id has now. */
export const call = (transactionalId: string, version: number): Call<WireProducer> => ({
  api,
  version,
  encode: (w) => {
    w.arrayLength(1).string(transactionalId).noTags()
  },
  decode: (r) => {
    r.int32()
    const [answer] = r.array(29, () => {
      const errorCode = r.int16()
      r.string()
      r.string()
      r.int32()
      r.int64()
      const producer = { errorCode, producerId: r.int64(), producerEpoch: r.int16() }
      r.array(3, () => {
        r.string()
        r.array(4, () => r.int32())
        r.tags()
      })
      r.tags()
      return producer
    })
    r.tags()
    if (answer === undefined) throw new Malformed(`the answer does not contain transactional id ${transactionalId}`)
    return answer
  }
})
