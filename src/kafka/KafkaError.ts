import { Schema } from "effect"

const cause = Schema.optionalKey(Schema.Defect())
const place = { topic: Schema.String, partition: Schema.Number }

/** No Kafka broker answered: unknown host, refused, timed out, TLS to a plaintext listener or the reverse. */
export class BrokerUnreachable extends Schema.TaggedError<BrokerUnreachable>()("BrokerUnreachable", {
  detail: Schema.String,
  advice: Schema.String,
  /** True if waiting may help (refused, reset, timed out); false if the configuration must change (TLS, host name). */
  transient: Schema.Boolean,
  cause
}) {
  override get message() {
    return this.detail
  }
}

/** No token for the brokers could be had: whoever issues it does not answer, or answers something else. */
export class TokenUnavailable extends Schema.TaggedError<TokenUnavailable>()("TokenUnavailable", {
  detail: Schema.String,
  advice: Schema.String,
  /** True if waiting may help (time-out, 5xx); false if the configuration must change (host name, path). */
  transient: Schema.Boolean
}) {
  override get message() {
    return this.detail
  }
}

/** One side refused the identity of the other: SASL failure, untrusted certificate, host name mismatch. */
export class KafkaAuthenticationFailed extends Schema.TaggedError<KafkaAuthenticationFailed>()(
  "KafkaAuthenticationFailed",
  {
    detail: Schema.String,
    advice: Schema.String,
    cause
  }
) {
  override get message() {
    return this.detail
  }
}

/** Authenticated, but an ACL is missing. */
export class KafkaAuthorizationFailed extends Schema.TaggedError<KafkaAuthorizationFailed>()(
  "KafkaAuthorizationFailed",
  {
    /** `topic orders`, `cluster`, `group g1`. */
    resource: Schema.String,
    /** The Kafka ACL operation that is missing: Read, Write, Describe, … */
    missing: Schema.String,
    cause
  }
) {
  override get message() {
    return `permission denied: the principal lacks ${this.missing} on ${this.resource}`
  }
}

/** The topic was deleted while it was read. */
export class TopicVanished extends Schema.TaggedError<TopicVanished>()("TopicVanished", { topic: Schema.String }) {
  override get message() {
    return `topic ${this.topic} was deleted during the run`
  }
}

/** A topic of this name exists, but it is not the topic in the plan. */
export class TopicRecreated extends Schema.TaggedError<TopicRecreated>()("TopicRecreated", { topic: Schema.String }) {
  override get message() {
    return `topic ${this.topic} was deleted and created again during the run`
  }
}

/** The log ends below an offset that the broker had reported: truncated by an unclean election, or re-created. */
export class LogTruncated extends Schema.TaggedError<LogTruncated>()("LogTruncated", {
  ...place,
  position: Schema.Number,
  logEnd: Schema.Number
}) {
  override get message() {
    return `${this.topic}[${this.partition}] ends at offset ${this.logEnd}, below ${this.position}: the log was truncated`
  }
}

/**
 * What was read below an offset is no longer in the log: a leader that was elected uncleanly lost records, and others
 * have their offsets now.
 */
export class LogReplaced extends Schema.TaggedError<LogReplaced>()("LogReplaced", {
  ...place,
  /** Everything below was read before. */
  position: Schema.Number
}) {
  override get message() {
    return `an unclean leader election replaced records of ${this.topic}[${this.partition}] below offset ${this.position} while they were read`
  }
}

/** A record batch contradicts its checksum or its format. */
export class CorruptBatch extends Schema.TaggedError<CorruptBatch>()("CorruptBatch", {
  ...place,
  offset: Schema.Number,
  detail: Schema.String,
  cause
}) {
  override get message() {
    return `${this.topic}[${this.partition}] offset ${this.offset}: ${this.detail}`
  }
}

/** A format, codec or size that is not supported. */
export class UnsupportedBatch extends Schema.TaggedError<UnsupportedBatch>()("UnsupportedBatch", {
  ...place,
  offset: Schema.Number,
  detail: Schema.String,
  advice: Schema.String
}) {
  override get message() {
    return `${this.topic}[${this.partition}] offset ${this.offset}: ${this.detail}`
  }
}

/** Fetches succeed, but the position does not move within the time limit. */
export class Stalled extends Schema.TaggedError<Stalled>()("Stalled", {
  ...place,
  position: Schema.Number,
  until: Schema.Number,
  detail: Schema.String
}) {
  override get message() {
    return `${this.topic}[${this.partition}] is stuck at offset ${this.position} (end ${this.until}): ${this.detail}`
  }
}

/** The cluster supports no common protocol version, or answered with an error code that has no rule. */
export class ProtocolFailure extends Schema.TaggedError<ProtocolFailure>()("ProtocolFailure", {
  detail: Schema.String,
  /** Kafka error code, if the broker sent one. */
  code: Schema.optionalKey(Schema.Number),
  transient: Schema.Boolean,
  cause
}) {
  override get message() {
    return this.detail
  }
}

/** A producer with the same transactional id and a higher epoch has written here: another attempt took over. */
export class ProducerFenced extends Schema.TaggedError<ProducerFenced>()("ProducerFenced", place) {
  override get message() {
    return `a newer attempt of the same run writes to ${this.topic}[${this.partition}]`
  }
}

/** The broker refuses the content of a batch, and would refuse it again. */
export class BatchRefused extends Schema.TaggedError<BatchRefused>()("BatchRefused", {
  ...place,
  /** Kafka error code. */
  code: Schema.Number,
  detail: Schema.String,
  advice: Schema.String
}) {
  override get message() {
    return `the broker refuses a batch for ${this.topic}[${this.partition}]: ${this.detail}`
  }
}

/** The offsets of a consumer group with members cannot be set. */
export class GroupActive extends Schema.TaggedError<GroupActive>()("GroupActive", { groupId: Schema.String }) {
  override get message() {
    return `consumer group ${this.groupId} has active members`
  }
}

export const KafkaReason = Schema.Union([
  BrokerUnreachable,
  TokenUnavailable,
  KafkaAuthenticationFailed,
  KafkaAuthorizationFailed,
  TopicVanished,
  TopicRecreated,
  LogTruncated,
  LogReplaced,
  CorruptBatch,
  UnsupportedBatch,
  Stalled,
  ProducerFenced,
  BatchRefused,
  GroupActive,
  ProtocolFailure
])
export type KafkaReason = typeof KafkaReason.Type

/** Every failure of a cluster; `reason` names the case, `isRetryable` and `advice` the remedy. */
export class KafkaError extends Schema.TaggedError<KafkaError>()("KafkaError", {
  operation: Schema.Literals([
    "connect",
    "metadata",
    "offsets",
    "configs",
    "groups",
    "fetch",
    "produce",
    "producer",
    "topics",
    "records",
    "access"
  ]),
  reason: KafkaReason
}) {
  override get message() {
    return `kafka: ${this.operation}: ${this.reason.message}`
  }
  /** True if another attempt of the whole run may succeed although nothing was changed. */
  get isRetryable(): boolean {
    switch (this.reason._tag) {
      case "BrokerUnreachable":
      case "TokenUnavailable":
      case "ProtocolFailure":
        return this.reason.transient
      case "Stalled":
      case "LogReplaced":
        return true
      default:
        return false
    }
  }
  /** The next step for a person. */
  get advice(): string {
    switch (this.reason._tag) {
      case "BrokerUnreachable":
      case "TokenUnavailable":
      case "KafkaAuthenticationFailed":
      case "UnsupportedBatch":
      case "BatchRefused":
        return this.reason.advice
      case "KafkaAuthorizationFailed":
        return `grant the principal ${this.reason.missing} on ${this.reason.resource}`
      case "TopicVanished":
      case "TopicRecreated":
        return "start a new run, which plans with the present topics"
      case "LogTruncated":
        return "check for unclean leader elections, since the cluster lost acknowledged records; then start a new run"
      case "LogReplaced":
        return "check why leaders are elected uncleanly again and again; the next attempt reads the partition from its start"
      case "CorruptBatch":
        return "check the disks of the broker, or move leadership to another replica; then run again"
      case "Stalled":
        return "check the leader of the partition and the client quotas; the next attempt resumes at this offset"
      case "ProducerFenced":
        return "wait for the newer attempt"
      case "GroupActive":
        return `stop the consumers of group ${this.reason.groupId}, then try again`
      case "ProtocolFailure":
        return "check the log and the version of the broker; Kafka 2.1 to 4.x are supported"
    }
  }
}
