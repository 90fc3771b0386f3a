import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { Trouble } from "../../status/Facts.ts"
import * as JobEvents from "./JobEvents.ts"
import { words } from "./PodFailure.ts"

/** What a person is told when the API server does not take a Job: its own words, and what to do. */
export const refusal = (error: KubernetesError): Trouble => {
  const { reason } = error
  const said = reason.detail
  const tell = (name: string, advice: string): Trouble => ({
    reason: name,
    message: `the Job cannot be created: ${words(said)}; ${advice}`
  })
  const foreseen = (otherwise: string, advice: string) =>
    JobEvents.refused("the Job cannot be created", said, otherwise, advice)
  switch (reason._tag) {
    case "Forbidden":
      if (reason.isNamespaceTerminating) {
        return tell("NamespaceTerminating", "the namespace is being deleted: nothing can be started in it any more")
      }
      if (reason.isQuota) {
        return tell("QuotaExceeded", "raise the namespace's ResourceQuota or free some of it; it is tried again")
      }
      return /cannot create resource|cannot set blockOwnerDeletion/i.test(said)
        ? tell(
            "OperatorNotAllowed",
            "give the operator's ServiceAccount its ClusterRole again, as the installation has it"
          )
        : foreseen("JobCreateFailed", "change what is named; it is tried again")
    case "Invalid":
      return foreseen("JobInvalid", "correct what is named, in spec.podTemplate, spec.job or spec.resources")
    case "NotFound":
      return tell("NamespaceMissing", "the namespace is gone, and the resource will follow it")
    case "AlreadyExists":
      return tell("JobNameTaken", "another object has the name of this run's Job: delete it, and the run is started")
    case "Unauthorized":
      return tell("OperatorNotAllowed", "the operator's token is not accepted; it is tried again with a new one")
    case "Conflict":
    case "Gone":
    case "Throttled":
    case "Unavailable":
      return tell("JobCreateFailed", "nothing needs to be done, it is tried again")
  }
}
