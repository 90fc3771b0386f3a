import { Effect } from "effect"
import type { KafkaWire, WireFetch } from "../KafkaWire.ts"

/** Offsets asked for besides the position: enough to meet a stretch that answers, few enough to cost nothing. */
const probes = 8

const isCompacted = (wire: KafkaWire, topic: string): Effect.Effect<boolean> =>
  wire.topicConfigs([topic]).pipe(
    Effect.map((configs) => configs.get(topic)?.["cleanup.policy"]?.includes("compact") ?? false),
    // Without the right to know, nothing is proven; the read goes on waiting and says so in the end.
    Effect.orElseSucceed(() => false)
  )

/**
 * Whether nothing is left between `request.offset`, where an answer was empty, and `until`. Compaction removes old
 * tombstones and transaction markers, and behind them an open transaction may hold the last stable offset, so that no
 * batch will ever answer. True only when the topic is compacted and the leader has nothing at other offsets either.
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
