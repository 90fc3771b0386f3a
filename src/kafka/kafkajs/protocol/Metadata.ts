import type { WireMetadata } from "../../KafkaWire.ts"
import type { Api, Call } from "./Api.ts"

/** 5 is Kafka 1.0; 7 adds leader epochs, 10 topic ids (KIP-516). */
export const api: Api = { key: 3, name: "Metadata", minVersion: 5, maxVersion: 12, flexibleFrom: 9 }

export interface Node {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface Answer extends WireMetadata {
  readonly nodes: ReadonlyArray<Node>
  /** The node that creates and deletes topics; with KRaft any node, which passes requests on. -1 without one. */
  readonly controller: number
}

const noEpoch = -1

/** All topics, or the named ones (none: brokers only). Never creates a topic. */
export const call = (names: ReadonlyArray<string> | "all", version: number): Call<Answer> => ({
  api,
  version,
  encode: (w) => {
    w.arrayLength(names === "all" ? null : names.length)
    for (const name of names === "all" ? [] : names) {
      if (version >= 10) w.zeroUuid()
      w.string(name).noTags()
    }
    w.boolean(false)
    if (version >= 8 && version <= 10) w.boolean(false)
    if (version >= 8) w.boolean(false)
    w.noTags()
  },
  decode: (r) => {
    r.int32()
    const nodes = r.array(11, () => {
      const node = { nodeId: r.int32(), host: r.string(), port: r.int32() }
      r.nullableString()
      r.tags()
      return node
    })
    const clusterId = r.nullableString()
    const controller = r.int32()
    const topics = r.array(9, () => {
      const errorCode = r.int16()
      const name = r.nullableString() ?? ""
      const topicId = version >= 10 ? r.uuid() : undefined
      const isInternal = r.boolean()
      const partitions = r.array(18, () => {
        const errorCode = r.int16()
        const partition = r.int32()
        const leader = r.int32()
        const leaderEpoch = version >= 7 ? r.int32() : noEpoch
        const replicas = r.array(4, () => r.int32())
        r.array(4, () => r.int32())
        r.array(4, () => r.int32())
        r.tags()
        return { partition, errorCode, leader, leaderEpoch, replicas }
      })
      if (version >= 8) r.int32()
      r.tags()
      partitions.sort((a, b) => a.partition - b.partition)
      return { errorCode, name, ...(topicId === undefined ? {} : { topicId }), isInternal, partitions }
    })
    if (version >= 8 && version <= 10) r.int32()
    r.tags()
    return { clusterId, controller, nodes, brokers: nodes.map(({ nodeId }) => nodeId), topics }
  }
})
