import { Schema } from "effect"
import { exitCodes } from "../../outcome/ExitCodes.ts"
import * as Explanation from "../../worker/Explanation.ts"

/** Why offsets of consumer groups were not set, stored or found as asked for. */

/** Offsets cannot be set or stored as the manifest says; none was changed. */
export class OffsetsRefused extends Schema.TaggedError<OffsetsRefused>()("OffsetsRefused", {
  problems: Schema.Array(Schema.String),
  advice: Schema.String,
  /** The same problems with their reasons, where they have some. */
  objections: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({ reason: Schema.optionalKey(Schema.String), message: Schema.String, advice: Schema.String })
    )
  )
}) {
  readonly headline = "no offset was changed"
  override get message() {
    return `${this.headline}: ${this.problems.join("; ")}`
  }
  readonly exitCode = exitCodes.targetUnusable
}

/** There is no such snapshot. */
export class SnapshotNotFound extends Schema.TaggedError<SnapshotNotFound>()("SnapshotNotFound", {
  snapshotId: Schema.String,
  location: Schema.String
}) {
  override get message() {
    return `there is no snapshot ${this.snapshotId} in ${this.location}`
  }
  readonly advice = "check snapshotId and the prefix of the storage"
  readonly exitCode = exitCodes.notFound
}

/** Groups have other offsets than the snapshot. */
export class OffsetsDiffer extends Schema.TaggedError<OffsetsDiffer>()("OffsetsDiffer", {
  snapshotId: Schema.String,
  differences: Schema.Int,
  /** Some of them, for a reader who sees nothing else. */
  examples: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message() {
    const named = this.examples === undefined ? "" : `: ${this.examples.join(", ")}`
    return `${this.differences} offsets differ from snapshot ${this.snapshotId}${named}`
  }
  readonly advice =
    "the snapshot is of before the offsets were set, so after a restore they differ rightly; only to undo that, set them back with kafka-backup offsets rollback -f FILE"
  readonly exitCode = exitCodes.notProven
}

export const refused = (
  objections: ReadonlyArray<{ readonly reason?: string; readonly message: string; readonly advice: string }>
) =>
  new OffsetsRefused({
    problems: objections.map(({ message }) => message),
    advice: Explanation.adviceFor(objections),
    objections
  })

/** Some groups were left as they are. What can be set was set, and a repetition must not set that again. */
export class GroupsSkipped extends Schema.TaggedError<GroupsSkipped>()("GroupsSkipped", {
  skipped: Schema.Array(Schema.Struct({ group: Schema.String, reason: Schema.String })),
  of: Schema.Int,
  /** The work was stopped before all groups were set. */
  isStopped: Schema.optionalKey(Schema.Boolean)
}) {
  override get message() {
    const { length } = this.skipped
    const named = this.skipped.slice(0, 10).map(({ group, reason }) => `${group}: ${reason}`)
    const others = length > named.length ? [`${length - named.length} more`] : []
    const what = this.isStopped === true ? "are left, since the work was stopped" : "were left as they are"
    return `${length} of ${this.of} consumer groups ${what}: ${[...named, ...others].join("; ")}`
  }
  get advice() {
    return this.isStopped === true
      ? "repeat it for these groups alone: those that were set may have read on"
      : "stop the consumers of groups that have members; for others, do what the reason says"
  }
  readonly exitCode = exitCodes.targetUnusable
}
