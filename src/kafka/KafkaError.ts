import { Schema } from "effect"

const cause = Schema.optionalKey(Schema.Defect())
const place = { topic: Schema.String, partition: Schema.Number }

/** No broker answered as a Kafka broker would: DNS, refused, time-out, TLS against plaintext and the reverse. */
export class BrokerUnreachable extends Schema.TaggedError<BrokerUnreachable>()("BrokerUnreachable", {
  detail: Schema.String,
  advice: Schema.String,
  /** True when waiting may cure it (refused, reset, timed out); false when configuration must change (TLS, DNS name). */
  transient: Schema.Boolean,
  cause
}) {
  override get message() {
    return this.detail
  }
}

/** The broker, or we, refused the other's identity: SASL failure, certificate not trusted, host name mismatch. */
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

/** Authenticated, but an ACL says no. */
export class KafkaAuthorizationFailed extends Schema.TaggedError<KafkaAuthorizationFailed>()(
  "KafkaAuthorizationFailed",
  {
    /** `topic orders`, `cluster`, `group g1`. */
    resource: Schema.String,
    /** The Kafka ACL operation that is missing: Read, Describe, DescribeConfigs. */
    missing: Schema.String,
    cause
  }
) {
  override get message() {
    return `access to ${this.resource} was denied: ${this.missing} is missing`
  }
}

/** The topic was deleted while it was read. */
export class TopicVanished extends Schema.TaggedError<TopicVanished>()("TopicVanished", { topic: Schema.String }) {
  override get message() {
    return `topic ${this.topic} vanished during the run`
  }
}

/** A topic of this name exists, but it is not the one the plan was made for. */
export class TopicRecreated extends Schema.TaggedError<TopicRecreated>()("TopicRecreated", { topic: Schema.String }) {
  override get message() {
    return `topic ${this.topic} was deleted and created again during the run`
  }
}

/** The log ends below an offset that we were promised: truncated by an unclean election, or re-created. */
export class LogTruncated extends Schema.TaggedError<LogTruncated>()("LogTruncated", {
  ...place,
  position: Schema.Number,
  logEnd: Schema.Number
}) {
  override get message() {
    return `${this.topic}[${this.partition}] ends at offset ${this.logEnd}, below ${this.position}: the log was truncated`
  }
}

/** A record batch is not what its checksum or its format says. */
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

/** A format, codec or size that we do not read. */
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

/** Bytes arrive, or fetches succeed, but the position does not move within the budget. */
export class Stalled extends Schema.TaggedError<Stalled>()("Stalled", {
  ...place,
  position: Schema.Number,
  until: Schema.Number,
  detail: Schema.String
}) {
  override get message() {
    return `${this.topic}[${this.partition}] does not advance beyond offset ${this.position} (end ${this.until}): ${this.detail}`
  }
}

/** The cluster speaks no protocol version that we do, or answered with an error code we have no rule for. */
export class ProtocolFailure extends Schema.TaggedError<ProtocolFailure>()("ProtocolFailure", {
  detail: Schema.String,
  /** Kafka error code, where the broker gave one. */
  code: Schema.optionalKey(Schema.Number),
  transient: Schema.Boolean,
  cause
}) {
  override get message() {
    return this.detail
  }
}

export const KafkaReason = Schema.Union([
  BrokerUnreachable,
  KafkaAuthenticationFailed,
  KafkaAuthorizationFailed,
  TopicVanished,
  TopicRecreated,
  LogTruncated,
  CorruptBatch,
  UnsupportedBatch,
  Stalled,
  ProtocolFailure
])
export type KafkaReason = typeof KafkaReason.Type

/** Every failure of a cluster; `reason` says which case, `isRetryable` and `advice` what to do. */
export class KafkaError extends Schema.TaggedError<KafkaError>()("KafkaError", {
  operation: Schema.Literals(["connect", "metadata", "offsets", "configs", "groups", "fetch"]),
  reason: KafkaReason
}) {
  override get message() {
    return `kafka: ${this.operation}: ${this.reason.message}`
  }
  /** True when another attempt of the whole run may succeed without anybody changing anything. */
  get isRetryable(): boolean {
    switch (this.reason._tag) {
      case "BrokerUnreachable":
      case "ProtocolFailure":
        return this.reason.transient
      case "Stalled":
        return true
      default:
        return false
    }
  }
  /** The next step for a person. */
  get advice(): string {
    switch (this.reason._tag) {
      case "BrokerUnreachable":
      case "KafkaAuthenticationFailed":
      case "UnsupportedBatch":
        return this.reason.advice
      case "KafkaAuthorizationFailed":
        return `grant the principal ${this.reason.missing} on ${this.reason.resource}`
      case "TopicVanished":
      case "TopicRecreated":
        return "start a new run: it plans with the topics as they are now"
      case "LogTruncated":
        return "the cluster lost records that it had acknowledged; check for unclean leader elections, then start a new run"
      case "CorruptBatch":
        return "the broker serves a damaged log segment: check its disks, or move leadership to another replica, then run again"
      case "Stalled":
        return "check the partition's leader and quotas; the run resumes at this offset"
      case "ProtocolFailure":
        return "check the broker's log and version; Kafka 2.1 to 4.x are supported"
    }
  }
}
