import type { ScramUser } from "../../AccessRules.ts"
import type { Api, Call } from "./Api.ts"

/** KIP-554, Kafka 2.7. */
export const api: Api = {
  key: 50,
  name: "DescribeUserScramCredentials",
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0
}

const mechanisms: Readonly<Record<number, ScramUser["mechanisms"][number]>> = { 1: "SCRAM-SHA-256", 2: "SCRAM-SHA-512" }

export interface Answer {
  readonly errorCode: number
  readonly detail: string | undefined
  readonly users: ReadonlyArray<ScramUser>
}

/**
 * All users that have a SCRAM password. Asked for by an empty list: with an absent one, brokers that refuse it fail to
 * make their answer, and close the connection (Kafka 4.3).
 */
export const call = (version: number): Call<Answer> => ({
  api,
  version,
  encode: (w) => void w.arrayLength(0).noTags(),
  decode: (r) => {
    r.int32()
    const errorCode = r.int16()
    const detail = r.nullableString()
    const found = r.array(6, () => {
      const name = r.string()
      const code = r.int16()
      r.nullableString()
      const known = r.array(6, () => {
        const mechanism = mechanisms[r.int8()]
        r.int32()
        r.tags()
        return mechanism
      })
      r.tags()
      return { name, code, mechanisms: known.filter((mechanism) => mechanism !== undefined) }
    })
    r.tags()
    return {
      errorCode,
      detail,
      users: found.filter(({ code }) => code === 0).map(({ mechanisms: known, name }) => ({ name, mechanisms: known }))
    }
  }
})
