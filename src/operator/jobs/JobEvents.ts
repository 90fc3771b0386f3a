import type { Event, KubeObject } from "../../kubernetes/Objects.ts"
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

/** What the API server's words about a pod or Job that it did not take come down to, and what to do about each. */
const refusals: ReadonlyArray<readonly [pattern: RegExp, reason: string, advice: string]> = [
  [
    /failed quota: .*must specify/i,
    "QuotaNeedsResources",
    "set in spec.resources what the namespace's ResourceQuota wants to be said"
  ],
  [
    /exceeded quota|failed quota/i,
    "QuotaExceeded",
    "raise the namespace's ResourceQuota, free some of it, or lower spec.resources"
  ],
  [
    /is being terminated|NamespaceTerminating/i,
    "NamespaceTerminating",
    "the namespace is being deleted: nothing can be started in it any more"
  ],
  [
    /violates PodSecurity/i,
    "PodSecurityViolated",
    "the pods of a backup keep to the restricted standard: look for what changes them on their way, such as an injector, or a label of the namespace"
  ],
  [
    /security context constraint/i,
    "PodSecurityViolated",
    "let the platform choose the user: the operator's Job user must be assigned"
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
    "a policy of the cluster says no: change what it names, or ask its owner for an exception"
  ]
]

/** A refusal with a reason of its own, in the server's words, with what to do; `otherwise` for one that nobody foresaw. */
export const refused = (
  what: string,
  said: string | undefined,
  otherwise: Trouble["reason"],
  advice: string
): Trouble => {
  const line = words(said)
  const known = refusals.find(([pattern]) => pattern.test(line))
  return { reason: known?.[1] ?? otherwise, message: `${what}: ${line}; ${known?.[2] ?? advice}` }
}
