import { Effect } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import { GroupActive, KafkaError, type KafkaReason, TopicVanished } from "../KafkaError.ts"
import type { KafkaSinkShape, Producer } from "../KafkaSink.ts"
import type { CoordinatorKind, KafkaWriteWire, WireProducer } from "../KafkaWriteWire.ts"
import { type Asked, reasonOf } from "./Refusal.ts"

const operationOf = { group: "groups", transaction: "producer" } as const

const failed = (kind: CoordinatorKind, reason: KafkaReason) =>
  Effect.fail(new KafkaError({ operation: operationOf[kind], reason }))

/** Codes for a change from outside of a group that has members. */
const hasMembers: ReadonlySet<number> = new Set([
  ErrorCode.unknownMemberId,
  ErrorCode.illegalGeneration,
  ErrorCode.nonEmptyGroup,
  ErrorCode.groupSubscribedToTopic
])

/** Nothing is committed there. */
const isAbsent: ReadonlySet<number> = new Set([
  ErrorCode.none,
  ErrorCode.groupIdNotFound,
  ErrorCode.unknownTopicOrPartition
])

type Coordination = Pick<
  KafkaSinkShape,
  "producer" | "newestEpoch" | "commitOffsets" | "deleteOffsets" | "committedOffsets"
>

/** What is asked of the coordinators of groups and transactional ids; each request looks its coordinator up. */
export const makeCoordination = (
  wire: KafkaWriteWire,
  retried: <A>(request: Effect.Effect<A, KafkaError>) => Effect.Effect<A, KafkaError>
): Coordination => {
  const atCoordinator = <A>(
    kind: CoordinatorKind,
    key: string,
    asked: Asked,
    request: (node: number) => Effect.Effect<A, KafkaError>
  ) =>
    retried(
      Effect.flatMap(wire.coordinator(kind, key), ({ errorCode, node }) =>
        errorCode === ErrorCode.none ? request(node) : failed(kind, reasonOf(errorCode, asked))
      )
    )

  const producerOf =
    (asked: Asked) =>
    ({ errorCode, producerEpoch, producerId }: WireProducer) =>
      errorCode === ErrorCode.none
        ? Effect.succeed<Producer>({ producerId, producerEpoch })
        : failed("transaction", reasonOf(errorCode, asked))

  const ofTransactionalId = (transactionalId: string, operation: string): Asked => ({
    doing: `asking for the producer of transactional id ${transactionalId}`,
    transactionalId: { resource: `transactional id ${transactionalId}`, operation }
  })

  const ofGroup = (groupId: string, doing: string, operation = "Read"): Asked => ({
    doing: `${doing} of group ${groupId}`,
    group: { resource: `group ${groupId}`, operation }
  })

  return {
    producer: (transactionalId) => {
      if (transactionalId === undefined) {
        const asked = {
          doing: "asking for a producer id",
          cluster: { resource: "cluster", operation: "IdempotentWrite" }
        }
        return retried(Effect.flatMap(wire.initProducer("any", undefined), producerOf(asked)))
      }
      const asked = ofTransactionalId(transactionalId, "Write")
      return atCoordinator("transaction", transactionalId, asked, (node) =>
        Effect.flatMap(wire.initProducer(node, transactionalId), producerOf(asked))
      )
    },
    newestEpoch: (transactionalId) => {
      const asked = ofTransactionalId(transactionalId, "Describe")
      return atCoordinator("transaction", transactionalId, asked, (node) =>
        Effect.flatMap(wire.describeTransaction(node, transactionalId), producerOf(asked))
      )
    },
    commitOffsets: (groupId, offsets, options) => {
      if (offsets.length === 0) return Effect.void
      const asked = ofGroup(groupId, "committing offsets")
      const reasonFor = (code: number, topic: string): KafkaReason => {
        if (hasMembers.has(code)) return new GroupActive({ groupId })
        if (code === ErrorCode.unknownTopicOrPartition) return new TopicVanished({ topic })
        return reasonOf(code, { ...asked, topic: { resource: `topic ${topic}`, operation: "Read" } })
      }
      return atCoordinator("group", groupId, asked, (node) =>
        Effect.flatMap(wire.commitOffsets(node, groupId, offsets, options?.keptMillis), (codes) => {
          const at = codes.findIndex((code) => code !== ErrorCode.none)
          return at < 0 ? Effect.void : failed("group", reasonFor(codes[at]!, offsets[at]!.topic))
        })
      )
    },
    deleteOffsets: (groupId, partitions) => {
      if (partitions.length === 0) return Effect.void
      const asked = {
        ...ofGroup(groupId, "deleting offsets", "Delete"),
        topic: {
          resource: `topics ${[...new Set(partitions.map(({ topic }) => topic))].join(", ")}`,
          operation: "Read"
        }
      }
      return atCoordinator("group", groupId, asked, (node) =>
        Effect.flatMap(wire.deleteOffsets(node, groupId, partitions), ({ errorCode, partitionCodes }) => {
          const code = [errorCode, ...partitionCodes].find((each) => !isAbsent.has(each))
          if (code === undefined) return Effect.void
          return failed("group", hasMembers.has(code) ? new GroupActive({ groupId }) : reasonOf(code, asked))
        })
      )
    },
    committedOffsets: (groupId) => {
      const asked = ofGroup(groupId, "reading offsets")
      return atCoordinator("group", groupId, asked, (node) =>
        Effect.flatMap(wire.committedOffsets(node, groupId), ({ errorCode, offsets }) => {
          const codes = [errorCode, ...offsets.map((offset) => offset.errorCode)]
          const code = codes.find((each) => each !== ErrorCode.none && each !== ErrorCode.groupIdNotFound)
          if (code !== undefined) return failed("group", reasonOf(code, asked))
          return Effect.succeed(
            offsets
              .filter(({ offset }) => offset >= 0)
              .map(({ metadata, offset, partition, topic }) => ({ topic, partition, offset, metadata }))
          )
        })
      )
    }
  }
}
