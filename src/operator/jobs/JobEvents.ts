import type { Event, KubeObject } from "../../kubernetes/Objects.ts"
import type { RunReasonName, RunReasonOf } from "../../outcome/RunReasons.ts"
import type { Trouble } from "../../status/Facts.ts"
import * as JobFacts from "./JobFacts.ts"
import { words } from "./PodFailure.ts"

const lastSeen = (event: Event): number => {
  const { deprecatedLastTimestamp, eventTime, metadata, series } = event
  const times = [series?.lastObservedTime, eventTime, deprecatedLastTimestamp, metadata.creationTimestamp]
  return Math.max(0, ...times.flatMap((time) => (typeof time === "string" ? (JobFacts.millis(time) ?? []) : [])))
}

/** The newest warning about `object` with one of these reasons. */
export const newest = (
  events: ReadonlyArray<Event>,
  { kind, metadata }: KubeObject,
  reasons: ReadonlyArray<string>
): Event | undefined =>
  events
    .filter(({ reason, regarding }) => {
      if (reason === undefined || !reasons.includes(reason) || regarding?.name !== metadata.name) return false
      if (regarding.kind !== undefined && regarding.kind !== kind) return false
      if (regarding.namespace !== undefined && regarding.namespace !== metadata.namespace) return false
      return regarding.uid === undefined || metadata.uid === undefined || regarding.uid === metadata.uid
    })
    .sort((a, b) => lastSeen(b) - lastSeen(a))[0]

/** Known texts of the API server about a pod or Job that it rejected: the reason for each, and what to do. */
const refusals: ReadonlyArray<readonly [pattern: RegExp, reason: RunReasonOf<"refusal">, advice: string]> = [
  [
    /failed quota: .*must specify/i,
    "QuotaNeedsResources",
    "set the amounts in spec.resources that the namespace's ResourceQuota requires"
  ],
  [
    /exceeded quota|failed quota/i,
    "QuotaExceeded",
    "raise the namespace's ResourceQuota, free some of it, or lower spec.resources"
  ],
  [
    /is being terminated|NamespaceTerminating/i,
    "NamespaceTerminating",
    "the namespace is being deleted: nothing can be started in it"
  ],
  [
    /violates PodSecurity/i,
    "PodSecurityViolated",
    "the pods of a backup conform to the restricted standard: look for what changes them on admission, such as an injector, or for a label of the namespace"
  ],
  [
    /security context constraint/i,
    "PodSecurityViolated",
    "let the platform choose the user: set the operator's Job user to assigned"
  ],
  [
    /error looking up service account|serviceaccounts? "[^"]*" not found/i,
    "ServiceAccountMissing",
    "create the ServiceAccount, or correct spec.podTemplate.serviceAccountName"
  ],
  [
    /no PriorityClass with name/i,
    "PriorityClassMissing",
    "create the PriorityClass, or correct spec.podTemplate.priorityClassName"
  ],
  [
    /(minimum|maximum) \S+ usage per|max limit to request ratio/i,
    "LimitRangeViolated",
    "set spec.resources within the namespace's LimitRange"
  ],
  [
    /admission webhook|ValidatingAdmissionPolicy|denied the request/i,
    "AdmissionRefused",
    "a policy of the cluster rejects it: change what the policy names, or ask its owner for an exception"
  ]
]

/** A rejection with its own reason, in the server's words, with what to do; `otherwise` for an unknown one. */
export const refused = <Otherwise extends RunReasonName>(
  what: string,
  said: string | undefined,
  otherwise: Otherwise,
  advice: string
): Trouble<RunReasonOf<"refusal"> | Otherwise> => {
  const line = words(said)
  const known = refusals.find(([pattern]) => pattern.test(line))
  return { reason: known?.[1] ?? otherwise, message: `${what}: ${line}; ${known?.[2] ?? advice}` }
}
