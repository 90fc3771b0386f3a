import { Effect, Stream } from "effect"
import type { BrokerGuards } from "../BrokerGuards.ts"
import * as GuardedWire from "./GuardedWire.ts"
import type { KafkaSourceShape } from "../KafkaSource.ts"
import type { KafkaWire } from "../KafkaWire.ts"
import { askOffsets } from "./OffsetLookup.ts"
import { makePartitionReader } from "./PartitionReader.ts"
import { partitionStream } from "./PartitionStream.ts"
import { defaults, retried, type SourceOptions } from "./SourceOptions.ts"
import { listTopics, lookupTopics } from "./TopicLookup.ts"
import { makeTopicMetadata } from "./TopicMetadata.ts"

/**
 * Everything that judges on top of a `KafkaWire`: validation of batches, retries, gaps, the end of a read. Nothing of
 * it is kept open: the source lives as long as the wire.
 */
export const makeKafkaSource = (wire: KafkaWire, options?: Partial<SourceOptions>): KafkaSourceShape => {
  const settings = { ...defaults, ...options }
  const topics = makeTopicMetadata(wire, settings.metadataMillis)
  const patient = retried(settings.controlMillis)
  return {
    location: wire.location,
    cluster: patient(listTopics(wire)),
    lookup: (names) => (names.length === 0 ? Effect.succeed([]) : patient(lookupTopics(wire, names))),
    offsets: (partitions, kind) => askOffsets(wire, settings, partitions, kind),
    topicConfigs: (names) => (names.length === 0 ? Effect.succeed(new Map()) : patient(wire.topicConfigs(names))),
    groupOffsets: (names) => (names.length === 0 ? Effect.succeed([]) : patient(wire.groupOffsets(names))),
    read: (request) =>
      request.from >= request.until
        ? Stream.empty
        : partitionStream(() => makePartitionReader(wire, topics, settings, request))
  }
}

/**
 * As `makeKafkaSource`, where `care` says so with a guard before each broker. A read is then as patient as the guard: time
 * for which its broker was held back must not end it.
 */
export const makeCarefulSource = (
  wire: KafkaWire,
  care: BrokerGuards | undefined,
  options?: Partial<SourceOptions>
): KafkaSourceShape =>
  care === undefined
    ? makeKafkaSource(wire, options)
    : makeKafkaSource(GuardedWire.make(wire, care.guard), {
        ...options,
        noProgressMillis: Math.max(care.budgetMillis, options?.noProgressMillis ?? defaults.noProgressMillis)
      })
