import type { ContainerState, Job, KubeObject, ObjectCondition, Pod } from "../../kubernetes/Objects.ts"
import * as BackupId from "../../identity/BackupId.ts"
import type { RunCauseName } from "../../status/Facts.ts"
import * as Labels from "../Labels.ts"
import { containerName } from "./JobSettings.ts"

/*
 * Single facts about Jobs and pods. Total: anybody can edit labels and annotations, so a value that cannot be read is
 * replaced by a likely one, and nothing throws.
 */

/** Milliseconds since 1970 of an RFC 3339 text, where it is one. */
export const millis = (text: string | undefined): number | undefined => {
  const read = typeof text === "string" ? Date.parse(text) : NaN
  return Number.isNaN(read) ? undefined : read
}

const listed = <A>(list: ReadonlyArray<A> | undefined): ReadonlyArray<A> =>
  Array.isArray(list) ? list.filter((item) => typeof item === "object" && item !== null) : []

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const purposes: ReadonlyArray<string> = [
  "run",
  "prune",
  "catalogue",
  "cleanup",
  "restore",
  "drill",
  "check",
  "offsets"
] satisfies Array<Labels.Purpose>

/** What the Job is for; undefined for one that the operator did not make. */
export const purpose = ({ metadata: { labels } }: KubeObject): Labels.Purpose | undefined => {
  if (labels?.[Labels.managedBy.key] !== Labels.managedBy.value) return undefined
  const value = labels[Labels.purposeLabel]
  return value !== undefined && purposes.includes(value) ? (value as Labels.Purpose) : undefined
}

/** True when the Job works for the resource with this uid. A Job of the same name for which it is false is foreign. */
export const isFor = (job: KubeObject, uid: string): boolean =>
  purpose(job) !== undefined && job.metadata.labels?.[Labels.uidLabel] === uid

/** Which attempt of a clean-up the Job is, from 1. */
export const cleanupAttempt = ({ metadata: { annotations } }: KubeObject): number => {
  const value = Number(annotations?.[Labels.attemptAnnotation])
  return Number.isSafeInteger(value) && value > 0 ? value : 1
}

/** Generation of the resource that the Job was made from, where it says so. */
export const generation = ({ metadata: { annotations } }: KubeObject): number | undefined => {
  const value = Number(annotations?.[Labels.generationAnnotation] ?? NaN)
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** True for a Job that runs nothing until somebody resumes it. */
export const isSuspended = (job: Job): boolean => job.spec?.["suspend"] === true

/** Why a run exists. */
export const cause = ({ metadata: { annotations } }: KubeObject): RunCauseName => {
  const value = annotations?.[Labels.causeAnnotation]
  if (value === "schedule" || value === "trigger" || value === "once") return value
  return annotations?.[Labels.tokenAnnotation] === undefined ? "schedule" : "trigger"
}

/** The id that the run's set has, unless that was taken. */
export const expectedBackupId = ({
  metadata: { annotations, creationTimestamp, labels, name }
}: KubeObject): string => {
  const resource = text(annotations?.[Labels.resourceAnnotation]) ?? text(labels?.[Labels.nameLabel]) ?? name
  const slot = millis(annotations?.[Labels.slotAnnotation]) ?? millis(creationTimestamp) ?? 0
  return BackupId.forSlot(resource, slot)
}

export const startMillis = (job: Job, nowMillis: number): number =>
  millis(job.status?.startTime) ?? millis(job.metadata.creationTimestamp) ?? nowMillis

/** The condition of this type, when it is true. */
export const condition = (object: Job | Pod, type: string): ObjectCondition | undefined =>
  listed(object.status?.conditions).find((one) => one.type === type && one.status === "True")

/** The condition of this type, when it is false. */
export const falseCondition = (object: Job | Pod, type: string): ObjectCondition | undefined =>
  listed(object.status?.conditions).find((one) => one.type === type && one.status === "False")

/** The pods of this Job among `pods`, newest first. */
export const podsOf = (job: Job, pods: ReadonlyArray<Pod>): ReadonlyArray<Pod> => {
  const { name, namespace, uid } = job.metadata
  const isOwn = ({ metadata }: Pod) => {
    if (metadata.namespace !== namespace) return false
    const owners = listed(metadata.ownerReferences)
    return uid !== undefined && owners.length > 0
      ? owners.some((owner) => owner.uid === uid)
      : metadata.labels?.["batch.kubernetes.io/job-name"] === name
  }
  const age = ({ metadata }: Pod) => millis(metadata.creationTimestamp) ?? 0
  return pods.filter(isOwn).sort((a, b) => age(b) - age(a) || (a.metadata.name < b.metadata.name ? 1 : -1))
}

/** One container of a pod. */
export interface ContainerFacts {
  readonly name: string
  readonly state: ContainerState
}

export const containers = (pod: Pod): ReadonlyArray<ContainerFacts> =>
  listed(pod.status?.containerStatuses).map(({ name, state }) => ({ name, state: state ?? {} }))

/** How the backup's container ended, where it did. */
export const terminated = (pod: Pod): ContainerState["terminated"] => {
  const ended = containers(pod).find(({ name }) => name === containerName)?.state.terminated
  // Anybody with the right to write a pod's status may put anything there.
  return ended && typeof ended.exitCode === "number" ? ended : undefined
}

/** True while the backup's container runs. */
export const isRunning = (pod: Pod): boolean =>
  containers(pod).some(({ name, state }) => name === containerName && Boolean(state.running))

/** What the backup's container waits for, where it waits. */
export const waiting = (pod: Pod): ContainerState["waiting"] =>
  containers(pod).find(({ name }) => name === containerName)?.state.waiting ?? undefined

/** Nothing of the pod runs any more. */
export const isOver = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed"

const field = (value: unknown, ...path: ReadonlyArray<string | number>): unknown => {
  let found = value
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined
    found = (found as Readonly<Record<string | number, unknown>>)[key]
  }
  return found
}

const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined)

/** True when the Job controller has counted a pod that was ready or ended. */
export const countsAttempts = ({ status }: Job): boolean =>
  ["ready", "succeeded", "failed"].some((count) => (number(field(status, count)) ?? 0) > 0)

/** How many pods the Job allows; of one with shards, for each of them. */
export const attemptsAllowed = (job: Job): number | undefined => {
  const limit = number(field(job.spec, "backoffLimitPerIndex")) ?? number(field(job.spec, "backoffLimit"))
  return limit === undefined ? undefined : limit + 1
}

/** How many shards the Job's pods read, each its own; 1 for a Job with one pod at a time. */
export const shards = (job: Job): number =>
  field(job.spec, "completionMode") === "Indexed" ? (number(field(job.spec, "completions")) ?? 1) : 1

const annotated = ({ metadata: { annotations } }: Pod, name: string): number | undefined => {
  const value = Number(annotations?.[`batch.kubernetes.io/${name}`] ?? NaN)
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** The shard that a pod reads; undefined where its Job has none. */
export const shard = (pod: Pod): number | undefined => annotated(pod, "job-completion-index")

/** How many pods of the same shard failed before this one; undefined where Kubernetes does not say. */
export const failuresBefore = (pod: Pod): number | undefined => annotated(pod, "job-index-failure-count")

/** The pods of each shard, newest first, in the order of the shards; all in one group where the Job has none. */
export const byShard = (job: Job, own: ReadonlyArray<Pod>): ReadonlyArray<ReadonlyArray<Pod>> =>
  shards(job) === 1
    ? [own]
    : [...Map.groupBy(own, (pod) => shard(pod) ?? 0)].toSorted(([a], [b]) => a - b).map(([, pods]) => pods)

/** The Job's deadline in seconds. */
export const deadlineSeconds = (job: Job): number | undefined => number(field(job.spec, "activeDeadlineSeconds"))

const ownContainer = (job: Job): unknown => {
  const all = field(job.spec, "template", "spec", "containers")
  return Array.isArray(all) ? all.find((one) => field(one, "name") === containerName) : undefined
}

/** `limits.memory` of the backup's container, as it was written. */
export const memoryLimit = (job: Job): string | undefined => {
  const limit = field(ownContainer(job), "resources", "limits", "memory")
  return typeof limit === "string" || typeof limit === "number" ? String(limit) : undefined
}

/** The image of the backup's container. */
export const image = (job: Job): string | undefined => text(field(ownContainer(job), "image"))
