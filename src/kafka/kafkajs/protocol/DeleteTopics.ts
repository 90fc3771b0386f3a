import type { TopicOutcome } from "../../KafkaSink.ts"
import type { Api, Call } from "./Api.ts"
import { waitMillis } from "./CreateTopics.ts"

/** 5 is the first with an explanation of the error; 6 deletes by id and is not used here. */
export const api: Api = { key: 20, name: "DeleteTopics", minVersion: 1, maxVersion: 5, flexibleFrom: 4 }

/** One outcome per topic, in the order of the broker. */
export const call = (names: ReadonlyArray<string>, version: number): Call<ReadonlyArray<TopicOutcome>> => ({
  api,
  version,
  encode: (w) => {
    w.arrayLength(names.length)
    for (const name of names) w.string(name)
    w.int32(waitMillis).noTags()
  },
  decode: (r) => {
    r.int32()
    const outcomes = r.array(3, () => {
      const name = r.string()
      const errorCode = r.int16()
      const detail = version >= 5 ? r.nullableString() : undefined
      r.tags()
      return { name, errorCode, detail }
    })
    r.tags()
    return outcomes
  }
})
