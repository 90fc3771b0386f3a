import type { Job, Pod } from "../../kubernetes/Objects.ts"
import { exitCodes } from "../../outcome/ExitCodes.ts"
import type { Trouble } from "../../status/Facts.ts"
import * as FailurePolicy from "./FailurePolicy.ts"
import * as JobFacts from "./JobFacts.ts"

/** What an exit code means where nothing else explains it: what happened, and what to do. */
const byExitCode: Readonly<Record<number, readonly [what: string, advice: string]>> = {
  [exitCodes.internal]: ["internal error", "please report it, with the pod's log"],
  [exitCodes.usage]: [
    "the image does not know the options that the operator passes",
    "operator and image have different versions: set the operator's image option to its own version"
  ],
  [exitCodes.invalidManifest]: ["the resource cannot be used", "correct what the pod's log names"],
  [exitCodes.secretUnusable]: ["a Secret cannot be used", "correct the Secret and key that the pod's log names"],
  [exitCodes.accessRefused]: ["access was refused", "grant what the pod's log names"],
  [exitCodes.topicsUnusable]: ["topics cannot be backed up", "correct spec.topics as the pod's log says"],
  [exitCodes.storageUnusable]: ["the storage cannot be used", "correct spec.storage as the pod's log says"],
  [exitCodes.dataUnusable]: [
    "Kafka's log has data that cannot be read",
    "look at the partition that the pod's log names"
  ],
  [exitCodes.notProven]: ["the backup could not be verified", "do not rely on it; look at the pod's log"],
  [exitCodes.notFound]: ["a backup is missing", "look at the pod's log"],
  [exitCodes.clusterUnusable]: ["no broker can be used", "correct spec.kafkaCluster as the pod's log says"],
  [exitCodes.temporary]: ["the cluster or the storage did not answer", "a new run continues where this one stopped"],
  [exitCodes.interrupted]: ["the run was stopped", "stored data is kept; a new run continues from there"],
  [exitCodes.superseded]: ["another attempt of the same run took over", "nothing needs to be done"],
  126: ["the image's entrypoint cannot be executed", "check the image: it must be kafka-backup's, for this node's CPU"],
  127: ["the image has no such entrypoint", "check the image: it must be kafka-backup's"],
  137: [
    "the process was killed from outside (SIGKILL)",
    "look at the node's events, it may be short of memory; a new run continues after the last checkpoint"
  ],
  143: ["the process was stopped from outside (SIGTERM)", "a new run continues after the last checkpoint"]
}

/** The same of the pod of a restore, where it means something else. */
const ofRestore: Readonly<Record<number, readonly [what: string, advice: string]>> = {
  ...byExitCode,
  [exitCodes.topicsUnusable]: ["topics cannot be restored", "look at the pod's log"],
  [exitCodes.dataUnusable]: ["the backup holds data that cannot be restored", "look at the pod's log"],
  [exitCodes.notProven]: [
    "the restored records are not those of the backup",
    "do not use the topics; look at the pod's log"
  ],
  [exitCodes.clusterUnusable]: ["no broker can be used", "correct spec.targetCluster as the pod's log says"],
  [exitCodes.targetUnusable]: ["the target cluster cannot be used", "correct what the pod's log names"],
  [exitCodes.temporary]: ["the cluster or the storage did not answer", "a new pod continues where this one stopped"],
  [exitCodes.interrupted]: ["the restore was stopped", "a new pod continues where this one stopped"],
  [exitCodes.superseded]: ["another attempt of the same restore took over", "nothing needs to be done"],
  137: [
    "the process was killed from outside (SIGKILL)",
    "look at the node's events, it may be short of memory; a new pod continues where this one stopped"
  ],
  143: ["the process was stopped from outside (SIGTERM)", "a new pod continues where this one stopped"]
}

/** The same of the pod of a drill. */
const ofDrill: Readonly<Record<number, readonly [what: string, advice: string]>> = {
  ...ofRestore,
  [exitCodes.notProven]: [
    "the restored records are not those of the backup",
    "do not rely on the backup; look at the pod's log"
  ],
  [exitCodes.clusterUnusable]: [
    "no broker can be used",
    "correct spec.kafkaCluster or spec.drill.targetCluster as the pod's log says"
  ],
  [exitCodes.targetUnusable]: ["the cluster for scratch topics cannot be used", "correct what the pod's log names"],
  [exitCodes.temporary]: ["the cluster or the storage did not answer", "a new pod begins the drill anew"],
  [exitCodes.interrupted]: ["the drill was stopped", "the next drill deletes its scratch topics"],
  [exitCodes.superseded]: ["another attempt of the same drill took over", "nothing needs to be done"],
  137: [
    "the process was killed from outside (SIGKILL)",
    "look at the node's events, it may be short of memory; a new pod begins the drill anew"
  ],
  143: ["the process was stopped from outside (SIGTERM)", "a new pod begins the drill anew"]
}

/** The same of the pod that works on the offsets of consumer groups. */
const ofOffsets: Readonly<Record<number, readonly [what: string, advice: string]>> = {
  ...ofRestore,
  [exitCodes.notProven]: ["offsets differ from those of the snapshot", "look at the pod's log"],
  [exitCodes.notFound]: ["the snapshot or the backup does not exist", "correct what the pod's log names"],
  [exitCodes.clusterUnusable]: ["no broker can be used", "correct spec.kafkaCluster as the pod's log says"],
  [exitCodes.targetUnusable]: ["offsets of some groups cannot be set", "correct what the pod's log names"],
  [exitCodes.temporary]: ["the cluster or the storage did not answer", "a new pod tries again"],
  [exitCodes.interrupted]: ["the work was stopped", "offsets that were set stay as they are"],
  137: [
    "the process was killed from outside (SIGKILL)",
    "look at the node's events, it may be short of memory; offsets that were set stay as they are"
  ],
  143: ["the process was stopped from outside (SIGTERM)", "offsets that were set stay as they are"]
}

/** The same of the pod of a check. */
const ofCheck: Readonly<Record<number, readonly [what: string, advice: string]>> = {
  ...byExitCode,
  [exitCodes.interrupted]: ["the check was stopped", "the operator checks again"],
  137: ["the process was killed from outside (SIGKILL)", "look at the node's events, it may be short of memory"],
  143: ["the process was stopped from outside (SIGTERM)", "the operator checks again"]
}

const meanings = (job: Job) => {
  switch (JobFacts.purpose(job)) {
    case "restore":
      return ofRestore
    case "drill":
      return ofDrill
    case "offsets":
      return ofOffsets
    case "check":
      return ofCheck
    default:
      return byExitCode
  }
}

/** What follows once a pod of the Job was taken away, which may have left an exit code. */
const continuation = (job: Job, exitCode: number | undefined): string => {
  switch (JobFacts.purpose(job)) {
    case "restore":
      return "nothing needs to be done, a new pod continues where this one stopped"
    case "drill":
      return "nothing needs to be done, a new pod begins the drill anew"
    case "check":
      return "nothing needs to be done, a new pod checks again"
    case "offsets":
      return exitCode !== undefined && FailurePolicy.harmless.includes(exitCode)
        ? "nothing needs to be done, a new pod tries again"
        : "it is not replaced, since it may have set offsets"
    default:
      return "nothing needs to be done, a new pod continues after the last checkpoint"
  }
}

/**
 * Why a pod ended without a set, from what Kubernetes says about it: for pods whose container left no summary.
 * Undefined while it has not failed.
 */
export const explain = (job: Job, pod: Pod): Trouble | undefined => {
  const ended = JobFacts.terminated(pod)
  const status = pod.status ?? {}
  const name = pod.metadata.name
  if (ended?.reason === "OOMKilled") {
    const limit = JobFacts.memoryLimit(job)
    return {
      reason: "OOMKilled",
      message: `pod ${name} needed more memory than its limit${limit === undefined ? "" : ` of ${limit}`}; raise spec.resources.limits.memory`
    }
  }
  if (status.reason === "Evicted") {
    return {
      reason: "Evicted",
      message: `pod ${name} was evicted from its node: ${words(status.message)}; raise spec.resources.requests (memory, ephemeral-storage) to what the run actually uses`
    }
  }
  const disruption = JobFacts.condition(pod, "DisruptionTarget")
  if (disruption !== undefined && (status.phase === "Failed" || ended !== undefined)) {
    return {
      reason: "Disrupted",
      message: `pod ${name} was taken from its node (${disruption.reason ?? "disruption"}): ${words(disruption.message)}; ${continuation(job, ended?.exitCode)}`
    }
  }
  if (ended !== undefined && isStartFailure(ended.reason)) {
    return {
      reason: "ContainerCannotRun",
      message: `the container of pod ${name} could not be started: ${words(ended.message)}; check the image and the node`
    }
  }
  if (ended !== undefined && ended.exitCode !== 0) {
    const [what, advice] = meanings(job)[ended.exitCode] ?? ["unknown exit code", "look at the pod's log"]
    return {
      reason: ended.exitCode === exitCodes.interrupted ? "Interrupted" : "PodFailed",
      message: `pod ${name} ended with exit code ${ended.exitCode}: ${what}; ${advice}`
    }
  }
  if (status.phase !== "Failed") return undefined
  return {
    reason: text(status.reason) ?? "PodFailed",
    message: `pod ${name} failed: ${words(status.message)}; kubectl describe pod ${name} may show more`
  }
}

const isStartFailure = (reason: string | undefined): boolean =>
  reason === "StartError" || reason === "ContainerCannotRun" || reason === "ContainerStatusUnknown"

/** Longest text of a server that is quoted, in characters. */
const longest = 512

/** A server's own words: one line, not too long, never empty, without the full stop that would end the sentence. */
export const words = (said: string | undefined): string => {
  const line = typeof said === "string" ? said.replaceAll(/\s+/g, " ").trim().replace(/[.;]$/, "") : ""
  const characters = Array.from(line.slice(0, 2 * longest + 2))
  if (line === "") return "Kubernetes does not say why"
  return characters.length > longest ? `${characters.slice(0, longest).join("")}…` : line
}

/** A reason is one CamelCase word; anything else is none. */
export const text = (reason: string | undefined): string | undefined =>
  typeof reason === "string" && /^[A-Za-z][A-Za-z0-9]{0,63}$/.test(reason) ? reason : undefined
