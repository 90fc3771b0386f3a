import type { ContentSettings } from "../manifest/RunPlan.ts"
import type { RunIdentity } from "../identity/RunIdentity.ts"
import type { BreakerSettings } from "../worker/Breaker.ts"

/** One run, as asked for: what the spec says, with defaults applied and units resolved. */
export interface RunRequest {
  readonly identity: RunIdentity
  readonly topics: ReadonlyArray<string>
  readonly excludeTopics: ReadonlyArray<string>
  readonly bootstrapServers: ReadonlyArray<string>
  readonly settings: ContentSettings
  /** At most this much work is lost when the process dies. */
  readonly checkpointIntervalMillis: number
  /** Ceiling on bytes fetched from Kafka per second, for the whole run. */
  readonly bytesPerSecond?: number
  readonly recordsPerSecond?: number
  /** Verified successes to keep; absent keeps all. */
  readonly retainedBackups?: number
  /** Backups older than this one are not held back for what later ones lost. */
  readonly acceptedLoss?: string | undefined
  /** Absent where circuit breakers are switched off. */
  readonly circuitBreaker?: BreakerSettings
  /** Where it runs, for people. */
  readonly host: string
  /** What the report should say of the request itself. */
  readonly notes: ReadonlyArray<string>
}
