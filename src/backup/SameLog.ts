import { Effect, Exit, Option, Stream } from "effect"
import { KafkaError, LogReplaced } from "../kafka/KafkaError.ts"
import type { EpochEnd, EpochPlace, FetchedBatches, KafkaSourceShape, TopicPartition } from "../kafka/KafkaSource.ts"
import type { PartitionAdvance } from "../manifest/Checkpoint.ts"
import type { PlannedPartition, RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import * as Reuse from "./Reuse.ts"

/*
 * A backup holds records of one log. A leader that was elected uncleanly lost records, and others get their offsets,
 * under a new epoch: whoever goes on at an offset then must know whether the log below is still the one that was read.
 * By offsets alone it cannot be told.
 */

/** How many attempts of one process may be lost to replaced logs before it gives up: unclean elections are rare. */
export const mostReplacements = 4

/** A partition of which an earlier attempt has stored what the log no longer holds. */
export interface Replaced {
  readonly topic: string
  readonly partition: PlannedPartition
}

/** Watches over the logs of one run. */
export interface SameLog {
  /**
   * The unfinished partitions, or those of which something is to be healed, that are not to be gone on with: their logs
   * reach the end of the plan, but no longer hold what was read or taken over. A log that is too short is left to the
   * read, which says so.
   */
  readonly replaced: (plan: RunPlan, state: RunState.RunState) => Effect.Effect<ReadonlyArray<Replaced>, KafkaError>
  /**
   * The answers of a read from `from` on, as long as they are of the log that holds what is below; fails with
   * `LogReplaced`. `leaderEpoch` is that of the last batch below `from`, where it is known. Asks once for each change
   * of the epoch.
   */
  readonly followed: (
    place: TopicPartition & { readonly from: number },
    leaderEpoch: number | undefined
  ) => (answers: Stream.Stream<FetchedBatches, KafkaError>) => Stream.Stream<FetchedBatches, KafkaError>
  /** Fails with `LogReplaced` if the log of the partition no longer holds what is taken over of it. */
  readonly assertTakenOver: (topic: string, partition: PlannedPartition) => Effect.Effect<void, KafkaError>
  /** What the report is to say. */
  readonly notes: () => ReadonlyArray<string>
}

/** The failure of a read whose log was replaced. */
export const isReplaced = (error: unknown): error is KafkaError & { readonly reason: LogReplaced } =>
  error instanceof KafkaError && error.reason._tag === "LogReplaced"

/** The advances that void what earlier attempts recorded of these partitions, and what was taken over. */
export const restarts = (
  state: RunState.RunState,
  partitions: ReadonlyArray<Replaced>
): ReadonlyArray<PartitionAdvance> =>
  partitions.map(({ partition, topic }) =>
    RunState.restart(state, topic, partition, partition.reused === undefined ? undefined : "LogReplaced")
  )

export const make = (kafka: KafkaSourceShape): SameLog => {
  const notes = new Set<string>()

  /** Where epochs end; undefined, and a note, where the brokers do not say it: then offsets alone must do. */
  const ask = (places: ReadonlyArray<EpochPlace>): Effect.Effect<ReadonlyArray<EpochEnd> | undefined, KafkaError> =>
    kafka.lineage(places).pipe(
      Effect.map(Option.some),
      Effect.catchIf(
        ({ isRetryable }) => !isRetryable,
        ({ message }) =>
          Effect.sync(() => {
            notes.add(`the brokers do not say whether logs are still the same: ${message}`)
            return Option.none<ReadonlyArray<EpochEnd>>()
          })
      ),
      Effect.map(Option.getOrUndefined)
    )

  const isSame = (position: number, leaderEpoch: number, end: EpochEnd | undefined): boolean =>
    end === undefined || Reuse.ofLineage({ until: position }, leaderEpoch, end) === undefined

  const replaced: SameLog["replaced"] = Effect.fnUntraced(function* (plan, state) {
    const unfinished = RunState.unfinished(plan, state).flatMap(({ partition, position, topic }) => {
      const leaderEpoch = RunState.leaderEpoch(RunState.of(state, topic.name, partition), partition)
      return leaderEpoch === undefined ? [] : [{ topic: topic.name, partition, position, leaderEpoch }]
    })
    const known = new Set(unfinished.map(({ partition }) => partition))
    const healing = new Map(
      RunState.toHeal(plan, state).flatMap(({ partition, topic }) => {
        const { leaderEpoch, until: position } = partition.reused ?? { until: partition.from }
        if (leaderEpoch === undefined || known.has(partition)) return []
        return [[partition, { topic: topic.name, partition, position, leaderEpoch }] as const]
      })
    )
    const open = [...unfinished, ...healing.values()]
    if (open.length === 0) return []
    const ends = yield* ask(open.map((one) => ({ ...one, partition: one.partition.partition })))
    const others = open.filter(({ leaderEpoch, position }, i) => !isSame(position, leaderEpoch, ends?.[i]))
    if (others.length === 0) return []
    const logEnds = yield* kafka.offsets(
      others.map(({ partition: { partition }, topic }) => ({ topic, partition })),
      "highWatermark"
    )
    const found = others.filter(({ partition }, i) => (logEnds[i]?.offset ?? 0) >= partition.until)
    for (const { partition, position, topic } of found) {
      const where = `${topic}[${partition.partition}] below offset ${position}`
      notes.add(`an unclean leader election replaced records of ${where}; the partition was read again from its start`)
    }
    return found
  })

  const assertSame = Effect.fnUntraced(function* (
    { partition, topic }: TopicPartition,
    position: number,
    leaderEpoch: number
  ) {
    const ends = yield* ask([{ topic, partition, leaderEpoch }])
    if (!isSame(position, leaderEpoch, ends?.[0])) {
      return yield* new KafkaError({ operation: "fetch", reason: new LogReplaced({ topic, partition, position }) })
    }
  })

  const assertTakenOver: SameLog["assertTakenOver"] = (topic, { partition, reused }) =>
    reused?.leaderEpoch === undefined ? Effect.void : assertSame({ topic, partition }, reused.until, reused.leaderEpoch)

  const followed: SameLog["followed"] =
    ({ from, partition, topic }, known) =>
    (answers) =>
      Stream.suspend(() => {
        let leaderEpoch = known
        let position = from
        return answers.pipe(
          Stream.mapEffect((element) => {
            const after = Effect.sync(() => {
              if (element.leaderEpoch !== undefined)
                ({ leaderEpoch, position } = { ...element, leaderEpoch: element.leaderEpoch })
              return element
            })
            const isOther = leaderEpoch !== undefined && (element.leaderEpoch ?? leaderEpoch) !== leaderEpoch
            if (!isOther) return after
            return Effect.andThen(assertSame({ topic, partition }, position, leaderEpoch!), after).pipe(
              // It is handed on to nobody then.
              Effect.onExit((exit) => Effect.sync(() => (Exit.isFailure(exit) ? element.release() : undefined)))
            )
          })
        )
      })

  return { replaced, followed, assertTakenOver, notes: () => [...notes] }
}
