import * as Field from "./Field.ts"
import { Condition } from "./KafkaBackupStatus.ts"
import { Timestamp } from "./Timestamp.ts"

/*
 * What the operator reports about a KafkaOffsetReset or KafkaOffsetRollback. Bounds are wide and there are no rules, so
 * that an older or newer operator's status never blocks an update.
 */

const name = (description: string) => Field.text({ description, maxLength: 512 })
const prose = (description: string) => Field.text({ description, maxLength: 32_768 })
const count = (description: string) => Field.integer({ description, minimum: 0 })

/** As many in each list as keep a status readable. */
const maxGroups = 1000

export const OffsetPhase = Field.choice(["Pending", "Running", "Completed", "Failed"], {
  description:
    "Pending: no pod has started. Running: the Job is active. Completed: everything was done and read back. Failed: conditions say why."
})

const SkippedGroup = Field.object(
  { group: name("Consumer group."), reason: prose("Why its offsets were not set.") },
  { description: "A consumer group that was left as it was." }
)

/** What became of consumer groups. The lists name as many as a pod's report has room for, and the totals count all. */
export const groupFields = {
  groupsReset: Field.optional(
    Field.list(name("Consumer group."), {
      description: "Consumer groups whose offsets were set and read back.",
      maxItems: maxGroups
    })
  ),
  groupsResetTotal: Field.optional(count("How many these are; the list may name fewer.")),
  groupsSkipped: Field.optional(
    Field.list(SkippedGroup, { description: "Consumer groups that were left as they were.", maxItems: maxGroups })
  ),
  groupsSkippedTotal: Field.optional(count("How many these are; the list may name fewer."))
}

export const OffsetStatus = Field.object(
  {
    phase: Field.optional(OffsetPhase),
    observedGeneration: Field.optional(count("Generation of the resource that this status is about.")),
    startTime: Field.optional(Timestamp("When the first Job started.")),
    startedWriting: Field.optional(
      Timestamp(
        "Since when a pod may have changed offsets or snapshots. The spec cannot be changed from then on. A pod that was killed and left no report may have changed some, too."
      )
    ),
    completionTime: Field.optional(Timestamp("When the last Job ended: completed or failed.")),
    jobName: Field.optional(name("Job that works on the offsets.")),
    ...groupFields,
    snapshotId: Field.optional(name("Snapshot that was stored, used or deleted.")),
    message: Field.optional(prose("How it ended, in a sentence.")),
    conditions: Field.optional(
      Field.list(Condition, {
        description: "Ready: is everything done?",
        maxItems: 32,
        kubernetes: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] }
      })
    )
  },
  { description: "What the operator last observed. Written by the operator only." }
)
export type OffsetStatus = typeof OffsetStatus.Type
