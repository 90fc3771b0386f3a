import { ErrorCode } from "../../ErrorCode.ts"
import type { DoomedTopic, TopicOutcome } from "../../KafkaSink.ts"
import type { Api, Call } from "./Api.ts"
import { waitMillis } from "./CreateTopics.ts"

/** 5 is the first with an explanation of the error, 6 the first that names a topic by its id (KIP-516). */
export const api: Api = { key: 20, name: "DeleteTopics", minVersion: 1, maxVersion: 6, flexibleFrom: 4 }

const byTopicId = 6

/**
 * One outcome per topic, in their order. Before version 6 nothing is asked about a topic with an id: it could be
 * deleted by its name alone, whichever it is by now, and its outcome is UNSUPPORTED_VERSION.
 */
export const call = (topics: ReadonlyArray<DoomedTopic>, version: number): Call<ReadonlyArray<TopicOutcome>> => {
  const asked = version >= byTopicId ? topics : topics.filter(({ topicId }) => topicId === undefined)
  return {
    api,
    version,
    encode: (w) => {
      w.arrayLength(asked.length)
      for (const { name, topicId } of asked) {
        if (version < byTopicId) w.string(name)
        // Both together are refused.
        else if (topicId === undefined) w.nullableString(name).zeroUuid().noTags()
        else w.nullableString(undefined).uuid(topicId).noTags()
      }
      w.int32(waitMillis).noTags()
    },
    decode: (r) => {
      r.int32()
      const byName = new Map<string, Omit<TopicOutcome, "name">>()
      const byId = new Map<string, Omit<TopicOutcome, "name">>()
      r.array(3, () => {
        // Of an id that the broker does not know, or whose topic the principal may not describe, it tells no name.
        const name = version >= byTopicId ? r.nullableString() : r.string()
        const topicId = version >= byTopicId ? r.uuid() : undefined
        const errorCode = r.int16()
        const detail = version >= 5 ? r.nullableString() : undefined
        r.tags()
        if (name !== undefined) byName.set(name, { errorCode, detail })
        if (topicId !== undefined) byId.set(topicId, { errorCode, detail })
      })
      r.tags()
      return topics.flatMap((topic): ReadonlyArray<TopicOutcome> => {
        const { name, topicId } = topic
        if (!asked.includes(topic)) return [{ name, errorCode: ErrorCode.unsupportedVersion, detail: undefined }]
        const outcome = topicId === undefined ? byName.get(name) : byId.get(topicId)
        return outcome === undefined ? [] : [{ name, ...outcome }]
      })
    }
  }
}
