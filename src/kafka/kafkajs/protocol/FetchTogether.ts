import { ErrorCode } from "../../ErrorCode.ts"
import type { WireFetch } from "../../KafkaWire.ts"
import type { Call } from "./Api.ts"
import * as Fetch from "./Fetch.ts"
import { Malformed } from "./Reader.ts"

/** Topics are named in a request by id or by name, as the version has it. */
const nameOf = ({ topic, topicId }: Pick<WireFetch, "topic" | "topicId">, version: number): string =>
  version >= Fetch.byTopicId ? (topicId ?? "") : topic

/** The version for these partitions: 13 only if the ids of all topics are known. */
export const versionFor = (requests: ReadonlyArray<Pick<WireFetch, "topicId">>, best: number): number =>
  Math.min(...requests.map((request) => Fetch.versionFor(request, best)))

/**
 * Several partitions of one leader in one Fetch, sessionless, read_committed, of at most `maxBytes` together; the first
 * of them comes with one batch at least, if it has one (KIP-74). One answer per partition, in the order of the request.
 */
export const call = (
  requests: ReadonlyArray<WireFetch>,
  maxBytes: number,
  version: number
): Call<ReadonlyArray<Fetch.Answer>> => ({
  api: Fetch.api,
  version,
  encode: (w) => {
    const maxWaitMillis = Math.min(...requests.map((request) => request.maxWaitMillis))
    Fetch.encodeHead(w, maxWaitMillis, maxBytes)
    const topics = Map.groupBy(requests, (request) => nameOf(request, version))
    w.arrayLength(topics.size)
    for (const [name, partitions] of topics) {
      if (version >= Fetch.byTopicId) w.uuid(name)
      else w.string(name)
      w.arrayLength(partitions.length)
      for (const request of partitions) Fetch.encodePartition(w, request, version)
      w.noTags()
    }
    Fetch.encodeTail(w, version)
  },
  decode: (r) => {
    const { answers, errorCode, throttleMillis } = Fetch.decodeAll(r, version)
    return requests.map((request) => {
      const found = answers.get(`${nameOf(request, version)}/${request.partition}`)
      if (found !== undefined) return found
      // A throttled answer may be empty, and a top-level error names no partition.
      if (errorCode !== ErrorCode.none || throttleMillis > 0) return Fetch.failed(errorCode, throttleMillis)
      throw new Malformed(`the answer does not contain ${request.topic}[${request.partition}]`)
    })
  }
})
