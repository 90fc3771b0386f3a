import { ErrorCode } from "../ErrorCode.ts"
import {
  KafkaAuthenticationFailed,
  KafkaAuthorizationFailed,
  type KafkaReason,
  ProtocolFailure
} from "../KafkaError.ts"
import type { Right } from "../KafkaSink.ts"
import { classOf } from "../read/ErrorCodeClass.ts"

/** A request as messages name it, and the permissions that it needs. */
export interface Asked {
  /** `creating topic orders`. */
  readonly doing: string
  readonly topic?: Right
  readonly group?: Right
  readonly cluster?: Right
  readonly transactionalId?: Right
}

/** Codes of coordinators and controllers that move, and of quotas: the same request may succeed later. */
const passing: ReadonlySet<number> = new Set([
  ErrorCode.coordinatorLoadInProgress,
  ErrorCode.coordinatorNotAvailable,
  ErrorCode.notCoordinator,
  ErrorCode.notController,
  ErrorCode.notEnoughReplicas,
  ErrorCode.notEnoughReplicasAfterAppend,
  ErrorCode.concurrentTransactions,
  ErrorCode.reassignmentInProgress,
  ErrorCode.unstableOffsetCommit,
  ErrorCode.throttlingQuotaExceeded
])

/** True if waiting may cure the code. */
export const isPassing = (code: number): boolean => passing.has(code) || classOf(code) === "moved"

const lacks = ({ operation, resource }: Right): KafkaReason =>
  new KafkaAuthorizationFailed({ resource, missing: operation })

/** What a cluster lacks that answers with these codes: they may be all that a restore says after it has waited. */
const outages: Readonly<Record<number, string>> = {
  [ErrorCode.requestTimedOut]: "the replicas did not answer the broker in time",
  [ErrorCode.notEnoughReplicas]: "too few replicas are in sync",
  [ErrorCode.notEnoughReplicasAfterAppend]: "too few replicas are in sync",
  [ErrorCode.kafkaStorageError]: "the broker cannot use the disk of this log"
}

/** The failure that an error code stands for when no further attempt is made. Names the permission that is missing. */
export const reasonOf = (code: number, asked: Asked, detail?: string): KafkaReason => {
  switch (code) {
    case ErrorCode.topicAuthorizationFailed:
      if (asked.topic !== undefined) return lacks(asked.topic)
      break
    case ErrorCode.groupAuthorizationFailed:
      if (asked.group !== undefined) return lacks(asked.group)
      break
    case ErrorCode.clusterAuthorizationFailed:
      if (asked.cluster !== undefined) return lacks(asked.cluster)
      break
    case ErrorCode.transactionalIdAuthorizationFailed:
      if (asked.transactionalId !== undefined) return lacks(asked.transactionalId)
      break
    case ErrorCode.saslAuthenticationFailed:
      return new KafkaAuthenticationFailed({
        detail: `authentication failed while ${asked.doing}`,
        advice: "check that the credentials are still valid"
      })
  }
  const words = outages[code]
  const answer = words === undefined ? `the broker answered with error code ${code}` : `${words} (error code ${code})`
  return new ProtocolFailure({
    detail: `${asked.doing}: ${answer}${detail === undefined ? "" : `: ${detail}`}`,
    code,
    transient: isPassing(code)
  })
}
