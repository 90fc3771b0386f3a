import type { WireProduce, WireProduced } from "../../KafkaWriteWire.ts"
import type { Api, Call } from "./Api.ts"
import { Malformed } from "./Reader.ts"

/** 7 is the first with zstd (KIP-110) and is in Kafka 2.1; 13 is the first with topic ids (KIP-516). */
export const api: Api = { key: 0, name: "Produce", minVersion: 7, maxVersion: 13, flexibleFrom: 9 }

const byTopicId = 13
/** Acknowledged by all in-sync replicas. */
const acksOfAll = -1

/** How long the leader may wait for its replicas (Kafka's default `request.timeout.ms`). */
export const replicationMillis = 30_000

/** The version for this partition: 13 only if its topic id is known. */
export const versionFor = (request: Pick<WireProduce, "topicId">, best: number): number =>
  request.topicId === undefined ? Math.min(best, byTopicId - 1) : best

/** One batch for one partition, outside of transactions. The pieces of the batch are not copied. */
export const call = (request: WireProduce, version: number): Call<WireProduced> => ({
  api,
  version,
  encode: (w) => {
    w.nullableString(undefined).int16(acksOfAll).int32(replicationMillis)
    w.arrayLength(1)
    if (version >= byTopicId) w.uuid(request.topicId ?? "")
    else w.string(request.topic)
    w.arrayLength(1).int32(request.partition).bytesOf(request.batch).noTags()
    w.noTags()
    w.noTags()
  },
  decode: (r) => {
    const answers: Array<Omit<WireProduced, "throttleMillis">> = []
    r.array(6, () => {
      if (version >= byTopicId) r.uuid()
      else r.string()
      r.array(30, () => {
        const partition = r.int32()
        const errorCode = r.int16()
        const baseOffset = r.int64()
        r.int64()
        r.int64()
        const wrongRecords =
          version < 8
            ? []
            : r.array(5, () => {
                r.int32()
                const why = r.nullableString()
                r.tags()
                return why
              })
        const detail = (version < 8 ? undefined : r.nullableString()) ?? wrongRecords.find((why) => why !== undefined)
        r.tags()
        if (partition === request.partition) answers.push({ errorCode, detail, baseOffset })
      })
      r.tags()
    })
    const throttleMillis = r.int32()
    r.tags()
    const answer = answers[0]
    if (answer === undefined) throw new Malformed(`the answer does not contain ${request.topic}[${request.partition}]`)
    return { ...answer, throttleMillis }
  }
})

/** An answer with nothing but an error code. */
export const failed = (errorCode: number): WireProduced => ({
  errorCode,
  detail: undefined,
  baseOffset: -1,
  throttleMillis: 0
})
