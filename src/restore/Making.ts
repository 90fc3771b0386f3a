import { Effect } from "effect"
import * as Appending from "./Appending.ts"
import * as Attempt from "./Attempt.ts"
import * as Configuring from "./Configuring.ts"
import * as Journal from "./Journal.ts"
import * as OwnConfigs from "./OwnConfigs.ts"
import * as Preparation from "./Preparation.ts"
import * as Recreating from "./Recreating.ts"
import * as Remembering from "./Remembering.ts"
import { preflightFailed, refusals } from "./RestoreError.ts"
import type * as RestoreMemory from "./RestoreMemory.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import type { Options, Prepared, Systems } from "./RestoreWork.ts"
import * as Targets from "./TargetTopic.ts"
import * as TargetTopics from "./TargetTopics.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import type { Underway } from "./Underway.ts"

/* The first steps of a restore: its topics are there, what it did to them is remembered, and they can be written. */

type Made = ReadonlyMap<string, string | undefined>

/** Deletes and creates topics. Where one exists by now, it may be anybody's: everything is asked again. */
const makeTopics = Effect.fnUntraced(function* (systems: Systems, request: RestoreRequest, prepared: Prepared) {
  const { sink } = systems
  yield* Recreating.remove(sink, prepared.targets)
  const { areNew, ids } = yield* TargetTopics.create(sink, prepared.targets)
  yield* Remembering.rememberMade(sink, request, prepared, ids)
  // Those just created are there and empty.
  if (areNew) return { ids, plan: prepared.plan, targets: prepared.targets }
  const deleted = prepared.targets.flatMap(({ _tag, topic }) => (_tag === "Recreated" ? [topic.target] : []))
  const state = refusals.afterTopics(deleted, [...ids.keys()])
  const again = Recreating.without(request)
  return { ids, ...(yield* Preparation.askTarget(systems, again, prepared.plan, prepared.means, undefined, state)) }
})

/** What is known of each topic before the first record: of this attempt, and of earlier ones. */
const firstMemory = Effect.fnUntraced(function* (
  { sink, source }: Systems,
  request: RestoreRequest,
  { plan, targets }: Pick<Prepared, "plan" | "targets">,
  made: Made
) {
  const owns = yield* OwnConfigs.read(source, targets, request.configs)
  const ids = yield* TargetTopics.ids(sink, plan)
  const chosen = request.chosen === undefined ? {} : { chosen: { by: request.chosen.by, backupId: request.backupId } }
  return new Map(
    targets.map((target): readonly [string, RestoreMemory.Remembered] => {
      const { topic } = target
      const remembered = Targets.remembered(target)
      const topicId = ids.get(topic.target)
      const own = owns.get(topic.target)
      const wanted = OwnConfigs.wanted(topic, request.configs, remembered?.own ?? own)
      const begun: RestoreMemory.Remembered = {
        ...chosen,
        plan: plan.digest,
        ...(own === undefined ? {} : { own }),
        ...(topicId === undefined ? {} : { topicId }),
        ...Appending.bases(topic),
        isMade: topicId !== undefined && made.get(topic.target) === topicId,
        retention: TopicConfigs.retention(topic.configs, wanted)
      }
      // The resource may have been edited since an earlier attempt: what is not final yet follows it.
      const isOver = remembered?.configs === "final"
      return [topic.target, isOver ? remembered : { ...begun, ...remembered, retention: begun.retention }]
    })
  )
})

/** Writes down what the next attempt must know before the first record is written. */
const remember = Effect.fnUntraced(function* ({ journal, request, targets, unproven }: Underway, made: Made) {
  const isHeld = targets.some((target) => Targets.remembered(target)?.configs === "held")
  // Somebody may end the hold by command next: that knows what is remembered alone.
  if (unproven.length > 0 || isHeld) yield* journal.remember(journal.memory())
  // With Describe alone, the group could be read.
  if (unproven.length > 0 && !journal.isKept() && request.existingTopics === "append") {
    const objections = [Appending.forgetful(Attempt.nameOf(request.owner))]
    return yield* preflightFailed(objections, refusals.afterTopics([], [...made.keys()]))
  }
})

/** Existing topics get the configuration that they need while they are written. */
const prepareExisting = ({ request, systems, targets }: Underway) =>
  Effect.forEach(
    targets.filter((target) => target._tag === "Present" && !target.isWritten),
    ({ topic }) => Configuring.prepareExisting(systems, topic, request.configs),
    { discard: true }
  )

/** Makes the topics ready to be written. */
export const begin = Effect.fnUntraced(function* (
  systems: Systems,
  request: RestoreRequest,
  prepared: Prepared,
  options: Options
) {
  const { ids: made, plan, targets } = yield* makeTopics(systems, request, prepared)
  const underway: Underway = {
    systems,
    request,
    options,
    means: prepared.means,
    plan,
    targets,
    unproven: targets.filter((target) => !Targets.isProven(target)),
    hasBegun: targets.some((target) => Targets.remembered(target) !== undefined),
    journal: Journal.make(systems.sink, request.owner, yield* firstMemory(systems, request, { plan, targets }, made))
  }
  yield* remember(underway, made)
  yield* prepareExisting(underway)
  return underway
})
