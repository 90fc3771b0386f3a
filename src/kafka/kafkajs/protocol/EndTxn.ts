import type { Producer } from "../../KafkaSink.ts"
import type { Api, Call } from "./Api.ts"

/** From version 5 on, each end of a transaction gives the producer another epoch (KIP-890). */
export const api: Api = { key: 26, name: "EndTxn", minVersion: 0, maxVersion: 3, flexibleFrom: 3 }

/** Commits the open transaction. The markers in its partitions may follow the answer. */
export const call = (
  transactionalId: string,
  { producerEpoch, producerId }: Producer,
  version: number
): Call<number> => ({
  api,
  version,
  encode: (w) => {
    w.string(transactionalId).int64(producerId).int16(producerEpoch).boolean(true)
    w.noTags()
  },
  decode: (r) => {
    r.int32()
    const errorCode = r.int16()
    r.tags()
    return errorCode
  }
})
