import type { NewTopic } from "../kafka/KafkaSink.ts"
import type { Remembered } from "./RestoreMemory.ts"
import type { PlannedTopic } from "./RestorePlan.ts"

/** What is to be done with one topic of the target. */
export interface TargetTopic {
  readonly topic: PlannedTopic
  /** Absent: it is there already, and empty or of this restore. */
  readonly create: NewTopic | undefined
  /** Of an existing topic: every log ends where it should. */
  readonly isWritten: boolean
  /** Of an existing topic that an earlier attempt of this restore wrote to. */
  readonly remembered: Remembered | undefined
  /** Present where a topic of others is deleted first, and created again: which one. */
  readonly recreates?: { readonly topicId: string | undefined }
}
