import { decodeBatches } from "../batch/BatchDecoding.ts"
import { classOf, reasonFor } from "./ErrorCodeClass.ts"
import { CorruptBatch, KafkaError, type KafkaReason, UnsupportedBatch } from "../KafkaError.ts"
import type { FetchedBatches, ReadRequest } from "../KafkaSource.ts"
import type { WireFetched } from "../KafkaWire.ts"

/** The outcome of one fetch, which decides what to do next. */
export type FetchOutcome =
  | { readonly _tag: "Progress"; readonly element: FetchedBatches }
  /** Another attempt would not help. */
  | { readonly _tag: "Failed"; readonly error: KafkaError }
  /** The leader names this node to read from instead. */
  | { readonly _tag: "Redirected"; readonly node: number }
  /** The first batch is larger than the limit of the fetch. */
  | { readonly _tag: "CutShort"; readonly neededBytes: number }
  | { readonly _tag: "OutOfRange" }
  | { readonly _tag: "Throttled"; readonly millis: number }
  | { readonly _tag: "Empty"; readonly highWatermark: number; readonly lastStableOffset: number }
  /** Data arrived that is valid, but does not move the position. */
  | { readonly _tag: "Stuck"; readonly bytes: number }
  /** Another fetch may bring valid data; if it does not, `error` is the failure. */
  | { readonly _tag: "Unsound"; readonly error: KafkaError }
  | { readonly _tag: "Missing" }
  /** Leadership moved, or the connection was lost. */
  | { readonly _tag: "Moved"; readonly error: KafkaError }

/** A fetch that was sent, and the node that it was sent to. */
export interface SentFetch {
  readonly request: ReadRequest
  readonly position: number
  readonly node: number
  readonly maxBytes: number
}

const fetchError = (reason: KafkaReason) => new KafkaError({ operation: "fetch", reason })

export const failed = (reason: KafkaReason): FetchOutcome => ({ _tag: "Failed", error: fetchError(reason) })

/** The outcome for a moved leader, or for metadata without a leader. */
export const moved = (code: number, { topic, partition }: ReadRequest): FetchOutcome => ({
  _tag: "Moved",
  error: fetchError(reasonFor(code, topic, "Read", `fetching ${topic}[${partition}]`))
})

/** Classifies an answer. Releases its buffers, unless the outcome is `Progress`, whose element then owns them. */
export const outcomeOf = (sent: SentFetch, answer: WireFetched): FetchOutcome => {
  let open = true
  const release = () => {
    if (!open) return
    open = false
    answer.release()
  }
  const outcome = classify(sent, answer, release)
  if (outcome._tag !== "Progress") release()
  return outcome
}

const classify = (sent: SentFetch, answer: WireFetched, release: () => void): FetchOutcome => {
  const { request, position } = sent
  const place = { topic: request.topic, partition: request.partition }
  switch (classOf(answer.errorCode)) {
    case "moved":
      return moved(answer.errorCode, request)
    case "missing":
      return { _tag: "Missing" }
    case "out of range":
      return { _tag: "OutOfRange" }
    case "corrupt": {
      const detail = "the broker reports that its log is damaged here"
      return { _tag: "Unsound", error: fetchError(new CorruptBatch({ ...place, offset: position, detail })) }
    }
    case "refused":
      return failed(
        reasonFor(answer.errorCode, request.topic, "Read", `fetching ${request.topic}[${request.partition}]`)
      )
    case "none":
      break
  }
  if (answer.records.length === 0) {
    const replica = answer.preferredReadReplica
    if (replica >= 0 && replica !== sent.node) return { _tag: "Redirected", node: replica }
    if (answer.throttleMillis > 0) return { _tag: "Throttled", millis: answer.throttleMillis }
    const { highWatermark, lastStableOffset } = answer
    return { _tag: "Empty", highWatermark, lastStableOffset }
  }
  const decoded = decodeBatches({
    records: answer.records,
    from: position,
    until: request.until,
    maxBytes: sent.maxBytes,
    highWatermark: answer.highWatermark,
    aborted: answer.aborted
  })
  if (decoded.position > position) {
    const { batches, leaderEpoch, position: moved } = decoded
    const epoch = leaderEpoch === undefined ? {} : { leaderEpoch }
    const sizes = { fetchedBytes: answer.records.length, askedBytes: sent.maxBytes }
    const element = { ...place, batches, position: moved, ...sizes, ...epoch, release }
    return { _tag: "Progress", element }
  }
  switch (decoded.problem?._tag) {
    case undefined:
      return { _tag: "Stuck", bytes: answer.records.length }
    case "CutShort":
      return decoded.problem
    case "Corrupt": {
      const { offset, detail } = decoded.problem
      return { _tag: "Unsound", error: fetchError(new CorruptBatch({ ...place, offset, detail })) }
    }
    case "Unsupported": {
      const { offset, detail, advice } = decoded.problem
      return { _tag: "Unsound", error: fetchError(new UnsupportedBatch({ ...place, offset, detail, advice })) }
    }
  }
}
