/* What is reported to OperatorMetrics. The words are those of the metrics' labels. */

/** A resource, by its namespace and name. */
export interface ResourceRef {
  readonly namespace: string
  readonly name: string
}

export type RunOutcome = "success" | "failed" | "interrupted"
export type Phase = "Pending" | "Running" | "Completed" | "Failed"

/** What is true of one resource now. Instants are milliseconds since 1970. */
export interface ResourceState {
  readonly phase: Phase
  readonly isReady: boolean
  /** No scheduled backup starts, because the spec says so. */
  readonly isSuspended?: boolean | undefined
  /** How the run ended that ended last; undefined before the first. */
  readonly lastOutcome?: RunOutcome | undefined
  readonly lastSuccess?: { readonly atMillis: number; readonly sizeBytes: number; readonly records: number } | undefined
  /** Since when a run is due and queued. */
  readonly queuedSinceMillis?: number | undefined
  /** Backups that are known to be damaged; undefined before anything is known. */
  readonly damagedBackups?: number | undefined
  /** Backups that are past retention and stay, because the store locks them. */
  readonly lockedBackups?: number | undefined
  /** When the stored byte that was not read for longest was last read, or written. */
  readonly oldestReadMillis?: number | undefined
  /** Stored bytes of all backups, each object counted once. */
  readonly storedBytes?: number | undefined
  /** Condition DataVerified; undefined while it is Unknown. */
  readonly isDataVerified?: boolean | undefined
  /** Given while a schedule counts: not without one, not while suspended. */
  readonly expected?: { readonly intervalSeconds: number; readonly sinceMillis: number } | undefined
}

/** A run that ended. Bytes, records and objects of a success only. */
export interface RunEnd {
  readonly outcome: RunOutcome
  /** Of anything but a success. */
  readonly reason?: string | undefined
  readonly durationSeconds: number
  readonly addedBytes?: number | undefined
  readonly addedRecords?: number | undefined
  readonly verifiedBytes?: number | undefined
  readonly healedObjects?: number | undefined
}

/** What is true of the drills of one KafkaBackup now. Instants are milliseconds since 1970. */
export interface DrillState {
  /** Undefined while it is unknown. */
  readonly isRestorable: boolean | undefined
  readonly lastPassedMillis: number | undefined
  /** How long a restore of the whole backup takes, as the newest drill with a result measured it. */
  readonly estimatedSeconds: number | undefined
  /** Given while the schedule of drills counts: not while suspended. */
  readonly expected: { readonly intervalSeconds: number; readonly sinceMillis: number } | undefined
}

/** A drill that ended. */
export interface DrillEnd {
  readonly outcome: "passed" | "failed" | "incomplete"
  /** Of anything but a drill that passed. */
  readonly reason?: string | undefined
  /** From the start of its Job to its end. */
  readonly durationSeconds: number
}

/** What is true of one KafkaRestore now. */
export interface RestoreState {
  readonly phase: Phase
  readonly isReady: boolean
  /** 0 to 1. */
  readonly progressRatio: number
  readonly records: number
}

/** A Job of a restore that ended. */
export interface RestoreEnd {
  readonly outcome: RunOutcome | "dry_run"
  /** Of a failure. */
  readonly reason?: string | undefined
  readonly durationSeconds: number
}

/** How a Job that worked on offsets of consumer groups ended. */
export type OffsetEnd = RunOutcome | "dry_run"

export type SkipReason = "Missed" | "TooLate" | "Overlapping"

/**
 * How one reconcile of a resource ended: nothing to do, something was changed, the user must act, it is tried again, or
 * the operator has a defect.
 */
export type ReconcileResult = "unchanged" | "changed" | "user_must_act" | "retry" | "defect"

/** Why an Event was not written. */
export type DroppedEvent = "queue_full" | "rate_limited" | "denied" | "failed"

/** One HTTP request to the API server. */
export interface ApiRequest {
  /** `get`, `list`, `watch`, `create`, `apply`, `replace`, `patch`, `remove`. */
  readonly verb: string
  /** The kind's plural: `jobs`. */
  readonly kind: string
  /** HTTP status; `error` without an answer. */
  readonly status: number | "error"
  /** Until the head of the answer. */
  readonly millis: number
}

/** Delays of the event loop, in seconds. */
export interface LoopLag {
  readonly mean: number
  readonly p99: number
  readonly max: number
}
