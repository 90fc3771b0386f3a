import { Schema } from "effect"

/** There is no set of this id below the storage root. */
export class SetNotFound extends Schema.TaggedError<SetNotFound>()("SetNotFound", {
  backupId: Schema.String,
  location: Schema.String,
  /** The backup that was probably meant. */
  near: Schema.optionalKey(Schema.String),
  /** The newest backups that are there, at most a few; empty if there is none at all. Absent: it is not known. */
  newest: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message() {
    const meant = this.near === undefined ? "" : `; did you mean ${this.near}?`
    const there =
      this.newest === undefined
        ? ""
        : this.newest.length === 0
          ? "; no complete backup is there"
          : `${meant.endsWith("?") ? " The" : "; the"} newest there: ${this.newest.join(", ")}`
    return `there is no backup ${this.backupId} in ${this.location}${meant}${there}`
  }
}

/** A run that has not finished: data without a manifest is not a backup. Or one that was a backup. */
export class SetIncomplete extends Schema.TaggedError<SetIncomplete>()("SetIncomplete", {
  backupId: Schema.String,
  state: Schema.Literals(["unfinished", "beingRemoved", "manifestLost"])
}) {
  override get message() {
    switch (this.state) {
      case "unfinished":
        return `${this.backupId} is not a backup: its run has not finished, so it has no manifest`
      case "beingRemoved":
        return `${this.backupId} is no longer a backup: retention is removing it`
      case "manifestLost":
        return `${this.backupId} was complete, and has no manifest any more`
    }
  }
}

/** The slot that the id was made of. An id that another backup had is moved on by seconds: the run says its slot. */
const slotOf = (backupId: string): string => {
  const found = /-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/u.exec(backupId)
  if (found === null) return "<slot>"
  const [, year, month, day, hour, minute, second] = found
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
}

/** A document of a set that is unreadable or damaged. */
export class DocumentUnreadable extends Schema.TaggedError<DocumentUnreadable>()("DocumentUnreadable", {
  key: Schema.String,
  detail: Schema.String,
  /** There may be nothing wrong with it: this process has no memory for it. */
  isTooLarge: Schema.optionalKey(Schema.Boolean)
}) {
  override get message() {
    return `${this.key} cannot be read: ${this.detail}`
  }
}

/** This run has taken place already, and its set was removed since. */
export class RunAlreadyTaken extends Schema.TaggedError<RunAlreadyTaken>()("RunAlreadyTaken", {
  backupId: Schema.String
}) {
  override get message() {
    return `this run has already made the backup ${this.backupId}, which was removed since`
  }
}

/** Other sets have taken every id that the slot could have. */
export class NoFreeId extends Schema.TaggedError<NoFreeId>()("NoFreeId", {
  firstTried: Schema.String,
  location: Schema.String
}) {
  override get message() {
    return `other backups in ${this.location} have taken ${this.firstTried} and the 59 ids after it`
  }
}

/** A later attempt of the same run has taken over, or has completed it with different content. */
export class AttemptSuperseded extends Schema.TaggedError<AttemptSuperseded>()("AttemptSuperseded", {
  backupId: Schema.String,
  attempt: Schema.Int,
  /** The number of the later attempt, if known. */
  by: Schema.optionalKey(Schema.Int)
}) {
  override get message() {
    return `attempt ${this.attempt} of ${this.backupId} was superseded by ${this.by === undefined ? "another attempt" : `attempt ${this.by}`}`
  }
}

/** Another process is writing for the same resource: a run, a prune or a command. */
export class LockHeld extends Schema.TaggedError<LockHeld>()("LockHeld", {
  holder: Schema.String,
  untilIso: Schema.String
}) {
  override get message() {
    return `${this.holder} holds the storage lock of this resource until ${this.untilIso} at the latest`
  }
}

/** Failures of the documents of sets, runs and locks. */
export class CatalogueError extends Schema.TaggedError<CatalogueError>()("CatalogueError", {
  reason: Schema.Union([
    SetNotFound,
    SetIncomplete,
    DocumentUnreadable,
    RunAlreadyTaken,
    NoFreeId,
    AttemptSuperseded,
    LockHeld
  ])
}) {
  override get message() {
    return this.reason.message
  }
  get isRetryable(): boolean {
    return this.reason._tag === "LockHeld"
  }
  get advice(): string {
    switch (this.reason._tag) {
      case "SetNotFound":
        return "list the backups with: kafka-backup list -f <file>, or in the cluster: kubectl kafka-backup list NAME"
      case "SetIncomplete":
        switch (this.reason.state) {
          case "unfinished":
            return `its next attempt finishes it; without an operator repeat the run with the same slot: kafka-backup run -f <file> --slot ${slotOf(this.reason.backupId)}`
          case "beingRemoved":
            return "use another backup: kafka-backup list -f <file>"
          case "manifestLost":
            return "put manifest.json back if there is a copy of it, from an earlier version in the bucket for example; or use another backup: kafka-backup list -f <file>"
        }
      case "DocumentUnreadable":
        if (this.reason.isTooLarge === true) {
          return "raise spec.resources.limits.memory, or use a machine with more memory; nothing was changed"
        }
        return "restore the object from an earlier version in the bucket, or use another backup; nothing was changed"
      case "RunAlreadyTaken":
        return "give another slot, or none, to make a new backup"
      case "NoFreeId":
        return "give another slot, or set a prefix for this resource alone"
      case "AttemptSuperseded":
        return "nothing to do: the other attempt continues"
      case "LockHeld":
        return "wait until the other run ends"
    }
  }
}
