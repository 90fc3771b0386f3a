import { type AccessOutcome, keyOfQuota, type Quota } from "../../AccessRules.ts"
import type { Api, Call } from "./Api.ts"
import { Malformed, type Reader } from "./Reader.ts"

/** Both of KIP-546, Kafka 2.6. */
export const describeApi: Api = {
  key: 48,
  name: "DescribeClientQuotas",
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 1
}
export const alterApi: Api = { key: 49, name: "AlterClientQuotas", minVersion: 0, maxVersion: 1, flexibleFrom: 1 }

export interface Answer {
  readonly errorCode: number
  readonly detail: string | undefined
  readonly quotas: ReadonlyArray<Quota>
}

const entityOf = (r: Reader): Quota["entity"] =>
  r.array(2, () => {
    const type = r.string()
    const name = r.nullableString() ?? null
    r.tags()
    return { type, name }
  })

/** All quotas. A value that is not finite limits nothing, and is left out. */
export const describe = (version: number): Call<Answer> => ({
  api: describeApi,
  version,
  encode: (w) => void w.arrayLength(0).boolean(false).noTags(),
  decode: (r) => {
    r.int32()
    const errorCode = r.int16()
    const detail = r.nullableString()
    const quotas = r.array(2, (): Quota => {
      const entity = entityOf(r)
      const values = r.array(9, () => {
        const key = r.string()
        const value = r.float64()
        r.tags()
        return [key, value] as const
      })
      r.tags()
      return { entity, values: Object.fromEntries(values.filter(([, value]) => Number.isFinite(value))) }
    })
    r.tags()
    return { errorCode, detail, quotas }
  }
})

/** One outcome for each, in their order. */
export const alter = (
  quotas: ReadonlyArray<Quota>,
  validateOnly: boolean,
  version: number
): Call<ReadonlyArray<AccessOutcome>> => ({
  api: alterApi,
  version,
  encode: (w) => {
    w.arrayLength(quotas.length)
    for (const { entity, values } of quotas) {
      w.arrayLength(entity.length)
      for (const { name, type } of entity)
        w.string(type)
          .nullableString(name ?? undefined)
          .noTags()
      const entries = Object.entries(values)
      w.arrayLength(entries.length)
      for (const [key, value] of entries) w.string(key).float64(value).boolean(false).noTags()
      w.noTags()
    }
    w.boolean(validateOnly).noTags()
  },
  decode: (r) => {
    r.int32()
    const answers = r.array(4, () => {
      const errorCode = r.int16()
      const detail = r.nullableString()
      const key = keyOfQuota({ entity: entityOf(r) })
      r.tags()
      return { key, outcome: { errorCode, detail } }
    })
    r.tags()
    // Brokers do not keep the order.
    const byKey = new Map(answers.map(({ key, outcome }) => [key, outcome]))
    return quotas.map((quota) => {
      const outcome = byKey.get(keyOfQuota(quota))
      if (outcome === undefined) throw new Malformed(`the answer does not contain the quota of ${keyOfQuota(quota)}`)
      return outcome
    })
  }
})
