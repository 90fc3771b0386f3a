import { DateTime } from "effect"
import { leases } from "./Kind.ts"
import type { ObjectRef } from "./KubernetesApi.ts"
import type { Lease } from "./Objects.ts"

/** The lease as it was when it last changed before our eyes. */
export interface Sighting {
  readonly resourceVersion: string
  /** Of our own elapsed time: when we first saw it like this. */
  readonly atMillis: number
}

/** What we know after seeing the lease: an unchanged one keeps the time at which we first saw it. */
export const sighting = (before: Sighting | undefined, lease: Lease, nowMillis: number): Sighting => {
  const resourceVersion = lease.metadata.resourceVersion ?? ""
  return before?.resourceVersion === resourceVersion ? before : { resourceVersion, atMillis: nowMillis }
}

/** Who holds it; undefined when it was given back. */
export const holder = (lease: Lease): string | undefined => lease.spec?.holderIdentity || undefined

/**
 * True when anybody may take it: given back, or without a sign of life for its whole length, which is what its holder
 * promised and otherwise `leaseMillis`. The times in it are of another clock and do not count.
 */
export const isFree = (lease: Lease, seen: Sighting, nowMillis: number, leaseMillis: number): boolean => {
  const promised = (lease.spec?.leaseDurationSeconds ?? 0) * 1000
  return holder(lease) === undefined || nowMillis - seen.atMillis >= (promised > 0 ? promised : leaseMillis)
}

/** `MicroTime`: six digits of the second. */
const microTime = (time: DateTime.Utc): string => DateTime.formatIso(time).replace("Z", "000Z")

const seconds = (millis: number): number => Math.max(1, Math.ceil(millis / 1000))

/** A lease that was not there. */
export const first = (place: ObjectRef, identity: string, leaseMillis: number, now: DateTime.Utc): Lease => ({
  apiVersion: leases.apiVersion,
  kind: leases.kind,
  metadata: place,
  spec: {
    holderIdentity: identity,
    leaseDurationSeconds: seconds(leaseMillis),
    acquireTime: microTime(now),
    renewTime: microTime(now),
    leaseTransitions: 0
  }
})

/** A sign of life, and with another holder before, a change of hands. */
export const renewed = (lease: Lease, identity: string, leaseMillis: number, now: DateTime.Utc): Lease => ({
  ...lease,
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

/** Given back: free for whoever comes first. */
export const released = (lease: Lease, now: DateTime.Utc): Lease => ({
  ...lease,
  spec: { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(now) }
})
