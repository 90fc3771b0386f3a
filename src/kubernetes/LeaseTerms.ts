import { DateTime } from "effect"
import { leases } from "./Kind.ts"
import type { ObjectRef } from "./KubernetesApi.ts"
import type { Lease } from "./Objects.ts"

/** The newest version of a lease that this process has read. */
export interface Observed {
  readonly resourceVersion: string
  /** When this process first read that version, in its own elapsed milliseconds. */
  readonly atMillis: number
}

/** After reading the lease: an unchanged version keeps the time of its first read. */
export const observed = (before: Observed | undefined, lease: Lease, nowMillis: number): Observed => {
  const resourceVersion = lease.metadata.resourceVersion ?? ""
  return before?.resourceVersion === resourceVersion ? before : { resourceVersion, atMillis: nowMillis }
}

/** The holder's identity; undefined when the lease was released. */
export const holder = (lease: Lease): string | undefined => lease.spec?.holderIdentity || undefined

/**
 * True when any candidate may acquire the lease: it was released, or it has not changed for its whole duration (the one
 * in the lease, else `leaseMillis`). The times in the lease come from another clock and do not count.
 */
export const isFree = (lease: Lease, seen: Observed, nowMillis: number, leaseMillis: number): boolean => {
  const promised = (lease.spec?.leaseDurationSeconds ?? 0) * 1000
  return holder(lease) === undefined || nowMillis - seen.atMillis >= (promised > 0 ? promised : leaseMillis)
}

/** Annotation of the Lease: what its holder leads, see `Candidate.scope`. */
export const scopeAnnotation = "kafka.oso.sh/watched-namespaces"

/** Who stands for election. */
export interface Candidate {
  readonly identity: string
  /** What it leads, in words that other candidates compare with theirs. */
  readonly scope: string | undefined
}

/** What the holder leads; undefined where the lease does not say: an earlier version wrote it. */
export const scope = (lease: Lease): string | undefined => lease.metadata.annotations?.[scopeAnnotation]

const annotated = (metadata: Lease["metadata"], scope: string | undefined): Lease["metadata"] => {
  const { [scopeAnnotation]: _, ...others } = metadata.annotations ?? {}
  return { ...metadata, annotations: scope === undefined ? others : { ...others, [scopeAnnotation]: scope } }
}

/** `MicroTime`: RFC 3339 with microseconds. */
const microTime = (time: DateTime.Utc): string => DateTime.formatIso(time).replace("Z", "000Z")

const seconds = (millis: number): number => Math.max(1, Math.ceil(millis / 1000))

/** The lease to create when there is none. */
export const first = (
  ref: ObjectRef,
  { identity, scope }: Candidate,
  leaseMillis: number,
  now: DateTime.Utc
): Lease => ({
  apiVersion: leases.apiVersion,
  kind: leases.kind,
  metadata: scope === undefined ? ref : annotated(ref, scope),
  spec: {
    holderIdentity: identity,
    leaseDurationSeconds: seconds(leaseMillis),
    acquireTime: microTime(now),
    renewTime: microTime(now),
    leaseTransitions: 0
  }
})

/** The lease after a renewal; with another holder before, after a transition. */
export const renewed = (
  lease: Lease,
  { identity, scope }: Candidate,
  leaseMillis: number,
  now: DateTime.Utc
): Lease => ({
  ...lease,
  metadata: annotated(lease.metadata, scope),
  spec: {
    ...lease.spec,
    holderIdentity: identity,
    leaseDurationSeconds: seconds(leaseMillis),
    renewTime: microTime(now),
    ...(holder(lease) === identity
      ? {}
      : { acquireTime: microTime(now), leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 })
  }
})

/** The lease without a holder: the next candidate may acquire it at once. */
export const released = (lease: Lease, now: DateTime.Utc): Lease => ({
  ...lease,
  spec: { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(now) }
})
