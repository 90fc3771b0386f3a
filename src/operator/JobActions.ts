import { Effect, Result } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import * as RunCause from "../schedule/RunCause.ts"
import type { ActiveRun, RunCauseName, Trouble } from "../status/Facts.ts"
import type { Caches } from "./Caches.ts"
import * as EnsureJob from "./EnsureJob.ts"
import * as MaintenanceJobs from "./jobs/MaintenanceJobs.ts"
import * as JobState from "./jobs/JobState.ts"
import type { JobSettings } from "./jobs/JobSettings.ts"
import * as JobTemplate from "./jobs/JobTemplate.ts"
import type * as NextJob from "./NextJob.ts"
import * as InformerCache from "./InformerCache.ts"
import type { RunQueue } from "./RunQueue.ts"
import type * as Observed from "./Observed.ts"

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

const causeNames = { Slot: "schedule", Trigger: "trigger", Once: "once" } as const satisfies Record<
  RunCause.RunCause["_tag"],
  RunCauseName
>

/** The chore that is alone in the lane and does not get on. */
export const stuckMaintenance = ({ unfinished }: Observed.OwnedJobs): string | undefined => {
  const [only, ...others] = unfinished
  if (only?.reading._tag !== "ActiveMaintenance" || only.reading.trouble === undefined || others.length > 0)
    return undefined
  // One that is being deleted already only needs time.
  return only.job.metadata.deletionTimestamp === undefined ? only.reading.jobName : undefined
}

/** Does what the lane wishes. */
export const carryOut = Effect.fn("JobActions.carryOut")(function* (
  { caches, queue, settings }: Tools,
  observed: Observed.Observed,
  action: NextJob.JobAction
): Effect.fn.Return<Done, KubernetesError, KubernetesApi> {
  const { backup, key, name, namespace, nowMillis, uid } = observed
  if (action._tag === "Nothing" || backup === undefined) return nothingDone
  if (action._tag === "Preempt") {
    const api = yield* KubernetesApi
    yield* api
      .remove(Kind.jobs, { namespace, name: action.jobName }, { propagation: "Background" })
      .pipe(Effect.catchIf(hasReason("NotFound"), () => Effect.void))
    return nothingDone
  }
  if (action._tag !== "Run") {
    const job = (action._tag === "Prune" ? MaintenanceJobs.forPrune : MaintenanceJobs.forCatalogue)({
      backup,
      settings,
      key: action.key
    })
    // Made before and ended: it is not made again while it is there.
    if (Result.isSuccess(job) && caches.jobs.get(InformerCache.keyOf(job.success)) !== undefined) return nothingDone
    const made = yield* EnsureJob.make(job, uid)
    if (made._tag === "Refused") return { isStarted: false, refusal: made.trouble }
    caches.learnJob(made.job)
    return nothingDone
  }

  const { cause } = action
  const dueMillis = cause._tag === "Trigger" ? cause.firstSeenMillis : cause.slotMillis
  const { before, isGranted } = queue.ask(key, dueMillis, caches.activeRuns())
  if (!isGranted) return { isStarted: false, before }
  const identity = RunCause.identity({ uid, namespace, name }, cause)
  const job = JobTemplate.forRun({ backup, identity, cause: causeNames[cause._tag], settings })
  return yield* EnsureJob.make(job, uid).pipe(
    Effect.map((made): Done => {
      if (made._tag === "Refused") return { isStarted: false, refusal: made.trouble }
      caches.learnJob(made.job)
      const reading = JobState.read(made.job, [], nowMillis)
      return { isStarted: true, ...(reading._tag === "Active" ? { active: reading.run } : {}) }
    }),
    Effect.ensuring(Effect.sync(() => queue.settle(key)))
  )
})
