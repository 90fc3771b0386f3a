import { ErrorCode } from "../ErrorCode.ts"
import { BatchRefused, KafkaError, type KafkaReason, ProducerFenced } from "../KafkaError.ts"
import type { Appended } from "../KafkaSink.ts"
import type { TopicPartition } from "../KafkaSource.ts"
import type { WireProduced } from "../KafkaWriteWire.ts"
import { type Asked, reasonOf } from "./Refusal.ts"

/** What a code shows about a batch that was sent. */
export type AppendClass =
  | "appended"
  /** The code may come after the leader has appended: it waited for replicas, or remembers another sequence. */
  | "unclear"
  /** The leader looked at it before it appended anything, and may take it another time. */
  | "not yet"
  /** The leader refuses this batch for what it is. */
  | "batch"
  | "fenced"
  | "failed"

/** Pure. Codes without a rule count as unclear, because they say nothing about the log. */
export const appendClassOf = (code: number): AppendClass => {
  switch (code) {
    case ErrorCode.none:
      return "appended"
    case ErrorCode.corruptMessage:
    case ErrorCode.leaderNotAvailable:
    case ErrorCode.notEnoughReplicas:
    case ErrorCode.throttlingQuotaExceeded:
    case ErrorCode.unknownTopicId:
    case ErrorCode.inconsistentTopicId:
      return "not yet"
    case ErrorCode.messageTooLarge:
    case ErrorCode.recordListTooLarge:
    case ErrorCode.invalidTopic:
    case ErrorCode.invalidTimestamp:
    case ErrorCode.invalidRecord:
    case ErrorCode.policyViolation:
    case ErrorCode.unsupportedForMessageFormat:
    case ErrorCode.unsupportedCompressionType:
      return "batch"
    case ErrorCode.invalidProducerEpoch:
    case ErrorCode.producerFenced:
      return "fenced"
    case ErrorCode.topicAuthorizationFailed:
    case ErrorCode.clusterAuthorizationFailed:
    case ErrorCode.transactionalIdAuthorizationFailed:
    case ErrorCode.saslAuthenticationFailed:
    case ErrorCode.unsupportedVersion:
    case ErrorCode.invalidRequest:
      return "failed"
    default:
      return "unclear"
  }
}

/** Why a batch is refused, in words, and what to do. */
const refusals: Readonly<Record<number, readonly [detail: string, advice: string]>> = {
  [ErrorCode.messageTooLarge]: ["it is larger than max.message.bytes", "raise max.message.bytes of the topic"],
  [ErrorCode.recordListTooLarge]: ["it is larger than a segment", "raise segment.bytes of the topic"],
  [ErrorCode.invalidTopic]: ["the topic is internal to the cluster", "write to another topic"],
  [ErrorCode.invalidTimestamp]: [
    "a timestamp is out of range",
    "raise message.timestamp.after.max.ms and message.timestamp.before.max.ms of the topic"
  ],
  [ErrorCode.policyViolation]: ["a policy of the cluster forbids it", "check the policies of the cluster"],
  [ErrorCode.unsupportedForMessageFormat]: [
    "the topic has an old message format",
    "write to a topic with message format 2"
  ],
  [ErrorCode.unsupportedCompressionType]: ["its codec is not supported", "choose another compression"]
}

const batchRefused = (code: number, place: TopicPartition, said: string | undefined): KafkaReason => {
  const [words, advice] = refusals[code] ?? [
    "a record is invalid",
    "compare the records with cleanup.policy of the topic"
  ]
  const detail = said === undefined ? words : `${words}: ${said}`
  return new BatchRefused({ topic: place.topic, partition: place.partition, code, detail, advice })
}

/** What an answer to an append means; a `KafkaError` if no other attempt can succeed. Pure. */
export const outcomeOf = (
  { baseOffset, detail, errorCode }: Omit<WireProduced, "throttleMillis">,
  place: TopicPartition,
  asked: Asked
): Appended | KafkaError => {
  const failed = (reason: KafkaReason) => new KafkaError({ operation: "produce", reason })
  const reason = reasonOf(errorCode, asked, detail)
  switch (appendClassOf(errorCode)) {
    case "appended":
      // A repeated batch whose offset the leader has forgotten has -1.
      return baseOffset >= 0 ? { _tag: "Appended", baseOffset } : { _tag: "Unclear", reason }
    case "unclear":
      return { _tag: "Unclear", reason }
    case "not yet":
      return { _tag: "NotYet", reason }
    case "batch":
      return failed(batchRefused(errorCode, place, detail))
    case "fenced":
      return failed(new ProducerFenced({ topic: place.topic, partition: place.partition }))
    case "failed":
      return failed(reason)
  }
}
