import type { Event, Job, Pod } from "../../kubernetes/Objects.ts"
import type { RunReasonName } from "../../outcome/RunReasons.ts"
import type { Trouble } from "../../status/Facts.ts"
import { permanentExitCodes } from "./FailurePolicy.ts"
import * as JobEvents from "./JobEvents.ts"
import * as JobFacts from "./JobFacts.ts"
import type * as Labels from "../Labels.ts"
import { containerName } from "./JobSettings.ts"
import * as PodFailure from "./PodFailure.ts"
import { words } from "./PodFailure.ts"
import * as PodSummary from "./PodSummary.ts"
import * as RunAgain from "./RunAgain.ts"

/** How long the Job controller may take to create a pod, in milliseconds. */
const podlessMillis = 30_000

/** How long a scheduled pod may take to mount its volumes and pull its image, in milliseconds. */
export const slowStartMillis = 2 * 60_000

/** The reason is one of the operator's own. */
type RunTrouble = Trouble<RunReasonName>

/**
 * What keeps an unfinished Job from continuing, in the server's own words, with what to do; undefined while all is
 * well. The newest pod counts, of each shard: it alone can still finish the work. `events` are those about the Job and
 * its pods.
 */
export const of = (
  job: Job,
  pods: ReadonlyArray<Pod>,
  events: ReadonlyArray<Event>,
  nowMillis: number
): RunTrouble | undefined => {
  const { deletionTimestamp, name } = job.metadata
  if (deletionTimestamp !== undefined) {
    return {
      reason: "JobBeingDeleted",
      message: `Job ${name} is being deleted; ${ofDeletion(job)}`
    }
  }
  const all = JobFacts.podsOf(job, pods)
  if (all.length === 0) return podless(job, events, nowMillis)
  for (const own of JobFacts.byShard(job, all)) {
    const trouble = ofPods(job, own, events, nowMillis)
    if (trouble !== undefined) return trouble
  }
  return undefined
}

/** The same of the pods of one shard. */
const ofPods = (
  job: Job,
  own: ReadonlyArray<Pod>,
  events: ReadonlyArray<Event>,
  nowMillis: number
): RunTrouble | undefined => {
  const current = own.find((pod) => !JobFacts.isOver(pod))
  if (current === undefined) return retrying(job, own)
  return notStarting(job, current, events, nowMillis) ?? lingering(current, JobFacts.purpose(job)) ?? retrying(job, own)
}

const ofDeletion = (job: Job): string => {
  switch (JobFacts.purpose(job)) {
    case "run":
      return `stored data is kept.${RunAgain.advice}`
    case "restore":
      return "everything that was written is kept"
    case "drill":
      return "the next drill deletes its scratch topics"
    case "offsets":
      return "offsets that were set stay as they are"
    default:
      return "stored data is kept."
  }
}

const podless = (job: Job, events: ReadonlyArray<Event>, nowMillis: number): RunTrouble | undefined => {
  const waitedMillis = nowMillis - JobFacts.startMillis(job, nowMillis)
  if (waitedMillis < podlessMillis) return undefined
  const { name } = job.metadata
  const event = JobEvents.newest(events, job, ["FailedCreate"])
  return event === undefined
    ? {
        reason: "PodNotCreated",
        message: `Job ${name} has had no pod since ${instant(JobFacts.startMillis(job, nowMillis))}; kubectl describe job ${name} may show why`
      }
    : JobEvents.refused(
        `no pod can be created for Job ${name}`,
        event.note,
        "PodNotCreated",
        "correct what the message names; the Job controller tries again"
      )
}

const imageReasons = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "RegistryUnavailable",
  "ImageInspectError",
  "SignatureValidationFailed"
])

const containerReasons = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError"])

/** The API server takes any value from whoever may write the status of a pod. */
const isOfClaim = (said: unknown): boolean => typeof said === "string" && /persistentvolumeclaim/i.test(said)

const notStarting = (job: Job, pod: Pod, events: ReadonlyArray<Event>, nowMillis: number): RunTrouble | undefined => {
  const { name } = pod.metadata
  const unscheduled = JobFacts.falseCondition(pod, "PodScheduled")
  if (unscheduled !== undefined && isOfClaim(unscheduled.message)) {
    return {
      reason: "VolumeClaimUnusable",
      message: `pod ${name} waits for its volume: ${words(unscheduled.message)}; create the claim that spec.storage.pvc names in this namespace, or find out why it is not bound: kubectl describe pvc${ofSharing(job)}`
    }
  }
  if (unscheduled !== undefined) {
    return {
      reason: "PodUnschedulable",
      message: `pod ${name} finds no node: ${words(unscheduled.message)}; lower spec.resources.requests, change nodeSelector, tolerations or affinity in spec.podTemplate, or add nodes`
    }
  }
  const held = JobFacts.waiting(pod)
  if (held?.reason !== undefined && imageReasons.has(held.reason)) {
    return {
      reason: "ImagePullFailed",
      message: `pod ${name} cannot get its image ${JobFacts.image(job) ?? ""} (${held.reason}): ${words(held.message)}; check the operator's image option, the registry and spec.podTemplate.imagePullSecrets`
    }
  }
  if (held?.reason !== undefined && containerReasons.has(held.reason)) {
    return {
      reason: "ContainerCannotStart",
      message: `the container of pod ${name} cannot be started (${held.reason}): ${words(held.message)}; correct what the message names; the kubelet tries again`
    }
  }
  const isWaiting = pod.status?.phase === "Pending" || held !== undefined
  return isWaiting && nowMillis - since(pod, nowMillis) >= slowStartMillis
    ? slow(job, pod, events, nowMillis)
    : undefined
}

/** A claim that several pods mount. */
const ofSharing = (job: Job): string =>
  JobFacts.shards(job) === 1
    ? ""
    : `; spec.job.parallelism is ${JobFacts.shards(job)}, and only a ReadWriteMany claim can be mounted by pods on several nodes`

/** A message that counted seconds would be different at every reconcile. */
const instant = (millis: number): string => new Date(millis).toISOString().replace(/[.]\d+Z$/, "Z")

const since = ({ metadata, status }: Pod, nowMillis: number): number =>
  JobFacts.millis(status?.startTime) ?? JobFacts.millis(metadata.creationTimestamp) ?? nowMillis

const slow = (job: Job, pod: Pod, events: ReadonlyArray<Event>, nowMillis: number): RunTrouble => {
  const { name } = pod.metadata
  const waited = `pod ${name} has been starting since ${instant(since(pod, nowMillis))}`
  const mount = JobEvents.newest(events, pod, ["FailedMount", "FailedAttachVolume", "FailedMapVolume"])
  if (mount !== undefined) {
    return {
      reason: "VolumeMountFailed",
      message: `${waited}: ${words(mount.note)}; check that the claim of spec.storage.pvc exists, is bound, and can be used on the pod's node${ofSharing(job)}`
    }
  }
  const event = JobEvents.newest(events, pod, [
    "FailedCreatePodSandBox",
    "Failed",
    "FailedScheduling",
    "NetworkNotReady"
  ])
  const why = event === undefined ? "its volumes or its image take a long time" : words(event.note)
  return { reason: "PodNotStarting", message: `${waited}: ${why}; kubectl describe pod ${name} may show more` }
}

/** The backup's container has ended, and an injected one keeps the pod, and so the Job, from ending. */
const lingering = (pod: Pod, purpose: Labels.Purpose | undefined): RunTrouble | undefined => {
  if (JobFacts.terminated(pod) === undefined) return undefined
  const others = JobFacts.containers(pod).filter(
    ({ name, state }) => name !== containerName && state.running !== undefined
  )
  if (others.length === 0) return undefined
  const what =
    purpose === "offsets" ? "work on offsets" : purpose === "restore" || purpose === "drill" ? purpose : "backup"
  const names = others.map(({ name }) => name).join(", ")
  return {
    reason: "SidecarStillRunning",
    message: `the ${what} in pod ${pod.metadata.name} has ended, but the container ${names} keeps the pod running; do not inject it into these pods (for Istio: spec.podTemplate.annotations sidecar.istio.io/inject: "false"), or make it a sidecar that ends with the pod`
  }
}

/** How many pods of a shard have failed. */
const failedOf = (own: ReadonlyArray<Pod>): number =>
  Math.max(
    own.filter(({ status }) => status?.phase === "Failed").length,
    ...own.map((pod) => JobFacts.failuresBefore(pod) ?? 0)
  )

/** An earlier pod failed and the Job continues with another one. */
const retrying = (job: Job, own: ReadonlyArray<Pod>): RunTrouble | undefined => {
  if (own[0]?.status?.phase === "Succeeded") return undefined
  const last = own.find((pod) => pod.status?.phase === "Failed")
  // A failure that no repetition can cure ends the Job: its end is reported in a moment.
  if (last === undefined || permanentExitCodes.includes(JobFacts.terminated(last)?.exitCode ?? 0)) return undefined
  const explained = PodFailure.explain(job, last)
  // Disruptions are not counted by Kubernetes: they take no attempt away.
  if (explained?.reason === "Disrupted") return { ...explained, reason: "Disrupted" }
  const cause = PodSummary.trouble(PodSummary.of(last)) ?? explained
  if (cause === undefined) return undefined
  const failed = JobFacts.shards(job) === 1 ? job.status?.failed : failedOf(own)
  const attempt = Math.max(typeof failed === "number" ? failed : 0, 1) + 1
  const allowed = JobFacts.attemptsAllowed(job)
  // The last attempt failed too: its end is reported in a moment.
  if (allowed !== undefined && typeof failed === "number" && failed >= allowed) return undefined
  const number = allowed === undefined ? `attempt ${attempt}` : `attempt ${Math.min(attempt, allowed)} of ${allowed}`
  const which = JobFacts.shards(job) === 1 ? number : `shard ${JobFacts.shard(last) ?? 0}, ${number}`
  return { reason: "Retrying", message: `${which} after ${cause.reason}: ${cause.message}`, after: cause.reason }
}
