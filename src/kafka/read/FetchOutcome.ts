import { decodeBatches } from "../batch/BatchDecoding.ts"
import { meaningOf, reasonFor } from "./ErrorCodeClass.ts"
import { CorruptBatch, KafkaError, type KafkaReason, UnsupportedBatch } from "../KafkaError.ts"
import type { FetchedBatches, ReadRequest } from "../KafkaSource.ts"
import type { WireFetched } from "../KafkaWire.ts"

/** What one attempt at a fetch came to, and so what to do next. */
export type FetchOutcome =
  | { readonly _tag: "Progress"; readonly element: FetchedBatches }
  /** No further attempt would help. */
  | { readonly _tag: "Failed"; readonly error: KafkaError }
  /** The leader sends us to this node instead. */
  | { readonly _tag: "Redirected"; readonly node: number }
  /** The first batch did not fit into the ceiling. */
  | { readonly _tag: "CutShort"; readonly neededBytes: number }
  | { readonly _tag: "OutOfRange" }
  | { readonly _tag: "Throttled"; readonly millis: number }
  | { readonly _tag: "Empty"; readonly highWatermark: number; readonly lastStableOffset: number }
  /** Bytes came that neither moved the position nor were wrong. */
  | { readonly _tag: "Stuck"; readonly bytes: number }
  /** Asking again may bring a sound answer; if it does not, `error` is true. */
  | { readonly _tag: "Unsound"; readonly error: KafkaError }
  | { readonly _tag: "Missing" }
  /** Leadership moved, or the connection was lost. */
  | { readonly _tag: "Moved"; readonly error: KafkaError }

/** Where the fetch was sent and what it asked. */
export interface FetchQuestion {
  readonly request: ReadRequest
  readonly position: number
  readonly node: number
  readonly maxBytes: number
}

const fetchError = (reason: KafkaReason) => new KafkaError({ operation: "fetch", reason })

export const failed = (reason: KafkaReason): FetchOutcome => ({ _tag: "Failed", error: fetchError(reason) })

/** `moved` for a code that says so, or for an answer without a leader. */
export const moved = (code: number, { topic, partition }: ReadRequest): FetchOutcome => ({
  _tag: "Moved",
  error: fetchError(reasonFor(code, topic, "Read", `fetching ${topic}[${partition}]`))
})

/** Judges an answer. Unless the outcome is `Progress`, whose element carries them, the answer's buffers are given back. */
export const outcomeOf = (question: FetchQuestion, answer: WireFetched): FetchOutcome => {
  let open = true
  const release = () => {
    if (!open) return
    open = false
    answer.release()
  }
  const outcome = judge(question, answer, release)
  if (outcome._tag !== "Progress") release()
  return outcome
}

const judge = (question: FetchQuestion, answer: WireFetched, release: () => void): FetchOutcome => {
  const { request, position } = question
  const place = { topic: request.topic, partition: request.partition }
  switch (meaningOf(answer.errorCode)) {
    case "moved":
      return moved(answer.errorCode, request)
    case "missing":
      return { _tag: "Missing" }
    case "out of range":
      return { _tag: "OutOfRange" }
    case "corrupt": {
      const detail = "the broker finds its own log damaged here"
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
    if (replica >= 0 && replica !== question.node) return { _tag: "Redirected", node: replica }
    if (answer.throttleMillis > 0) return { _tag: "Throttled", millis: answer.throttleMillis }
    const { highWatermark, lastStableOffset } = answer
    return { _tag: "Empty", highWatermark, lastStableOffset }
  }
  const decoded = decodeBatches({
    records: answer.records,
    from: position,
    until: request.until,
    maxBytes: question.maxBytes,
    highWatermark: answer.highWatermark,
    aborted: answer.aborted
  })
  if (decoded.position > position) {
    const { batches } = decoded
    const fetchedBytes = answer.records.length
    return { _tag: "Progress", element: { ...place, batches, position: decoded.position, fetchedBytes, release } }
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
