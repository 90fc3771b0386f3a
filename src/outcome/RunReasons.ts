/** One word for what happened to a run, its Job or its pod: `reason` in the history, and the front of a trouble's message. */
export interface RunReason {
  readonly group: "end" | "pod" | "refusal"
  readonly meaning: string
}

const end = (meaning: string) => ({ group: "end", meaning }) as const
const pod = (meaning: string) => ({ group: "pod", meaning }) as const
const refusal = (meaning: string) => ({ group: "refusal", meaning }) as const

const all = {
  DeadlineExceeded: end("The Job took longer than `spec.job.activeDeadlineSeconds`."),
  BackoffLimitExceeded: end("Every attempt that `spec.job.backoffLimit` allows failed, and no pod tells why."),
  JobFailed: end("Kubernetes calls the Job failed, and no pod tells why."),
  JobDeleted: end("Somebody deleted the Job before it ended."),
  NodeLost: end("The pod does not stop because its node is gone."),
  ResultMissing: end("The Job is complete, but its pod left no readable result: nothing counts as proven."),
  ManifestMissing: end("The Job says that it succeeded and names no backup."),
  OOMKilled: end("The pod needed more memory than `spec.resources.limits.memory`."),
  Evicted: end("The node was short of something and evicted the pod."),
  Disrupted: end("The pod was taken from its node: drained, preempted, or removed. The next attempt resumes."),
  ContainerCannotRun: end("The container could not be started."),
  PodFailed: end("The pod ended with an exit code and no word why; see exit codes."),
  Interrupted: end("The run was asked to stop. What was stored is used again."),
  Missed: end("Of slots: nothing could start them in time, and a later slot stands for them."),
  TooLate: end("Of slots: they were noticed after `spec.startingDeadlineSeconds`."),
  Overlapping: end("Of slots: another run of the resource was still running."),

  PodUnschedulable: pod("No node takes the pod: resources, selectors, taints."),
  VolumeClaimUnusable: pod("The claim of `spec.storage.pvc` does not exist or is not bound."),
  VolumeMountFailed: pod("A volume cannot be mounted on the pod's node."),
  ImagePullFailed: pod("The image cannot be had from its registry."),
  ContainerCannotStart: pod("The kubelet cannot start the container."),
  PodNotCreated: pod(
    "The Job has no pod. Where the API server says why, one of the reasons of refused Jobs stands instead."
  ),
  PodNotStarting: pod("The pod does not start for a long time."),
  JobBeingDeleted: pod("Somebody is deleting the Job."),
  SidecarStillRunning: pod("The backup has ended, but another container keeps its pod running."),
  Retrying: pod("An attempt failed and another one goes on; the message says why."),

  QuotaExceeded: refusal("The namespace's ResourceQuota has no room for the Job."),
  QuotaNeedsResources: refusal("The namespace's ResourceQuota wants `spec.resources` to be said."),
  LimitRangeViolated: refusal("`spec.resources` is outside the namespace's LimitRange."),
  PodSecurityViolated: refusal("Pod security admission or the platform's own rules do not take the pod."),
  ServiceAccountMissing: refusal("`spec.podTemplate.serviceAccountName` does not exist."),
  PriorityClassMissing: refusal("`spec.podTemplate.priorityClassName` does not exist."),
  AdmissionRefused: refusal("A policy or webhook of the cluster says no."),
  OperatorNotAllowed: refusal("The operator lacks the right to make Jobs here, or its token is not accepted."),
  JobInvalid: refusal("The Job is not valid for this Kubernetes: the field is named."),
  JobNameTaken: refusal("Another object has the name of the run's Job."),
  JobCreateFailed: refusal("The API server did not take the Job for a reason that may pass."),
  NamespaceTerminating: refusal("The namespace is being deleted."),
  NamespaceMissing: refusal("The namespace is gone."),
  NotFromCluster: refusal("The resource has no uid or namespace: it was not read from a cluster."),
  ResourceTooLarge: refusal("The resource is too large to be handed to a pod.")
} as const satisfies Readonly<Record<string, RunReason>>

export type RunReasonName = keyof typeof all

/** The reasons of one group. */
export type RunReasonOf<Group extends RunReason["group"]> = {
  [Name in RunReasonName]: (typeof all)[Name]["group"] extends Group ? Name : never
}[RunReasonName]

/** Every reason that the operator gives to runs, pods and Jobs, beside those that a run's own report names. */
export const runReasons: Readonly<Record<RunReasonName, RunReason>> = all
