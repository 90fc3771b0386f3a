import { Effect } from "effect"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import { type KafkaError, KafkaError as Failed, ProtocolFailure } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape, TopicLookup } from "../kafka/KafkaSource.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Attempt from "./Attempt.ts"
import { codecOf } from "./Compression.ts"
import * as Cut from "./Cut.ts"
import type { GroupOutcome } from "./groups/GroupOutcome.ts"
import * as Groups from "./groups/Groups.ts"
import * as PartitionRestore from "./PartitionRestore.ts"
import * as Preflight from "./Preflight.ts"
import type * as Proof from "./Proof.ts"
import { preflightFailed } from "./RestoreError.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import * as TopicConfigs from "./TopicConfigs.ts"

/** The cluster that is restored to, written and read, and the store that is read. */
export interface Systems {
  readonly sink: KafkaSinkShape
  readonly source: KafkaSourceShape
  readonly store: ObjectStoreShape
}

export interface Options {
  /** Partitions written at the same time. */
  readonly openPartitions: number
  /** Most bytes of a batch before compression. */
  readonly batchBytes: number
  readonly patienceMillis: number
  readonly onAppended: (records: number, bytes: number, partition: RestorePlan.PlannedPartition) => void
  /** All of the partition was read back and compared. */
  readonly onProven?: (partition: RestorePlan.PlannedPartition) => void
  /** The former offsets of consumer groups are stored as this snapshot. */
  readonly onOffsetsStored?: (snapshotId: string) => void
}

/** What a restore is going to do, after everything that can be asked beforehand was asked. */
export interface Prepared {
  readonly plan: RestorePlan.RestorePlan
  readonly targets: ReadonlyArray<Preflight.TargetTopic>
  /** Absent: consumer groups are left alone. */
  readonly groups: Groups.PreparedGroups | undefined
}

/** A configuration that a topic did not get. */
export interface RefusedConfig {
  readonly topic: string
  readonly name: string
}

/** What a restore has done. */
export interface Restored extends Prepared {
  /** Records in all target partitions: each was read back and compared. */
  readonly records: number
  /** Configurations of the backup that the brokers refused at the end, by target topic. */
  readonly refusedConfigs: ReadonlyArray<RefusedConfig>
  /** What each target topic was given in the end, refused ones included; null is the broker's default. */
  readonly configs: ReadonlyMap<string, Readonly<Record<string, string | null>>>
  /** What this attempt compared, partition by partition. */
  readonly proven: ReadonlyArray<ProvenPartition>
  /** What became of each consumer group; absent if none was to be changed. */
  readonly offsetReset: GroupOutcome | undefined
}

/** A partition of the target and what was compared of it. */
export interface ProvenPartition {
  readonly topic: string
  readonly partition: number
  readonly ranges: ReadonlyArray<Proof.ComparedRange>
}

/** Plans and asks everything beforehand. Writes nothing. Fails with all objections at once. */
export const prepare = Effect.fn("Restore.prepare")(function* (systems: Systems, request: RestoreRequest) {
  const { store } = systems
  const set = yield* Catalogue.open(store, request.backupId)
  const damaged = yield* Preflight.ofBackup(store, set)
  // What is damaged or missing cannot be counted, and nothing is going to be written.
  const cut = damaged.length > 0 ? undefined : request.cut
  const counted = yield* Cut.countAll(store, set, cut, (topic, partition) =>
    RestorePlan.isSelected(request, topic, partition)
  )
  const planned = RestorePlan.make(set, request, counted)
  if (planned._tag === "Refused") return yield* preflightFailed([...damaged, ...planned.objections])
  const { plan } = planned
  const groups = yield* Groups.prepare(systems, request, set, plan)
  const standing = [...damaged, ...groups.objections]
  return { ...(yield* askTarget(systems, request, plan, standing)), groups: groups.prepared } satisfies Prepared
})

/** Compares the plan with the target cluster. Fails with what stands against it, and with `others`. */
const askTarget = Effect.fnUntraced(function* (
  { sink }: Systems,
  request: RestoreRequest,
  plan: RestorePlan.RestorePlan,
  others: ReadonlyArray<RestorePlan.Objection> = []
) {
  const ours = yield* Attempt.begunTopics(sink, request.owner, plan)
  const { objections, targets } = yield* Preflight.ofTarget(sink, plan, request, ours)
  if (others.length + objections.length > 0) return yield* preflightFailed([...others, ...objections])
  return { plan, targets }
})

/**
 * Carries out what was prepared: creates topics, writes every partition, reads all of it back and compares, then gives
 * the topics their own configuration and the consumer groups their offsets. Completes only if every record was found as
 * the backup has it.
 */
export const run = Effect.fn("Restore.run")(function* (
  systems: Systems,
  request: RestoreRequest,
  prepared: Prepared,
  options: Options
) {
  const { sink } = systems
  const { groups, plan } = prepared
  yield* Groups.remember(systems, request, plan, groups)
  if (groups?.snapshotId !== undefined) options.onOffsetsStored?.(groups.snapshotId)
  // A topic that exists by now may be anybody's: everything is asked again. Those just created are there and empty.
  const targets = (yield* createTopics(sink, prepared.targets))
    ? prepared.targets
    : (yield* askTarget(systems, request, plan)).targets
  yield* Effect.forEach(
    targets.filter(({ create, isWritten }) => create === undefined && !isWritten),
    ({ topic }) => prepareExisting(sink, topic),
    { discard: true }
  )
  const ids = yield* topicIds(sink, plan)
  yield* Attempt.remember(sink, request.owner, plan)
  const begun = yield* Attempt.begin(sink, request.owner)
  const proven = yield* Effect.raceFirst(writeAll(systems, plan, ids, begun, options), begun.untilOvertaken)
  const configs = new Map(
    targets.map(({ create, topic }) => [
      topic.target,
      TopicConfigs.final(
        topic.configs,
        create === undefined || "message.timestamp.after.max.ms" in create.configs,
        true
      )
    ])
  )
  const refusedConfigs = yield* Effect.forEach(configs, ([topic, given]) => giveConfigs(sink, topic, given))
  const offsetReset = yield* Groups.reset(systems, plan, groups)
  return {
    plan,
    targets,
    groups,
    records: RestorePlan.records(plan),
    refusedConfigs: refusedConfigs.flat(),
    configs,
    proven,
    offsetReset
  } satisfies Restored
}, Effect.scoped)

/** An existing topic gets the configuration that keeps records as they are while they are written. */
const prepareExisting = (sink: KafkaSinkShape, { configs, target }: RestorePlan.PlannedTopic) =>
  sink.alterConfigs(target, TopicConfigs.initial(configs, true)).pipe(
    // Before Kafka 3.6 two names are unknown.
    Effect.catchReason("KafkaError", "ProtocolFailure", (failure) =>
      failure.code === ErrorCode.invalidConfig
        ? sink.alterConfigs(target, TopicConfigs.initial(configs, false))
        : Effect.fail(new Failed({ operation: "topics", reason: failure }))
    )
  )

/**
 * Configures a topic whose records are proven. A broker refuses a request as a whole for one configuration that it does
 * not know, such as that of a vendor or of tiered storage: then each is set by itself, and those refused are returned.
 */
const giveConfigs = (sink: KafkaSinkShape, topic: string, configs: Readonly<Record<string, string | null>>) => {
  const given = (some: Readonly<Record<string, string | null>>): Effect.Effect<boolean, KafkaError> =>
    Effect.as(sink.alterConfigs(topic, some), true).pipe(
      Effect.catchReason("KafkaError", "ProtocolFailure", (failure) =>
        failure.code === ErrorCode.invalidConfig
          ? Effect.succeed(false)
          : Effect.fail(new Failed({ operation: "configs", reason: failure }))
      )
    )
  return Effect.gen(function* () {
    if (yield* given(configs)) return []
    const refused: Array<RefusedConfig> = []
    for (const [name, value] of Object.entries(configs)) {
      // A name that the broker does not know cannot be set there, either: nothing is to be reset.
      if (!(yield* given({ [name]: value })) && value !== null) refused.push({ topic, name })
    }
    return refused
  })
}

/** False: some of them exist already. */
const createTopics = Effect.fnUntraced(function* (sink: KafkaSinkShape, targets: ReadonlyArray<Preflight.TargetTopic>) {
  const outcomes = yield* sink.createTopics(targets.flatMap(({ create }) => create ?? []))
  const refused = outcomes.find(
    ({ errorCode }) => errorCode !== ErrorCode.none && errorCode !== ErrorCode.topicAlreadyExists
  )
  if (refused === undefined) return outcomes.every(({ errorCode }) => errorCode === ErrorCode.none)
  const detail = `topic ${refused.name} was not created: ${refused.detail ?? `error ${refused.errorCode}`}`
  const reason = new ProtocolFailure({ detail, code: refused.errorCode, transient: false })
  return yield* new Failed({ operation: "topics", reason })
})

/** The ids of the target topics, once all of them are visible. */
const topicIds = Effect.fnUntraced(function* (sink: KafkaSinkShape, plan: RestorePlan.RestorePlan) {
  const names = plan.topics.map(({ target }) => target)
  const visible = (found: ReadonlyArray<TopicLookup>) =>
    found.every((one) => one._tag === "Found" && one.topic.partitions.every(({ leader }) => leader >= 0))
  let found = yield* sink.lookup(names)
  for (let tries = 0; !visible(found) && tries < 60; tries++) {
    yield* Effect.sleep(Math.min(100 * 2 ** tries, 1000))
    found = yield* sink.lookup(names)
  }
  return new Map(found.flatMap((one) => (one._tag === "Found" ? [[one.topic.name, one.topic.topicId]] : [])))
})

const writeAll = (
  systems: Systems,
  plan: RestorePlan.RestorePlan,
  ids: ReadonlyMap<string, string | undefined>,
  { producer }: Attempt.Begun,
  options: Options
) => {
  const places = plan.topics.flatMap((topic) => topic.partitions.map((partition) => ({ plan, topic, partition })))
  // The largest first: else one of them is left alone at the end.
  const sizeOf = ({ partition }: (typeof places)[number]) =>
    partition.segments.reduce((sum, { compressed_size = 0 }) => sum + compressed_size, 0)
  return Effect.forEach(
    places.toSorted((a, b) => sizeOf(b) - sizeOf(a)),
    (place) =>
      PartitionRestore.run(place, ids.get(place.topic.target), {
        ...systems,
        ...options,
        producer,
        codec: codecOf(place.topic.configs?.["compression.type"]),
        onAppended: (records, bytes) => options.onAppended(records, bytes, place.partition)
      }).pipe(
        Effect.map((ranges): ProvenPartition => {
          options.onProven?.(place.partition)
          return { topic: place.topic.target, partition: place.partition.partition, ranges }
        })
      ),
    { concurrency: options.openPartitions }
  )
}
