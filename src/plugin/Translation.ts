import type { KubernetesError } from "../kubernetes/KubernetesError.ts"
import * as Problems from "./Problems.ts"
import * as Rights from "./Rights.ts"

/** What a request was about, for the text of its failure. */
export interface About {
  readonly context: string
  /** Absent: all namespaces. */
  readonly namespace: string | undefined
}

/** `list kafkabackups shop` begins with these two words; see `KubernetesError.request`. */
const wantedOf = (request: string): Rights.Wanted => {
  const [verb = "", plural = ""] = request.split(" ")
  return { verb, plural }
}

/** The failure of a request as its user sees it. Total. */
export const problem = (error: KubernetesError, { context, namespace }: About): Problems.Problem => {
  const { reason, request } = error
  const wanted = wantedOf(request)
  switch (reason._tag) {
    case "NotFound":
      return reason.isKindMissing
        ? new Problems.NotInstalled({
            detail: `the cluster of context ${context} does not know ${wanted.plural}: the CustomResourceDefinitions are not installed`,
            advice: "install the operator (docs/guides/install.md), or choose another cluster with --context"
          })
        : new Problems.ObjectNotFound({
            detail: reason.detail,
            advice: "kubectl kafka-backup status -A shows what there is"
          })
    case "Unauthorized":
      return new Problems.LoginRefused({
        detail: `the API server of context ${context} does not accept the login: ${reason.detail}`,
        advice: "log in again as for kubectl; kubectl auth whoami shows who you are then"
      })
    case "Forbidden":
      if (reason.isNamespaceTerminating || reason.isQuota) {
        return new Problems.RequestRefused({
          detail: error.message,
          advice: reason.isQuota ? "make room in the quota of the namespace" : "the namespace is being deleted"
        })
      }
      // Only RBAC says this; an admission policy refuses in words of its own, which say what it wants.
      return reason.detail.includes(" cannot ")
        ? new Problems.RightMissing({ detail: reason.detail, advice: Rights.advice(wanted, namespace) })
        : new Problems.RequestRefused({
            detail: `${request}: ${reason.detail}`,
            advice: "the rule that refuses this belongs to the cluster: ask those who run it"
          })
    case "Unavailable":
    case "Throttled":
      return new Problems.ApiUnreachable({
        detail: `the API server of context ${context} does not answer: ${reason.detail}`,
        advice: `check the network and the address: kubectl --context ${context} cluster-info`
      })
    case "Conflict":
    case "Gone":
      return new Problems.ChangedMeanwhile({
        detail: `${request}: ${reason.detail}`,
        advice: "repeat the command"
      })
    case "AlreadyExists":
      return new Problems.RequestRefused({ detail: reason.detail, advice: "choose another name" })
    case "Invalid":
      return new Problems.RequestRefused({
        detail: `the API server refuses this: ${reason.detail}`,
        advice: "correct what the message names"
      })
  }
}
