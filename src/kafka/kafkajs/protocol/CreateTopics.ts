import type { NewTopic, TopicOutcome } from "../../KafkaSink.ts"
import type { Api, Call } from "./Api.ts"

/** 4 is the first with the broker's defaults for partitions and replicas (KIP-464), 7 the first with topic ids. */
export const api: Api = { key: 19, name: "CreateTopics", minVersion: 2, maxVersion: 7, flexibleFrom: 5 }

/** How long the controller may take (Kafka's default `request.timeout.ms`). */
export const waitMillis = 30_000

/** One outcome per topic, in the order of the broker. */
export const call = (
  topics: ReadonlyArray<NewTopic>,
  validateOnly: boolean,
  version: number
): Call<ReadonlyArray<TopicOutcome>> => ({
  api,
  version,
  encode: (w) => {
    w.arrayLength(topics.length)
    for (const { configs, name, partitions, replicationFactor } of topics) {
      w.string(name).int32(partitions).int16(replicationFactor).arrayLength(0)
      const entries = Object.entries(configs)
      w.arrayLength(entries.length)
      for (const [key, value] of entries) w.string(key).string(value).noTags()
      w.noTags()
    }
    w.int32(waitMillis).boolean(validateOnly).noTags()
  },
  decode: (r) => {
    r.int32()
    const outcomes = r.array(5, () => {
      const name = r.string()
      const topicId = version >= 7 ? r.uuid() : undefined
      const errorCode = r.int16()
      const detail = r.nullableString()
      let replicationFactor = -1
      if (version >= 5) {
        r.int32()
        replicationFactor = r.int16()
        r.array(6, () => {
          r.string()
          r.nullableString()
          r.boolean()
          r.int8()
          r.boolean()
          r.tags()
        })
      }
      r.tags()
      return {
        name,
        errorCode,
        detail,
        ...(topicId === undefined ? {} : { topicId }),
        ...(replicationFactor < 1 ? {} : { replicationFactor })
      }
    })
    r.tags()
    return outcomes
  }
})
