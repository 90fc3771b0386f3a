import type { ContainerState, ObjectCondition, Pod } from "../Objects.ts"
import type { ContainerEnd, PodTrouble } from "./PodRun.ts"
import { timestamp } from "./timestamp.ts"
import * as Tree from "./Tree.ts"

type Status = NonNullable<Pod["status"]>

/** Longest termination message, in bytes. */
const maxMessageBytes = 4096

const containerName = ({ spec }: Pod): string => {
  const containers = Tree.isTree(spec) ? spec["containers"] : undefined
  const [first] = Array.isArray(containers) ? containers : []
  return Tree.isTree(first) ? String(first["name"]) : "main"
}

const container = (pod: Pod, state: ContainerState): NonNullable<Status["containerStatuses"]> => [
  { name: containerName(pod), restartCount: 0, state }
]

const condition = (type: string, isTrue: boolean, nowMillis: number, why: Partial<ObjectCondition> = {}) => ({
  type,
  status: isTrue ? "True" : "False",
  lastTransitionTime: timestamp(nowMillis),
  ...why
})

export const troubled = (pod: Pod, trouble: PodTrouble, nowMillis: number): Status =>
  trouble._tag === "Unschedulable"
    ? {
        phase: "Pending",
        conditions: [condition("PodScheduled", false, nowMillis, { reason: "Unschedulable", message: trouble.message })]
      }
    : {
        phase: "Pending",
        conditions: [condition("PodScheduled", true, nowMillis), condition("ContainersReady", false, nowMillis)],
        containerStatuses: container(pod, { waiting: { reason: trouble.reason, message: trouble.message } })
      }

export const running = (pod: Pod, podIP: string, nowMillis: number): Status => ({
  phase: "Running",
  podIP,
  startTime: timestamp(nowMillis),
  conditions: [condition("PodScheduled", true, nowMillis), condition("Ready", true, nowMillis)],
  containerStatuses: container(pod, { running: { startedAt: timestamp(nowMillis) } })
})

const cut = (message: string): string =>
  Buffer.byteLength(message) <= maxMessageBytes ? message : Buffer.from(message).subarray(0, maxMessageBytes).toString()

export const ended = (pod: Pod, end: ContainerEnd, startedMillis: number, nowMillis: number): Status => {
  const isSuccess = end.exitCode === 0
  return {
    phase: isSuccess ? "Succeeded" : "Failed",
    conditions: [condition("PodScheduled", true, startedMillis), condition("Ready", false, nowMillis)],
    containerStatuses: container(pod, {
      terminated: {
        exitCode: end.exitCode,
        reason: end.reason ?? (isSuccess ? "Completed" : "Error"),
        ...(end.message === undefined ? {} : { message: cut(end.message) }),
        startedAt: timestamp(startedMillis),
        finishedAt: timestamp(nowMillis)
      }
    })
  }
}

/** The node evicted the pod. */
export const evicted = (pod: Pod, message: string, nowMillis: number): Status => {
  const started = pod.status?.startTime
  return {
    phase: "Failed",
    reason: "Evicted",
    message,
    conditions: [condition("DisruptionTarget", true, nowMillis, { reason: "TerminationByKubelet", message })],
    ...(started === undefined
      ? {}
      : {
          containerStatuses: container(pod, {
            terminated: { exitCode: 137, reason: "Error", startedAt: started, finishedAt: timestamp(nowMillis) }
          })
        })
  }
}
