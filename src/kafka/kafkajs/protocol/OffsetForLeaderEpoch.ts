import type { EpochPlace } from "../../KafkaSource.ts"
import type { WireEpochEnd } from "../../KafkaWire.ts"
import type { Api, Call } from "./Api.ts"
import { groupByTopic } from "./groupByTopic.ts"
import { Malformed } from "./Reader.ts"

/** 2 (Kafka 2.1, KIP-320) is the first that Describe on the topic is enough for. */
export const api: Api = { key: 23, name: "OffsetForLeaderEpoch", minVersion: 2, maxVersion: 4, flexibleFrom: 4 }

/** Who asks: a consumer. */
const consumer = -1
/** The leader answers whatever epoch it is in. */
const anyEpoch = -1

/** One answer per partition, in the order of the request. */
export const call = (places: ReadonlyArray<EpochPlace>, version: number): Call<ReadonlyArray<WireEpochEnd>> => ({
  api,
  version,
  encode: (w) => {
    if (version >= 3) w.int32(consumer)
    const topics = groupByTopic(places)
    const epochs = new Map(places.map(({ leaderEpoch, partition, topic }) => [`${topic}/${partition}`, leaderEpoch]))
    w.arrayLength(topics.size)
    for (const [topic, ids] of topics) {
      w.string(topic).arrayLength(ids.length)
      for (const id of ids)
        w.int32(id)
          .int32(anyEpoch)
          .int32(epochs.get(`${topic}/${id}`)!)
          .noTags()
      w.noTags()
    }
    w.noTags()
  },
  decode: (r) => {
    r.int32()
    const found = new Map<string, WireEpochEnd>()
    r.array(4, () => {
      const topic = r.string()
      r.array(18, () => {
        const errorCode = r.int16()
        const partition = r.int32()
        found.set(`${topic}/${partition}`, { errorCode, leaderEpoch: r.int32(), endOffset: r.int64() })
        r.tags()
      })
      r.tags()
    })
    r.tags()
    return places.map(({ partition, topic }) => {
      const answer = found.get(`${topic}/${partition}`)
      if (answer === undefined) throw new Malformed(`the answer does not contain ${topic}[${partition}]`)
      return answer
    })
  }
})
