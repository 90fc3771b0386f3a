import { Effect, Result } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import * as Occasion from "../schedule/RunCause.ts"
import type { ActiveRun, OccasionName, Trouble } from "../status/Facts.ts"
import type { Caches } from "./Caches.ts"
import * as JobMaker from "./EnsureJob.ts"
import * as ChoreJobs from "./jobs/MaintenanceJobs.ts"
import * as JobReading from "./jobs/JobState.ts"
import type { JobSettings } from "./jobs/JobSettings.ts"
import * as JobTemplate from "./jobs/JobTemplate.ts"
import type * as Lane from "./NextJob.ts"
import * as ObjectCache from "./InformerCache.ts"
import type { RunQueue } from "./RunQueue.ts"
import type * as Sight from "./Observed.ts"

/** What a look uses beside the ports. */
export interface Tools {
  readonly caches: Caches
  readonly queue: RunQueue
  readonly settings: JobSettings
}

/** What the lane did. */
export interface Done {
  readonly isStarted: boolean
  readonly active?: ActiveRun
  readonly refusal?: Trouble
  readonly before?: number
}

const nothingDone: Done = { isStarted: false }

const occasionNames = { Slot: "schedule", Trigger: "trigger", Once: "once" } as const satisfies Record<
  Occasion.Occasion["_tag"],
  OccasionName
>

/** The chore that is alone in the lane and does not get on. */
export const stuckChore = ({ unfinished }: Sight.Tidings): string | undefined => {
  const [only, ...others] = unfinished
  if (only?.reading._tag !== "ActiveChore" || only.reading.trouble === undefined || others.length > 0) return undefined
  // One that is being deleted already only needs time.
  return only.job.metadata.deletionTimestamp === undefined ? only.reading.jobName : undefined
}

/** Does what the lane wishes. */
export const carryOut = Effect.fn("LaneWork.carryOut")(function* (
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
