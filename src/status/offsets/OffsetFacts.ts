import type { RunReasonOf } from "../../outcome/RunReasons.ts"
import type { OffsetStatus as Schema } from "../../resource/OffsetStatus.ts"
import type { Problem } from "../../resource/Problem.ts"
import type { Trouble } from "../Facts.ts"
import type { ActiveRestore, EndedRestore } from "../restore/RestoreFacts.ts"

/** The status as Kubernetes holds it: times are RFC 3339 texts in UTC with whole seconds. */
export type OffsetStatus = typeof Schema.Encoded

/** What a resource asks for. A KafkaOffsetReset asks for `reset`. */
export type Operation = "reset" | "snapshot" | "rollback" | "verify" | "delete"

/** Where the snapshot is stored cannot be told. */
export type SnapshotTrouble = Trouble<"SnapshotUnknown" | "SnapshotAmbiguous">

/** Everything that one reconcile found: the next status is a function of this, the previous status and the time. */
export interface OffsetFacts {
  readonly generation: number
  readonly operation: Operation
  /** What is wrong with the spec; empty when it can be used. With problems nothing is started. */
  readonly problems: ReadonlyArray<Problem>
  readonly active?: ActiveRestore | undefined
  /** The end of a Job, where it is new. */
  readonly ended?: EndedRestore | undefined
  /** When a pod began to change something, where one said so. */
  readonly startedWritingMillis?: number | undefined
  /** The Job of a value of the retry annotation that is there again: it has ended and was reported. */
  readonly usedBefore?: string | undefined
  /** A Job is needed and the API server rejects it. */
  readonly refusal?: Trouble<RunReasonOf<"refusal">> | undefined
  readonly snapshot?: SnapshotTrouble | undefined
}
