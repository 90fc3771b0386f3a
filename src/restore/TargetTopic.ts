import type { NewTopic } from "../kafka/KafkaSink.ts"
import type { Remembered } from "./RestoreMemory.ts"
import type { PlannedTopic } from "./RestorePlan.ts"

/** It does not exist, and is made. */
export interface Missing {
  readonly _tag: "Missing"
  readonly topic: PlannedTopic
  readonly create: NewTopic
}

/** One of others is deleted first, and made again. */
export interface Recreated {
  readonly _tag: "Recreated"
  readonly topic: PlannedTopic
  readonly create: NewTopic
  /** Of the topic that is deleted; undefined where the brokers have no ids. */
  readonly topicId: string | undefined
}

interface Existing {
  readonly topic: PlannedTopic
  /** Every log ends where it should. */
  readonly isWritten: boolean
  /** Present where an earlier attempt of this restore wrote to it. */
  readonly remembered: Remembered | undefined
}

/** It is there, and empty or of this restore. */
export interface Present extends Existing {
  readonly _tag: "Present"
}

/** It holds records of others, and those of the backup come behind them. It keeps its configuration. */
export interface Appended extends Existing {
  readonly _tag: "Appended"
}

/** What is to be done with one topic of the target. */
export type TargetTopic = Missing | Recreated | Present | Appended

/** The topic that this restore makes; undefined: it makes none. */
export const made = (target: TargetTopic): NewTopic | undefined => ("create" in target ? target.create : undefined)

/** What earlier attempts remember of it. */
export const remembered = (target: TargetTopic): Remembered | undefined =>
  "create" in target ? undefined : target.remembered

/** Whether an earlier attempt has read back and compared all of it. */
export const isProven = (target: TargetTopic): boolean => remembered(target)?.provenMillis !== undefined

/** Whether the restore configures it: one that is appended to keeps its configuration. */
export const isConfigured = ({ _tag }: TargetTopic): boolean => _tag !== "Appended"
