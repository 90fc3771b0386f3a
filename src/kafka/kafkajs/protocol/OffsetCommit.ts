import type { PartitionOffset } from "../../KafkaSource.ts"
import type { Api, Call } from "./Api.ts"
import { Malformed } from "./Reader.ts"

/** 6 is the first with leader epochs (KIP-320) and is in Kafka 2.1. */
export const api: Api = { key: 8, name: "OffsetCommit", minVersion: 6, maxVersion: 8, flexibleFrom: 8 }

/**
 * The last version in which a commit says how long it is kept (KIP-211 took the field away). Kafka 2.1 to 4.3 accept
 * it, and keep such a commit for that time whatever `offsets.retention.minutes` is.
 */
export const keptApi: Api = { ...api, minVersion: 4, maxVersion: 4 }

/** A commit from outside of the group: neither generation nor member. Refused while the group has members. */
const noGeneration = -1
const noMember = ""
/** An epoch of another cluster would make consumers wait for it in vain. */
const noLeaderEpoch = -1

/**
 * One error code per offset, in the same order. `keptMillis`, of version 4 alone, is how long the broker keeps the
 * offsets.
 */
export const call = (
  groupId: string,
  offsets: ReadonlyArray<PartitionOffset & { readonly metadata?: string }>,
  version: number,
  keptMillis = -1
): Call<ReadonlyArray<number>> => ({
  api: version === keptApi.maxVersion ? keptApi : api,
  version,
  encode: (w) => {
    w.string(groupId).int32(noGeneration).string(noMember)
    if (version < 5) w.int64(keptMillis)
    if (version >= 7) w.nullableString(undefined)
    const topics = Map.groupBy(offsets, ({ topic }) => topic)
    w.arrayLength(topics.size)
    for (const [topic, partitions] of topics) {
      w.string(topic).arrayLength(partitions.length)
      for (const { metadata, offset, partition } of partitions) {
        w.int32(partition).int64(offset)
        if (version >= 6) w.int32(noLeaderEpoch)
        w.string(metadata ?? "").noTags()
      }
      w.noTags()
    }
    w.noTags()
  },
  decode: (r) => {
    r.int32()
    const found = new Map<string, number>()
    r.array(3, () => {
      const topic = r.string()
      r.array(6, () => {
        const partition = r.int32()
        found.set(`${topic}/${partition}`, r.int16())
        r.tags()
      })
      r.tags()
    })
    r.tags()
    return offsets.map(({ topic, partition }) => {
      const errorCode = found.get(`${topic}/${partition}`)
      if (errorCode === undefined) throw new Malformed(`the answer does not contain ${topic}[${partition}]`)
      return errorCode
    })
  }
})
