import { Clock, Effect } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import * as Cleaner from "./InMemoryCleaner.ts"
import type { WireCommitted, WireProducer } from "../KafkaWriteWire.ts"
import type { ListedGroup, Producer } from "../KafkaSink.ts"
import type { CommittedOffset, TopicPartition } from "../KafkaSource.ts"
import { type ClusterState, isDenied } from "./ClusterState.ts"

const refusedProducer = (errorCode: number): WireProducer => ({ errorCode, producerId: -1, producerEpoch: -1 })

const isTransactionDenied = (state: ClusterState, transactionalId: string) =>
  isDenied(state, "WriteTransactionalId", transactionalId) || state.denied.has("WriteTransactionalId")

/** Writes the markers of an open transaction. */
const endTransaction = (
  state: ClusterState,
  transactionalId: string,
  { producerId }: Producer,
  type: "abort" | "commit",
  nowMillis: number
) => {
  for (const { partition, topic } of state.openTransactions.get(transactionalId)?.partitions ?? []) {
    const found = state.topics.get(topic)
    const log = found?.partitions[partition]?.log
    if (log === undefined) continue
    log.appendMarker(producerId, type, nowMillis)
    Cleaner.clean(found?.configs, log)
  }
  state.openTransactions.delete(transactionalId)
}

/** How long a transaction may be open: what the sink asks for. */
const transactionMillis = 60_000

/** Aborts the transactions that are open for too long, and fences their producers. */
export const abortOverdue = (state: ClusterState, nowMillis: number): void => {
  for (const [transactionalId, { startedMillis }] of state.openTransactions) {
    const known = state.transactionalIds.get(transactionalId)
    if (known === undefined || nowMillis - startedMillis < transactionMillis) continue
    endTransaction(state, transactionalId, known, "abort", startedMillis + transactionMillis)
    state.transactionalIds.set(transactionalId, { ...known, producerEpoch: known.producerEpoch + 1 })
  }
}

/** The same as of now. What happens over time is looked at when somebody asks. */
export const passTime = (state: ClusterState): Effect.Effect<void> =>
  Effect.map(Clock.currentTimeMillis, (nowMillis) => abortOverdue(state, nowMillis))

/** AddPartitionsToTxn: permissions come first, then the partition, then the producer. */
export const addToTransaction = (
  state: ClusterState,
  transactionalId: string,
  producer: Producer,
  { partition, topic }: TopicPartition,
  nowMillis: number
): number => {
  if (isTransactionDenied(state, transactionalId)) return ErrorCode.transactionalIdAuthorizationFailed
  if (isDenied(state, "Write", topic)) return ErrorCode.topicAuthorizationFailed
  if (state.topics.get(topic)?.partitions[partition] === undefined) return ErrorCode.unknownTopicOrPartition
  const known = state.transactionalIds.get(transactionalId)
  if (known?.producerId !== producer.producerId) return ErrorCode.invalidProducerIdMapping
  if (known.producerEpoch !== producer.producerEpoch) return ErrorCode.producerFenced
  const open = state.openTransactions.get(transactionalId) ?? { startedMillis: nowMillis, partitions: [] }
  if (!open.partitions.some((one) => one.topic === topic && one.partition === partition)) {
    state.openTransactions.set(transactionalId, { ...open, partitions: [...open.partitions, { topic, partition }] })
  }
  return ErrorCode.none
}

/** EndTxn: the markers are there with the answer. */
export const commitTransaction = (
  state: ClusterState,
  transactionalId: string,
  producer: Producer,
  nowMillis: number
): number => {
  if (isTransactionDenied(state, transactionalId)) return ErrorCode.transactionalIdAuthorizationFailed
  const known = state.transactionalIds.get(transactionalId)
  if (known?.producerId !== producer.producerId) return ErrorCode.invalidProducerIdMapping
  if (known.producerEpoch !== producer.producerEpoch) return ErrorCode.producerFenced
  endTransaction(state, transactionalId, producer, "commit", nowMillis)
  return ErrorCode.none
}

/** InitProducerId: a new producer, or the next epoch of the one with this transactional id, whose transaction ends. */
export const initProducer = (
  state: ClusterState,
  transactionalId: string | undefined,
  nowMillis: number
): WireProducer => {
  const fresh = () => ({ producerId: state.nextProducerId++, producerEpoch: 0 })
  if (transactionalId === undefined) return { ...fresh(), errorCode: ErrorCode.none }
  if (isTransactionDenied(state, transactionalId)) {
    return refusedProducer(ErrorCode.transactionalIdAuthorizationFailed)
  }
  const known = state.transactionalIds.get(transactionalId)
  if (known !== undefined) endTransaction(state, transactionalId, known, "abort", nowMillis)
  const next = known === undefined ? fresh() : { ...known, producerEpoch: known.producerEpoch + 1 }
  state.transactionalIds.set(transactionalId, next)
  return { ...next, errorCode: ErrorCode.none }
}

export const describeTransaction = (state: ClusterState, transactionalId: string): WireProducer => {
  if (isTransactionDenied(state, transactionalId)) {
    return refusedProducer(ErrorCode.transactionalIdAuthorizationFailed)
  }
  const known = state.transactionalIds.get(transactionalId)
  return known === undefined
    ? refusedProducer(ErrorCode.transactionalIdNotFound)
    : { ...known, errorCode: ErrorCode.none }
}

/** ListGroups of all brokers: a group exists from its first commit or member on. */
export const groups = (state: ClusterState): ReadonlyArray<ListedGroup> =>
  [...new Set([...state.groups.keys(), ...state.activeGroups, ...state.groupTypes.keys()])]
    .filter((groupId) => !isDenied(state, "ReadGroup", groupId))
    .map((groupId) => ({
      groupId,
      type: state.groupTypes.get(groupId) ?? "classic",
      state: state.activeGroups.has(groupId) ? "Stable" : "Empty"
    }))

/**
 * OffsetCommit from outside of a group. A group that does not exist is created by an offset that is accepted, and the
 * end of the log is no limit; a group with members takes commits only from them. A share group has no committed
 * offsets.
 */
export const commitOffsets = (
  state: ClusterState,
  groupId: string,
  offsets: ReadonlyArray<CommittedOffset>
): ReadonlyArray<number> => {
  if (isDenied(state, "ReadGroup", groupId) || isDenied(state, "CommitGroup", groupId)) {
    return offsets.map(() => ErrorCode.groupAuthorizationFailed)
  }
  if (state.groupTypes.get(groupId) === "share") return offsets.map(() => ErrorCode.groupIdNotFound)
  if (state.activeGroups.has(groupId)) return offsets.map(() => ErrorCode.unknownMemberId)
  const group = state.groups.get(groupId) ?? new Map<string, CommittedOffset>()
  return offsets.map((offset) => {
    if (isDenied(state, "Read", offset.topic)) return ErrorCode.topicAuthorizationFailed
    if (state.topics.get(offset.topic)?.partitions[offset.partition] === undefined) {
      return ErrorCode.unknownTopicOrPartition
    }
    group.set(`${offset.topic} ${offset.partition}`, offset)
    state.groups.set(groupId, group)
    return ErrorCode.none
  })
}

/** OffsetDelete: of a group with members, which may read any topic here, nothing is deleted. */
export const deleteOffsets = (
  state: ClusterState,
  groupId: string,
  partitions: ReadonlyArray<TopicPartition>
): { readonly errorCode: number; readonly partitionCodes: ReadonlyArray<number> } => {
  const refused = (errorCode: number) => ({ errorCode, partitionCodes: [] })
  if (isDenied(state, "ReadGroup", groupId)) return refused(ErrorCode.groupAuthorizationFailed)
  const group = state.groups.get(groupId)
  if (group === undefined) return refused(ErrorCode.groupIdNotFound)
  const partitionCodes = partitions.map(({ partition, topic }) => {
    if (state.topics.get(topic)?.partitions[partition] === undefined) return ErrorCode.unknownTopicOrPartition
    if (state.activeGroups.has(groupId)) return ErrorCode.groupSubscribedToTopic
    group.delete(`${topic} ${partition}`)
    return ErrorCode.none
  })
  if (group.size === 0) state.groups.delete(groupId)
  return { errorCode: ErrorCode.none, partitionCodes }
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
    offsets: offsets.map(({ leaderEpoch = -1, metadata = "", offset, partition, topic }) => ({
      topic,
      partition,
      offset,
      leaderEpoch,
      metadata,
      errorCode: ErrorCode.none
    }))
  }
}
