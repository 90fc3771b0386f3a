import { Clock, Effect } from "effect"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Appending from "./Appending.ts"
import * as Attempt from "./Attempt.ts"
import { BatchMemory } from "./BatchMemory.ts"
import * as Cleaning from "./Cleaning.ts"
import { codecOf } from "./Compression.ts"
import type { ResolvedBackup } from "../outcome/RestoreSummary.ts"
import * as Counting from "./Counting.ts"
import * as Covers from "./Covers.ts"
import type { GroupOutcome } from "./groups/GroupOutcome.ts"
import * as Groups from "./groups/Groups.ts"
import * as Configuring from "./Configuring.ts"
import * as FinalConfigs from "./FinalConfigs.ts"
import * as GroupNotes from "./GroupNotes.ts"
import * as HolePlan from "./HolePlan.ts"
import type { Means } from "./HoleMeans.ts"
import * as Holes from "./Holes.ts"
import * as MadeTopics from "./MadeTopics.ts"
import * as OwnConfigs from "./OwnConfigs.ts"
import * as Pace from "./Pace.ts"
import * as PartitionRestore from "./PartitionRestore.ts"
import * as Preflight from "./Preflight.ts"
import type * as Proof from "./Proof.ts"
import { preflightFailed, refusals, RestoreError } from "./RestoreError.ts"
import * as Recreating from "./Recreating.ts"
import * as RestoreMemory from "./RestoreMemory.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { ConfigChoice, RestoreRequest } from "./RestoreRequest.ts"
import * as RetentionHold from "./RetentionHold.ts"
import * as TargetTopics from "./TargetTopics.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as WantedConfigs from "./WantedConfigs.ts"
import * as Writers from "./Writers.ts"

/** The cluster that is restored to, written and read, and the store that is read. */
export interface Systems {
  readonly sink: KafkaSinkShape
  readonly source: KafkaSourceShape
  readonly store: ObjectStoreShape
}

export interface Options {
  /** Partitions written or read back at the same time. */
  readonly openPartitions: number
  /** Most bytes of a batch before compression. */
  readonly batchBytes: number
  /** Most memory of batches that are not answered yet, in bytes. */
  readonly batchMemoryBytes: number
  readonly patienceMillis: number
  readonly onAppended: (records: number, bytes: number, partition: RestorePlan.PlannedPartition) => void
  /** All of the partition was read back and compared. */
  readonly onProven?: (partition: RestorePlan.PlannedPartition) => void
  /** The restore failed for good, and deleted topics that it had made. */
  readonly onRemoved?: (removed: MadeTopics.Removed) => void
  /** The former offsets of consumer groups are stored as this snapshot. */
  readonly onOffsetsStored?: (snapshotId: string) => void
}

/** What a restore is going to do, after everything that can be asked beforehand was asked. */
export interface Prepared {
  readonly plan: RestorePlan.RestorePlan
  /** The backup, and why it is this one. */
  readonly resolved: ResolvedBackup
  readonly targets: ReadonlyArray<Preflight.TargetTopic>
  /** Absent: consumer groups are left alone. */
  readonly groups: Groups.PreparedGroups | undefined
  /** What is to be known of groups that are left alone, or would be now. */
  readonly groupNotes: ReadonlyArray<string>
  /** Which configuration the topics are to have. */
  readonly wanted: ConfigChoice
  /** What the principal may do about holes in logs. */
  readonly means: Means
  /** Configurations that the brokers said beforehand they would refuse. */
  readonly expectedRefusals: ReadonlyArray<Configuring.RefusedConfig>
}

/** What a restore has done. */
export interface Restored extends Prepared {
  /** Records in all target partitions: each was read back and compared. */
  readonly records: number
  /** Configurations of the backup that the brokers refused at the end, by target topic. */
  readonly refusedConfigs: ReadonlyArray<Configuring.RefusedConfig>
  /** Logs that end later than in the backup, because the fillers of their holes were removed again. */
  readonly cleaned: ReadonlyArray<Cleaning.Cleaned>
  /** What this attempt gave each target topic in the end, refused ones included; null is the broker's default. */
  readonly configs: ReadonlyMap<string, Readonly<Record<string, string | null>>>
  /** What this attempt compared, partition by partition. */
  readonly proven: ReadonlyArray<ProvenPartition>
  /** What became of each consumer group; absent if none was to be changed, or an earlier attempt did it. */
  readonly offsetReset: GroupOutcome | undefined
  /** True: an earlier attempt had set the offsets of consumer groups already. This one left them alone. */
  readonly wereGroupsSet: boolean
  /** True: an earlier attempt had proven all records already. */
  readonly wasProven: boolean
  readonly hold: RetentionHold.HoldState
  /** False: without Read on the restore's group, nothing ends the hold but a person. */
  readonly isRemembered: boolean
  /** When it was complete, in milliseconds since 1970. */
  readonly endedMillis: number
}

/** A partition of the target and what was compared of it. */
export interface ProvenPartition {
  readonly topic: string
  readonly partition: number
  readonly ranges: ReadonlyArray<Proof.ComparedRange>
}

/** The backup, its plan, and what is damaged of it. Asks the store alone. Fails with all objections at once. */
export const planOf = Effect.fn("Restore.planOf")(function* (store: ObjectStoreShape, request: RestoreRequest) {
  const set = yield* Catalogue.open(store, request.backupId)
  const damaged = yield* Preflight.ofBackup(store, set)
  // What is damaged or missing cannot be counted, and nothing is going to be written.
  const counted = damaged.length > 0 ? RestorePlan.nothingCounted : yield* Counting.count(store, set, request)
  const planned = RestorePlan.make(set, request, counted)
  /** The plan for what the principal may do about holes in logs; by default everything. */
  const planFor = (planned: RestorePlan.Planned) =>
    planned._tag === "Refused"
      ? Effect.fail(preflightFailed([...damaged, ...planned.objections]))
      : Effect.succeed(planned.plan)
  return {
    set,
    plan: yield* planFor(planned),
    damaged,
    planWith: (means: Means) => planFor(RestorePlan.make(set, request, counted, means))
  }
})

/** Plans and asks everything beforehand. Writes nothing. Fails with all objections at once. */
export const prepare = Effect.fn("Restore.prepare")(function* (systems: Systems, request: RestoreRequest) {
  const { damaged, plan: whole, planWith, set } = yield* planOf(systems.store, request)
  const { means, plan } = yield* HolePlan.fitted(systems.sink, request, whole, planWith)
  const groups = yield* Groups.prepare(systems, request, set, plan)
  const standing = [...damaged, ...groups.objections]
  const asked = yield* askTarget(systems, request, plan, means, standing)
  const resolved = Covers.of(set, request.chosen?.why)
  const expectedRefusals = yield* FinalConfigs.refusals(systems.sink, asked.targets, request.configs)
  const groupNotes = yield* GroupNotes.beforehand(systems, request, set, groups.prepared)
  return { ...asked, resolved, expectedRefusals, groups: groups.prepared, groupNotes } satisfies Prepared
})

/** Compares the plan with the target cluster. Fails with what stands against it, and with `others`. */
const askTarget = Effect.fnUntraced(function* (
  { sink, source }: Systems,
  request: RestoreRequest,
  plan: RestorePlan.RestorePlan,
  means: Means,
  others: ReadonlyArray<RestorePlan.Objection> = [],
  state?: string
) {
  const memory = yield* RestoreMemory.load(sink, request.owner)
  const { objections, plan: left, targets } = yield* Preflight.ofTarget(sink, plan, request, memory, means)
  const ofAppended = yield* Appending.objections(
    source,
    targets.filter(({ remembered }) => remembered?.provenMillis === undefined).map(({ topic }) => topic)
  )
  const all = [...others, ...objections, ...ofAppended]
  if (all.length > 0) {
    const hasWritten = [...(memory?.values() ?? [])].some((remembered) => remembered.plan === plan.digest)
    return yield* preflightFailed(all, state ?? (hasWritten ? refusals.later : refusals.first))
  }
  return { plan: left, targets, wanted: request.configs, means }
})

/**
 * Carries out what was prepared: creates topics, writes every partition, reads all of it back and compares, then gives
 * the topics their own configuration and the consumer groups their offsets. Completes only if every record was found as
 * the backup has it. What an earlier attempt has proven is neither read nor written again.
 */
export const run = Effect.fn("Restore.run")(function* (
  systems: Systems,
  request: RestoreRequest,
  prepared: Prepared,
  options: Options
) {
  const { sink, source } = systems
  const { groups, means } = prepared
  yield* Groups.remember(systems, request, prepared.plan, groups)
  if (groups?.snapshotId !== undefined) options.onOffsetsStored?.(groups.snapshotId)
  yield* Recreating.remove(sink, prepared.targets)
  const created = yield* TargetTopics.create(sink, prepared.targets)
  yield* rememberMade(sink, request, prepared, created.ids)
  // A topic that exists by now may be anybody's: everything is asked again. Those just created are there and empty.
  const { plan, targets } = created.areNew
    ? prepared
    : yield* askTarget(
        systems,
        Recreating.without(request),
        prepared.plan,
        means,
        [],
        refusals.afterTopics(
          prepared.targets.flatMap(({ recreates, topic }) => (recreates === undefined ? [] : [topic.target])),
          [...created.ids.keys()]
        )
      )
  const owns = yield* OwnConfigs.read(source, targets, request.configs)
  const wantedOf = (topic: RestorePlan.PlannedTopic, remembered?: RestoreMemory.Remembered) =>
    OwnConfigs.wanted(topic, request.configs, remembered?.own ?? owns.get(topic.target))
  const hasBegun = targets.some(({ remembered }) => remembered !== undefined)
  const unproven = targets.filter(({ remembered }) => remembered?.provenMillis === undefined)
  const ids = yield* TargetTopics.ids(sink, plan)
  let memory: RestoreMemory.Memory = new Map(
    targets.map(({ remembered, topic }) => {
      const topicId = ids.get(topic.target)
      const own = owns.get(topic.target)
      const begun = {
        ...(request.chosen === undefined ? {} : { chosen: { by: request.chosen.by, backupId: request.backupId } }),
        plan: plan.digest,
        ...(own === undefined ? {} : { own }),
        ...(topicId === undefined ? {} : { topicId }),
        ...Appending.bases(topic),
        isMade: topicId !== undefined && created.ids.get(topic.target) === topicId,
        retention: TopicConfigs.retention(topic.configs, wantedOf(topic, remembered))
      }
      // The resource may have been edited since an earlier attempt: what is not final yet follows it.
      const isOver = remembered?.configs === "final"
      return [topic.target, isOver ? remembered : { ...begun, ...remembered, retention: begun.retention }]
    })
  )
  const remember = (changed: RestoreMemory.Memory) => {
    memory = new Map([...memory, ...changed])
    return RestoreMemory.save(sink, request.owner, changed)
  }
  let isRemembered = true
  let proven: ReadonlyArray<ProvenPartition> = []
  for (const { remembered, topic } of targets) {
    if (remembered?.provenMillis !== undefined) topic.partitions.forEach((partition) => options.onProven?.(partition))
  }
  // Somebody may end the hold by command next: that knows what is remembered alone.
  if (unproven.length > 0 || targets.some(({ remembered }) => remembered?.configs === "held")) {
    isRemembered = yield* remember(memory)
  }
  // With Describe alone, the group could be read.
  if (unproven.length > 0 && !isRemembered && request.existingTopics === "append") {
    return yield* preflightFailed(
      [Appending.forgetful(Attempt.nameOf(request.owner))],
      refusals.afterTopics([], [...created.ids.keys()])
    )
  }
  yield* Effect.forEach(
    targets.filter(
      ({ create, isWritten, topic }) => create === undefined && !isWritten && !Appending.isAppended(topic)
    ),
    ({ topic }) => Configuring.prepareExisting(systems, topic, request.configs),
    { discard: true }
  )
  if (unproven.length > 0) {
    const begun = yield* Attempt.begin(sink, request.owner)
    const rest = { ...plan, topics: unproven.map(({ topic }) => topic) }
    const written = (renewals: number): Writing =>
      Effect.flatMap(
        Effect.all([TargetTopics.ids(sink, plan), Holes.writer(sink, request.owner, means, rest.topics, hasBegun)]),
        ([ids, holes]) => writeAll(systems, request, rest, ids, begun, { ...options, holes })
      ).pipe(
        Effect.catchReason("RestoreError", "TargetDisturbed", (disturbed) =>
          Effect.gen(function* () {
            const topic = rest.topics.find(({ target }) => target === disturbed.topic)
            const topicId =
              topic === undefined || begun.producerId === undefined || renewals === 0
                ? undefined
                : yield* MadeTopics.renew(systems, topic, request.configs, memory, begun.producerId)
            if (topicId === undefined) return yield* new RestoreError({ reason: disturbed })
            yield* remember(new Map([[disturbed.topic, { ...memory.get(disturbed.topic)!, topicId }]]))
            return yield* written(renewals - 1)
          })
        )
      )
    proven = yield* Effect.raceFirst(written(mostRenewals), begun.untilOvertaken).pipe(
      Effect.tapError((error) =>
        request.deletesCreated && isFinal(error)
          ? Effect.map(MadeTopics.removeAfterFailure(sink, source, rest.topics, memory, begun.producerId), (removed) =>
              options.onRemoved?.(removed)
            ).pipe(Effect.andThen(OwnConfigs.giveBack(sink, rest.topics, request.configs, memory)))
          : Effect.void
      )
    )
    const provenMillis = yield* Clock.currentTimeMillis
    // Before the configuration: from then on the brokers may remove records, and nothing can be compared any more.
    yield* remember(mapped(unproven, memory, (known) => ({ ...known, provenMillis })))
  }
  const unconfigured = targets.filter(({ topic }) => memory.get(topic.target)?.configs === undefined)
  const inPlace = request.retentionHold === 0 ? "final" : "held"
  const configs = new Map(
    unconfigured
      .filter(({ topic }) => !Appending.isAppended(topic))
      .map(({ create, topic }) => [
        topic.target,
        {
          ...(Cleaning.isFilled(topic) ? Cleaning.undone : {}),
          ...TopicConfigs.final(
            topic.configs,
            create === undefined || TopicConfigs.haveBounds(create.configs),
            inPlace === "held",
            wantedOf(topic, memory.get(topic.target))
          )
        }
      ])
  )
  const filled = unconfigured.map(({ topic }) => topic).filter(Cleaning.isFilled)
  const cleaned = yield* Cleaning.cleanAll(
    { ...systems, owner: request.owner, means, hasBegun },
    filled,
    memory,
    configs
  )
  const refusedConfigs = yield* Effect.forEach(configs, ([topic, given]) => Configuring.giveConfigs(sink, topic, given))
  if (unconfigured.length > 0) {
    yield* remember(
      mapped(unconfigured, memory, (known) => ({ ...known, configs: known.appends === undefined ? inPlace : "final" }))
    )
  }
  // Consumers that have read on since then must not be set back.
  const groupsSet = targets.map(({ topic }) => memory.get(topic.target)?.groupsSetMillis)
  const areGroupsSet = !groupsSet.includes(undefined)
  const offsetReset = areGroupsSet ? undefined : yield* Groups.reset(systems, plan, groups)
  if (offsetReset !== undefined) {
    const groupsSetMillis = yield* Clock.currentTimeMillis
    yield* remember(mapped(targets, memory, (known) => ({ ...known, groupsSetMillis })))
  }
  return {
    plan,
    resolved: prepared.resolved,
    targets,
    groups,
    // What became of groups that were to be set is known by now.
    groupNotes: request.groups === undefined ? prepared.groupNotes : [],
    means,
    wanted: request.configs,
    expectedRefusals: prepared.expectedRefusals,
    records: RestorePlan.records(plan),
    refusedConfigs: refusedConfigs.flat(),
    cleaned,
    configs,
    proven,
    offsetReset,
    wereGroupsSet: areGroupsSet && groups?.strategy !== undefined,
    wasProven: unproven.length === 0,
    hold: yield* RetentionHold.advance(sink, source, request.owner, memory, request.retentionHold),
    isRemembered,
    endedMillis: yield* Clock.currentTimeMillis
  } satisfies Restored
}, Effect.scoped)

/** Whether another attempt would fail in the same way; another one that is at work is left alone. */
const isFinal = ({
  isRetryable,
  reason
}: {
  readonly isRetryable: boolean
  readonly reason: { readonly _tag: string }
}) => !isRetryable && reason._tag !== "RestoreOvertaken" && reason._tag !== "ProducerFenced"

/**
 * Remembers which topics were made here, before anything is waited for: an attempt that died would leave topics of
 * nobody. The coordinator may not know them yet: all of it is remembered again before the first record.
 */
const rememberMade = (
  sink: KafkaSinkShape,
  request: RestoreRequest,
  { plan, targets }: Pick<Prepared, "plan" | "targets">,
  made: ReadonlyMap<string, string | undefined>
) => {
  const memory: RestoreMemory.Memory = new Map(
    targets.flatMap(({ topic }) => {
      const topicId = made.get(topic.target)
      if (topicId === undefined) return []
      const chosen =
        request.chosen === undefined ? {} : { chosen: { by: request.chosen.by, backupId: request.backupId } }
      const retention = TopicConfigs.retention(topic.configs, OwnConfigs.wanted(topic, request.configs, undefined))
      return [[topic.target, { ...chosen, plan: plan.digest, topicId, isMade: true, retention }]]
    })
  )
  return RestoreMemory.save(sink, request.owner, memory).pipe(
    Effect.catchReason("KafkaError", "TopicVanished", () => Effect.succeed(false))
  )
}

/** How often topics are written anew in one attempt. */
const mostRenewals = 2

type Writing = ReturnType<typeof writeAll>

/** What is remembered of these topics, changed. */
const mapped = (
  targets: ReadonlyArray<Preflight.TargetTopic>,
  memory: RestoreMemory.Memory,
  change: (known: RestoreMemory.Remembered) => RestoreMemory.Remembered
): RestoreMemory.Memory => new Map(targets.map(({ topic: { target } }) => [target, change(memory.get(target)!)]))

/**
 * `compression.type` of the topic: also where the topic is to have the brokers' own, that of the source shows the data.
 */
const compressionOf = (topic: RestorePlan.PlannedTopic, choice: ConfigChoice) =>
  WantedConfigs.of(topic, choice).overrides["compression.type"] ?? topic.configs?.["compression.type"]

const writeAll = (
  systems: Systems,
  request: RestoreRequest,
  plan: RestorePlan.RestorePlan,
  ids: ReadonlyMap<string, string | undefined>,
  { producer }: Attempt.Begun,
  options: Options & { readonly holes: Holes.HoleWriter }
) => {
  const pace = Pace.make(request)
  const memory = new BatchMemory(options.batchMemoryBytes)
  const writers = Writers.make(options.openPartitions)
  const places = plan.topics.flatMap((topic) => topic.partitions.map((partition) => ({ plan, topic, partition })))
  // The largest first: else one of them is left alone at the end.
  const sizeOf = ({ partition }: (typeof places)[number]) => Writers.storedBytes(partition)
  return Effect.forEach(
    places.toSorted((a, b) => sizeOf(b) - sizeOf(a)),
    (place) =>
      PartitionRestore.run(place, ids.get(place.topic.target), {
        ...systems,
        ...options,
        producer,
        pace,
        memory,
        inTurn: writers.inTurn(sizeOf(place)),
        codec: request.compression ?? codecOf(compressionOf(place.topic, request.configs)),
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
