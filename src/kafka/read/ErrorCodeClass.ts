import { ErrorCode } from "../ErrorCode.ts"
import {
  KafkaAuthorizationFailed,
  KafkaAuthenticationFailed,
  type KafkaReason,
  ProtocolFailure
} from "../KafkaError.ts"

/** What an error code of a partition or topic asks us to do. */
export type ErrorCodeClass =
  | "none"
  /** Ask for fresh metadata, wait, try again: leadership moved, or the broker is not ready. */
  | "moved"
  /** The name or id is not known there: stale metadata, deleted, or re-created. */
  | "missing"
  | "out of range"
  /** The broker found its own log damaged. */
  | "corrupt"
  /** Another attempt would get the same answer. */
  | "refused"

/** Codes that only these rules name. Source: Kafka protocol guide, "Error Codes". */
const unknownServerError = -1
const brokerNotAvailable = 8
const networkException = 13

export const meaningOf = (code: number): ErrorCodeClass => {
  switch (code) {
    case ErrorCode.none:
      return "none"
    case ErrorCode.offsetOutOfRange:
      return "out of range"
    case ErrorCode.corruptMessage:
      return "corrupt"
    case ErrorCode.unknownTopicOrPartition:
    case ErrorCode.unknownTopicId:
    case ErrorCode.inconsistentTopicId:
      return "missing"
    case unknownServerError:
    case ErrorCode.leaderNotAvailable:
    case ErrorCode.notLeaderOrFollower:
    case ErrorCode.requestTimedOut:
    case brokerNotAvailable:
    case ErrorCode.replicaNotAvailable:
    case networkException:
    case ErrorCode.kafkaStorageError:
    case ErrorCode.fencedLeaderEpoch:
    case ErrorCode.unknownLeaderEpoch:
    case ErrorCode.offsetNotAvailable:
      return "moved"
    default:
      return "refused"
  }
}

/** The failure that a code stands for once no further attempt is made. `missing` names the ACL operation needed. */
export const reasonFor = (code: number, topic: string, missing: "Read" | "Describe", doing: string): KafkaReason => {
  switch (code) {
    case ErrorCode.topicAuthorizationFailed:
      return new KafkaAuthorizationFailed({ resource: `topic ${topic}`, missing })
    case ErrorCode.clusterAuthorizationFailed:
      return new KafkaAuthorizationFailed({ resource: "cluster", missing: "ClusterAction" })
    case ErrorCode.saslAuthenticationFailed:
      return new KafkaAuthenticationFailed({
        detail: `the broker withdrew our authentication while ${doing}`,
        advice: "check that the credentials are still valid"
      })
    default:
      return new ProtocolFailure({
        detail: `${doing}: the broker answered with error code ${code}`,
        code,
        transient: meaningOf(code) !== "refused"
      })
  }
}
