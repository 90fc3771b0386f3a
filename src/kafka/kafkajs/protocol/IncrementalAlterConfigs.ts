import type { Api, Call } from "./Api.ts"
import { Malformed } from "./Reader.ts"

/** Kafka 2.3 and later (KIP-339). */
export const api: Api = { key: 44, name: "IncrementalAlterConfigs", minVersion: 0, maxVersion: 1, flexibleFrom: 1 }

const topicResource = 2
const set = 0
const toDefault = 1

export interface Answer {
  readonly errorCode: number
  readonly detail: string | undefined
}

/** Sets (a text) or resets (null) configurations of one topic, or says with `validateOnly` what would become of it. */
export const call = (
  topic: string,
  configs: Readonly<Record<string, string | null>>,
  version: number,
  validateOnly = false
): Call<Answer> => ({
  api,
  version,
  encode: (w) => {
    const entries = Object.entries(configs)
    w.arrayLength(1).int8(topicResource).string(topic).arrayLength(entries.length)
    for (const [key, value] of entries) {
      w.string(key)
        .int8(value === null ? toDefault : set)
        .nullableString(value ?? undefined)
        .noTags()
    }
    w.noTags()
    w.boolean(validateOnly).noTags()
  },
  decode: (r) => {
    r.int32()
    const [answer] = r.array(5, () => {
      const errorCode = r.int16()
      const detail = r.nullableString()
      r.int8()
      r.string()
      r.tags()
      return { errorCode, detail }
    })
    r.tags()
    if (answer === undefined) throw new Malformed(`the answer does not contain topic ${topic}`)
    return answer
  }
})
