import * as KafkaBackup from "../resource/KafkaBackup.ts"
import * as KafkaRestore from "../resource/KafkaRestore.ts"
import { plurals } from "../resource/OffsetCrds.ts"
import type { Event, Job, KubeObject, Lease, Pod } from "./Objects.ts"

/** A kind of object that the operator uses, and its API path. The type parameter is the type of its objects. */
export interface Kind<out A extends KubeObject = KubeObject> {
  /** `v1`, `batch/v1`. */
  readonly apiVersion: string
  readonly kind: string
  /** As in the URL: `jobs`. */
  readonly plural: string
  readonly isNamespaced: boolean
  /** Never set: carries the type. */
  readonly _A?: A
}

const define = <A extends KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  isNamespaced = true
): Kind<A> => ({
  apiVersion,
  kind,
  plural,
  isNamespaced
})

export const kafkaBackups = define<KubeObject>(KafkaBackup.apiVersion, KafkaBackup.kind, KafkaBackup.plural)
export const kafkaRestores = define<KubeObject>(KafkaBackup.apiVersion, KafkaRestore.kind, KafkaRestore.plural)
export const kafkaOffsetResets = define<KubeObject>(
  KafkaBackup.apiVersion,
  "KafkaOffsetReset",
  plurals.KafkaOffsetReset
)
export const kafkaOffsetRollbacks = define<KubeObject>(
  KafkaBackup.apiVersion,
  "KafkaOffsetRollback",
  plurals.KafkaOffsetRollback
)
export const jobs = define<Job>("batch/v1", "Job", "jobs")
export const pods = define<Pod>("v1", "Pod", "pods")
export const leases = define<Lease>("coordination.k8s.io/v1", "Lease", "leases")
export const events = define<Event>("events.k8s.io/v1", "Event", "events")

const strimzi = (apiVersion: string, kind: string, plural: string) =>
  define<KubeObject>(`kafka.strimzi.io/${apiVersion}`, kind, plural)
export const strimziKafkasV1 = strimzi("v1", "Kafka", "kafkas")
export const strimziKafkasV1beta2 = strimzi("v1beta2", "Kafka", "kafkas")
export const strimziUsersV1 = strimzi("v1", "KafkaUser", "kafkausers")
export const strimziUsersV1beta2 = strimzi("v1beta2", "KafkaUser", "kafkausers")
export const namespaces = define<KubeObject>("v1", "Namespace", "namespaces", false)
