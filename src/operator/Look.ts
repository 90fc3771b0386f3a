import { Effect, Option, Result } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { Event } from "../kubernetes/Objects.ts"
import * as Due from "../plan/Due.ts"
import * as Occasion from "../plan/Occasion.ts"
import type { Remembered } from "../plan/Remembered.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import * as Trigger from "../resource/Trigger.ts"
import type { ActiveRun, EndedRun, Facts, OccasionName, Trouble } from "../status/Facts.ts"
import * as Memory from "../status/Memory.ts"
import * as Words from "../status/Words.ts"
import type { Caches } from "./Caches.ts"
import * as JobMaker from "./JobMaker.ts"
import * as ChoreJobs from "./jobs/ChoreJobs.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
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

/** While a run is active its pod is asked this often how far it is, in milliseconds. */
export const progressEveryMillis = 15_000

/** A Job that the API server does not take is tried again this much later, in milliseconds. */
export const refusedAgainMillis = 60_000

/** A Job without a pod at work gets on by itself for this long, in milliseconds: nobody asks why it does not. */
const stuckAfterMillis = 30_000

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
  const vanished = yield* vanishedRun(caches, sight, tidings)
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
          due: due?.start,
          generation: sight.generation,
          keep: backup.spec.retention?.backups,
          // What ended just now is not in the history yet, and its retention has been applied.
          successes: tidings.untold.length > 0 ? [] : successes.map(({ backupId }) => backupId ?? ""),
          isForgotten:
            previous.observedGeneration === undefined && nowMillis - sight.createdMillis > forgottenAfterMillis,
          vanishedJob: vanished?.jobName
        })
  const done = yield* act(tools, sight, wish)
  if (wish._tag !== "Run") queue.settle(sight.key)

  const isWaiting = due?.start !== undefined && !done.isStarted
  const active = done.active ?? (yield* withProgress(tidings))
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
    tidings.unfinished.length > 0 || done.active !== undefined ? progressEveryMillis : undefined,
    done.refusal === undefined ? undefined : refusedAgainMillis
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

/** Does what the lane wishes. */
const act = Effect.fnUntraced(function* (
  { caches, queue, settings }: Tools,
  sight: Sight.Sight,
  wish: Lane.Wish
): Effect.fn.Return<Done, KubernetesError, KubernetesApi> {
  const { backup, key, name, namespace, nowMillis, uid } = sight
  if (wish._tag === "Nothing" || backup === undefined) return nothingDone
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

/** The active run with what its pod says of itself. */
const withProgress = Effect.fnUntraced(function* ({ active, activeJob }: Sight.Tidings) {
  if (active === undefined || activeJob === undefined) return active
  const pod = activeJob.pods.find(({ status }) => status?.phase === "Running")
  if (pod === undefined) return active
  const pods = yield* PodProgress
  const progress = yield* pods.read(pod)
  return Option.isNone(progress) ? active : { ...active, progress: progress.value }
})

/** A run that status calls active and whose Job is gone: it ended, and only the little that was seen of it can be told. */
const vanishedRun = Effect.fnUntraced(function* (
  caches: Caches,
  { key, namespace, nowMillis, previous }: Sight.Sight,
  tidings: Sight.Tidings
): Effect.fn.Return<EndedRun | undefined, KubernetesError, KubernetesApi> {
  const run = previous.activeRun
  if (run?.jobName === undefined) return undefined
  const { jobName } = run
  if (caches.jobs.get(`${namespace}/${jobName}`) !== undefined || tidings.active !== undefined) return undefined
  const api = yield* KubernetesApi
  const found = yield* Effect.map(api.get(Kind.jobs, { namespace, name: jobName }), Option.some).pipe(
    Effect.catchIf(hasReason("NotFound"), () => Effect.succeedNone)
  )
  if (Option.isSome(found)) {
    // The cache lags: the next look sees it.
    caches.learnJob(found.value)
    return undefined
  }
  const grave = caches.grave(`${namespace}/${jobName}`)
  const last = grave === undefined ? undefined : JobReading.vanished(grave.job, grave.pods, nowMillis)
  if (last?._tag === "Ended") return last.run
  yield* Effect.logDebug("a Job vanished unseen").pipe(Effect.annotateLogs({ resource: key, job: jobName }))
  return {
    jobName,
    occasion: run.occasion,
    backupId: run.backupId,
    startMillis: Words.millis(run.startTime),
    endMillis: nowMillis,
    outcome: "interrupted",
    reason: "JobDeleted",
    message: `Job ${jobName} was deleted before its end was seen; what was stored is remembered, and what storage holds is read again. To run again set the trigger annotation to a new value`,
    notes: []
  }
})

/** Events about Jobs that do not get on: only these are asked for, because nobody else needs them. */
export const eventsOfStuck = Effect.fn("Look.eventsOfStuck")(function* (
  sight: Sight.Sight
): Effect.fn.Return<ReadonlyArray<Event>, never, KubernetesApi> {
  const subjects = sight.jobs.flatMap(({ job, pods, reading }) => {
    if (reading._tag !== "Active" && reading._tag !== "ActiveChore") return []
    if (sight.nowMillis - JobFacts.startMillis(job, sight.nowMillis) < stuckAfterMillis) return []
    if (pods.some(({ status }) => status?.phase === "Running")) return []
    return [
      job.metadata.name,
      ...pods.filter(({ status }) => status?.phase === "Pending").map((pod) => pod.metadata.name)
    ]
  })
  if (subjects.length === 0) return []
  const api = yield* KubernetesApi
  const lists = yield* Effect.forEach(subjects, (name) =>
    api.list(Kind.events, { namespace: sight.namespace, fieldSelector: `regarding.name=${name}` }).pipe(
      Effect.map(({ items }) => items),
      // They explain; what they explain is known without them.
      Effect.catch((error) => Effect.as(Effect.logDebug("events cannot be read", error.message), []))
    )
  )
  return lists.flat()
})
