import { Effect, Option, Result } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import * as Due from "../plan/Due.ts"
import * as Occasion from "../plan/Occasion.ts"
import type { Remembered } from "../plan/Remembered.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import * as Trigger from "../resource/Trigger.ts"
import type { ActiveRun, Facts, OccasionName, Trouble } from "../status/Facts.ts"
import * as History from "../status/History.ts"
import * as Memory from "../status/Memory.ts"
import * as Words from "../status/Words.ts"
import type { Caches } from "./Caches.ts"
import * as JobMaker from "./JobMaker.ts"
import * as ChoreJobs from "./jobs/ChoreJobs.ts"
import * as JobReading from "./jobs/JobReading.ts"
import type { JobSettings } from "./jobs/JobSettings.ts"
import * as JobTemplate from "./jobs/JobTemplate.ts"
import * as Lane from "./Lane.ts"
import * as ObjectCache from "./ObjectCache.ts"
import * as Outcome from "./Outcome.ts"
import { PodProgress } from "./PodProgress.ts"
import type { LookAgain } from "./ResourceFibers.ts"
import type { RunQueue } from "./RunQueue.ts"
import * as Sight from "./Sight.ts"
import * as VanishedRun from "./VanishedRun.ts"

/** While a run is active its pod is asked this often how far it is, in milliseconds. */
export const progressEveryMillis = 15_000

/** A run that began less than a minute ago is asked more often: most end soon, and who started it by hand is looking. */
const progressMillis = (startMillis: number, nowMillis: number): number =>
  nowMillis - startMillis < 60_000 ? 5_000 : progressEveryMillis

/** A Job that the API server does not take is tried again this much later, in milliseconds. */
export const refusedAgainMillis = 60_000

/** A run that has been in trouble for this long is looked at less often: its cure is heard of anyway, in milliseconds. */
const longTroubledMillis = 300_000
const troubledEveryMillis = 60_000

/** After the end of a Job was told, in milliseconds. */
const endedAgainMillis = 1000

/** A status that says nothing about a resource this old has been lost, in milliseconds. */
const forgottenAfterMillis = 300_000

/** What a look uses beside the ports. */
export interface Tools {
  readonly caches: Caches
  readonly queue: RunQueue
  readonly settings: JobSettings
}

/** What the lane did. */
interface Done {
  readonly isStarted: boolean
  readonly active?: ActiveRun
  readonly refusal?: Trouble
  readonly before?: number
}

const nothingDone: Done = { isStarted: false }

/**
 * Looks at one resource that is not being deleted: reads what its Jobs tell, starts what is due, and says so in its status. Level
 * triggered: it may be cut off anywhere and be asked again at any time, here or in another process.
 */
export const look = Effect.fn("Look.look")(function* (
  tools: Tools,
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
          stuckChore: stuckChore(tidings),
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
  const done = yield* act(tools, sight, wish)
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

  const again = [
    due?.lookAgainMillis === undefined ? undefined : due.lookAgainMillis - nowMillis,
    active !== undefined
      ? active.trouble !== undefined && nowMillis - active.startMillis > longTroubledMillis
        ? troubledEveryMillis
        : progressMillis(active.startMillis, nowMillis)
      : tidings.unfinished.length > 0
        ? progressEveryMillis
        : undefined,
    done.refusal === undefined ? undefined : refusedAgainMillis,
    // What follows from an end, such as retention, is decided when that is in the status.
    tidings.untold.length > 0 ? endedAgainMillis : undefined
  ].filter((millis) => millis !== undefined)
  return { _tag: "After", millis: again.length === 0 ? Infinity : Math.max(0, Math.min(...again)) }
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

const occasionNames = { Slot: "schedule", Trigger: "trigger", Once: "once" } as const satisfies Record<
  Occasion.Occasion["_tag"],
  OccasionName
>

/** The chore that is alone in the lane and does not get on. */
const stuckChore = ({ unfinished }: Sight.Tidings): string | undefined => {
  const [only, ...others] = unfinished
  if (only?.reading._tag !== "ActiveChore" || only.reading.trouble === undefined || others.length > 0) return undefined
  // One that is being deleted already only needs time.
  return only.job.metadata.deletionTimestamp === undefined ? only.reading.jobName : undefined
}

/** Does what the lane wishes. */
const act = Effect.fnUntraced(function* (
  { caches, queue, settings }: Tools,
  sight: Sight.Sight,
  wish: Lane.Wish
): Effect.fn.Return<Done, KubernetesError, KubernetesApi> {
  const { backup, key, name, namespace, nowMillis, uid } = sight
  if (wish._tag === "Nothing" || backup === undefined) return nothingDone
  if (wish._tag === "GiveWay") {
    const api = yield* KubernetesApi
    yield* api
      .remove(Kind.jobs, { namespace, name: wish.jobName }, { propagation: "Background" })
      .pipe(Effect.catchIf(hasReason("NotFound"), () => Effect.void))
    return nothingDone
  }
  if (wish._tag !== "Run") {
    const job = (wish._tag === "Prune" ? ChoreJobs.forPrune : ChoreJobs.forCatalogue)({
      backup,
      settings,
      key: wish.key
    })
    // Made before and ended: it is not made again while it is there.
    if (Result.isSuccess(job) && caches.jobs.get(ObjectCache.keyOf(job.success)) !== undefined) return nothingDone
    const made = yield* JobMaker.make(job, uid)
    if (made._tag === "Refused") return { isStarted: false, refusal: made.trouble }
    caches.learnJob(made.job)
    return nothingDone
  }

  const { occasion } = wish
  const dueMillis = occasion._tag === "Trigger" ? occasion.firstSeenMillis : occasion.slotMillis
  const { before, isGranted } = queue.ask(key, dueMillis, caches.activeRuns())
  if (!isGranted) return { isStarted: false, before }
  const identity = Occasion.identity({ uid, namespace, name }, occasion)
  const job = JobTemplate.forRun({ backup, identity, occasion: occasionNames[occasion._tag], settings })
  return yield* JobMaker.make(job, uid).pipe(
    Effect.map((made): Done => {
      if (made._tag === "Refused") return { isStarted: false, refusal: made.trouble }
      caches.learnJob(made.job)
      const reading = JobReading.read(made.job, [], nowMillis)
      return { isStarted: true, ...(reading._tag === "Active" ? { active: reading.run } : {}) }
    }),
    Effect.ensuring(Effect.sync(() => queue.settle(key)))
  )
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
    Math.abs(nowMillis - Words.millis(before.updatedTime)) < progressMillis(active.startMillis, nowMillis)
  if (isFresh) return active
  const pod = activeJob.pods.find(({ status }) => status?.phase === "Running")
  if (pod === undefined) return active
  const pods = yield* PodProgress
  const progress = yield* pods.read(pod)
  return Option.isNone(progress) ? active : { ...active, progress: progress.value }
})
