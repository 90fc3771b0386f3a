import { group } from "../resource/KafkaBackup.ts"

/** What a Job is for. At most one of a resource's Jobs is unfinished at any time, beside one drill and one check. */
export type Purpose = "run" | "prune" | "catalogue" | "cleanup" | "restore" | "drill" | "check" | "offsets"

export const managedBy = { key: "app.kubernetes.io/managed-by", value: "kafka-backup-operator" } as const

/** Label: uid of the KafkaBackup or KafkaRestore that a Job or a pod works for. */
export const uidLabel = `${group}/uid` as const
/** Label: its name, cut to a label's length, for people. */
export const nameLabel = `${group}/name` as const
/** Label: a `Purpose`. */
export const purposeLabel = `${group}/purpose` as const
/** Annotation: the KafkaBackup's whole name. */
export const resourceAnnotation = `${group}/kafkabackup` as const
/** Annotation: the whole name of the KafkaRestore. A Job has this one or `resourceAnnotation`. */
export const restoreAnnotation = `${group}/kafkarestore` as const
/** Annotations: the same of a KafkaOffsetReset, and of a KafkaOffsetRollback. */
export const offsetResetAnnotation = `${group}/kafkaoffsetreset` as const
export const offsetRollbackAnnotation = `${group}/kafkaoffsetrollback` as const
/** Annotation: `schedule`, `trigger` or `once`. */
export const causeAnnotation = `${group}/cause` as const
/** Annotation: slot, or when a trigger was first seen; RFC 3339, UTC. */
export const slotAnnotation = `${group}/slot` as const
/** Annotation: the trigger's value. */
export const tokenAnnotation = `${group}/trigger` as const
/** Annotation of a Job: a digest of all that its pods are made from. */
export const podAnnotation = `${group}/pod` as const
/** Annotation: which attempt of a clean-up the Job is, from 1. */
export const attemptAnnotation = `${group}/attempt` as const
/** Annotation of the Job of a restore, a run or a check: `metadata.generation` of the resource it was made from. */
export const generationAnnotation = `${group}/generation` as const
/** Annotation of a Job of a restore: the id of the backup that it restores. */
export const backupAnnotation = `${group}/backup-id` as const
/** Finalizer of resources with deletionPolicy Delete. */
export const finalizer = `${group}/cleanup` as const

/** `managed-by` of Jobs that a user's command made: the operator neither sees nor counts them. */
export const managedByCommand = "kubectl-kafka-backup"
/** Annotation of such a Job: the command. */
export const commandAnnotation = `${group}/command` as const

/** Selects every Job and pod that the operator made. */
export const ours = `${managedBy.key}=${managedBy.value}` as const

/** Environment variable of a Job's container: the run spec. */
export const runSpecVariable = "KAFKA_BACKUP_RUN_SPEC"
