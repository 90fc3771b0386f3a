import { Schema } from "effect"

const names = Schema.Array(Schema.String)

/** Topics that are named in full, but do not exist in the cluster. */
export class TopicMissing extends Schema.TaggedError<TopicMissing>()("TopicMissing", {
  topics: names,
  /** The end of the message: which topics they were probably meant to be. */
  meant: Schema.String
}) {
  override get message() {
    return `the cluster has no topic ${listed(this.topics)}${this.meant}`
  }
}

/** Topics that the principal may not describe or read. */
export class TopicAccessDenied extends Schema.TaggedError<TopicAccessDenied>()("TopicAccessDenied", { topics: names }) {
  override get message() {
    return `permission denied for topic ${listed(this.topics)}`
  }
}

/** The patterns selected no topic. */
export class NoTopicsMatched extends Schema.TaggedError<NoTopicsMatched>()("NoTopicsMatched", {
  patterns: names,
  visibleTopics: Schema.Int
}) {
  override get message() {
    return `no topic matches ${listed(this.patterns)} (${this.visibleTopics} topics are visible)`
  }
}

/** Storage does not hold what the run stored: the set is not declared complete. */
export class NotProven extends Schema.TaggedError<NotProven>()("NotProven", { problems: names }) {
  override get message() {
    return `the backup could not be proven complete: ${this.problems.slice(0, 5).join("; ")}${
      this.problems.length > 5 ? `; and ${this.problems.length - 5} more` : ""
    }`
  }
}

/** The run was asked to stop. Everything durable is recorded in checkpoints. */
export class Interrupted extends Schema.TaggedError<Interrupted>()("Interrupted", {
  backupId: Schema.String,
  slot: Schema.String
}) {
  override get message() {
    return `the run of ${this.backupId} was interrupted; everything stored so far is kept`
  }
}

const listed = (items: ReadonlyArray<string>) =>
  items.length <= 10 ? items.join(", ") : `${items.slice(0, 10).join(", ")} and ${items.length - 10} more`

/** Failures of a run that belong neither to the cluster nor to the store alone. */
export class RunError extends Schema.TaggedError<RunError>()("RunError", {
  reason: Schema.Union([TopicMissing, TopicAccessDenied, NoTopicsMatched, NotProven, Interrupted])
}) {
  override get message() {
    return this.reason.message
  }
  get isRetryable(): boolean {
    return this.reason._tag === "Interrupted"
  }
  get advice(): string {
    switch (this.reason._tag) {
      case "TopicMissing":
        return "create the topic, correct its name, or use a wildcard if the topic may be absent"
      case "TopicAccessDenied":
        return "grant the principal Read and Describe on these topics, or exclude them with excludeTopics"
      case "NoTopicsMatched":
        return "correct spec.topics; wildcards never select internal topics, and Kafka hides topics that the principal may not Describe"
      case "NotProven":
        return "check the store, then run the backup again"
      case "Interrupted":
        return `repeat the run with --slot ${this.reason.slot}; it resumes where it stopped`
    }
  }
}
