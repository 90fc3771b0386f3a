import { Clock, Effect } from "effect"
import * as Attempt from "./Attempt.ts"
import * as Holes from "./Holes.ts"
import * as MadeTopics from "./MadeTopics.ts"
import * as OwnConfigs from "./OwnConfigs.ts"
import { RestoreError, type TargetDisturbed } from "./RestoreError.ts"
import * as RestoreMemory from "./RestoreMemory.ts"
import type { RestorePlan } from "./RestorePlan.ts"
import type { ProvenPartition } from "./RestoreWork.ts"
import * as Targets from "./TargetTopic.ts"
import * as TargetTopics from "./TargetTopics.ts"
import type { Underway } from "./Underway.ts"
import * as Writing from "./Writing.ts"

/* The middle of a restore: what no attempt has proven is written, read back and compared. */

/** Whether another attempt would fail in the same way; another one that is at work is left alone. */
const isFinal = ({
  isRetryable,
  reason
}: {
  readonly isRetryable: boolean
  readonly reason: { readonly _tag: string }
}) => !isRetryable && reason._tag !== "RestoreOvertaken" && reason._tag !== "ProducerFenced"

/** How often topics are written anew in one attempt. */
const mostRenewals = 2

type Written = ReturnType<typeof Writing.writeAll>

/** Makes a topic anew that is spoilt, and fails with what spoilt it where that may not be. */
const renew = Effect.fnUntraced(function* (
  { journal, request, systems }: Underway,
  rest: RestorePlan,
  disturbed: TargetDisturbed
) {
  const topic = rest.topics.find(({ target }) => target === disturbed.topic)
  const topicId =
    topic === undefined ? undefined : yield* MadeTopics.renew(systems, topic, request.configs, journal.memory())
  if (topicId === undefined) return yield* new RestoreError({ reason: disturbed })
  yield* journal.remember(new Map([[disturbed.topic, { ...journal.memory().get(disturbed.topic)!, topicId }]]))
})

/** Writes and compares every partition. A topic that earlier attempts of this restore have spoilt is written anew. */
const written = (underway: Underway, rest: RestorePlan, begun: Attempt.Begun, renewals: number): Written => {
  const { hasBegun, means, options, plan, request, systems } = underway
  return Effect.all([
    TargetTopics.ids(systems.sink, plan),
    Holes.writer(systems.sink, request.owner, means, rest.topics, hasBegun)
  ]).pipe(
    Effect.flatMap(([ids, holes]) => Writing.writeAll(systems, request, rest, ids, begun, { ...options, holes })),
    Effect.catchReason("RestoreError", "TargetDisturbed", (disturbed) =>
      renewals === 0
        ? Effect.fail(new RestoreError({ reason: disturbed }))
        : Effect.andThen(renew(underway, rest, disturbed), written(underway, rest, begun, renewals - 1))
    )
  )
}

/** After a failure for good: topics that were made are deleted, and others have what they had before. */
const giveUp = Effect.fnUntraced(function* ({ journal, options, request, systems }: Underway, rest: RestorePlan) {
  const { sink, source } = systems
  options.onRemoved?.(yield* MadeTopics.removeAfterFailure(sink, source, rest.topics, journal.memory()))
  yield* OwnConfigs.giveBack(sink, rest.topics, request.configs, journal.memory())
})

/** Writes and proves what no attempt has proven. Returns what this one compared. */
export const prove = Effect.fnUntraced(function* (underway: Underway) {
  const { journal, options, plan, request, systems, targets, unproven } = underway
  for (const target of targets) {
    if (Targets.isProven(target)) target.topic.partitions.forEach((partition) => options.onProven?.(partition))
  }
  const nothing: ReadonlyArray<ProvenPartition> = []
  if (unproven.length === 0) return nothing
  const rest = { ...plan, topics: unproven.map(({ topic }) => topic) }
  const begun = yield* Attempt.begin(systems.sink, request.owner, (producerId) =>
    journal.change(unproven, (known) => RestoreMemory.withProducer(known, producerId))
  )
  const proven = yield* Effect.raceFirst(written(underway, rest, begun, mostRenewals), begun.untilOvertaken).pipe(
    Effect.tapError((error) => (request.deletesCreated && isFinal(error) ? giveUp(underway, rest) : Effect.void))
  )
  const provenMillis = yield* Clock.currentTimeMillis
  // Before the configuration: from then on the brokers may remove records, and nothing can be compared any more.
  yield* journal.change(unproven, (known) => ({ ...known, provenMillis }))
  return proven
})
