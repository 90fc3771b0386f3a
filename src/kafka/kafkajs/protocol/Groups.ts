import type { ListedGroup } from "../../KafkaSink.ts"
import type { GroupType } from "../../KafkaSource.ts"
import type { CoordinatorKind } from "../../KafkaWriteWire.ts"
import type { Api, Call } from "./Api.ts"
import type { Node } from "./Metadata.ts"

/** 4 is the first that answers with states (KIP-518), 5 the first with types (KIP-848). */
export const listApi: Api = { key: 16, name: "ListGroups", minVersion: 0, maxVersion: 5, flexibleFrom: 3 }
export const coordinatorApi: Api = { key: 10, name: "FindCoordinator", minVersion: 1, maxVersion: 2, flexibleFrom: 3 }

/** Source: Kafka protocol guide, FindCoordinator, "key_type". */
const keyType = { group: 0, transaction: 1 } as const

const types: ReadonlyArray<GroupType> = ["classic", "consumer", "share", "streams"]

/** The groups that this broker coordinates and the principal may describe, of every type and in every state. */
export const list = (
  version: number
): Call<{ readonly errorCode: number; readonly groups: ReadonlyArray<ListedGroup> }> => ({
  api: listApi,
  version,
  encode: (w) => {
    if (version >= 4) w.arrayLength(0)
    if (version >= 5) w.arrayLength(0)
    w.noTags()
  },
  decode: (r) => {
    if (version >= 1) r.int32()
    const errorCode = r.int16()
    const groups = r.array(2, () => {
      const groupId = r.string()
      r.string()
      const state = version >= 4 ? r.string() : undefined
      const named = version >= 5 ? r.string().toLowerCase() : undefined
      const type = types.find((known) => known === named)
      r.tags()
      return { groupId, ...(state === undefined ? {} : { state }), ...(type === undefined ? {} : { type }) }
    })
    r.tags()
    return { errorCode, groups }
  }
})

/** The broker that coordinates a consumer group or a transactional id. */
export const coordinator = (
  kind: CoordinatorKind,
  key: string,
  version: number
): Call<{ readonly errorCode: number; readonly node: Node }> => ({
  api: coordinatorApi,
  version,
  encode: (w) => {
    w.string(key).int8(keyType[kind])
  },
  decode: (r) => {
    r.int32()
    const errorCode = r.int16()
    r.nullableString()
    return { errorCode, node: { nodeId: r.int32(), host: r.string(), port: r.int32() } }
  }
})
