import type { WireFetch, WireFetched } from "../../KafkaWire.ts"
import type { Api, Call } from "./Api.ts"
import { Malformed, type Reader } from "./Reader.ts"
import type { Writer } from "./Writer.ts"

/** 10 is the first with zstd (KIP-110), 13 the first with topic ids (KIP-516). */
export const api: Api = { key: 1, name: "Fetch", minVersion: 10, maxVersion: 13, flexibleFrom: 12 }

/** From this version on topics are named by id. */
export const byTopicId = 13
const readCommitted = 1

export type Answer = Omit<WireFetched, "release">

/** The version for this partition: 13 only if its topic id is known. */
export const versionFor = (request: Pick<WireFetch, "topicId">, best: number): number =>
  request.topicId === undefined ? Math.min(best, byTopicId - 1) : best

export const encodeHead = (w: Writer, maxWaitMillis: number, maxBytes: number): void => {
  w.int32(-1).int32(maxWaitMillis).int32(1).int32(maxBytes).int8(readCommitted)
  w.int32(0).int32(-1)
}

export const encodePartition = (w: Writer, request: WireFetch, version: number): void => {
  w.int32(request.partition).int32(-1).int64(request.offset)
  if (version >= 12) w.int32(-1)
  w.int64(-1).int32(request.maxBytes).noTags()
}

export const encodeTail = (w: Writer, version: number): void => {
  w.arrayLength(0)
  if (version >= 11) w.string("")
  w.noTags()
}

/** What the broker answered: each partition by the name or id of its topic, a slash and its number. */
export interface Answers {
  readonly throttleMillis: number
  /** Of the whole answer. */
  readonly errorCode: number
  readonly answers: ReadonlyMap<string, Answer>
}

export const decodeAll = (r: Reader, version: number): Answers => {
  const throttleMillis = r.int32()
  const errorCode = r.int16()
  r.int32()
  const answers = new Map<string, Answer>()
  r.array(1, () => {
    const topic = version >= byTopicId ? r.uuid() : r.string()
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
      answers.set(`${topic}/${partition}`, {
        errorCode: errorCode === 0 ? partitionError : errorCode,
        throttleMillis,
        highWatermark,
        lastStableOffset,
        logStartOffset,
        aborted,
        preferredReadReplica,
        records
      })
    })
    r.tags()
  })
  r.tags()
  return { throttleMillis, errorCode, answers }
}

/** One partition, sessionless, read_committed. `records` of the answer is a view of the frame. */
export const call = (request: WireFetch, version: number): Call<Answer> => ({
  api,
  version,
  encode: (w) => {
    encodeHead(w, request.maxWaitMillis, request.maxBytes)
    w.arrayLength(1)
    if (version >= byTopicId) w.uuid(request.topicId ?? "")
    else w.string(request.topic)
    w.arrayLength(1)
    encodePartition(w, request, version)
    w.noTags()
    encodeTail(w, version)
  },
  decode: (r) => {
    const { answers, errorCode, throttleMillis } = decodeAll(r, version)
    for (const [place, answer] of answers) if (place.endsWith(`/${request.partition}`)) return answer
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
