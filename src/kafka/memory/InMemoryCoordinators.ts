import { ErrorCode } from "../ErrorCode.ts"
import type { WireCommitted, WireProducer } from "../KafkaWriteWire.ts"
import { type ClusterState, type CommittedOffset, isDenied } from "./ClusterState.ts"

const refusedProducer = (errorCode: number): WireProducer => ({ errorCode, producerId: -1, producerEpoch: -1 })

/** InitProducerId: a new producer, or the next epoch of the one with this transactional id. */
export const initProducer = (state: ClusterState, transactionalId: string | undefined): WireProducer => {
  const fresh = () => ({ producerId: state.nextProducerId++, producerEpoch: 0 })
  if (transactionalId === undefined) return { ...fresh(), errorCode: ErrorCode.none }
  if (isDenied(state, "WriteTransactionalId", transactionalId)) {
    return refusedProducer(ErrorCode.transactionalIdAuthorizationFailed)
  }
  const known = state.transactionalIds.get(transactionalId)
  const next = known === undefined ? fresh() : { ...known, producerEpoch: known.producerEpoch + 1 }
  state.transactionalIds.set(transactionalId, next)
  return { ...next, errorCode: ErrorCode.none }
}

export const describeTransaction = (state: ClusterState, transactionalId: string): WireProducer => {
  if (isDenied(state, "WriteTransactionalId", transactionalId)) {
    return refusedProducer(ErrorCode.transactionalIdAuthorizationFailed)
  }
  const known = state.transactionalIds.get(transactionalId)
  return known === undefined
    ? refusedProducer(ErrorCode.transactionalIdNotFound)
    : { ...known, errorCode: ErrorCode.none }
}

/**
 * OffsetCommit from outside of a group. A group that does not exist is created, and the end of the log is no limit; a
 * group with members takes commits only from them.
 */
export const commitOffsets = (
  state: ClusterState,
  groupId: string,
  offsets: ReadonlyArray<CommittedOffset>
): ReadonlyArray<number> => {
  if (isDenied(state, "ReadGroup", groupId)) return offsets.map(() => ErrorCode.groupAuthorizationFailed)
  if (state.activeGroups.has(groupId)) return offsets.map(() => ErrorCode.unknownMemberId)
  const group = state.groups.get(groupId) ?? new Map<string, CommittedOffset>()
  state.groups.set(groupId, group)
  return offsets.map((offset) => {
    if (isDenied(state, "Read", offset.topic)) return ErrorCode.topicAuthorizationFailed
    if (state.topics.get(offset.topic)?.partitions[offset.partition] === undefined) {
      return ErrorCode.unknownTopicOrPartition
    }
    group.set(`${offset.topic} ${offset.partition}`, offset)
    return ErrorCode.none
  })
}

/** OffsetFetch of all topics; a group that does not exist has no offsets. */
export const committedOffsets = (
  state: ClusterState,
  groupId: string
): { readonly errorCode: number; readonly offsets: ReadonlyArray<WireCommitted> } => {
  if (isDenied(state, "ReadGroup", groupId)) return { errorCode: ErrorCode.groupAuthorizationFailed, offsets: [] }
  const offsets = [...(state.groups.get(groupId)?.values() ?? [])]
  return {
    errorCode: ErrorCode.none,
    offsets: offsets.map(({ metadata = "", offset, partition, topic }) => ({
      topic,
      partition,
      offset,
      metadata,
      errorCode: ErrorCode.none
    }))
  }
}
