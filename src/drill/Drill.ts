import { Clock, Effect } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as Verification from "../manifest/Verification.ts"
import * as TopicGlob from "../resource/TopicGlob.ts"
import * as Attempt from "../restore/Attempt.ts"
import { BatchMemory } from "../restore/BatchMemory.ts"
import { codecOf } from "../restore/Compression.ts"
import type * as HoleMeans from "../restore/HoleMeans.ts"
import * as Holes from "../restore/Holes.ts"
import * as Pace from "../restore/Pace.ts"
import * as PartitionRestore from "../restore/PartitionRestore.ts"
import type { PlannedPartition } from "../restore/RestorePlan.ts"
import * as TargetTopics from "../restore/TargetTopics.ts"
import * as Writers from "../restore/Writers.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as DrillChoice from "./DrillChoice.ts"
import { BackupDamaged, Differs, DrillError, PreflightFailed } from "./DrillError.ts"
import * as DrillPlan from "./DrillPlan.ts"
import * as DrillRequest from "./DrillRequest.ts"
import * as Estimate from "./Estimate.ts"
import * as LiveComparison from "./LiveComparison.ts"
import * as NewestSet from "./NewestSet.ts"
import * as ScratchGroup from "./ScratchGroup.ts"
import * as ScratchNames from "./ScratchNames.ts"
import * as ScratchTopics from "./ScratchTopics.ts"

/** What a drill works with. */
export interface Systems {
  /** The cluster of the scratch topics, written and read. */
  readonly sink: KafkaSinkShape
  readonly source: KafkaSourceShape
  /** The cluster that was backed up. Absent: its topics are not compared. */
  readonly live: KafkaSourceShape | undefined
  readonly store: ObjectStoreShape
}

export interface Options {
  /** Partitions at the same time. */
  readonly openPartitions: number
  /** Most bytes of a batch before compression. */
  readonly batchBytes: number
  /** Memory of batches that are not answered yet, in bytes. */
  readonly batchMemoryBytes: number
  /** How long a partition may make no progress before the drill fails. */
  readonly patienceMillis: number
  readonly onAppended: (records: number, bytes: number, partition: PlannedPartition) => void
  readonly onProven: (partition: PlannedPartition) => void
  /** Told of each fact as soon as it is known, so that a drill that fails can say what it had done. */
  readonly onFact: (fact: Partial<Facts>) => void
}

/** What is known of a drill. */
export interface Facts {
  readonly set: BackupSet
  readonly choice: DrillChoice.Choice
  readonly plan: DrillPlan.DrillPlan
  /** How long it took to write and compare everything, in milliseconds. */
  readonly millis: number
  /** Absent: nothing was measured. */
  readonly estimatedMillis: number | undefined
  readonly live: LiveComparison.Compared
  /** Topics of earlier drills that were deleted. */
  readonly cleared: ReadonlyArray<string>
  /** Topics of this and of earlier drills that could not be deleted. */
  readonly left: ReadonlyArray<string>
  /** Topics with names like those of this resource's drills that none of them is known to have made. */
  readonly strays: ReadonlyArray<string>
}

/** What a drill is going to do, after everything that can be asked beforehand was asked. */
export interface Prepared extends Pick<Facts, "choice" | "plan" | "set"> {
  readonly owner: Owner
  /** What the principal may do about holes in logs. */
  readonly means: HoleMeans.Means
  /** False for brokers before Kafka 3.6. */
  readonly knowsBounds: boolean
  /** Topics that are there, with names like those of this resource's drills. */
  readonly alike: ReadonlyArray<string>
}

const refuse = (objections: ReadonlyArray<{ readonly message: string; readonly advice: string }>) =>
  new DrillError({ reason: new PreflightFailed({ objections }) })

/** The topics of the backup that the request selects. Fails for a name that the backup lacks. */
const selected = Effect.fnUntraced(function* (
  { backupId, manifest }: BackupSet,
  { topics }: DrillRequest.DrillRequest
) {
  const names = new Set(manifest.topics.map(({ name }) => name))
  const missing = topics.filter((pattern) => !TopicGlob.isWildcard(pattern) && !names.has(pattern))
  const found = manifest.topics.filter(({ name }) => topics.some((pattern) => TopicGlob.matches(pattern, name)))
  if (missing.length === 0 && (found.length > 0 || names.size === 0)) return found
  const what = missing.length === 0 ? topics : missing
  const message = `backup ${backupId} has no topic ${what.slice(0, 10).join(", ")}`
  return yield* refuse([{ message, advice: "correct spec.drill.topics, or back these topics up first" }])
})

/** Fails unless every object of the backup is there with its size, and its documents are as they were committed. */
const assertWhole = Effect.fnUntraced(function* (store: ObjectStoreShape, set: BackupSet) {
  const { broken, problems } = yield* Verification.verify(store, set, "objects")
  const all = [...problems, ...broken].map(({ detail, key }) => `${key} ${detail}`)
  if (all.length === 0) return
  return yield* new DrillError({ reason: new BackupDamaged({ backupId: set.backupId, problems: all }) })
})

/** The permissions that the drill needs and that the principal lacks. */
const missingRights = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  owner: Owner,
  { restore }: DrillPlan.DrillPlan
) {
  const groupId = Attempt.nameOf(owner)
  // Unlike a restore, a drill must remember: else nobody deletes what it leaves when it dies.
  const ofGroup = yield* sink.committedOffsets(groupId).pipe(
    Effect.as([]),
    Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () =>
      Effect.succeed([{ operation: "Read", resource: `group ${groupId}` }])
    )
  )
  const topics = restore.topics.map(({ target }) => ({ name: target, deletes: true }))
  // Holes are planned for what the principal may do about them.
  const missing = topics.length === 0 ? [] : yield* sink.missingRights({ topics, markers: false, groupId })
  // A drill gives its topics their configuration when it creates them, and never changes it.
  const needed = [...ofGroup, ...missing].filter(({ operation }) => operation !== "AlterConfigs")
  return needed.map(({ operation, resource }) => ({
    message: `permission denied: the principal lacks ${operation} on ${resource}`,
    advice: `grant the principal ${operation} on ${resource}; the guide on drills lists all permissions`
  }))
})

/**
 * Finds the newest backup, checks that all of it is there, chooses a part, and asks the cluster everything that can be
 * asked beforehand. Writes nothing. Fails with all objections at once.
 */
export const prepare = Effect.fn("Drill.prepare")(function* (
  { sink, source, store }: Systems,
  request: DrillRequest.DrillRequest,
  onFact: Options["onFact"]
) {
  const startedMillis = yield* Clock.currentTimeMillis
  const owner = DrillRequest.owner(request.resource)
  const set = yield* NewestSet.open(store, request.resource)
  onFact({ set })
  yield* assertWhole(store, set)
  const topics = yield* selected(set, request)
  const choice = DrillChoice.choose(topics, request.number, {
    maxBytes: request.maxBytes,
    maxRuns: DrillChoice.maxRuns
  })
  const named = { owner: request.resource, prefix: request.prefix, startedMillis }
  const names = ScratchNames.of(
    choice.topics.map(({ name }) => name),
    named
  )
  const token = `drill ${startedMillis}`
  const planFor = (means: HoleMeans.Means) =>
    DrillPlan.make(set, choice, names, { replicationFactor: request.replicationFactor, token, means })
  onFact({ choice, plan: planFor("markers") })
  const means = yield* Holes.means(sink, owner, planFor("markers").restore.topics)
  const plan = planFor(means)
  onFact({ plan })
  const present = (yield* source.cluster).topics
  const hasIds = present.length === 0 || present.some(({ topicId }) => topicId !== undefined)
  const { knowsBounds, objections } = yield* ScratchTopics.check(sink, plan.restore)
  const all = [
    ...(hasIds
      ? []
      : [
          {
            message:
              "the brokers give topics no ids (before Kafka 2.8), so a drill cannot know which topics are its own",
            advice: "name a cluster with Kafka 2.8 or later in spec.drill.targetCluster"
          }
        ]),
    ...(yield* missingRights(sink, owner, plan)),
    ...objections
  ]
  if (all.length > 0) return yield* refuse(all)
  return {
    owner,
    set,
    choice,
    plan,
    means,
    knowsBounds,
    alike: present.flatMap(({ name }) => (ScratchNames.isLike(name, named) ? [name] : []))
  } satisfies Prepared
})

/** Writes every scratch partition, reads it back, and compares it with the backup. */
const writeAll = (
  systems: Systems,
  { plan: { pieces, restore } }: Prepared,
  ids: ReadonlyMap<string, string | undefined>,
  { producer }: Attempt.Begun,
  options: Options & Pick<PartitionRestore.Tools, "holes" | "pace">
) => {
  const memory = new BatchMemory(options.batchMemoryBytes)
  const writers = Writers.make(options.openPartitions)
  return Effect.forEach(
    restore.topics.flatMap((topic) => topic.partitions.map((partition) => ({ plan: restore, topic, partition }))),
    (place) => {
      const { partition, topic } = place
      const piece = pieces.find(
        ({ target, targetPartition }) => target === topic.target && targetPartition === partition.partition
      )!
      return PartitionRestore.run(place, ids.get(topic.target), {
        ...systems,
        ...options,
        producer,
        memory,
        inTurn: writers.inTurn(Writers.storedBytes(partition)),
        codec: codecOf(topic.configs?.["compression.type"]),
        onAppended: (records, bytes) => options.onAppended(records, bytes, partition)
      }).pipe(
        Effect.tap(() => Effect.sync(() => options.onProven(partition))),
        // The words of a restore name the scratch topic, and advise to delete it.
        Effect.catchReason("RestoreError", "Differs", ({ detail, from, until }) =>
          Effect.fail(
            new DrillError({
              reason: new Differs({
                backupId: restore.backupId,
                place: `${piece.source}[${piece.partition}]`,
                detail: `${detail} (offsets ${from} to ${until - 1} of scratch topic ${topic.target})`
              })
            })
          )
        )
      )
    },
    { concurrency: options.openPartitions, discard: true }
  )
}

/**
 * Carries out what was prepared, and deletes the scratch topics however it ends. Completes only if everything that was
 * chosen was restored, and is what the backup and the live topics hold.
 */
export const run = Effect.fn("Drill.run")(function* (
  systems: Systems,
  request: DrillRequest.DrillRequest,
  prepared: Prepared,
  options: Options
) {
  const { sink } = systems
  const { knowsBounds, means, owner, plan, set } = prepared
  const pace = Pace.make(request)
  const begun = yield* Attempt.begin(sink, owner)
  const { left, removed } = yield* ScratchTopics.removeLeftovers(sink, owner)
  const known = new Set([...left, ...removed])
  options.onFact({ cleared: removed, left, strays: prepared.alike.filter((name) => !known.has(name)) })
  const made: ScratchTopics.Made = new Map()
  const work = Effect.gen(function* () {
    yield* ScratchTopics.create(sink, owner, plan.restore, knowsBounds, made)
    const ids = yield* TargetTopics.ids(sink, plan.restore)
    const holes = yield* Holes.writer(sink, owner, means, plan.restore.topics)
    const startedMillis = yield* Clock.currentTimeMillis
    yield* writeAll(systems, prepared, ids, begun, { ...options, pace, holes })
    const millis = (yield* Clock.currentTimeMillis) - startedMillis
    const { bytes, fillingMillis } = plan
    const measured = { bytes, millis, fillingMillis }
    options.onFact({ millis, estimatedMillis: Estimate.wholeRestoreMillis(measured, Estimate.wholeOf(set, means)) })
    if (systems.live !== undefined) {
      options.onFact({
        live: yield* LiveComparison.compare(systems.live, systems.store, set, plan, { ...options, pace })
      })
    }
    yield* ScratchGroup.attempt(sink, owner, plan.restore)
  })
  yield* Effect.raceFirst(work, begun.untilOvertaken).pipe(
    Effect.onExit(() =>
      Effect.map(ScratchTopics.remove(sink, made), (stay) => options.onFact({ left: [...left, ...stay] }))
    )
  )
})
