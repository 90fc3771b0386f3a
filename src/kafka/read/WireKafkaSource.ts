import { Effect, Stream } from "effect"
import type { BrokerGuards } from "../BrokerGuards.ts"
import { makeFirstFetches } from "./FirstFetches.ts"
import * as GuardedWire from "./GuardedWire.ts"
import type { KafkaSourceShape } from "../KafkaSource.ts"
import type { KafkaWire } from "../KafkaWire.ts"
import { askEpochEnds, askOffsets, askUnreadable } from "./OffsetLookup.ts"
import { makePartitionReader } from "./PartitionReader.ts"
import { partitionStream } from "./PartitionStream.ts"
import * as Backoff from "./Backoff.ts"
import { defaults, type SourceOptions } from "./SourceOptions.ts"
import { listTopics, lookupTopics } from "./TopicLookup.ts"
import { makeTopicMetadata } from "./TopicMetadata.ts"

/**
 * The source on top of a `KafkaWire`: it validates batches, retries, reports gaps and finds the end of a read. It holds
 * nothing open and lives as long as the wire.
 */
export const makeKafkaSource = (wire: KafkaWire, options?: Partial<SourceOptions>): KafkaSourceShape => {
  const settings = { ...defaults, ...options }
  const topics = makeTopicMetadata(wire, settings.metadataMillis)
  const first = makeFirstFetches(wire, topics)
  const reading: KafkaWire = { ...wire, fetch: first.fetch }
  const retried = Backoff.retried(settings.controlMillis)
  return {
    location: wire.location,
    cluster: retried(listTopics(topics)),
    lookup: (names) => (names.length === 0 ? Effect.succeed([]) : retried(lookupTopics(topics, names))),
    offsets: (partitions, kind) => askOffsets(wire, topics, settings, partitions, kind),
    unreadable: (places) => askUnreadable(wire, topics, settings, places),
    lineage: (places) => askEpochEnds(wire, topics, settings, places),
    cleanup: (names) => (names.length === 0 ? Effect.succeed(new Map()) : retried(wire.cleanup(names))),
    topicConfigs: (names) => (names.length === 0 ? Effect.succeed(new Map()) : retried(wire.topicConfigs(names))),
    groupOffsets: (names) => (names.length === 0 ? Effect.succeed([]) : retried(wire.groupOffsets(names))),
    access: {
      acls: retried(wire.access.acls),
      scramUsers: retried(wire.access.scramUsers),
      quotas: retried(wire.access.quotas)
    },
    announce: first.announce,
    read: (request) =>
      request.from >= request.until
        ? Stream.empty
        : partitionStream(() => makePartitionReader(reading, topics, settings, request))
  }
}

/**
 * As `makeKafkaSource`, with `guards` for the brokers if there are any. The time limit of a read is then at least that
 * of the guards, so that time in which its broker was held back does not end it.
 */
export const makeGuardedSource = (
  wire: KafkaWire,
  guards: BrokerGuards | undefined,
  options?: Partial<SourceOptions>
): KafkaSourceShape =>
  guards === undefined
    ? makeKafkaSource(wire, options)
    : makeKafkaSource(GuardedWire.make(wire, guards.guard), {
        ...options,
        noProgressMillis: Math.max(guards.budgetMillis, options?.noProgressMillis ?? defaults.noProgressMillis)
      })
