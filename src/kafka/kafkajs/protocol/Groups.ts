import type { CoordinatorKind } from "../../KafkaWriteWire.ts"
import type { Api, Call } from "./Api.ts"
import type { Node } from "./Metadata.ts"

export const listApi: Api = { key: 16, name: "ListGroups", minVersion: 0, maxVersion: 2, flexibleFrom: 3 }
export const coordinatorApi: Api = { key: 10, name: "FindCoordinator", minVersion: 1, maxVersion: 2, flexibleFrom: 3 }

/** Source: Kafka protocol guide, FindCoordinator, "key_type". */
const keyType = { group: 0, transaction: 1 } as const

/** The groups that this broker coordinates and the principal may describe. */
export const list = (
  version: number
): Call<{ readonly errorCode: number; readonly groupIds: ReadonlyArray<string> }> => ({
  api: listApi,
  version,
  encode: () => undefined,
  decode: (r) => {
    if (version >= 1) r.int32()
    const errorCode = r.int16()
    const groupIds = r.array(4, () => {
      const groupId = r.string()
      r.string()
      return groupId
    })
    return { errorCode, groupIds }
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
