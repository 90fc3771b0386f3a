import { Schema } from "effect"
import { KafkaBackupSpec } from "./KafkaBackupSpec.ts"
import { KafkaBackupStatus } from "./KafkaBackupStatus.ts"
import { Metadata } from "./Metadata.ts"

export const group = "kafka.oso.sh"
export const version = "v1alpha1"
export const apiVersion = `${group}/${version}` as const
export const kind = "KafkaBackup"
export const plural = "kafkabackups"

/** Annotation whose value is the trigger of a manual backup: a value not handled before starts one run. */
export const triggerAnnotation = `${group}/trigger-backup` as const

/** Annotation whose value asks for a drill now: a value not handled before starts one. */
export const drillAnnotation = `${group}/drill` as const

/** Annotation whose value asks for a check now: a value not handled before starts one. */
export const checkAnnotation = `${group}/check` as const

/**
 * Annotation that confirms losses. It names the newest backup whose losses against older backups are intended, and
 * retention no longer holds back what is older than that backup. `topic:PATTERN` confirms losses of these topics.
 */
export const acceptLossAnnotation = `${group}/accept-loss` as const

/** Longest value of that annotation, in characters; a longer one is ignored, since it takes room in every Job. */
export const maxAcceptLossLength = 1024

/**
 * Annotation that names backups that stay, whatever retention says: ids, separated by commas. `kafka-backup pin` does
 * the same in storage.
 */
export const pinAnnotation = `${group}/pin` as const

/** Longest trigger value, in characters. */
export const maxTriggerLength = 253

/** The whole resource, with defaults applied when decoded. */
export const KafkaBackup = Schema.Struct({
  apiVersion: Schema.Literal(apiVersion),
  kind: Schema.Literal(kind),
  metadata: Metadata,
  spec: KafkaBackupSpec,
  status: Schema.optionalKey(KafkaBackupStatus)
})
export type KafkaBackup = typeof KafkaBackup.Type
