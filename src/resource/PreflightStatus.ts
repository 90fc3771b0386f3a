import * as Field from "./Field.ts"
import { Timestamp } from "./Timestamp.ts"

const name = (description: string) => Field.text({ description, maxLength: 512 })
const prose = (description: string) => Field.text({ description, maxLength: 32_768 })
const count = (description: string) => Field.integer({ description, minimum: 0 })

const Side = Field.object(
  {
    reached: Field.flag({ description: "True if it was reached, and its credentials were accepted." }),
    lastProbeTime: Timestamp("When that was found: the end of the check or of the run."),
    by: Field.optional(name("Job of the check, or id of the backup of the run.")),
    reason: Field.optional(name("Of what was not reached: why, in one word.")),
    message: Field.optional(prose("Of what was not reached: what happened, and what to do about it."))
  },
  { description: "What the newest check showed that got that far, or a later run that succeeded." }
)

const Incomplete = Field.object(
  {
    generation: count("Generation of the resource that it was about."),
    jobName: name("Job that ran it."),
    completionTime: Timestamp("When it ended."),
    reason: name("Why it did not get that far, in one word."),
    message: prose("What happened, and what to do about it.")
  },
  {
    description:
      "The newest check, where it ended without an answer: its pod did not start in time, or was stopped. Absent otherwise."
  }
)

const Trouble = Field.object(
  { reason: name("Why, in one word."), message: prose("What happened, and what to do about it.") },
  {
    description:
      "What keeps a check from starting: the API server rejects its Job, or its pod cannot start. Absent when nothing does."
  }
)

/** What the operator reports about checks of everything that a run needs. */
export const PreflightStatus = Field.object(
  {
    generation: Field.optional(
      count("Generation of the resource that outcome, reason and message are about. Absent before the first answer.")
    ),
    outcome: Field.optional(
      Field.choice(["Pending", "Passed", "Failed"], {
        description:
          "Passed: a check found everything that a run needs, or a run succeeded. Failed: a run would fail. Pending: there is no answer yet."
      })
    ),
    lastProbeTime: Field.optional(Timestamp("When that was found: the end of the check or of the run.")),
    by: Field.optional(name("Job of the check, or id of the backup of the run.")),
    reason: Field.optional(name("Of a check that failed: why, in one word.")),
    message: Field.optional(prose("Of a check that failed: what happened, and what to do about it.")),
    kafka: Field.optional(Side),
    storage: Field.optional(Side),
    incomplete: Field.optional(Incomplete),
    trouble: Field.optional(Trouble),
    failures: Field.optional(
      count("Checks of this generation since the last one that passed. Each of them lengthens the wait. Absent: none.")
    ),
    nextProbeTime: Field.optional(Timestamp("When the next check starts, unless a run succeeds before.")),
    handledCheck: Field.optional(name("Value of the annotation kafka.oso.sh/check that was handled last."))
  },
  {
    description:
      "Checks of everything that a run needs: one for each generation of the spec, and again every few hours without a run. Absent for a one-time backup, whose run is the proof."
  }
)
