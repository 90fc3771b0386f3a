import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { Choice } from "./DrillChoice.ts"
import type { DrillPlan } from "./DrillPlan.ts"
import type { Compared } from "./LiveComparison.ts"

/** What a drill works with. */
export interface Systems {
  /** The cluster of the scratch topics, written and read. */
  readonly sink: KafkaSinkShape
  readonly source: KafkaSourceShape
  /** The cluster that was backed up. Absent: its topics are not compared. */
  readonly live: KafkaSourceShape | undefined
  readonly store: ObjectStoreShape
}

/** What is known of a drill. */
export interface Facts {
  readonly set: BackupSet
  /** Newer backups that are known to be damaged, ascending. */
  readonly passedOver: ReadonlyArray<string>
  readonly choice: Choice
  readonly plan: DrillPlan
  /** How long it took to write and compare everything, in milliseconds. */
  readonly millis: number
  /** Absent: nothing was measured. */
  readonly estimatedMillis: number | undefined
  readonly live: Compared
  /** Topics of earlier drills that were deleted. */
  readonly cleared: ReadonlyArray<string>
  /** Topics of this and of earlier drills that could not be deleted. */
  readonly left: ReadonlyArray<string>
  /** Topics with names like those of this resource's drills that none of them is known to have made. */
  readonly strays: ReadonlyArray<string>
}

/** Told of each fact as soon as it is known, so that a drill that fails can say what it had done. */
export type OnFact = (fact: Partial<Facts>) => void
