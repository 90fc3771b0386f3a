import { Effect } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import * as Cluster from "./ClusterState.ts"
import { passTime } from "./InMemoryCoordinators.ts"
import { accessReading } from "./InMemoryAccess.ts"
import type { Fault } from "./InMemoryFaults.ts"
import { type InMemoryPartition, type InMemoryTopic, isTopicName, wireTopic } from "./InMemoryTopics.ts"
import { cleanupOf } from "../TopicCleanup.ts"
import type { KafkaWire, OffsetSpec, WireFetch, WireFetched, WireTopic } from "../KafkaWire.ts"

const nothing = Buffer.alloc(0)
/** Released buffers are filled with this byte. */
const poison = 0xdd

export const makeInMemoryWire = (state: Cluster.ClusterState): KafkaWire => {
  const { counters } = state
  const isDenied = (operation: string, topic: string) => Cluster.isDenied(state, operation, topic)

  const describe = (name: string): WireTopic => {
    const topic = state.topics.get(name)
    const refused = (errorCode: number) => ({ errorCode, name, isInternal: false, partitions: [] })
    if (!isTopicName(name)) return refused(ErrorCode.invalidTopic)
    if (isDenied("Describe", name)) return refused(ErrorCode.topicAuthorizationFailed)
    return topic === undefined ? refused(ErrorCode.unknownTopicOrPartition) : wireTopic(topic)
  }

  const answerWith = (errorCode: number, found?: InMemoryPartition): WireFetched => ({
    errorCode,
    throttleMillis: 0,
    highWatermark: found?.log.highWatermark() ?? -1,
    lastStableOffset: found?.log.lastStable() ?? -1,
    logStartOffset: found?.log.logStart() ?? -1,
    aborted: [],
    preferredReadReplica: -1,
    records: nothing,
    release: () => {}
  })

  const lend = (records: Buffer): Pick<WireFetched, "records" | "release"> => {
    let lent = true
    counters.unreleased++
    const release = () => {
      if (!lent) {
        counters.releasedTwice++
        return
      }
      lent = false
      counters.unreleased--
      records.fill(poison)
    }
    return { records, release }
  }

  const errorOf = (
    request: Omit<WireFetch, "maxBytes" | "maxWaitMillis">,
    topic: InMemoryTopic | undefined
  ): number => {
    if (isDenied("Read", request.topic) || isDenied("Describe", request.topic))
      return ErrorCode.topicAuthorizationFailed
    if (topic === undefined) {
      return request.topicId === undefined ? ErrorCode.unknownTopicOrPartition : ErrorCode.unknownTopicId
    }
    if (request.topicId !== undefined && request.topicId !== topic.topicId) return ErrorCode.unknownTopicId
    const partition = topic.partitions[request.partition]
    if (partition === undefined) return ErrorCode.unknownTopicOrPartition
    if (request.leader !== partition.leader && !partition.readReplicas.has(request.leader)) {
      return ErrorCode.notLeaderOrFollower
    }
    if (request.offset < partition.log.logStart() || request.offset > partition.log.highWatermark()) {
      return ErrorCode.offsetOutOfRange
    }
    return ErrorCode.none
  }

  const answer = (request: WireFetch, fault: Fault | undefined): WireFetched => {
    const topic = state.topics.get(request.topic)
    const found = topic?.partitions[request.partition]
    const errorCode = fault?._tag === "Code" ? fault.code : errorOf(request, topic)
    if (errorCode !== ErrorCode.none || found === undefined) return answerWith(errorCode, found)
    const base = answerWith(ErrorCode.none, found)
    if (fault?._tag === "Empty") return base
    if (fault?._tag === "Throttled") return { ...base, throttleMillis: fault.millis }
    if (fault?._tag === "Redirected" && fault.node !== request.leader) {
      found.readReplicas.add(fault.node)
      return { ...base, preferredReadReplica: fault.node }
    }
    const slice = found.log.slice(request.offset, request.maxBytes)
    const records = fault?._tag === "Cut" ? slice.records.subarray(0, fault.bytes) : slice.records
    if (fault?._tag === "FlippedBit" && records.length > 0) {
      const bit = fault.bit % (records.length * 8)
      records[bit >> 3]! ^= 1 << (bit & 7)
    }
    return { ...base, aborted: slice.aborted, ...lend(records) }
  }

  const offsetOf = ({ log }: InMemoryPartition, kind: OffsetSpec): number => {
    if (typeof kind === "object") return log.offsetAtTime(kind.timestampMillis)
    switch (kind) {
      case "logStart":
        return log.logStart()
      case "lastStable":
        return log.lastStable()
      case "highWatermark":
        return log.highWatermark()
      case "logEnd":
        return log.logEnd()
    }
  }

  const topicConfigs: KafkaWire["topicConfigs"] = (names) =>
    Effect.andThen(
      Cluster.applyFaults(state, "configs", { operation: "metadata" }),
      Effect.suspend(() => {
        if (state.denied.has("DescribeConfigs"))
          return Effect.fail(Cluster.denied("configs", "cluster", "DescribeConfigs"))
        const refused = names.find((name) => isDenied("DescribeConfigs", name))
        if (refused !== undefined) return Effect.fail(Cluster.denied("configs", `topic ${refused}`, "DescribeConfigs"))
        const known = names.flatMap((name) => state.topics.get(name) ?? [])
        return Effect.succeed(new Map(known.map(({ name, configs }) => [name, configs] as const)))
      })
    )

  return {
    location: state.location,
    metadata: (names) =>
      Effect.andThen(
        Cluster.applyFaults(state, "metadata", { operation: "metadata" }),
        Effect.sync(() => {
          counters.metadataRequests++
          const visible = () => [...state.topics.keys()].filter((name) => !isDenied("Describe", name))
          return {
            clusterId: state.clusterId,
            brokers: [...state.live],
            topics: (names === "all" ? visible() : names).map(describe)
          }
        })
      ),
    offsets: (leader, partitions, kind) =>
      Effect.map(
        Effect.andThen(passTime(state), Cluster.applyFaults(state, "offsets", { operation: "offsets", node: leader })),
        (fault) => {
          counters.offsetRequests++
          return partitions.map(({ topic, partition }) => {
            const found = state.topics.get(topic)?.partitions[partition]
            if (fault?._tag === "Code") return { errorCode: fault.code, offset: -1 }
            if (isDenied("Describe", topic)) return { errorCode: ErrorCode.topicAuthorizationFailed, offset: -1 }
            if (found === undefined) return { errorCode: ErrorCode.unknownTopicOrPartition, offset: -1 }
            if (found.leader !== leader) return { errorCode: ErrorCode.notLeaderOrFollower, offset: -1 }
            return { errorCode: ErrorCode.none, offset: offsetOf(found, kind) }
          })
        }
      ),
    epochEnds: (leader, places) =>
      Effect.map(Cluster.applyFaults(state, "offsets", { operation: "offsets", node: leader }), (fault) => {
        counters.offsetRequests++
        return places.map(({ leaderEpoch, partition, topic }) => {
          const found = state.topics.get(topic)?.partitions[partition]
          const failed = (errorCode: number) => ({ errorCode, leaderEpoch: -1, endOffset: -1 })
          if (fault?._tag === "Code") return failed(fault.code)
          if (isDenied("Describe", topic)) return failed(ErrorCode.topicAuthorizationFailed)
          if (found === undefined) return failed(ErrorCode.unknownTopicOrPartition)
          if (found.leader !== leader) return failed(ErrorCode.notLeaderOrFollower)
          return { errorCode: ErrorCode.none, ...found.log.epochEnd(leaderEpoch) }
        })
      }),
    readRights: (leader, places) =>
      Effect.map(
        Effect.andThen(passTime(state), Cluster.applyFaults(state, "fetch", { operation: "rights", node: leader })),
        (fault) => {
          counters.fetches++
          return places.map((place) =>
            fault?._tag === "Code" ? fault.code : errorOf({ ...place, leader }, state.topics.get(place.topic))
          )
        }
      ),
    fetch: (request) => {
      const { topic, partition, leader } = request
      return passTime(state).pipe(
        Effect.andThen(Cluster.applyFaults(state, "fetch", { operation: "fetch", topic, partition, node: leader })),
        Effect.flatMap((fault) =>
          Effect.suspend(() => {
            counters.fetches++
            const first = answer(request, fault)
            const waits = first.errorCode === ErrorCode.none && first.records.length === 0 && fault === undefined
            if (!waits || first.preferredReadReplica >= 0) return Effect.succeed(first)
            first.release()
            // Nothing to send yet: the broker holds the request, then answers with the data that it has.
            return Effect.andThen(
              Effect.sleep(request.maxWaitMillis),
              Effect.sync(() => answer(request, undefined))
            )
          })
        )
      )
    },
    fetchTogether: (leader, requests, maxBytes) => {
      const { topic, partition } = requests[0]!
      return passTime(state).pipe(
        Effect.andThen(Cluster.applyFaults(state, "fetch", { operation: "fetch", topic, partition, node: leader })),
        Effect.map((fault) => {
          counters.fetches++
          let room = maxBytes
          return requests.map((request, i) => {
            if (i > 0 && fault !== undefined) return answerWith(ErrorCode.none)
            const whole = answer({ ...request, maxBytes: Math.min(request.maxBytes, Math.max(room, 1)) }, fault)
            if (room < maxBytes && whole.records.length > room) {
              whole.release()
              return { ...whole, records: nothing, release: () => {} }
            }
            room -= whole.records.length
            return whole
          })
        })
      )
    },
    topicConfigs,
    cleanup: (names) =>
      Effect.map(
        topicConfigs(names.filter((name) => !isDenied("DescribeConfigs", name))),
        (configs) => new Map([...configs].map(([name, config]) => [name, cleanupOf(config)]))
      ),
    access: accessReading(state),
    groupOffsets: (topics) =>
      Effect.andThen(
        Cluster.applyFaults(state, "groups", { operation: "metadata" }),
        Effect.suspend(() => {
          if (state.denied.has("DescribeGroups")) return Effect.fail(Cluster.denied("groups", "cluster", "Describe"))
          const groups = [...state.groups].map(([groupId, offsets]) => ({
            groupId,
            type: state.groupTypes.get(groupId) ?? ("classic" as const),
            offsets: [...offsets.values()]
              .filter(({ topic }) => topics.includes(topic))
              .map(({ metadata, ...rest }) => ({ ...rest, ...(metadata ? { metadata } : {}) }))
          }))
          return Effect.succeed(groups.filter(({ offsets }) => offsets.length > 0))
        })
      )
  }
}
