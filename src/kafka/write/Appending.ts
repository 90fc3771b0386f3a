import { Clock, Effect, Result } from "effect"
import type { KafkaError } from "../KafkaError.ts"
import type { Append, Appended } from "../KafkaSink.ts"
import type { KafkaWriteWire, WireProduced } from "../KafkaWriteWire.ts"
import { outcomeOf } from "./AppendOutcome.ts"
import type { LeaderLookup } from "./LeaderLookup.ts"
import { makePipelines, type Turn } from "./Pipeline.ts"
import type { Asked } from "./Refusal.ts"

/** `KafkaSink.append` on a wire. */
export const makeAppending = (
  wire: KafkaWriteWire,
  leaders: LeaderLookup
): ((append: Append) => Effect.Effect<Appended, KafkaError>) => {
  const pipelines = makePipelines()
  /** When a broker that has throttled us may be sent to again, by node. */
  const throttledUntil = new Map<number, number>()

  const askedBy = ({ partition, topic }: Append): Asked => ({
    doing: `writing to ${topic}[${partition}]`,
    topic: { resource: `topic ${topic}`, operation: "Write" },
    cluster: { resource: "cluster", operation: "IdempotentWrite" }
  })

  /** The broker answers at once and handles nothing more from us until the time is over (KIP-219). */
  const unthrottled = (leader: number) =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMillis) =>
      Effect.sleep(Math.max(0, (throttledUntil.get(leader) ?? 0) - nowMillis))
    )

  const judge = (append: Append, answer: WireProduced) => {
    const outcome = outcomeOf(answer, append, askedBy(append))
    return "_tag" in outcome && outcome._tag !== "KafkaError" ? Effect.succeed(outcome) : Effect.fail(outcome)
  }

  const send = Effect.fnUntraced(function* (append: Append, { pipeline, sent }: Turn) {
    const found = yield* leaders.find(append)
    if (found._tag === "NoLeader") return { _tag: "NotYet", reason: found.reason } as const
    const { leader } = found
    yield* unthrottled(leader)
    const sending = yield* wire.produce({ ...append, leader }, pipeline.connection)
    sent(sending.connection)
    const answer = yield* Effect.result(sending.answer)
    if (Result.isFailure(answer)) return { _tag: "Unclear", reason: answer.failure.reason } as const
    const { throttleMillis } = answer.success
    if (throttleMillis > 0) throttledUntil.set(leader, (yield* Clock.currentTimeMillis) + throttleMillis)
    return yield* judge(append, answer.success)
  })

  return (append) =>
    pipelines
      .inTurn(`${append.topic} ${append.partition}`, (turn) =>
        send(append, turn).pipe(
          // Only what happens before the batch was sent can fail retryably.
          Effect.catchIf(
            (error) => error.isRetryable,
            (error) => Effect.succeed<Appended>({ _tag: "NotYet", reason: error.reason })
          )
        )
      )
      .pipe(
        Effect.tap((outcome) =>
          Effect.sync(() => (outcome._tag === "Appended" ? undefined : leaders.invalidate(append.topic)))
        )
      )
}
