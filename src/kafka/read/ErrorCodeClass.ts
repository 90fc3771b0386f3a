import { ErrorCode } from "../ErrorCode.ts"
import {
  KafkaAuthorizationFailed,
  KafkaAuthenticationFailed,
  type KafkaReason,
  ProtocolFailure
} from "../KafkaError.ts"

/** What an error code of a partition or topic means for the reader. */
export type ErrorCodeClass =
  | "none"
  /** Ask for fresh metadata, wait, try again: leadership moved, or the broker is not ready. */
  | "moved"
  /** The broker does not know the name or id: stale metadata, deleted, or re-created. */
  | "missing"
  | "out of range"
  /** The broker reports that its log is damaged. */
  | "corrupt"
  /** Another attempt would get the same answer. */
  | "refused"

/** Codes that only these rules use. Source: Kafka protocol guide, "Error Codes". */
const unknownServerError = -1
const brokerNotAvailable = 8
const networkException = 13

export const classOf = (code: number): ErrorCodeClass => {
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

/** The failure that a code stands for when no further attempt is made. `missing` is the ACL operation that it needs. */
export const reasonFor = (code: number, topic: string, missing: "Read" | "Describe", doing: string): KafkaReason => {
  switch (code) {
    case ErrorCode.topicAuthorizationFailed:
      return new KafkaAuthorizationFailed({ resource: `topic ${topic}`, missing })
    case ErrorCode.clusterAuthorizationFailed:
      return new KafkaAuthorizationFailed({ resource: "cluster", missing: "ClusterAction" })
    case ErrorCode.saslAuthenticationFailed:
      return new KafkaAuthenticationFailed({
        detail: `authentication failed while ${doing}`,
        advice: "check that the credentials are still valid"
      })
    default:
      return new ProtocolFailure({
        detail: `${doing}: the broker answered with error code ${code}`,
        code,
        transient: classOf(code) !== "refused"
      })
  }
}
