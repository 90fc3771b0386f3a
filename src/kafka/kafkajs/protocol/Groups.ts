import type { PartitionOffset } from "../../KafkaSource.ts"
import type { Api, Call } from "./Api.ts"
import type { Node } from "./Metadata.ts"

export const listApi: Api = { key: 16, name: "ListGroups", minVersion: 0, maxVersion: 2, flexibleFrom: 3 }
export const coordinatorApi: Api = { key: 10, name: "FindCoordinator", minVersion: 1, maxVersion: 2, flexibleFrom: 3 }
/** 2 is the first that answers for all topics of a group (KIP-88). */
export const offsetsApi: Api = { key: 9, name: "OffsetFetch", minVersion: 2, maxVersion: 5, flexibleFrom: 6 }

const consumerGroup = 0

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

export const coordinator = (
  groupId: string,
  version: number
): Call<{ readonly errorCode: number; readonly node: Node }> => ({
  api: coordinatorApi,
  version,
  encode: (w) => {
    w.string(groupId).int8(consumerGroup)
  },
  decode: (r) => {
    r.int32()
    const errorCode = r.int16()
    r.nullableString()
    return { errorCode, node: { nodeId: r.int32(), host: r.string(), port: r.int32() } }
  }
})

/** All committed offsets (>= 0) of a group; partitions with an error are left out. */
export const offsets = (
  groupId: string,
  version: number
): Call<{ readonly errorCode: number; readonly offsets: ReadonlyArray<PartitionOffset> }> => ({
  api: offsetsApi,
  version,
  encode: (w) => {
    w.string(groupId).arrayLength(null)
  },
  decode: (r) => {
    if (version >= 3) r.int32()
    const committed: Array<PartitionOffset> = []
    r.array(6, () => {
      const topic = r.string()
      r.array(16, () => {
        const partition = r.int32()
        const offset = r.int64()
        if (version >= 5) r.int32()
        r.nullableString()
        const errorCode = r.int16()
        if (errorCode === 0 && offset >= 0) committed.push({ topic, partition, offset })
      })
    })
    return { errorCode: r.int16(), offsets: committed }
  }
})
