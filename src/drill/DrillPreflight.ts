import { Clock, Effect, type Scope } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"

import * as Catalogue from "../manifest/Catalogue.ts"
import * as Verification from "../manifest/Verification.ts"
import { didYouMean } from "../resource/Near.ts"
import * as TopicGlob from "../resource/TopicGlob.ts"
import * as Attempt from "../restore/Attempt.ts"
import * as Cut from "../restore/Cut.ts"
import type * as HoleMeans from "../restore/HoleMeans.ts"
import * as Holes from "../restore/Holes.ts"
import * as RecordMemory from "../restore/RecordMemory.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Memory from "../worker/Memory.ts"
import * as DrillChoice from "./DrillChoice.ts"
import { BackupDamaged, DrillError, PreflightFailed } from "./DrillError.ts"
import type { Facts, OnFact, Systems } from "./DrillFacts.ts"
import * as DrillPlan from "./DrillPlan.ts"
import * as DrillRequest from "./DrillRequest.ts"
import * as NewestSet from "./NewestSet.ts"
import * as ScratchNames from "./ScratchNames.ts"
import * as ScratchTopics from "./ScratchTopics.ts"

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
  { backupId, manifest }: Catalogue.BackupSet,
  { topics }: DrillRequest.DrillRequest
) {
  const names = new Set(manifest.topics.map(({ name }) => name))
  const missing = topics.filter((pattern) => !TopicGlob.isWildcard(pattern) && !names.has(pattern))
  const found = manifest.topics.filter(({ name }) => topics.some((pattern) => TopicGlob.matches(pattern, name)))
  if (missing.length === 0 && (found.length > 0 || names.size === 0)) return found
  const what = missing.length === 0 ? topics : missing
  const near = didYouMean(missing, [...names])
  const message = `backup ${backupId} has no topic ${what.slice(0, 10).join(", ")}${near}`
  return yield* refuse([{ message, advice: "correct spec.drill.topics, or back these topics up first" }])
})

/** Told which backup is going to be read, so that retention leaves it alone. */
export type OnOpened = (backupId: BackupId) => Effect.Effect<void, never, Scope.Scope>

/** How often the newest backup is looked for that retention does not remove at that moment. */
const choices = 3

/** The newest backup. Retention may have begun to remove it before it was told: then there is a newer one. */
const chosen = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { resource }: DrillRequest.DrillRequest,
  onOpened: OnOpened
) {
  for (let left = choices; ; left--) {
    const found = yield* NewestSet.open(store, resource)
    yield* onOpened(found.set.backupId)
    if (left === 1 || (yield* Catalogue.isComplete(store, found.set.backupId))) return found
  }
})

/** Fails unless every object of the backup is there with its size, and its documents are as they were committed. */
const assertWhole = Effect.fnUntraced(function* (store: ObjectStoreShape, set: Catalogue.BackupSet) {
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
export const prepare = Effect.fn("DrillPreflight.prepare")(function* (
  { sink, source, store }: Systems,
  request: DrillRequest.DrillRequest,
  onFact: OnFact,
  onOpened: OnOpened = () => Effect.void
) {
  const startedMillis = yield* Clock.currentTimeMillis
  const owner = DrillRequest.owner(request.resource)
  const { passedOver, set } = yield* chosen(store, request, onOpened)
  onFact({ set, passedOver })
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
  const counted = yield* Cut.countAll(store, set, undefined, (topic, partition) =>
    DrillChoice.hasFirst(choice, topic, partition)
  )
  const { replicationFactor } = request
  const planFor = (means: HoleMeans.Means) =>
    DrillPlan.make(set, choice, names, { replicationFactor, token, means, counted })
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
    ...RecordMemory.tooLarge(plan.restore.topics, Memory.limitBytes()).map(({ message, neededMebibytes }) => ({
      message,
      advice: `raise spec.resources.limits.memory to at least ${neededMebibytes}Mi, or leave the topic out of spec.drill.topics`
    })),
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
