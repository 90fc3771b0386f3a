import type { PartitionOffset } from "../../KafkaSource.ts"
import { ErrorCode } from "../../ErrorCode.ts"
import type { Api, Call } from "./Api.ts"
import * as Fetch from "./Fetch.ts"
import { groupByTopic } from "./groupByTopic.ts"
import { Malformed } from "./Reader.ts"

/** By name: a topic of another id has the same rights. */
export const api: Api = { ...Fetch.api, maxVersion: 12 }

const readUncommitted = 0
/** Of all partitions, in bytes: where there is more behind the offsets, one batch comes all the same (KIP-74). */
const mostBytes = 1

/**
 * A Fetch for the sake of its error codes: the broker answers at once, and where nothing is behind the offsets it sends
 * no records. One code per partition, in the order of the request; each partition once.
 */
export const call = (places: ReadonlyArray<PartitionOffset>, version: number): Call<ReadonlyArray<number>> => ({
  api,
  version,
  encode: (w) => {
    w.int32(-1).int32(0).int32(0).int32(mostBytes).int8(readUncommitted)
    w.int32(0).int32(-1)
    const offsets = new Map(places.map(({ offset, partition, topic }) => [`${topic}/${partition}`, offset]))
    const topics = groupByTopic(places)
    w.arrayLength(topics.size)
    for (const [topic, ids] of topics) {
      w.string(topic).arrayLength(ids.length)
      for (const id of ids) {
        w.int32(id)
          .int32(-1)
          .int64(offsets.get(`${topic}/${id}`)!)
        if (version >= 12) w.int32(-1)
        w.int64(-1).int32(mostBytes).noTags()
      }
      w.noTags()
    }
    w.arrayLength(0)
    if (version >= 11) w.string("")
    w.noTags()
  },
  decode: (r) => {
    const throttleMillis = r.int32()
    const errorCode = r.int16()
    r.int32()
    const found = new Map<string, number>()
    r.array(1, () => {
      const topic = r.string()
      r.array(1, () => {
        const partition = r.int32()
        found.set(`${topic}/${partition}`, r.int16())
        r.int64()
        r.int64()
        r.int64()
        r.array(16, () => {
          r.int64()
          r.int64()
          r.tags()
        })
        if (version >= 11) r.int32()
        r.nullableBytes()
        r.tags()
      })
      r.tags()
    })
    r.tags()
    return places.map(({ partition, topic }) => {
      if (errorCode !== ErrorCode.none) return errorCode
      const code = found.get(`${topic}/${partition}`)
      // A throttled answer names no partition, and refuses none.
      if (code === undefined && throttleMillis === 0) {
        throw new Malformed(`the answer does not contain ${topic}[${partition}]`)
      }
      return code ?? ErrorCode.none
    })
  }
})
