import type { ContentSettings } from "../manifest/RunPlan.ts"
import type { RunIdentity } from "../identity/RunIdentity.ts"
import type { Seat } from "../manifest/ShardDeal.ts"
import type { Adopting } from "../manifest/Adoption.ts"
import type { Captured } from "./Capturing.ts"
import type { Incremental } from "./Incremental.ts"
import type { BreakerSettings } from "../worker/Breaker.ts"
import type { TimeRules } from "./KeepRules.ts"

/** One run as the spec asks for it, with defaults applied and units resolved. */
export interface RunRequest {
  readonly identity: RunIdentity
  /** Which of several processes at work this one is; absent if it is the only one. */
  readonly seat?: Seat | undefined
  /** How backups of earlier resources of this name are found; absent if only the run's own owner counts. */
  readonly adopting?: Adopting | undefined
  readonly topics: ReadonlyArray<string>
  readonly excludeTopics: ReadonlyArray<string>
  readonly bootstrapServers: ReadonlyArray<string>
  readonly settings: ContentSettings
  /** Present: the backup builds on an earlier one where it can. */
  readonly incremental?: Incremental | undefined
  /** What is captured of the cluster beside records; absent: nothing. */
  readonly clusterMetadata?: Captured | undefined
  /** At most the work of this period is lost when the process dies. */
  readonly checkpointIntervalMillis: number
  /** Ceiling on bytes fetched from Kafka per second, for the whole run, and then on bytes that are read again. */
  readonly bytesPerSecond?: number | undefined
  readonly recordsPerSecond?: number | undefined
  /** Percent of the stored bytes of all kept backups that the run reads again; absent or 0 for none. */
  readonly percentPerRun?: number | undefined
  /** How long the run does that at most. */
  readonly longestRereadMillis?: number | undefined
  /** How many verified successes to keep; absent, and without other rules, keeps all. */
  readonly retainedBackups?: number | undefined
  /** What beside their number keeps backups, and in words all rules. */
  readonly retainedByTime?: TimeRules | undefined
  readonly retention?: string | undefined
  /** The annotation that confirms losses: see AcceptedLoss.ts. */
  readonly acceptedLoss?: string | undefined
  /** The annotation that pins backups: see Pins.ts. */
  readonly pinned?: string | undefined
  /** Absent if circuit breakers are disabled. */
  readonly circuitBreaker?: BreakerSettings | undefined
  /** The machine that it runs on, for people. */
  readonly host: string
  /** Notes on the request itself, for the report. */
  readonly notes: ReadonlyArray<string>
}
