import { Result } from "effect"
import type { Job } from "../kubernetes/Objects.ts"
import * as BackupId from "../identity/BackupId.ts"
import * as JobName from "../identity/JobName.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import * as Trigger from "../resource/Trigger.ts"
import * as RunCause from "../schedule/RunCause.ts"
import type { ActiveRun, Trouble } from "../status/Facts.ts"
import * as Format from "../status/Format.ts"
import type { JobRefused } from "./jobs/JobObject.ts"
import type { JobSettings } from "./jobs/JobSettings.ts"
import * as JobTemplate from "./jobs/JobTemplate.ts"
import * as MaintenanceJobs from "./jobs/MaintenanceJobs.ts"
import * as AwaitedSecret from "./AwaitedSecret.ts"
import * as Labels from "./Labels.ts"
import * as Observed from "./Observed.ts"

/*
 * A Job's pods are made from what the spec and the operator's configuration were when the Job was made, and the API
 * server lets nobody change that. So a Job none of whose containers has started is deleted and made again, under the
 * same name and identity, when its pods would be others now.
 */

type Made = Result.Result<Job, JobRefused>

/** A Job of an older operator has no digest, and is made again. */
const differs = (job: Job, wanted: Made): boolean =>
  Result.isSuccess(wanted) &&
  job.metadata.annotations?.[Labels.podAnnotation] !== wanted.success.metadata.annotations?.[Labels.podAnnotation]

const owner = ({ name, namespace, uid }: Observed.Observed): Owner => ({ uid, namespace, name })

/**
 * The active run's Job, if its pods would be others now, and no container of it has started or the run still waits for
 * a Secret.
 */
export const outdatedRun = (
  observed: Observed.Observed,
  { active, activeJob }: Observed.OwnedJobs,
  settings: JobSettings
): Job | undefined => {
  const { backup } = observed
  if (backup === undefined || activeJob === undefined || active === undefined) return undefined
  if (active.waiting?.isReplaceable !== true && !AwaitedSecret.isAwaiting(observed.previous, active.jobName)) {
    return undefined
  }
  const { job } = activeJob
  const identity = RunCause.identity(owner(observed), Observed.causeOf(job))
  // A Job whose annotations were changed by hand: another name would be another run.
  if (JobName.forRun(identity) !== job.metadata.name) return undefined
  return differs(job, JobTemplate.forRun({ backup, identity, cause: active.cause, settings })) ? job : undefined
}

/** True when the pods of this maintenance Job would be others now. */
export const isOutdatedMaintenance = (
  { backup }: Observed.Observed,
  { job, state }: Observed.ObservedJob,
  settings: JobSettings
): boolean => {
  if (backup === undefined || state._tag !== "ActiveMaintenance" || state.task === "cleanup") return false
  const make = state.task === "prune" ? MaintenanceJobs.forPrune : MaintenanceJobs.forCatalogue
  return differs(job, make({ backup, key: "", settings }))
}

/**
 * The cause of the run that the status calls active, proven by the name of its Job. Undefined where the status does
 * not show enough.
 */
export const causeOf = (observed: Observed.Observed): RunCause.RunCause | undefined => {
  const { previous, resource } = observed
  const run = previous.activeRun
  const slotMillis = BackupId.slotMillis(run?.backupId ?? "")
  if (run === undefined || slotMillis === undefined) return undefined
  const requested = Trigger.requested(resource.metadata.annotations)
  const tokens = [
    previous.handledTrigger,
    previous.pendingTrigger?.token,
    requested._tag === "Token" ? requested.token : undefined
  ].filter((token) => token !== undefined)
  const candidates: ReadonlyArray<RunCause.RunCause> =
    run.cause === "trigger"
      ? tokens.map((token) => ({ _tag: "Trigger", token, firstSeenMillis: slotMillis }))
      : [{ _tag: run.cause === "once" ? "Once" : "Slot", slotMillis }]
  return candidates.find((cause) => JobName.forRun(RunCause.identity(owner(observed), cause)) === run.jobName)
}

/** The active run of the status, while its Job does not exist. */
export const restored = (
  { previous: { activeRun } }: Observed.Observed,
  failsAfterSeconds: number | undefined
): ActiveRun | undefined => {
  if (activeRun?.jobName === undefined) return undefined
  const { backupId, cause, jobName } = activeRun
  const startMillis = Format.millis(activeRun.startTime)
  return {
    backupId,
    cause,
    jobName,
    startMillis,
    isReplacing: true,
    waiting: {
      isReplaceable: true,
      ...(failsAfterSeconds === undefined ? {} : { failsAtMillis: startMillis + failsAfterSeconds * 1000 })
    }
  }
}

/** Why a run has failed whose Job was deleted to be made again, and was not made in time. */
export const neverMade = ({ jobName }: ActiveRun, seconds: number | undefined): Trouble<"PodNotStarted"> => ({
  reason: "PodNotStarted",
  message: `Job ${jobName} was deleted to be made again with another pod, and could not be made within ${seconds} s`
})
