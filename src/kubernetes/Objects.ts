/*
 * Kubernetes objects as JSON, as the API server sends them. Only fields that are read here are named; all others are
 * kept. Instants are RFC 3339 texts. Nothing read from a server is trusted beyond this shape: fields that may be absent
 * are optional.
 */

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string | undefined
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly finalizers?: ReadonlyArray<string>
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: ReadonlyArray<OwnerReference>
}

/** Any object. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly spec?: unknown
  readonly status?: unknown
  readonly [field: string]: unknown
}

/** A condition of a Job or a Pod. */
export interface ObjectCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

/** `batch/v1` Job. */
export interface Job extends KubeObject {
  readonly spec?: { readonly ttlSecondsAfterFinished?: number; readonly [field: string]: unknown }
  readonly status?: {
    readonly active?: number
    readonly succeeded?: number
    readonly failed?: number
    readonly startTime?: string
    readonly completionTime?: string
    readonly conditions?: ReadonlyArray<ObjectCondition>
  }
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly running?: { readonly startedAt?: string }
  readonly terminated?: {
    readonly exitCode: number
    readonly signal?: number
    readonly reason?: string
    readonly message?: string
    readonly startedAt?: string
    readonly finishedAt?: string
  }
}

/** `v1` Pod. */
export interface Pod extends KubeObject {
  readonly status?: {
    readonly phase?: string
    readonly reason?: string
    readonly message?: string
    readonly podIP?: string
    readonly startTime?: string
    readonly conditions?: ReadonlyArray<ObjectCondition>
    readonly containerStatuses?: ReadonlyArray<{
      readonly name: string
      readonly restartCount?: number
      readonly state?: ContainerState
      readonly lastState?: ContainerState
    }>
  }
}

/** `coordination.k8s.io/v1` Lease. Times are `MicroTime`: RFC 3339 with six digits of the second. */
export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

/** `events.k8s.io/v1` Event. */
export interface Event extends KubeObject {
  readonly reason?: string
  readonly type?: string
  readonly note?: string
  readonly action?: string
  readonly regarding?: {
    readonly apiVersion?: string
    readonly kind?: string
    readonly name?: string
    readonly namespace?: string
    readonly uid?: string
  }
  readonly series?: { readonly count: number; readonly lastObservedTime: string }
}
