import { Effect } from "effect"
import type { BrokerGuards } from "../BrokerGuards.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaError, type KafkaReason, ProtocolFailure } from "../KafkaError.ts"
import type { KafkaSinkShape } from "../KafkaSink.ts"
import type { TopicPartition } from "../KafkaSource.ts"
import type { KafkaWriteWire } from "../KafkaWriteWire.ts"
import * as Backoff from "../read/Backoff.ts"
import { askOffsets } from "../read/OffsetLookup.ts"
import { defaults, type SourceOptions } from "../read/SourceOptions.ts"
import { lookupTopics } from "../read/TopicLookup.ts"
import { makeTopicMetadata } from "../read/TopicMetadata.ts"
import { accessChanges } from "./AccessChanges.ts"
import { makeAppending } from "./Appending.ts"
import { makeCoordination } from "./Coordination.ts"
import { openEmptyTransactions } from "./EmptyTransactions.ts"
import * as GuardedWriteWire from "./GuardedWriteWire.ts"
import { makeLeaderLookup } from "./LeaderLookup.ts"
import { writeMarkers } from "./Markers.ts"
import { reasonOf } from "./Refusal.ts"
import { missingRights } from "./Rights.ts"
import * as TopicChanges from "./TopicChanges.ts"

/** The time limits that a sink has in common with a source. */
export type SinkOptions = Pick<SourceOptions, "controlMillis" | "metadataMillis" | "vanishedMillis">

/**
 * The sink on top of a `KafkaWriteWire`: finds leaders and coordinators, keeps appends in order, and classifies every
 * error code. Control requests are repeated for a limited time; appends and markers are made once.
 */
export const makeKafkaSink = (wire: KafkaWriteWire, options?: Partial<SinkOptions>): KafkaSinkShape => {
  const settings = { ...defaults, ...options }
  const retried = Backoff.retried(settings.controlMillis)
  const metadata = makeTopicMetadata(wire, settings.metadataMillis)
  const leaders = makeLeaderLookup(metadata, settings.vanishedMillis)

  const deleteRecordsBefore = Effect.fnUntraced(function* (place: TopicPartition, offset: number) {
    const { partition, topic } = place
    const asked = {
      doing: `deleting records of ${topic}[${partition}] before offset ${offset}`,
      topic: { resource: `topic ${topic}`, operation: "Delete" }
    }
    const failed = (reason: KafkaReason) => new KafkaError({ operation: "records", reason })
    const found = yield* Effect.mapError(leaders.find(place, "Delete"), ({ reason }) => failed(reason))
    if (found._tag === "NoLeader") return yield* failed(found.reason)
    const code = yield* wire.deleteRecords(found.leader, place, offset)
    if (code === ErrorCode.none) return
    leaders.invalidate(topic)
    if (code === ErrorCode.offsetOutOfRange) {
      const detail = `${asked.doing}: the log ends before that offset`
      return yield* failed(new ProtocolFailure({ detail, code, transient: false }))
    }
    // A broker that does not know the partition does not lead it: metadata decides whether the topic is gone.
    return yield* failed(
      reasonOf(code === ErrorCode.unknownTopicOrPartition ? ErrorCode.notLeaderOrFollower : code, asked)
    )
  })

  const coordination = makeCoordination(wire, retried)

  return {
    location: wire.location,
    clusterId: retried(Effect.map(wire.metadata([]), ({ clusterId }) => clusterId)),
    brokerCount: retried(Effect.map(wire.metadata([]), ({ brokers }) => brokers.length)),
    missingRights: (asked) => missingRights(wire, asked),
    lookup: (names) => (names.length === 0 ? Effect.succeed([]) : retried(lookupTopics(metadata, names))),
    offsets: (partitions, kind) => askOffsets(wire, metadata, settings, partitions, kind),
    offsetsAtTime: (partitions, timestampMillis) =>
      Effect.gen(function* () {
        const found = yield* askOffsets(wire, metadata, settings, partitions, { timestampMillis })
        const without = found.filter(({ offset }) => offset < 0)
        const ends = yield* askOffsets(wire, metadata, settings, without, "highWatermark")
        return found.map((one) => (one.offset < 0 ? ends[without.indexOf(one)]! : one))
      }),
    access: accessChanges(wire, retried),
    groups: retried(wire.groups),
    ...coordination,
    append: makeAppending(wire, leaders),
    markers: (place, producer, count) => writeMarkers(wire, leaders, place, producer, count),
    emptyTransactions: (transactionalIds) =>
      openEmptyTransactions(
        {
          wire,
          retried,
          producer: coordination.producer,
          endOf: (place) => Effect.map(askOffsets(wire, metadata, settings, [place], "highWatermark"), ([end]) => end)
        },
        transactionalIds
      ),
    createTopics: (topics, { validateOnly = false } = {}) =>
      TopicChanges.createTopics(wire, retried, topics, validateOnly),
    deleteTopics: (topics) => TopicChanges.deleteTopics(wire, retried, topics),
    alterConfigs: (topic, configs) => TopicChanges.alterConfigs(wire, retried, topic, configs),
    validateConfigs: (topic, configs) => retried(wire.alterConfigs(topic, configs, true)),
    deleteRecordsBefore: (place, offset) => retried(deleteRecordsBefore(place, offset))
  }
}

/** As `makeKafkaSink`, with `guards` for the brokers if there are any. */
export const makeGuardedSink = (
  wire: KafkaWriteWire,
  guards: BrokerGuards | undefined,
  options?: Partial<SinkOptions>
): KafkaSinkShape => makeKafkaSink(guards === undefined ? wire : GuardedWriteWire.make(wire, guards.guard), options)
