import type { Api, Call } from "./Api.ts"

/** 1 is the first with the source of a value (KIP-226). */
export const api: Api = { key: 32, name: "DescribeConfigs", minVersion: 1, maxVersion: 2, flexibleFrom: 4 }

const topicResource = 2
/** ConfigSource DYNAMIC_TOPIC_CONFIG: set on the topic itself, not inherited from a broker or a default. */
const setOnTopic = 1

export interface Answer {
  readonly errorCode: number
  readonly errorMessage: string | undefined
  readonly topic: string
  /**
   * Only values set on the topic; with `keys`, those, wherever they come from. Sensitive values, which the broker
   * withholds, are left out.
   */
  readonly config: Readonly<Record<string, string>>
}

export const call = (
  topics: ReadonlyArray<string>,
  version: number,
  keys?: ReadonlyArray<string>
): Call<ReadonlyArray<Answer>> => ({
  api,
  version,
  encode: (w) => {
    w.arrayLength(topics.length)
    for (const topic of topics) {
      w.int8(topicResource)
        .string(topic)
        .arrayLength(keys?.length ?? null)
      for (const key of keys ?? []) w.string(key)
    }
    w.boolean(false)
  },
  decode: (r) => {
    r.int32()
    return r.array(11, () => {
      const errorCode = r.int16()
      const errorMessage = r.nullableString()
      r.int8()
      const topic = r.string()
      const entries: Array<readonly [string, string]> = []
      r.array(11, () => {
        const name = r.string()
        const value = r.nullableString()
        r.boolean()
        const source = r.int8()
        r.boolean()
        r.array(5, () => {
          r.string()
          r.nullableString()
          r.int8()
        })
        if ((keys !== undefined || source === setOnTopic) && value !== undefined) entries.push([name, value])
      })
      return { errorCode, errorMessage, topic, config: Object.fromEntries(entries) }
    })
  }
})
