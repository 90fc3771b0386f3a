import { Effect, Result } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import type { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import { given } from "../../resource/Json.ts"
import { isCompleted, isEditTooLate } from "../../status/restore/Completed.ts"
import * as NextRestore from "../../status/restore/NextRestore.ts"
import * as EnsureJob from "../EnsureJob.ts"
import type { PodProgress } from "../PodProgress.ts"
import type { ReconcileResult } from "../ReconcileContext.ts"
import * as Requeue from "../Requeue.ts"
import * as AttemptStep from "../oneTime/AttemptStep.ts"
import * as GroupsAgain from "./GroupsAgain.ts"
import * as HoldEnd from "./HoldEnd.ts"
import * as LateEdit from "../oneTime/LateEdit.ts"
import * as LiveJobs from "../oneTime/LiveJobs.ts"
import * as LostJob from "../oneTime/LostJob.ts"
import * as OriginLookup from "../oneTime/OriginLookup.ts"
import { after, type OneTimeContext, soonMillis } from "../oneTime/OneTimeContext.ts"
import * as RestoreFindings from "./RestoreFindings.ts"
import * as RestoreJob from "./RestoreJob.ts"
import * as OneTimeJobState from "../oneTime/OneTimeJobState.ts"
import type { ObservedJob } from "../oneTime/OneTimeObserved.ts"
import * as RestoreObserved from "./RestoreObserved.ts"
import type * as RestoreReport from "./RestoreReport.ts"
import * as StopJob from "../oneTime/StopJob.ts"
import * as StrimziClusters from "../strimzi/StrimziClusters.ts"
import * as WatchJob from "./WatchJob.ts"

type Services = KubernetesApi | PodProgress | RestoreReport.Services

/** A Job that the API server rejects is tried again after this time. */
const refusedAgainMillis = 60_000

/**
 * Reconciles one restore that is not being deleted. Level triggered: it may be cut off anywhere and be repeated at any
 * time, here or in another process.
 */
export const reconcile = Effect.fn("RestoreReconcile.reconcile")(function* (
  context: OneTimeContext,
  first: RestoreObserved.RestoreObserved
): Effect.fn.Return<ReconcileResult, KubernetesError, Services> {
  const observed = yield* again(context, first)
  const { previous } = observed
  const holdName = RestoreJob.holdNameOf(observed)
  const jobs = observed.jobs.filter(({ job }) => job.metadata.name !== holdName)
  const wanted = RestoreJob.nameOf({ ...observed, annotations: observed.resource.metadata.annotations })
  const { step, unfinished, unreported } = AttemptStep.of(jobs, {
    wanted,
    isUsable: observed.restore !== undefined,
    isCompleted: isCompleted(previous),
    isEditTooLate: isEditTooLate(previous),
    hasStartedWriting: observed.startedWritingMillis !== undefined,
    known:
      previous.jobName === undefined ? undefined : { name: previous.jobName, hasEnded: NextRestore.hasEnded(previous) }
  })
  switch (step._tag) {
    case "Watch":
      return yield* WatchJob.report(context, observed, unfinished!)
    case "Stop": {
      const found = yield* StopJob.atWork(context, observed, unfinished!)
      if (found === "NothingWritten") yield* StopJob.stop(observed, unfinished!.job)
      else {
        const watched = yield* WatchJob.report(context, observed, unfinished!)
        if (found === "Writing") return watched
      }
      return after(soonMillis)
    }
    case "Report": {
      const ended = jobs.find(({ job }) => job.metadata.name === step.name)
      yield* RestoreFindings.publish(context, observed, endOf(observed, ended), unreported)
      return after(soonMillis)
    }
    case "Lost": {
      const end = yield* LostJob.end(context.caches, Kind.kafkaRestores, observed, step.name, keptOf(observed))
      if (end !== undefined) yield* RestoreFindings.publish(context, observed, { ended: end })
      return after(soonMillis)
    }
    case "UsedBefore":
      yield* RestoreFindings.publish(context, observed, { usedBefore: step.name })
      return after(soonMillis)
    case "Start":
      return yield* start(context, observed, step.name)
    case "Rest":
      return yield* rest(context, observed)
  }
})

/**
 * Nothing is left to be restored: groups that a complete restore had left are set when they are asked for, and its
 * retention hold ends some day.
 */
const rest = Effect.fnUntraced(function* (context: OneTimeContext, observed: RestoreObserved.RestoreObserved) {
  if (!isCompleted(observed.previous)) {
    yield* RestoreFindings.publish(context, observed, {})
    return after(Infinity)
  }
  const groups = yield* GroupsAgain.step(context, observed)
  if (groups._tag === "Report") {
    yield* RestoreFindings.publish(context, observed, { groupStep: groups.step }, groups.jobs)
    return after(soonMillis)
  }
  const step = yield* HoldEnd.step(context, observed, RestoreFindings.holdOf(observed))
  if (step._tag === "Report") {
    yield* RestoreFindings.publish(context, observed, { holdEnd: step.end }, [step.job])
    return after(soonMillis)
  }
  yield* RestoreFindings.publish(
    context,
    observed,
    given({
      groupStep: groups._tag === "Tell" ? groups.step : undefined,
      holdEnd: step._tag === "Trouble" ? { isSuccess: false, message: step.message } : undefined
    })
  )
  return after(Math.min(step.millis, groups._tag === "Tell" ? groups.millis : Infinity))
})

/** What stays of a Job's work that is gone, as the end of a clause. */
const keptOf = ({ restore }: RestoreObserved.RestoreObserved): string =>
  restore?.spec.onFailure === "DeleteCreated" ? "" : "; everything that was written is kept"

const endOf = (
  { generation, startedWritingMillis }: RestoreObserved.RestoreObserved,
  ended: ObservedJob | undefined
): Pick<RestoreFindings.Found, "backupId" | "ended"> => {
  if (ended?.state._tag !== "Ended") return {}
  const { job, state } = ended
  return given({
    backupId: LateEdit.backupId(job),
    ended: LateEdit.applied(state.restore, job, generation, startedWritingMillis)
  })
}

/** The restore with what only the API server knows. */
const again = Effect.fnUntraced(function* ({ caches }: OneTimeContext, observed: RestoreObserved.RestoreObserved) {
  const events = yield* LiveJobs.read(caches, observed)
  return events === undefined ? observed : RestoreObserved.of(caches, observed.resource, observed.nowMillis, events)
})

/** Makes the Job, or finds it made. */
const start = Effect.fnUntraced(function* (
  context: OneTimeContext,
  observed: RestoreObserved.RestoreObserved,
  name: string
) {
  const { namespace, nowMillis, restore, uid } = observed
  if (restore === undefined) return after(Infinity)
  const origin = yield* OriginLookup.of(restore, namespace)
  if (origin._tag === "Missing") {
    yield* RestoreFindings.publish(context, observed, { missingBackup: origin.message })
    return after(OriginLookup.againMillis)
  }
  const whole = yield* StrimziClusters.ofTarget(origin.restore, namespace, context.settings)
  const job = Result.flatMap(whole, (found) => RestoreJob.make(found, name, context.settings))
  const made = yield* EnsureJob.make(job, uid)
  if (made._tag === "Refused") {
    yield* RestoreFindings.publish(context, observed, { refusal: made.trouble })
    return after(refusedAgainMillis)
  }
  context.caches.jobs.learn(made.job)
  const state = OneTimeJobState.read(made.job, [], nowMillis)
  if (state._tag === "Active") yield* RestoreFindings.publish(context, observed, { active: state.restore })
  return after(state._tag === "Active" ? Requeue.progressMillis(state.restore.startMillis, nowMillis) : soonMillis)
})
