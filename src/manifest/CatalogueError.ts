import { Schema } from "effect"

/** No set of this id below the storage root. */
export class SetNotFound extends Schema.TaggedError<SetNotFound>()("SetNotFound", {
  backupId: Schema.String,
  location: Schema.String
}) {
  override get message() {
    return `there is no backup ${this.backupId} in ${this.location}`
  }
}

/** A run that did not finish: data without a manifest is not a backup. */
export class SetIncomplete extends Schema.TaggedError<SetIncomplete>()("SetIncomplete", {
  backupId: Schema.String,
  state: Schema.Literals(["unfinished", "beingRemoved"])
}) {
  override get message() {
    return this.state === "unfinished"
      ? `${this.backupId} is not a backup: its run has not finished, there is no manifest`
      : `${this.backupId} is not a backup any more: retention is removing it`
  }
}

/** A document of a set that cannot be read or believed. */
export class DocumentUnreadable extends Schema.TaggedError<DocumentUnreadable>()("DocumentUnreadable", {
  key: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.key} cannot be read: ${this.detail}`
  }
}

/** This very run took place, and its set has been removed since. */
export class RunAlreadyTaken extends Schema.TaggedError<RunAlreadyTaken>()("RunAlreadyTaken", {
  backupId: Schema.String
}) {
  override get message() {
    return `this run took place as ${this.backupId}, which has been removed since`
  }
}

/** Every id that the slot could have is taken by somebody else's set. */
export class NoFreeId extends Schema.TaggedError<NoFreeId>()("NoFreeId", {
  firstTried: Schema.String,
  location: Schema.String
}) {
  override get message() {
    return `${this.firstTried} and the 59 ids after it are taken by other sets in ${this.location}`
  }
}

/** A later attempt of the same run works at it, or finished it with different content. */
export class AttemptSuperseded extends Schema.TaggedError<AttemptSuperseded>()("AttemptSuperseded", {
  backupId: Schema.String,
  attempt: Schema.Int,
  /** The later attempt's number, where it is known. */
  by: Schema.optionalKey(Schema.Int)
}) {
  override get message() {
    return `attempt ${this.attempt} of ${this.backupId} was superseded by ${this.by === undefined ? "another attempt" : `attempt ${this.by}`}`
  }
}

/** Somebody else of the same resource is writing: a run, a prune or a command. */
export class LockHeld extends Schema.TaggedError<LockHeld>()("LockHeld", {
  holder: Schema.String,
  untilIso: Schema.String
}) {
  override get message() {
    return `${this.holder} holds this resource's storage lock until ${this.untilIso} at the latest`
  }
}

/** Failures of the documents that make up sets, runs and locks. */
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
        return "see what is there with: kafka-backup list -f <file>"
      case "SetIncomplete":
        return this.reason.state === "unfinished"
          ? "repeat the run with the same slot to finish it: kafka-backup run -f <file> --slot <slot>"
          : "use another set: kafka-backup list -f <file>"
      case "DocumentUnreadable":
        return "nothing was changed; restore the object from the bucket's own versions, or use another set"
      case "RunAlreadyTaken":
        return "choose another slot, or none, to make a new backup"
      case "NoFreeId":
        return "choose another slot, or give the resource a prefix of its own"
      case "AttemptSuperseded":
        return "nothing to do: the other attempt carries on"
      case "LockHeld":
        return "wait for the other run to end"
    }
  }
}
