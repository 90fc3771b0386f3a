import type { Fault as KafkaFault, FaultPlan } from "../kafka/memory/InMemoryFaults.ts"
import type * as ApiFaults from "../kubernetes/memory/Faults.ts"
import { Forbidden, Throttled, Unavailable } from "../kubernetes/KubernetesError.ts"
import type { PodTrouble } from "../kubernetes/memory/PodRun.ts"
import { OutOfSpace, StorageAuthorizationFailed, StoreUnavailable } from "../storage/ObjectStoreError.ts"
import type * as ScriptedFaults from "../storage/ScriptedFaults.ts"

/*
 * What goes wrong in a test, in words: for `storage(...).disturb`, `api.disturb`, `kafka.inject` and `pods.trouble`. Everything
 * else that the in-memory worlds can do is there too: these are values of their types.
 */

type StorageOccasion = Partial<ScriptedFaults.Occasion>

/** Which calls: of the operation (default `put`), the `nth` of them on (default the first), `times` in a row (default once). */
const storageFault =
  (fault: (detail: string) => { readonly _tag: "Fail"; readonly reason: ScriptedFailure }) =>
  (detail: string) =>
  (occasion: StorageOccasion = {}): ScriptedFaults.Fault => ({ operation: "put", ...occasion, ...fault(detail) })

type ScriptedFailure = Extract<ScriptedFaults.Fault, { readonly _tag: "Fail" }>["reason"]

/** Object storage. With `times: Infinity` until `calm`. */
export const storage = {
  /** Does not answer: time-outs, 503, slow down. */
  unavailable: storageFault((detail) => ({ _tag: "Fail", reason: new StoreUnavailable({ detail }) }))(
    "the store does not answer"
  ),
  /** A permission is missing. */
  refused: storageFault((detail) => ({
    _tag: "Fail",
    reason: new StorageAuthorizationFailed({ detail, advice: "check the Secret and the permissions of its user" })
  }))("access denied"),
  /** There is no room left. */
  full: storageFault((detail) => ({ _tag: "Fail", reason: new OutOfSpace({ detail }) }))("no space left"),
  /** Does what was asked, but the answer is lost on the way. */
  answerLost: (occasion: StorageOccasion = {}): ScriptedFaults.Fault => ({
    operation: "put",
    ...occasion,
    _tag: "LoseAnswer"
  })
}

/** Which requests to the API server: by verb and kind (`jobs`); all of them where nothing is said. */
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

/** The Kubernetes API server, as the operator meets it. */
export const api = {
  unavailable: (occasion?: ApiOccasion): ApiFault =>
    apiFault({ _tag: "Fail", reason: new Unavailable({ detail: "the server does not answer" }) }, occasion),
  throttled: (occasion?: ApiOccasion): ApiFault =>
    apiFault(
      { _tag: "Fail", reason: new Throttled({ detail: "too many requests", retryAfterMillis: 1000 }) },
      occasion
    ),
  /** An admission policy or a missing right. */
  forbidden: (detail: string, occasion?: ApiOccasion): ApiFault =>
    apiFault(
      { _tag: "Fail", reason: new Forbidden({ detail, isNamespaceTerminating: false, isQuota: false }) },
      occasion
    ),
  /** A ResourceQuota without room. */
  quotaExceeded: (detail: string, occasion?: ApiOccasion): ApiFault =>
    apiFault(
      { _tag: "Fail", reason: new Forbidden({ detail, isNamespaceTerminating: false, isQuota: true }) },
      occasion
    ),
  /** Carried out, but the answer is lost on the way. */
  answerLost: (occasion?: ApiOccasion): ApiFault => apiFault({ _tag: "LoseAnswer" }, occasion)
}

/** A fault of Kafka's brokers, and which answers it meets: the two arguments of `kafka.inject`. */
export type BrokerFault = readonly [fault: KafkaFault, plan: FaultPlan]

/** Kafka brokers. `kafka.stopBroker`, `deny`, `truncate` and others change the cluster itself. */
export const kafka = {
  connectionLost: (plan: FaultPlan = {}): BrokerFault => [{ _tag: "ConnectionLost" }, plan],
  /** The answer comes so much later, in milliseconds. */
  slow: (millis: number, plan: FaultPlan = {}): BrokerFault => [{ _tag: "Delayed", millis }, plan],
  /** A quota: an empty answer, and the wish not to be asked for so long, in milliseconds. */
  throttled: (millis: number, plan: FaultPlan = {}): BrokerFault => [{ _tag: "Throttled", millis }, plan],
  /** One bit of what arrives is wrong. */
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
