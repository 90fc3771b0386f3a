import type { KafkaBackupSpec } from "../resource/KafkaBackupSpec.ts"
import type { RunCauseName } from "../status/Facts.ts"

/**
 * Where `spec.job.startDeadlineSeconds` is absent and slots would wait: long enough for a new node and a large image.
 */
const defaultSeconds = 600

/**
 * How long a run may wait for the start of its container, in seconds. Undefined: as long as it takes, because no slot
 * waits for it, and what its pod lacks may come. `spec` is absent while it cannot be used.
 */
export const seconds = (spec: KafkaBackupSpec | undefined, cause: RunCauseName): number | undefined =>
  spec?.job.startDeadlineSeconds ?? (cause === "schedule" || spec?.schedule !== undefined ? defaultSeconds : undefined)
