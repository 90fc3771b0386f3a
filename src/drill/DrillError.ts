import { Schema } from "effect"
import * as Explanation from "../worker/Explanation.ts"

/** No backup of this resource is complete yet, or the newest one holds no record of what is to be drilled. */
export class NothingToDrill extends Schema.TaggedError<NothingToDrill>()("NothingToDrill", {
  resource: Schema.String,
  location: Schema.String,
  /** Of the backup without records. */
  backupId: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    if (this.backupId !== undefined) {
      return `nothing was drilled: backup ${this.backupId} holds no record of the topics that the drill chooses from`
    }
    return `there is no complete backup of ${this.resource} in ${this.location} yet`
  }
}

const Objection = Schema.Struct({ message: Schema.String, advice: Schema.String })

/** The cluster refuses what the drill needs. Nothing was written. */
export class PreflightFailed extends Schema.TaggedError<PreflightFailed>()("PreflightFailed", {
  objections: Schema.Array(Objection)
}) {
  readonly headline = "the drill cannot begin, and nothing was written"
  override get message() {
    return `${this.headline}: ${this.objections.map(({ message }) => message).join("; ")}`
  }
}

/** Objects or documents of the newest backup are missing, damaged or altered. */
export class BackupDamaged extends Schema.TaggedError<BackupDamaged>()("BackupDamaged", {
  backupId: Schema.String,
  problems: Schema.Array(Schema.String)
}) {
  override get message() {
    const { length } = this.problems
    const others = length > 5 ? ` and ${length - 5} more` : ""
    return `backup ${this.backupId} is damaged: ${this.problems.slice(0, 5).join("; ")}${others}`
  }
}

/** What was restored and read back is not what the backup holds. */
export class Differs extends Schema.TaggedError<Differs>()("Differs", {
  backupId: Schema.String,
  /** `orders[3]`. */
  place: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `what was restored of ${this.place} is not what backup ${this.backupId} holds: ${this.detail}`
  }
}

/** The live log holds another record than the backup at an offset that both have, or one that the backup lacks. */
export class LiveDiffers extends Schema.TaggedError<LiveDiffers>()("LiveDiffers", {
  backupId: Schema.String,
  topic: Schema.String,
  partition: Schema.Int,
  offset: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `the live log differs from backup ${this.backupId} at ${this.topic}[${this.partition}] offset ${this.offset}: ${this.detail}`
  }
}

/** Failures of a drill that belong neither to the cluster nor to the store alone. */
export class DrillError extends Schema.TaggedError<DrillError>()("DrillError", {
  reason: Schema.Union([NothingToDrill, PreflightFailed, BackupDamaged, Differs, LiveDiffers])
}) {
  override get message() {
    return this.reason.message
  }
  get isRetryable(): boolean {
    return false
  }
  /** Everything that stands against the drill; none where something else failed. */
  get objections() {
    return this.reason._tag === "PreflightFailed" ? this.reason.objections : []
  }
  get headline(): string {
    return this.reason._tag === "PreflightFailed" ? this.reason.headline : this.message
  }
  get advice(): string {
    switch (this.reason._tag) {
      case "NothingToDrill":
        return this.reason.backupId === undefined
          ? "make a backup first; the next drill finds it"
          : "find out why these topics are empty, or name topics with records in spec.drill.topics"
      case "PreflightFailed":
        return Explanation.adviceFor(this.reason.objections)
      case "BackupDamaged":
        return "make a new backup now, and run kafka-backup verify --deep: it names everything that is damaged"
      case "Differs":
        return "make a new backup now, and run kafka-backup verify --deep; if it finds nothing, please report it"
      case "LiveDiffers":
        return `make a new backup now, and keep the old one: look at that offset of ${this.reason.topic} in both before you rely on either`
    }
  }
}
