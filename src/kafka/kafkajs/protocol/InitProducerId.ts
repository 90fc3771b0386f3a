import type { WireProducer } from "../../KafkaWriteWire.ts"
import type { Api, Call } from "./Api.ts"

/** 3 is the first with a present producer (KIP-360), which is not used here. */
export const api: Api = { key: 22, name: "InitProducerId", minVersion: 0, maxVersion: 4, flexibleFrom: 2 }

/** How long the coordinator lets a transaction be open before it aborts it. */
const transactionMillis = 60_000

/** A new producer id, or the next epoch of the producer with this transactional id. */
export const call = (transactionalId: string | undefined, version: number): Call<WireProducer> => ({
  api,
  version,
  encode: (w) => {
    w.nullableString(transactionalId).int32(transactionMillis)
    if (version >= 3) w.int64(-1).int16(-1)
    w.noTags()
  },
  decode: (r) => {
    r.int32()
    const errorCode = r.int16()
    const answer = { errorCode, producerId: r.int64(), producerEpoch: r.int16() }
    r.tags()
    return answer
  }
})
