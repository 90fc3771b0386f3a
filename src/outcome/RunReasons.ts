import { strimziReasons } from "./StrimziReasons.ts"

/** One word for what happened to a run, its Job or its pod: `reason` in the history, and the start of a message. */
export interface RunReason {
  readonly group: "end" | "pod" | "refusal"
  readonly meaning: string
}

const end = (meaning: string) => ({ group: "end", meaning }) as const
const pod = (meaning: string) => ({ group: "pod", meaning }) as const
const refusal = (meaning: string) => ({ group: "refusal", meaning }) as const

const all = {
  DeadlineExceeded: end("The Job took longer than `spec.job.activeDeadlineSeconds`."),
  PodNotStarted: end(
    "No container of the run started within `spec.job.startDeadlineSeconds`. The message says what kept its pod from starting."
  ),
  BackoffLimitExceeded: end("Every attempt that `spec.job.backoffLimit` allows failed, and no pod reported a reason."),
  MaxFailedIndexesExceeded: end(
    "A shard of the run used up every attempt that `spec.job.backoffLimit` allows, and no pod reported a reason."
  ),
  JobFailed: end("The Job failed, and no pod reported a reason."),
  JobDeleted: end("The Job was deleted before it ended."),
  NodeLost: end("The node of the pod is lost, so the pod cannot end."),
  ResultMissing: end("The Job is complete, but its pod left no readable result, so nothing counts as proven."),
  ManifestMissing: end("The Job reports success, but names no backup."),
  OOMKilled: end("The pod needed more memory than `spec.resources.limits.memory`."),
  Evicted: end("The node was short of a resource and evicted the pod."),
  Disrupted: end("The pod was removed from its node: drained, preempted or evicted. The next attempt resumes."),
  ContainerCannotRun: end("The container could not be started."),
  PodFailed: end("The pod ended with an exit code and reported no reason; see exit codes."),
  Interrupted: end("The run was asked to stop. Everything stored so far is used again."),
  Missed: end("For slots: they could not start in time, and a later slot covers them."),
  TooLate: end(
    "For slots: no run could start before the starting deadline, which is `spec.startingDeadlineSeconds` or, by default, half the interval and at most one hour."
  ),
  Overlapping: end("For slots: another run of the resource was still active."),

  PodUnschedulable: pod("No node can take the pod: resources, selectors or taints."),
  VolumeClaimUnusable: pod("The claim of `spec.storage.pvc` does not exist or is not bound."),
  VolumeMountFailed: pod("A volume cannot be mounted on the pod's node."),
  ImagePullFailed: pod("The image cannot be pulled."),
  ContainerCannotStart: pod("The kubelet cannot start the container."),
  PodNotCreated: pod(
    "The Job has no pod. If the API server gives a reason, one of the reasons of refused Jobs is used instead."
  ),
  PodNotStarting: pod("The pod has not started for a long time."),
  JobBeingDeleted: pod("The Job is being deleted."),
  SidecarStillRunning: pod("The backup has ended, but another container keeps the pod running."),
  AwaitingSecret: pod(
    "The pod of a one-time backup waits for a Secret or key that is missing or unusable, for at most an hour."
  ),
  Retrying: pod("An attempt failed and the next one is running; the message gives the reason."),

  QuotaExceeded: refusal("The namespace's ResourceQuota has no room for the Job."),
  QuotaNeedsResources: refusal("The namespace's ResourceQuota requires `spec.resources`."),
  LimitRangeViolated: refusal("`spec.resources` is outside the namespace's LimitRange."),
  PodSecurityViolated: refusal("Pod security admission or rules of the platform refuse the pod."),
  ServiceAccountMissing: refusal("`spec.podTemplate.serviceAccountName` does not exist."),
  PriorityClassMissing: refusal("`spec.podTemplate.priorityClassName` does not exist."),
  AdmissionRefused: refusal("A policy or webhook of the cluster refuses the Job."),
  OperatorNotAllowed: refusal("The operator lacks permission to create Jobs here, or its token is not accepted."),
  JobInvalid: refusal("The Job is not valid in this version of Kubernetes; the message names the field."),
  JobNameTaken: refusal("Another object has the name of the run's Job."),
  JobCreateFailed: refusal("The API server did not create the Job, for a reason that may pass."),
  NamespaceTerminating: refusal("The namespace is being deleted."),
  NamespaceMissing: refusal("The namespace is gone."),
  NotFromCluster: refusal("The resource has no uid or namespace, because it was not read from a cluster."),
  ResourceTooLarge: refusal("The resource is too large to be passed to a pod."),
  ...strimziReasons
} as const satisfies Readonly<Record<string, RunReason>>

export type RunReasonName = keyof typeof all

/** The reasons of one group. */
export type RunReasonOf<Group extends RunReason["group"]> = {
  [Name in RunReasonName]: (typeof all)[Name]["group"] extends Group ? Name : never
}[RunReasonName]

/** Every reason that the operator gives for runs, pods and Jobs, besides the reasons in reports of runs. */
export const runReasons: Readonly<Record<RunReasonName, RunReason>> = all
