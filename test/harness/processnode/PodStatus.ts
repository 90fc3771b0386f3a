import { constants } from "node:os"
import type { End } from "../../../scripts/services/Fleet.ts"
import type { Json } from "./ApiClient.ts"

/*
 * What a node says about its pods, in the kubelet's words. Pure. Each value is a strategic merge patch of a pod's
 * status.
 */

/** Kubernetes counts in whole seconds. */
const instant = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

/** Longest termination message, in bytes. */
const messageBytes = 4096
/** How much of the log stands in for it where that is asked for. */
const logBytes = 2048
const logLines = 80

export interface Terminated {
  readonly exitCode: number
  readonly reason: string
  readonly message?: string
  readonly startedAt: string
  readonly finishedAt: string
}

const condition = (type: string, isTrue: boolean, now: Date, reason?: string): Json => ({
  type,
  status: isTrue ? "True" : "False",
  lastTransitionTime: instant(now),
  ...(reason === undefined ? { reason: null } : { reason })
})

const readiness = (isReady: boolean, now: Date, reason?: string): ReadonlyArray<Json> => [
  condition("Initialized", true, now),
  condition("ContainersReady", isReady, now, reason),
  condition("Ready", isReady, now, reason)
]

const container = (spec: Json, state: Json, more: Json = {}): Json => ({
  name: spec["name"],
  image: spec["image"],
  imageID: "",
  ready: false,
  started: false,
  restartCount: 0,
  state: { waiting: null, running: null, terminated: null, ...state },
  ...more
})

export const waiting = (spec: Json, podIP: string, reason: string, message: string | undefined, now: Date): Json => ({
  phase: "Pending",
  startTime: instant(now),
  hostIP: "127.0.0.1",
  podIP,
  podIPs: [{ ip: podIP }],
  conditions: readiness(false, now, "ContainersNotReady"),
  containerStatuses: [container(spec, { waiting: { reason, message: message ?? null } })]
})

export const running = (spec: Json, restartCount: number, last: Terminated | undefined, now: Date): Json => ({
  phase: "Running",
  conditions: readiness(true, now),
  containerStatuses: [
    container(
      spec,
      { running: { startedAt: instant(now) } },
      { ready: true, started: true, restartCount, ...(last === undefined ? {} : { lastState: { terminated: last } }) }
    )
  ]
})

/** Between an end and the next start of a container that is restarted. */
export const restarting = (spec: Json, restartCount: number, last: Terminated, now: Date): Json => ({
  phase: "Running",
  conditions: readiness(false, now, "ContainersNotReady"),
  containerStatuses: [
    container(spec, { waiting: { reason: "CrashLoopBackOff" } }, { restartCount, lastState: { terminated: last } })
  ]
})

export const over = (spec: Json, restartCount: number, terminated: Terminated, now: Date): Json => ({
  phase: terminated.exitCode === 0 ? "Succeeded" : "Failed",
  conditions: readiness(false, now, terminated.exitCode === 0 ? "PodCompleted" : "PodFailed"),
  containerStatuses: [container(spec, { terminated }, { restartCount })]
})

/** A pod that was deleted before its container could start. */
export const neverStarted = (now: Date): Json => ({
  phase: "Failed",
  conditions: readiness(false, now, "PodFailed")
})

/** Beside an `over`: the node put the pod out because memory ran short. */
export const evicted = (now: Date): Json => {
  const message = "The node was low on resource: memory. "
  return {
    phase: "Failed",
    reason: "Evicted",
    message,
    conditions: [{ ...condition("DisruptionTarget", true, now, "TerminationByKubelet"), message }]
  }
}

/** The first bytes of a text, without half a character at the end. */
const cut = (bytes: Buffer, limit: number): string => {
  const part = bytes.subarray(0, limit)
  return new TextDecoder("utf-8").decode(part, { stream: part.length < bytes.length })
}

/** What the container leaves to be read: its message file, or where it asks for that the end of its log. */
export const terminationMessage = (spec: Json, file: Buffer, log: Buffer, isFailure: boolean): string | undefined => {
  if (file.length > 0) return cut(file, messageBytes)
  if (!isFailure || spec["terminationMessagePolicy"] !== "FallbackToLogsOnError") return undefined
  const end = log.subarray(-logBytes).toString().split("\n").slice(-logLines).join("\n")
  return end === "" ? undefined : end
}

/** How the end of a process looks as that of a container. */
export const terminated = (
  end: End,
  facts: { readonly isOutOfMemory: boolean; readonly startedAt: Date; readonly now: Date; readonly message?: string }
): Terminated => {
  const exitCode = end.error === undefined ? (end.code ?? 128 + constants.signals[end.signal ?? "SIGKILL"]) : 128
  const reason =
    end.error !== undefined ? "StartError" : facts.isOutOfMemory ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error"
  const message = end.error ?? facts.message
  return {
    exitCode,
    reason,
    ...(message === undefined ? {} : { message }),
    startedAt: instant(facts.startedAt),
    finishedAt: instant(facts.now)
  }
}
