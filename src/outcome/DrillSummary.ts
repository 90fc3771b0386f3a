import { Schema } from "effect"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * What a summary says about a drill, beside what every command says: which backup (`backupId`), and why a drill failed
 * (`reason`, `message` and `advice`).
 */
export const DrillSummary = Schema.Struct({
  /**
   * Passed: what was restored is what the backup and the live topics hold. Failed: it is not, or it could not be
   * restored. NothingToDrill: there is no proven backup yet, or it holds no record of the chosen topics. Absent: the
   * drill was stopped before it could tell.
   */
  result: Schema.optionalKey(Schema.Literals(["Passed", "Failed", "NothingToDrill"])),
  /** When the drilled backup was taken; RFC 3339, UTC. Absent: there is none. */
  capturedAt: Schema.optionalKey(Schema.String),
  /** What was chosen of the backup. */
  topics: Count,
  partitions: Count,
  /** Records that were restored, read back and compared with the backup. */
  records: Count,
  /** Bytes of the backup that hold them, as stored. */
  bytes: Count,
  /** How long it took to restore and compare them, rounded up. */
  seconds: Count,
  /** How long the restore of the whole backup would take at that rate. Absent: nothing was measured. */
  estimatedSeconds: Schema.optionalKey(Count),
  /**
   * Records that were compared with the live topics, too. Absent: `againstLive` is false, or it did not come to that.
   */
  comparedLiveRecords: Schema.optionalKey(Count),
  /** Scratch topics that could not be deleted: how many, and the first of them by name. The next drill deletes them. */
  leftTopicCount: Count,
  leftTopics: Schema.Array(Schema.String)
})
export type DrillSummary = typeof DrillSummary.Type

/** Most names of topics in a summary; a name has at most 249 characters of one byte each. */
const mostNames = 3

/** Longest instant and longest name, in characters. */
const instant = 40
const name = 249

const printable = (text: string, limit: number) => text.replaceAll(/[^ !#-[\]-~]/gu, "?").slice(0, limit)

/** The summary with texts of at most a kilobyte, whatever is in it. Names of topics and instants are unchanged. */
export const shortened = ({ capturedAt, leftTopics, ...rest }: DrillSummary): DrillSummary => ({
  ...rest,
  ...(capturedAt === undefined ? {} : { capturedAt: printable(capturedAt, instant) }),
  leftTopics: leftTopics.slice(0, mostNames).map((topic) => printable(topic, name))
})
