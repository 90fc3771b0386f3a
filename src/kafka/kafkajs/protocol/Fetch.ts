import type { WireFetch, WireFetched } from "../../KafkaWire.ts"
import type { Api, Call } from "./Api.ts"
import { Malformed } from "./Reader.ts"

/** 10 is the first with zstd (KIP-110), 13 the first with topic ids (KIP-516). */
export const api: Api = { key: 1, name: "Fetch", minVersion: 10, maxVersion: 13, flexibleFrom: 12 }

const byTopicId = 13
const readCommitted = 1

export type Answer = Omit<WireFetched, "release">

/** The version for this partition: 13 only if its topic id is known. */
export const versionFor = (request: Pick<WireFetch, "topicId">, best: number): number =>
  request.topicId === undefined ? Math.min(best, byTopicId - 1) : best

/** One partition, sessionless, read_committed. `records` of the answer is a view of the frame. */
export const call = (request: WireFetch, version: number): Call<Answer> => ({
  api,
  version,
  encode: (w) => {
    w.int32(-1).int32(request.maxWaitMillis).int32(1).int32(request.maxBytes).int8(readCommitted)
    w.int32(0).int32(-1)
    w.arrayLength(1)
    if (version >= byTopicId) w.uuid(request.topicId ?? "")
    else w.string(request.topic)
    w.arrayLength(1).int32(request.partition).int32(-1).int64(request.offset)
    if (version >= 12) w.int32(-1)
    w.int64(-1).int32(request.maxBytes).noTags()
    w.noTags()
    w.arrayLength(0)
    if (version >= 11) w.string("")
    w.noTags()
  },
  decode: (r) => {
    const throttleMillis = r.int32()
    const errorCode = r.int16()
    r.int32()
    const answers: Array<Answer> = []
    r.array(1, () => {
      if (version >= byTopicId) r.uuid()
      else r.string()
      r.array(1, () => {
        const partition = r.int32()
        const partitionError = r.int16()
        const highWatermark = r.int64()
        const lastStableOffset = r.int64()
        const logStartOffset = r.int64()
        const aborted = r.array(16, () => {
          const entry = { producerId: r.int64(), firstOffset: r.int64() }
          r.tags()
          return entry
        })
        const preferredReadReplica = version >= 11 ? r.int32() : -1
        const records = r.nullableBytes()
        r.tags()
        if (partition === request.partition) {
          answers.push({
            errorCode: errorCode === 0 ? partitionError : errorCode,
            throttleMillis,
            highWatermark,
            lastStableOffset,
            logStartOffset,
            aborted,
            preferredReadReplica,
            records
          })
        }
      })
      r.tags()
    })
    r.tags()
    const answer = answers[0]
    if (answer !== undefined) return answer
    // A throttled answer may be empty, and a top-level error names no partition. Any other answer must name the
    // partition.
    if (errorCode === 0 && throttleMillis === 0) {
      throw new Malformed(`the answer does not contain ${request.topic}[${request.partition}]`)
    }
    return failed(errorCode, throttleMillis)
  }
})

/** An answer with nothing but an error code. */
export const failed = (errorCode: number, throttleMillis: number): Answer => ({
  errorCode,
  throttleMillis,
  highWatermark: -1,
  lastStableOffset: -1,
  logStartOffset: -1,
  aborted: [],
  preferredReadReplica: -1,
  records: Buffer.alloc(0)
})
