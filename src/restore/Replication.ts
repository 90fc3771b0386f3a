import type { Objection, PlannedTopic } from "./RestorePlan.ts"

/** Whether the target can hold the replicas that its topics are to have. Pure. */

/** A topic of the target with the replicas that it has, or is going to have; -1: as many as the brokers choose. */
export interface Replicated {
  readonly topic: PlannedTopic
  readonly replicas: number
  readonly isNew: boolean
  /** `min.insync.replicas` after the restore; absent: the default of the brokers. */
  readonly minInSync: number | undefined
}

const listed = (names: ReadonlyArray<string>) =>
  names.length <= 10 ? names.join(", ") : `${names.slice(0, 10).join(", ")} and ${names.length - 10} more`

const targetsOf = (some: ReadonlyArray<Replicated>) => listed(some.map(({ topic }) => topic.target))

/** Whether a new topic is to have more replicas than there are brokers. */
export const isTooLarge = ({ isNew, replicas }: Replicated, brokers: number): boolean => isNew && replicas > brokers

/** New topics with more replicas than there are brokers. */
const tooLarge = (topics: ReadonlyArray<Replicated>, brokers: number): ReadonlyArray<Objection> =>
  [
    ...Map.groupBy(
      topics.filter((one) => isTooLarge(one, brokers)),
      ({ replicas }) => replicas
    )
  ].map(([replicas, some]) => ({
    reason: "TargetRefused",
    message: `replication factor ${replicas} is not possible with ${brokers} live ${brokers === 1 ? "broker" : "brokers"}: ${targetsOf(some)}`,
    advice: `set defaultReplicationFactor to ${brokers}, or start more brokers`
  }))

/** Topics that would take no write after the restore, since they want more replicas in sync than they have. */
const unwritable = (topics: ReadonlyArray<Replicated>): ReadonlyArray<Objection> =>
  [
    ...Map.groupBy(
      topics.filter(({ minInSync = 1, replicas }) => replicas > 0 && minInSync > replicas),
      ({ minInSync, replicas }) => `${minInSync} with ${replicas}`
    )
  ].map(([pair, some]) => {
    const { minInSync, replicas } = some[0]!
    return {
      reason: "TargetRefused",
      message: `min.insync.replicas ${pair} ${replicas === 1 ? "replica" : "replicas"} would make topics read-only: ${targetsOf(some)}`,
      advice: some.every(({ isNew }) => isNew)
        ? `set defaultReplicationFactor to ${minInSync}, or set min.insync.replicas to ${replicas} in configOverrides`
        : `set min.insync.replicas to ${replicas} in configOverrides`
    }
  })

/** New topics whose names differ only in `.` and `_`, which Kafka counts as one name in its metrics. */
const colliding = (topics: ReadonlyArray<Replicated>): ReadonlyArray<Objection> =>
  [
    ...Map.groupBy(
      topics.filter(({ isNew }) => isNew),
      ({ topic }) => topic.target.replaceAll(".", "_")
    ).values()
  ]
    .filter((some) => new Set(some.map(({ topic }) => topic.target)).size > 1)
    .map((some) => ({
      reason: "TargetsCollide",
      message: `the names of ${targetsOf(some)} differ only in '.' and '_', so Kafka refuses to create all of them`,
      advice: "give all but one of them another name in topicMapping"
    }))

/** Everything that stands against the replicas and names. */
export const objections = (topics: ReadonlyArray<Replicated>, brokers: number): ReadonlyArray<Objection> => [
  ...tooLarge(topics, brokers),
  ...unwritable(topics),
  ...colliding(topics)
]
