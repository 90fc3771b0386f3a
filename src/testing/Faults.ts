import type { Fault as KafkaFault, FaultPlan } from "../kafka/memory/InMemoryFaults.ts"
import type * as ApiFaults from "../kubernetes/memory/Faults.ts"
import { Forbidden, Throttled, Unavailable } from "../kubernetes/KubernetesError.ts"
import type { PodTrouble } from "../kubernetes/memory/PodRun.ts"
import { OutOfSpace, StorageAuthorizationFailed, StoreUnavailable } from "../storage/ObjectStoreError.ts"
import type * as ScriptedFaults from "../storage/ScriptedFaults.ts"

/*
 * Common faults for tests: for `storage(...).disturb`, `api.disturb`, `kafka.inject` and `node.trouble`. They are plain
 * values of the types that these methods take, so a test can also write its own.
 */

type StorageOccasion = Partial<ScriptedFaults.Occasion>

/**
 * Which calls: of `operation` (default `put`), from the `nth` on (default the first), `times` in a row (default once).
 */
const storageFault =
  (fault: (detail: string) => { readonly _tag: "Fail"; readonly reason: ScriptedFailure }) =>
  (detail: string) =>
  (occasion: StorageOccasion = {}): ScriptedFaults.Fault => ({ operation: "put", ...occasion, ...fault(detail) })

type ScriptedFailure = Extract<ScriptedFaults.Fault, { readonly _tag: "Fail" }>["reason"]

/** Object storage. With `times: Infinity` a fault lasts until `calm`. */
export const storage = {
  /** The store does not answer: time-outs, 503, SlowDown. */
  unavailable: storageFault((detail) => ({ _tag: "Fail", reason: new StoreUnavailable({ detail }) }))(
    "the store does not answer"
  ),
  /** A permission is missing. */
  refused: storageFault((detail) => ({
    _tag: "Fail",
    reason: new StorageAuthorizationFailed({ detail, advice: "check the Secret and the permissions of its user" })
  }))("access denied"),
  /** The store has no space left. */
  full: storageFault((detail) => ({ _tag: "Fail", reason: new OutOfSpace({ detail }) }))("no space left"),
  /** The request is carried out, but the answer is lost. */
  answerLost: (occasion: StorageOccasion = {}): ScriptedFaults.Fault => ({
    operation: "put",
    ...occasion,
    _tag: "LoseAnswer"
  })
}

/** Which requests to the API server: by verb and kind (`jobs`); without them all requests. */
export interface ApiOccasion extends Omit<ApiFaults.Occasion, "when"> {
  readonly verb?: ApiFaults.Verb
  readonly kind?: string
}

type ApiFault = ApiFaults.Fault & ApiFaults.Occasion

const apiFault = (fault: ApiFaults.Fault, { kind, verb, ...rest }: ApiOccasion = {}): ApiFault => ({
  ...fault,
  ...rest,
  when: (call) => (verb === undefined || call.verb === verb) && (kind === undefined || call.kind === kind)
})

/** The Kubernetes API server. */
export const api = {
  unavailable: (occasion?: ApiOccasion): ApiFault =>
    apiFault({ _tag: "Fail", reason: new Unavailable({ detail: "the server does not answer" }) }, occasion),
  throttled: (occasion?: ApiOccasion): ApiFault =>
    apiFault(
      { _tag: "Fail", reason: new Throttled({ detail: "too many requests", retryAfterMillis: 1000 }) },
      occasion
    ),
  /** An admission policy refuses the request, or a right is missing. */
  forbidden: (detail: string, occasion?: ApiOccasion): ApiFault =>
    apiFault(
      { _tag: "Fail", reason: new Forbidden({ detail, isNamespaceTerminating: false, isQuota: false }) },
      occasion
    ),
  /** A ResourceQuota is used up. */
  quotaExceeded: (detail: string, occasion?: ApiOccasion): ApiFault =>
    apiFault(
      { _tag: "Fail", reason: new Forbidden({ detail, isNamespaceTerminating: false, isQuota: true }) },
      occasion
    ),
  /** The request is carried out, but the answer is lost. */
  answerLost: (occasion?: ApiOccasion): ApiFault => apiFault({ _tag: "LoseAnswer" }, occasion)
}

/** A fault of Kafka brokers and the answers that it affects: the two arguments of `kafka.inject`. */
export type BrokerFault = readonly [fault: KafkaFault, plan: FaultPlan]

/** Kafka brokers. `kafka.stopBroker`, `deny`, `truncate` and others change the cluster itself. */
export const kafka = {
  connectionLost: (plan: FaultPlan = {}): BrokerFault => [{ _tag: "ConnectionLost" }, plan],
  /** The answer is late by this many milliseconds. */
  slow: (millis: number, plan: FaultPlan = {}): BrokerFault => [{ _tag: "Delayed", millis }, plan],
  /** A quota: an empty answer with this throttle time, in milliseconds. */
  throttled: (millis: number, plan: FaultPlan = {}): BrokerFault => [{ _tag: "Throttled", millis }, plan],
  /** One bit of the answer is wrong. */
  flippedBit: (plan: FaultPlan = {}): BrokerFault => [{ _tag: "FlippedBit", bit: 1000 }, plan],
  /** The answer carries this error code of the Kafka protocol. */
  errorCode: (code: number, plan: FaultPlan = {}): BrokerFault => [{ _tag: "Code", code }, plan]
}

/** Why pods do not start. */
export const pods = {
  unschedulable: (message = "0/3 nodes are available: 3 Insufficient memory."): PodTrouble => ({
    _tag: "Unschedulable",
    message
  }),
  imagePullBackOff: (image = "kafka-backup:test"): PodTrouble => ({
    _tag: "Waiting",
    reason: "ImagePullBackOff",
    message: `Back-off pulling image "${image}"`
  }),
  secretMissing: (name: string): PodTrouble => ({
    _tag: "Waiting",
    reason: "CreateContainerConfigError",
    message: `secret "${name}" not found`
  })
}
