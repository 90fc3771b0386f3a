import { Clock, Effect } from "effect"
import * as Appending from "./Appending.ts"
import * as Attempt from "./Attempt.ts"
import * as Cleaning from "./Cleaning.ts"
import * as Groups from "./groups/Groups.ts"
import * as Configuring from "./Configuring.ts"
import * as Holes from "./Holes.ts"
import * as LargeRecords from "./LargeRecords.ts"
import * as MadeTopics from "./MadeTopics.ts"
import * as OwnConfigs from "./OwnConfigs.ts"
import { preflightFailed, refusals, RestoreError } from "./RestoreError.ts"
import * as Recreating from "./Recreating.ts"
import * as RestoreMemory from "./RestoreMemory.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import * as RetentionHold from "./RetentionHold.ts"
import * as TargetTopics from "./TargetTopics.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as Preparation from "./Preparation.ts"
import * as Remembering from "./Remembering.ts"
import type { Options, Prepared, ProvenPartition, Restored, Systems } from "./RestoreWork.ts"
import * as Writing from "./Writing.ts"

export { planOf, prepare } from "./Preparation.ts"
export type { Options, Systems } from "./RestoreWork.ts"

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
  yield* Remembering.rememberMade(sink, request, prepared, created.ids)
  // A topic that exists by now may be anybody's: everything is asked again. Those just created are there and empty.
  const { plan, targets } = created.areNew
    ? prepared
    : yield* Preparation.askTarget(
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
  let isRemembered = true
  const remember = Effect.fnUntraced(function* (changed: RestoreMemory.Memory) {
    memory = new Map([...memory, ...changed])
    // Without permission once, this attempt asks no more.
    if (isRemembered) isRemembered = yield* RestoreMemory.save(sink, request.owner, changed)
  })
  let proven: ReadonlyArray<ProvenPartition> = []
  for (const { remembered, topic } of targets) {
    if (remembered?.provenMillis !== undefined) topic.partitions.forEach((partition) => options.onProven?.(partition))
  }
  // Somebody may end the hold by command next: that knows what is remembered alone.
  if (unproven.length > 0 || targets.some(({ remembered }) => remembered?.configs === "held")) {
    yield* remember(memory)
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
    const begun = yield* Attempt.begin(sink, request.owner, (producerId) =>
      remember(Remembering.mapped(unproven, memory, (known) => RestoreMemory.withProducer(known, producerId)))
    )
    const rest = { ...plan, topics: unproven.map(({ topic }) => topic) }
    const written = (renewals: number): Written =>
      Effect.flatMap(
        Effect.all([TargetTopics.ids(sink, plan), Holes.writer(sink, request.owner, means, rest.topics, hasBegun)]),
        ([ids, holes]) => Writing.writeAll(systems, request, rest, ids, begun, { ...options, holes })
      ).pipe(
        Effect.catchReason("RestoreError", "TargetDisturbed", (disturbed) =>
          Effect.gen(function* () {
            const topic = rest.topics.find(({ target }) => target === disturbed.topic)
            const topicId =
              topic === undefined || renewals === 0
                ? undefined
                : yield* MadeTopics.renew(systems, topic, request.configs, memory)
            if (topicId === undefined) return yield* new RestoreError({ reason: disturbed })
            yield* remember(new Map([[disturbed.topic, { ...memory.get(disturbed.topic)!, topicId }]]))
            return yield* written(renewals - 1)
          })
        )
      )
    proven = yield* Effect.raceFirst(written(mostRenewals), begun.untilOvertaken).pipe(
      Effect.tapError((error) =>
        request.deletesCreated && isFinal(error)
          ? Effect.map(MadeTopics.removeAfterFailure(sink, source, rest.topics, memory), (removed) =>
              options.onRemoved?.(removed)
            ).pipe(Effect.andThen(OwnConfigs.giveBack(sink, rest.topics, request.configs, memory)))
          : Effect.void
      )
    )
    const provenMillis = yield* Clock.currentTimeMillis
    // Before the configuration: from then on the brokers may remove records, and nothing can be compared any more.
    yield* remember(Remembering.mapped(unproven, memory, (known) => ({ ...known, provenMillis })))
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
            wantedOf(topic, memory.get(topic.target)),
            LargeRecords.knownBytes(topic)
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
      Remembering.mapped(unconfigured, memory, (known) => ({
        ...known,
        configs: known.appends === undefined ? inPlace : "final"
      }))
    )
  }
  // Consumers that have read on since then must not be set back.
  const groupsSet = targets.map(({ topic }) => memory.get(topic.target)?.groupsSetMillis)
  const areGroupsSet = !groupsSet.includes(undefined)
  const offsetReset = areGroupsSet ? undefined : yield* Groups.reset(systems, plan, groups)
  if (offsetReset !== undefined) {
    const groupsSetMillis = yield* Clock.currentTimeMillis
    yield* remember(Remembering.mapped(targets, memory, (known) => ({ ...known, groupsSetMillis })))
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

/** How often topics are written anew in one attempt. */
const mostRenewals = 2

type Written = ReturnType<typeof Writing.writeAll>
