import type { WireCommitted } from "../../KafkaWriteWire.ts"
import type { Api, Call } from "./Api.ts"

/** 2 is the first that answers for all topics of a group (KIP-88), 7 the first with `requireStable` (KIP-447). */
export const api: Api = { key: 9, name: "OffsetFetch", minVersion: 2, maxVersion: 7, flexibleFrom: 6 }

/**
 * All offsets of a group. With `requireStable`, a partition whose offset is part of an open transaction answers
 * UNSTABLE_OFFSET_COMMIT, where the broker supports that.
 */
export const call = (
  groupId: string,
  requireStable: boolean,
  version: number
): Call<{ readonly errorCode: number; readonly offsets: ReadonlyArray<WireCommitted> }> => ({
  api,
  version,
  encode: (w) => {
    w.string(groupId).arrayLength(null)
    if (version >= 7) w.boolean(requireStable)
    w.noTags()
  },
  decode: (r) => {
    if (version >= 3) r.int32()
    const offsets: Array<WireCommitted> = []
    r.array(3, () => {
      const topic = r.string()
      r.array(15, () => {
        const partition = r.int32()
        const offset = r.int64()
        const leaderEpoch = version >= 5 ? r.int32() : -1
        const metadata = r.nullableString() ?? ""
        offsets.push({ topic, partition, offset, leaderEpoch, metadata, errorCode: r.int16() })
        r.tags()
      })
      r.tags()
    })
    const errorCode = r.int16()
    r.tags()
    return { errorCode, offsets }
  }
})
