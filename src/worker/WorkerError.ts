import { Schema } from "effect"

/** A key of a Secret whose file is missing, empty or otherwise unusable. Never holds the value. */
export class SecretUnusable extends Schema.TaggedError<SecretUnusable>()("SecretUnusable", {
  secret: Schema.String,
  key: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `Secret ${this.secret}, key ${this.key}: ${this.detail}`
  }
}

/** A field of the manifest that this version does not support; refused rather than carried out in part. */
export class NotSupported extends Schema.TaggedError<NotSupported>()("NotSupported", {
  field: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.field}: ${this.detail}`
  }
}

const mebibytes = (bytes: number): number => Math.ceil(bytes / (1024 * 1024))

/** The process may use less memory than a run needs at the least. */
export class MemoryTooSmall extends Schema.TaggedError<MemoryTooSmall>()("MemoryTooSmall", {
  limitBytes: Schema.Number,
  neededBytes: Schema.Number,
  /** The compression of the run, for people. */
  compression: Schema.String
}) {
  override get message() {
    return `the memory limit is ${Math.floor(this.limitBytes / (1024 * 1024))} MiB, and a run with compression ${this.compression} needs at least ${mebibytes(this.neededBytes)} MiB`
  }
}

/** Failures of the things that every run needs before it begins. */
export class WorkerError extends Schema.TaggedError<WorkerError>()("WorkerError", {
  reason: Schema.Union([SecretUnusable, NotSupported, MemoryTooSmall])
}) {
  override get message() {
    return this.reason.message
  }
  /** Never: a person must change the Secret or the manifest. */
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    switch (this.reason._tag) {
      case "SecretUnusable":
        return "create the Secret, or correct this key of it, in the namespace of the resource; without a cluster, the named file"
      case "NotSupported":
        return "change the field, or use a version that supports it"
      case "MemoryTooSmall":
        return `raise spec.resources.limits.memory to at least ${mebibytes(this.reason.neededBytes)}Mi`
    }
  }
}
