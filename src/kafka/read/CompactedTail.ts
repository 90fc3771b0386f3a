import { Effect } from "effect"
import type { KafkaWire, WireFetch } from "../KafkaWire.ts"

/** Offsets to try beyond the position: enough to find data if there is any, few enough to cost little. */
const probes = 8

const isCompacted = (wire: KafkaWire, topic: string): Effect.Effect<boolean> =>
  wire.topicConfigs([topic]).pipe(
    Effect.map((configs) => configs.get(topic)?.["cleanup.policy"]?.includes("compact") ?? false),
    // Without DescribeConfigs nothing is proven: the read waits on, and fails with `Stalled` at its time limit.
    Effect.orElseSucceed(() => false)
  )

/**
 * Whether no record is left between `request.offset`, where an answer was empty, and `until`. Compaction removes old
 * tombstones and transaction markers, and an open transaction after them may hold back the last stable offset, so that
 * a fetch there stays empty for ever. True only if the topic is compacted and the leader has no data at other offsets
 * either.
 */
export const isCompactedTail = Effect.fnUntraced(function* (wire: KafkaWire, request: WireFetch, until: number) {
  if (!(yield* isCompacted(wire, request.topic))) return false
  const span = until - 1 - request.offset
  const offsets = new Set(
    Array.from({ length: probes }, (_, i) => request.offset + Math.ceil((span * (i + 1)) / probes))
  )
  for (const offset of offsets) {
    const isEmpty = yield* Effect.uninterruptibleMask((restore) =>
      restore(wire.fetch({ ...request, offset })).pipe(
        Effect.map((answer) => {
          answer.release()
          return answer.errorCode === 0 && answer.records.length === 0 && answer.throttleMillis === 0
        })
      )
    )
    if (!isEmpty) return false
  }
  return true
})
