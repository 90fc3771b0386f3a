import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { RunReasonOf } from "../../outcome/RunReasons.ts"
import type { Trouble } from "../../status/Facts.ts"
import * as JobEvents from "./JobEvents.ts"
import { words } from "./PodFailure.ts"

type RefusalReason = RunReasonOf<"refusal">

/** What a person reads when the API server rejects a Job: the server's own words, and what to do. */
export const refusal = (error: KubernetesError): Trouble<RefusalReason> => {
  const { reason } = error
  const said = reason.detail
  const trouble = (name: RefusalReason, advice: string): Trouble<RefusalReason> => ({
    reason: name,
    message: `the Job cannot be created: ${words(said)}; ${advice}`
  })
  const recognized = (otherwise: RefusalReason, advice: string) =>
    JobEvents.refused("the Job cannot be created", said, otherwise, advice)
  switch (reason._tag) {
    case "Forbidden":
      if (reason.isNamespaceTerminating) {
        return trouble("NamespaceTerminating", "the namespace is being deleted: nothing can be started in it")
      }
      if (reason.isQuota) {
        return trouble(
          "QuotaExceeded",
          "raise the namespace's ResourceQuota or free some of it; the operator tries again"
        )
      }
      return /cannot create resource|cannot set blockOwnerDeletion/i.test(said)
        ? trouble("OperatorNotAllowed", "give the operator's ServiceAccount the ClusterRole of the installation again")
        : recognized("JobCreateFailed", "correct what the message names; the operator tries again")
    case "Invalid":
      return recognized("JobInvalid", "correct what the message names, in spec.podTemplate, spec.job or spec.resources")
    case "NotFound":
      return trouble("NamespaceMissing", "the namespace is gone, and the resource is deleted with it")
    case "AlreadyExists":
      return trouble("JobNameTaken", "another object has the name of this run's Job: delete it, then the run starts")
    case "Unauthorized":
      return trouble(
        "OperatorNotAllowed",
        "the operator's token is not accepted; the operator tries again with a new one"
      )
    case "Conflict":
    case "Gone":
    case "Throttled":
    case "Unavailable":
      return trouble("JobCreateFailed", "nothing needs to be done, the operator tries again")
  }
}
