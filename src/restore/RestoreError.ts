import { Schema } from "effect"
import * as Explanation from "../worker/Explanation.ts"
import type { Objection } from "./RestorePlan.ts"

const place = { topic: Schema.String, partition: Schema.Int }

/** The request cannot be carried out with this backup or this cluster. No record was written by this attempt. */
export class PreflightFailed extends Schema.TaggedError<PreflightFailed>()("PreflightFailed", {
  objections: Schema.Array(Schema.Struct({ reason: Schema.String, message: Schema.String, advice: Schema.String })),
  /** What cannot be done, and what was done before, as `refusals` has it. */
  state: Schema.String
}) {
  get headline() {
    return `the restore cannot ${this.state}`
  }
  override get message() {
    return `${this.headline}: ${this.objections.map(({ message }) => message).join("; ")}`
  }
}

/** The hold of a restore's topics cannot end: the restore is not complete, or the cluster does not know it. */
export class RestoreIncomplete extends Schema.TaggedError<RestoreIncomplete>()("RestoreIncomplete", {
  detail: Schema.String,
  advice: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

/** The backup of a complete restore is gone. What became of the hold of its topics is told. */
export class BackupGone extends Schema.TaggedError<BackupGone>()("BackupGone", {
  detail: Schema.String,
  advice: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

/** Somebody else wrote into a partition while it was restored, or records of it are gone. */
export class TargetDisturbed extends Schema.TaggedError<TargetDisturbed>()("TargetDisturbed", {
  ...place,
  /** First offset that may be affected. */
  offset: Schema.Int,
  detail: Schema.String,
  /** The topic holds records that were there before the restore. */
  isAppended: Schema.optionalKey(Schema.Boolean)
}) {
  override get message() {
    return `${this.topic}[${this.partition}] offset ${this.offset}: ${this.detail}`
  }
}

/** What was read back from the target is not what the backup holds. */
export class Differs extends Schema.TaggedError<Differs>()("Differs", {
  ...place,
  /** The range in which the first difference lies; `until` is exclusive. */
  from: Schema.Int,
  until: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `${this.topic}[${this.partition}] differs from the backup in offsets ${this.from} to ${this.until - 1}: ${this.detail}`
  }
}

/** Another attempt of this restore has begun. */
export class RestoreOvertaken extends Schema.TaggedError<RestoreOvertaken>()("RestoreOvertaken", {}) {
  override get message() {
    return "another attempt of this restore has begun; this one stops"
  }
}

/** Failures of a restore that belong neither to the cluster nor to the store alone. */
export class RestoreError extends Schema.TaggedError<RestoreError>()("RestoreError", {
  reason: Schema.Union([PreflightFailed, RestoreIncomplete, BackupGone, TargetDisturbed, Differs, RestoreOvertaken])
}) {
  override get message() {
    return this.reason.message
  }
  get isRetryable(): boolean {
    return false
  }
  /** Everything that stands against the restore; none where something else failed. */
  get objections() {
    return this.reason._tag === "PreflightFailed" ? this.reason.objections : []
  }
  get headline(): string {
    return this.reason._tag === "PreflightFailed" ? this.reason.headline : this.message
  }
  get advice(): string {
    switch (this.reason._tag) {
      case "PreflightFailed":
        return Explanation.adviceFor(this.reason.objections)
      case "RestoreIncomplete":
      case "BackupGone":
        return this.reason.advice
      case "TargetDisturbed":
        if (this.reason.isAppended === true) {
          return `what was appended to topic ${this.reason.topic} stays. Restore to another name; or stop whatever writes to the topic, and append all of it again with a restore of another name`
        }
        return `delete topic ${this.reason.topic}, stop whatever writes to it, then restore again`
      case "Differs":
        return `delete topic ${this.reason.topic} and restore again; if it differs again, verify the backup with --deep`
      case "RestoreOvertaken":
        return "wait for the other attempt"
    }
  }
}

const listed = (names: ReadonlyArray<string>) =>
  names.length <= 5 ? names.join(", ") : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`

/** What a restore cannot do that is refused, and what it has done. */
export const refusals = {
  first: "begin, and nothing was written",
  /** An earlier attempt has written. */
  later: "go on, and this attempt wrote nothing",
  /** Topics appeared or changed between the checks and the first record. */
  afterTopics: (deleted: ReadonlyArray<string>, created: ReadonlyArray<string>): string =>
    [
      "go on, and no record was written",
      ...(deleted.length === 0 ? [] : [`it deleted ${listed(deleted)} as confirmRecreate says`]),
      ...(created.length === 0 ? [] : [`it created ${listed(created)}, without a record so far`])
    ].join("; ")
} as const

export const preflightFailed = (objections: ReadonlyArray<Objection>, state: string = refusals.first): RestoreError =>
  new RestoreError({ reason: new PreflightFailed({ objections, state }) })
