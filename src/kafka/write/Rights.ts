import { Effect, Result } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import { headerBytes } from "../batch/RecordBatch.ts"
import { sealBatch } from "../batch/SealedBatch.ts"
import type { KafkaError } from "../KafkaError.ts"
import type { AskedRights, Right } from "../KafkaSink.ts"
import { type KafkaWriteWire, noPartition } from "../KafkaWriteWire.ts"

/** Topics that are asked about at the same time. */
const atOnce = 8

/** A record without key and value. */
const section = Buffer.of(12, 0, 0, 0, 1, 1, 0)
const zero = { high: 0, low: 0 }

const oneRecord = () => {
  const bytes = Buffer.alloc(headerBytes + section.length)
  const batch = { bytes, recordCount: 1, firstOffset: 0, lastOffset: 0, baseTimestamp: zero, maxTimestamp: zero }
  return sealBatch(batch, 0, section)
}

/**
 * Which of the permissions are missing: one request for each, about a partition that does not exist. An answer that
 * says nothing about permissions counts as permission: the work itself then shows the truth.
 */
export const missingRights = Effect.fnUntraced(function* (
  wire: KafkaWriteWire,
  { groupId, markers, topics, transactionalId }: AskedRights
): Effect.fn.Return<ReadonlyArray<Right>, KafkaError> {
  const { brokers } = yield* wire.metadata([])
  const [node] = brokers
  if (node === undefined || topics.length === 0) return []
  /** Whether the answer is this refusal. */
  const refused = (answer: Effect.Effect<number, KafkaError>, code: number) =>
    Effect.map(Effect.result(answer), (result) => Result.isSuccess(result) && result.success === code)
  const lacking = (right: Right, answer: Effect.Effect<number, KafkaError>) =>
    Effect.map(refused(answer, ErrorCode.topicAuthorizationFailed), (is) => (is ? [right] : []))

  const ofTopic = ({ deletes, name }: AskedRights["topics"][number]) => {
    const place = { topic: name, partition: noPartition }
    const right = (operation: string): Right => ({ resource: `topic ${name}`, operation })
    const produced = wire.produce({ ...place, leader: node, batch: oneRecord() }).pipe(
      Effect.flatMap(({ answer }) => answer),
      Effect.map(({ errorCode }) => errorCode)
    )
    const altered = Effect.map(wire.alterConfigs(name, { "retention.ms": "-1" }, true), ({ errorCode }) => errorCode)
    return Effect.all([
      lacking(right("Write"), produced),
      lacking(right("AlterConfigs"), altered),
      deletes ? lacking(right("Delete"), wire.deleteRecords(node, place, 0)) : Effect.succeed([])
    ])
  }

  /** Brokers check Read on a topic when its offset is committed; without Read on the group they check no topic. */
  const unread = Effect.gen(function* () {
    const coordinator = yield* wire.coordinator("group", groupId)
    if (coordinator.errorCode !== ErrorCode.none) return []
    const offsets = topics.map(({ name }) => ({ topic: name, partition: noPartition, offset: 0 }))
    const codes = yield* wire.commitOffsets(coordinator.node, groupId, offsets)
    return topics.flatMap(({ name }, i): ReadonlyArray<Right> =>
      codes[i] === ErrorCode.topicAuthorizationFailed ? [{ resource: `topic ${name}`, operation: "Read" }] : []
    )
  }).pipe(Effect.orElseSucceed((): ReadonlyArray<Right> => []))

  const first = { topic: topics[0]!.name, partition: noPartition }
  const marking = markers
    ? refused(
        wire.writeMarkers(node, first, { producerId: 0, producerEpoch: 0 }, 1),
        ErrorCode.clusterAuthorizationFailed
      )
    : Effect.succeed(false)

  /** Nobody has this producer: a coordinator that allows it refuses the partition. */
  const transacting =
    transactionalId === undefined
      ? Effect.succeed(false)
      : refused(
          Effect.flatMap(wire.coordinator("transaction", transactionalId), ({ errorCode, node: coordinator }) =>
            errorCode === ErrorCode.none
              ? wire.addToTransaction(coordinator, transactionalId, { producerId: 0, producerEpoch: 0 }, first)
              : Effect.succeed(errorCode)
          ),
          ErrorCode.transactionalIdAuthorizationFailed
        )

  const found = yield* Effect.forEach(topics, ofTopic, { concurrency: atOnce })
  return [
    ...found.flat(2),
    ...(yield* unread),
    ...((yield* marking) ? [{ resource: "cluster", operation: "Alter" }] : []),
    ...((yield* transacting) ? [{ resource: `transactional id ${transactionalId}`, operation: "Write" }] : [])
  ]
})
