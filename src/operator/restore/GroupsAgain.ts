import { Effect, Result } from "effect"
import * as JobName from "../../identity/JobName.ts"
import type { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import { type KafkaRestore, resetOffsetsAnnotation } from "../../resource/KafkaRestore.ts"
import * as Format from "../../status/Format.ts"
import * as GroupsLeft from "../../status/GroupsLeft.ts"
import * as GroupFields from "../../status/restore/GroupFields.ts"
import type { GroupStepFacts } from "../../status/restore/RestoreFacts.ts"
import { isReported } from "../Caches.ts"
import * as EnsureJob from "../EnsureJob.ts"
import * as OffsetJob from "../offsets/OffsetJob.ts"
import * as LiveJobs from "../oneTime/LiveJobs.ts"
import * as OriginLookup from "../oneTime/OriginLookup.ts"
import type { OneTimeContext } from "../oneTime/OneTimeContext.ts"
import type { ObservedJob } from "../oneTime/OneTimeObserved.ts"
import * as StrimziClusters from "../strimzi/StrimziClusters.ts"
import * as RestoreObserved from "./RestoreObserved.ts"

/** How often a Job at work is looked after, and how soon one that was refused is tried again. */
const againMillis = 60_000

/** What is to be done about the groups that a complete restore has left. */
export type GroupsStep =
  | { readonly _tag: "Rest" }
  /** A Job is needed or at work: to be told, and to be looked after. */
  | { readonly _tag: "Tell"; readonly step: GroupStepFacts; readonly millis: number }
  /** The Job has ended. */
  | {
      readonly _tag: "Report"
      readonly step: GroupStepFacts
      /** None: it was deleted. */
      readonly jobs: ReadonlyArray<ObservedJob>
    }

/** The value of the annotation that asks for the groups that are left; undefined where there is nothing to do. */
const wantedToken = ({ previous, resource, restore }: RestoreObserved.RestoreObserved): string | undefined => {
  const token = resource.metadata.annotations?.[resetOffsetsAnnotation] ?? ""
  const { conditions, offsetResetStatus } = previous
  const areLeft = conditions?.some(({ status, type }) => type === "GroupsReset" && status === "False") ?? false
  const isNew = token !== "" && token !== offsetResetStatus?.token
  return areLeft && isNew && restore?.spec.offsetReset?.enabled === true ? token : undefined
}

/** Why no Job can set the groups that are left; undefined where one can. */
const obstacle = (known: NonNullable<RestoreObserved.RestoreObserved["previous"]["offsetResetStatus"]>) => {
  if (GroupFields.isVague(known)) {
    return `an earlier version of the operator wrote this status, and it does not name all groups that were left. ${GroupFields.byHand}`
  }
  return GroupsLeft.isExhausted(known)
    ? GroupsLeft.beyond(GroupsLeft.unreachable(known), GroupFields.byHand)
    : undefined
}

/** Says why nothing is started; nothing more where the status says so, but could not keep the token. */
const refuse = ({ previous }: RestoreObserved.RestoreObserved, token: string, problem: string): GroupsStep => {
  const { message, token: kept } = previous.offsetResetStatus ?? {}
  return kept === undefined && message === Format.sentence(problem)
    ? { _tag: "Rest" }
    : { _tag: "Report", jobs: [], step: { token, isActive: false, problem } }
}

/** The restore as one that names the backup which it restored; or why that cannot be told. */
const resolved = Effect.fnUntraced(function* (
  { namespace, previous }: RestoreObserved.RestoreObserved,
  restore: KafkaRestore
) {
  const origin = yield* OriginLookup.of(restore, namespace)
  if (origin._tag === "Missing") return origin.message
  const { backupRef, ...spec } = origin.restore.spec
  const backupId = backupRef === undefined ? spec.backupId : previous.resolved?.backupId
  if (backupId === undefined) return "the status does not say which backup was restored"
  return { ...restore, spec: { ...spec, backupId } }
})

/**
 * Repeats the group step of a complete restore once for each value of the annotation, and only for the groups that it
 * had left: the others have read on. A Job that is at work, or whose end is not reported, comes first.
 */
export const step = Effect.fn("GroupsAgain.step")(function* (
  { caches, settings }: OneTimeContext,
  first: RestoreObserved.RestoreObserved
): Effect.fn.Return<GroupsStep, KubernetesError, KubernetesApi> {
  const events = yield* LiveJobs.read(caches, { ...first, jobs: first.groupJobs })
  const observed = events === undefined ? first : RestoreObserved.of(caches, first.resource, first.nowMillis, events)
  const job = observed.groupJobs.find((one) => one.state._tag === "Active" || !isReported(one.job))
  if (job !== undefined) {
    const token = job.job.metadata.annotations?.[resetOffsetsAnnotation] ?? ""
    if (job.state._tag === "Active") {
      const { trouble } = job.state.restore
      const problem = trouble === undefined ? undefined : `${trouble.reason}: ${trouble.message}`
      return { _tag: "Tell", step: { token, isActive: true, problem }, millis: againMillis }
    }
    const { message = "no reason was reported", outcome, reason = "JobFailed", summary } = job.state.restore
    const problem = outcome === "success" ? undefined : `${reason}: ${message}`
    return { _tag: "Report", jobs: [job], step: { token, isActive: false, found: summary?.groups, problem } }
  }
  const token = wantedToken(observed)
  const { name, namespace, previous, restore, uid } = observed
  if (token === undefined || restore === undefined) return { _tag: "Rest" }
  const vain = obstacle(previous.offsetResetStatus ?? { phase: "Completed" })
  if (vain !== undefined) return refuse(observed, token, vain)
  const whole = yield* resolved(observed, restore)
  if (typeof whole === "string") {
    return { _tag: "Tell", step: { token, isActive: true, problem: whole }, millis: againMillis }
  }
  const choice = GroupsLeft.choice(previous.offsetResetStatus ?? {})
  if (previous.offsetResetStatus?.phase === "Running") {
    const problem =
      "JobDeleted: the Job that was to set the offsets was deleted, and nobody knows which groups it set. Set the annotation to a new value to set all that were left"
    return { _tag: "Report", jobs: [], step: { token, isActive: false, problem } }
  }
  const jobName = JobName.forOffsets({ uid, namespace, name }, JSON.stringify(["KafkaRestore", token]))
  const found = yield* StrimziClusters.ofTarget(whole, namespace, settings)
  const made = yield* EnsureJob.make(
    Result.flatMap(found, (resource) =>
      OffsetJob.make({ choice, resource }, jobName, settings, { [resetOffsetsAnnotation]: token })
    ),
    uid
  )
  if (made._tag === "There") caches.jobs.learn(made.job)
  if (made._tag === "There" && made.isAdopted && isReported(made.job)) {
    // A definition of an earlier version cannot keep the value: then it is the one that was handled last.
    if (previous.offsetResetStatus?.token === undefined) return { _tag: "Rest" }
    const used = `annotation ${resetOffsetsAnnotation} has an earlier value again, and Job ${jobName} was the attempt of that value: nothing is started. To try the groups that are left, set it to a value that is new`
    return refuse(observed, token, used)
  }
  const problem = made._tag === "There" ? undefined : `${made.trouble.reason}: ${made.trouble.message}`
  return { _tag: "Tell", step: { token, isActive: true, problem }, millis: againMillis }
})
