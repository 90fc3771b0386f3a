import type { KafkaBackupStatus } from "../resource/KafkaBackupStatus.ts"

/** The status as Kubernetes holds it: plain JSON, times as RFC 3339 texts in UTC with whole seconds. */
export type Status = typeof KafkaBackupStatus.Encoded

export type ActiveRun = NonNullable<Status["activeRun"]>
export type HistoryEntry = NonNullable<Status["backupHistory"]>[number]
export type Condition = NonNullable<Status["conditions"]>[number]
