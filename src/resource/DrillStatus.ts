import * as Field from "./Field.ts"
import { Timestamp } from "./Timestamp.ts"

const name = (description: string) => Field.text({ description, maxLength: 512 })
const prose = (description: string) => Field.text({ description, maxLength: 32_768 })
const count = (description: string) => Field.integer({ description, minimum: 0 })

const DrillCause = Field.choice(["schedule", "trigger"], {
  description: "Why the drill exists: a slot of its schedule, or a new value of the annotation kafka.oso.sh/drill."
})

const ActiveDrill = Field.object(
  {
    jobName: name("Job that runs it."),
    cause: DrillCause,
    startTime: Timestamp("When it started.")
  },
  { description: "The drill that is active. Absent when none is." }
)

const Trouble = Field.object(
  { reason: name("Why, in one word."), message: prose("What happened, and what to do about it.") },
  {
    description:
      "What keeps a drill from starting: the API server rejects its Job, or its pod cannot start. Absent when nothing does."
  }
)

const IncompleteDrill = Field.object(
  {
    jobName: name("Job that ran it."),
    completionTime: Timestamp("When it ended."),
    reason: name("Why it did not get that far, in one word."),
    message: prose("What happened, and what to do about it.")
  },
  {
    description:
      "The newest drill, where it ended without showing whether the backup can be restored: it was stopped, or could not be carried out. Absent otherwise."
  }
)

/** Most notes of one drill. */
export const maxDrillNotes = 10

/** What the operator reports about drills. The fields that are not in a block of their own are about one drill. */
export const DrillStatus = Field.object(
  {
    phase: Field.optional(
      Field.choice(["Pending", "Running", "Passed", "Failed", "Incomplete"], {
        description: "Summary: Running while a drill is active, else how the newest one ended, else Pending."
      })
    ),
    active: Field.optional(ActiveDrill),
    trouble: Field.optional(Trouble),
    incomplete: Field.optional(IncompleteDrill),
    lastResult: Field.optional(
      Field.choice(["Passed", "Failed"], {
        description: "Result of the newest drill that passed or failed; the fields up to detail are about that drill."
      })
    ),
    jobName: Field.optional(name("Job that ran it.")),
    backupId: Field.optional(name("Id of the backup that was drilled: the newest one at that time.")),
    capturedTime: Field.optional(Timestamp("When that backup was taken.")),
    drillTime: Field.optional(Timestamp("When the drill started.")),
    completionTime: Field.optional(Timestamp("When the drill ended.")),
    topics: Field.optional(count("Topics of the backup that took part.")),
    partitions: Field.optional(count("Partitions of the backup that took part.")),
    records: Field.optional(count("Records that were restored, read back and compared with the backup.")),
    bytes: Field.optional(count("Stored bytes of the backup that hold them.")),
    seconds: Field.optional(count("How long it took to restore and compare them.")),
    estimatedRestoreSeconds: Field.optional(
      count("How long a restore of the whole backup would take at the rate of the drill.")
    ),
    comparedLiveRecords: Field.optional(
      count("Records that were compared with the topics that were backed up, too. Absent: none were to be.")
    ),
    leftTopics: Field.optional(
      count("Scratch topics that could not be deleted. The next drill deletes them. Absent: none.")
    ),
    notes: Field.optional(
      Field.list(prose("What is to be known, in a sentence."), {
        description: `What is to be known of the drill beside its numbers, such as topics that were left out, or gaps of the backup that a restore must accept; at most ${maxDrillNotes}. Absent: nothing.`,
        maxItems: maxDrillNotes
      })
    ),
    reason: Field.optional(name("Of a drill that failed: why, in one word.")),
    detail: Field.optional(prose("Of a drill that failed: what differs and where, and what to do about it.")),
    lastPassedTime: Field.optional(Timestamp("When the last drill that passed ended. Absent before the first.")),
    nextDrillTime: Field.optional(Timestamp("The next slot of the drill's schedule. Absent while suspended.")),
    lastScheduledTime: Field.optional(Timestamp("The latest slot for which a drill was started or skipped.")),
    skippedSlots: Field.optional(count("Slots that did not get a drill of their own.")),
    observedSchedule: Field.optional(name("Schedule and time zone that these slots belong to.")),
    scheduledSince: Field.optional(
      Timestamp("Slots before this do not count: when the schedule was added, last changed or resumed.")
    ),
    handledTrigger: Field.optional(name("Value of the annotation kafka.oso.sh/drill that was handled last.")),
    pendingTrigger: Field.optional(
      Field.object(
        {
          token: name("Value of the annotation."),
          firstSeenTime: Timestamp("When it was first seen.")
        },
        { description: "A value of the annotation kafka.oso.sh/drill that waits for its drill. Absent when none does." }
      )
    )
  },
  { description: "Drills of this resource. Absent without spec.drill." }
)
