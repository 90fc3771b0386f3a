import { Effect, Option } from "effect"
import type { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../kubernetes/KubernetesError.ts"
import * as Due from "../schedule/Due.ts"
import type { Remembered } from "../schedule/ScheduleMemory.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import * as Trigger from "../resource/Trigger.ts"
import type { Facts } from "../status/Facts.ts"
import * as History from "../status/History.ts"
import * as Memory from "../status/ScheduleFields.ts"
import * as Words from "../status/Format.ts"
import * as Lane from "./NextJob.ts"
import * as LaneWork from "./JobActions.ts"
import * as Outcome from "./StatusReport.ts"
import * as Pace from "./Requeue.ts"
import { PodProgress } from "./PodProgress.ts"
import type { LookAgain } from "./ReconcileFibers.ts"
import * as Sight from "./Observed.ts"
import * as VanishedRun from "./DeletedJob.ts"

/** A status that says nothing about a resource this old has been lost, in milliseconds. */
const forgottenAfterMillis = 300_000

/**
 * Looks at one resource that is not being deleted: reads what its Jobs tell, starts what is due, and says so in its status. Level
 * triggered: it may be cut off anywhere and be asked again at any time, here or in another process.
 */
export const look = Effect.fn("Look.look")(function* (
  tools: LaneWork.Tools,
  sight: Sight.Sight
): Effect.fn.Return<LookAgain, KubernetesError, KubernetesApi | PodProgress | Outcome.Services> {
  const { caches, queue } = tools
  const { backup, nowMillis, previous } = sight
  const tidings = Sight.tidings(sight)
  const vanished = yield* VanishedRun.find(caches, sight, tidings)
  const remembered = Memory.read(previous)
  const due =
    backup === undefined
      ? undefined
      : Due.decide({
          spec: backup.spec,
          createdMillis: sight.createdMillis,
          trigger: Trigger.requested(sight.resource.metadata.annotations),
          remembered,
          active: tidings.activeJob === undefined ? undefined : Sight.occasionOf(tidings.activeJob.job),
          ...started(sight),
          nowMillis
        })

  const successes = (previous.backupHistory ?? []).filter(({ outcome }) => outcome === "success")
  const wish =
    backup === undefined
      ? ({ _tag: "Nothing" } as const)
      : Lane.next({
          isBusy: tidings.unfinished.length > 0,
          stuckChore: LaneWork.stuckChore(tidings),
          due: due?.start,
          generation: sight.generation,
          keep: backup.spec.retention?.backups,
          // What ended just now is not in the history yet, and its retention has been applied.
          successes: tidings.untold.length > 0 ? [] : successes.map(({ backupId }) => backupId ?? ""),
          mayHoldMore:
            previous.observedGeneration !== undefined &&
            previous.observedGeneration !== sight.generation &&
            successes.length >= History.limits.successes,
          isForgotten:
            previous.observedGeneration === undefined && nowMillis - sight.createdMillis > forgottenAfterMillis,
          vanishedJob: vanished?.jobName
        })
  const done = yield* LaneWork.carryOut(tools, sight, wish)
  if (wish._tag !== "Run") queue.settle(sight.key)

  const isWaiting = due?.start !== undefined && !done.isStarted
  const active = done.active ?? (yield* withProgress(tidings, sight))
  const facts: Facts = {
    generation: sight.generation,
    problems: sight.problems,
    outlook: due?.outlook,
    schedule: {
      ...(backup?.spec.schedule === undefined ? {} : { text: backup.spec.schedule }),
      ...(backup?.spec.timeZone === undefined ? {} : { timeZone: backup.spec.timeZone })
    },
    remembered: due === undefined ? unusable(sight, remembered) : isWaiting ? waiting(remembered, due) : due.remembered,
    active,
    ended: vanished === undefined ? tidings.ended : [...tidings.ended, vanished],
    chores: tidings.chores,
    skipped: due === undefined || isWaiting ? [] : due.skipped,
    refusedTrigger: due?.refusedTrigger,
    catalogue: tidings.catalogue,
    queue: done.before === undefined ? undefined : { before: done.before },
    refusal: done.refusal,
    deletion: undefined,
    ignoredStorageBlocks: backup === undefined ? [] : StorageSpec.ignoredStorageBlocks(backup.spec)
  }
  yield* Outcome.tell(caches, sight, facts, tidings.untold)
  caches.closeGraves(sight.key)

  return {
    _tag: "After",
    millis: Pace.nextMillis({
      dueMillis: due?.lookAgainMillis,
      active,
      isBusy: tidings.unfinished.length > 0,
      isRefused: done.refusal !== undefined,
      hasEnded: tidings.untold.length > 0,
      nowMillis
    })
  }
})

const started = (sight: Sight.Sight) => {
  const startedSlotMillis = Sight.startedSlotMillis(sight)
  return startedSlotMillis === undefined ? {} : { startedSlotMillis }
}

/**
 * What is remembered while a run that is due does not exist yet: nothing that would make it less due. Only when a trigger was first
 * seen is kept, because its run is named after that.
 */
const waiting = (remembered: Remembered, { remembered: then, start }: Due.Due): Remembered => {
  const kept = {
    ...remembered,
    ...(then.observedSchedule === undefined ? {} : { observedSchedule: then.observedSchedule }),
    ...(then.sinceMillis === undefined ? {} : { sinceMillis: then.sinceMillis })
  }
  if (start?._tag === "Trigger") {
    return { ...kept, pendingTrigger: { token: start.token, firstSeenMillis: start.firstSeenMillis } }
  }
  return then.pendingTrigger === undefined ? kept : { ...kept, pendingTrigger: then.pendingTrigger }
}

/** A spec that cannot be used has no slots: what corrects it counts as an edit, and an edit starts from now. */
const unusable = ({ createdMillis }: Sight.Sight, remembered: Remembered): Remembered => ({
  sinceMillis: createdMillis,
  ...remembered
})

/** The active run with what its pod says of itself, where that was not asked a moment ago: what is new in it is a reason to write. */
const withProgress = Effect.fnUntraced(function* (
  { active, activeJob }: Sight.Tidings,
  { nowMillis, previous: { activeRun, progress: before } }: Sight.Sight
) {
  if (active === undefined || activeJob === undefined) return active
  const isFresh =
    activeRun?.jobName === active.jobName &&
    before?.updatedTime !== undefined &&
    Math.abs(nowMillis - Words.millis(before.updatedTime)) < Pace.progressMillis(active.startMillis, nowMillis)
  if (isFresh) return active
  const pod = activeJob.pods.find(({ status }) => status?.phase === "Running")
  if (pod === undefined) return active
  const pods = yield* PodProgress
  const progress = yield* pods.read(pod)
  return Option.isNone(progress) ? active : { ...active, progress: progress.value }
})
