import { Schema } from "effect"

/** A Secret's file that is missing, empty or not what it should be. Never holds the value. */
export class SecretUnusable extends Schema.TaggedError<SecretUnusable>()("SecretUnusable", {
  secret: Schema.String,
  key: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `Secret ${this.secret}, key ${this.key}: ${this.detail}`
  }
}

/** Something the manifest asks for that this version cannot do; refused rather than done by halves. */
export class NotSupported extends Schema.TaggedError<NotSupported>()("NotSupported", {
  field: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.field}: ${this.detail}`
  }
}

/** Failures of what every run needs before it begins. */
export class WorkerError extends Schema.TaggedError<WorkerError>()("WorkerError", {
  reason: Schema.Union([SecretUnusable, NotSupported])
}) {
  override get message() {
    return this.reason.message
  }
  /** Never: somebody must change the Secret or the manifest. */
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    switch (this.reason._tag) {
      case "SecretUnusable":
        return "create the Secret with this key in the resource's namespace; for a run by hand, the file DIR/<secret>/<key> of --secrets DIR"
      case "NotSupported":
        return "change the field, or wait for the version that has it"
    }
  }
}
