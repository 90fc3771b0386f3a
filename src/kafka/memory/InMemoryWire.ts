import { Effect } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import type { Fault, FaultRequest, Faults } from "./InMemoryFaults.ts"
import { type InMemoryPartition, type InMemoryTopic, isTopicName, wireTopic } from "./InMemoryTopics.ts"
import { KafkaAuthorizationFailed, BrokerUnreachable, KafkaError } from "../KafkaError.ts"
import type { OffsetKind, PartitionOffset } from "../KafkaSource.ts"
import type { KafkaWire, WireFetch, WireFetched, WireTopic } from "../KafkaWire.ts"

/** The state of an in-memory cluster. */
export interface ClusterState {
  readonly location: string
  readonly clusterId: string
  readonly topics: Map<string, InMemoryTopic>
  readonly groups: Map<string, Map<string, PartitionOffset>>
  /** `Read orders`, `DescribeConfigs`, … */
  readonly denied: Set<string>
  readonly live: Set<number>
  readonly faults: Faults
  readonly counters: {
    fetches: number
    metadataRequests: number
    offsetRequests: number
    unreleased: number
    releasedTwice: number
  }
}

type Operation = KafkaError["operation"]

const invalidTopic = 17
const nothing = Buffer.alloc(0)
/** Released buffers are filled with this byte. */
const poison = 0xdd

const unreachable = (operation: Operation, detail: string) =>
  new KafkaError({
    operation,
    reason: new BrokerUnreachable({ detail, advice: "start the broker", transient: true })
  })

const denied = (operation: Operation, resource: string, missing: string) =>
  new KafkaError({ operation, reason: new KafkaAuthorizationFailed({ resource, missing }) })

export const makeInMemoryWire = (state: ClusterState): KafkaWire => {
  const { counters, faults } = state
  const isDenied = (operation: string, topic: string) => state.denied.has(`${operation} ${topic}`)

  /** Applies the faults that any request can have; returns the others for the answer. */
  const applyFaults = (operation: Operation, request: FaultRequest): Effect.Effect<Fault | undefined, KafkaError> =>
    Effect.suspend((): Effect.Effect<Fault | undefined, KafkaError> => {
      if (request.node === undefined ? state.live.size === 0 : !state.live.has(request.node)) {
        return Effect.fail(unreachable(operation, `broker ${request.node ?? state.location} does not answer`))
      }
      const fault = faults.next(request)
      if (fault?._tag === "ConnectionLost") return Effect.fail(unreachable(operation, "the connection was reset"))
      if (fault?._tag === "Delayed") return Effect.as(Effect.sleep(fault.millis), undefined)
      return Effect.succeed(fault)
    })

  const describe = (name: string): WireTopic => {
    const topic = state.topics.get(name)
    const refused = (errorCode: number) => ({ errorCode, name, isInternal: false, partitions: [] })
    if (!isTopicName(name)) return refused(invalidTopic)
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

  const errorOf = (request: WireFetch, topic: InMemoryTopic | undefined): number => {
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

  const offsetOf = ({ log }: InMemoryPartition, kind: OffsetKind): number => {
    switch (kind) {
      case "logStart":
        return log.logStart()
      case "lastStable":
        return log.lastStable()
      case "highWatermark":
        return log.highWatermark()
    }
  }

  return {
    location: state.location,
    metadata: (names) =>
      Effect.andThen(
        applyFaults("metadata", { operation: "metadata" }),
        Effect.sync(() => {
          counters.metadataRequests++
          const visible = () => [...state.topics.keys()].filter((name) => !isDenied("Describe", name))
          return { clusterId: state.clusterId, topics: (names === "all" ? visible() : names).map(describe) }
        })
      ),
    offsets: (leader, partitions, kind) =>
      Effect.map(applyFaults("offsets", { operation: "offsets", node: leader }), (fault) => {
        counters.offsetRequests++
        return partitions.map(({ topic, partition }) => {
          const found = state.topics.get(topic)?.partitions[partition]
          if (fault?._tag === "Code") return { errorCode: fault.code, offset: -1 }
          if (isDenied("Describe", topic)) return { errorCode: ErrorCode.topicAuthorizationFailed, offset: -1 }
          if (found === undefined) return { errorCode: ErrorCode.unknownTopicOrPartition, offset: -1 }
          if (found.leader !== leader) return { errorCode: ErrorCode.notLeaderOrFollower, offset: -1 }
          return { errorCode: ErrorCode.none, offset: offsetOf(found, kind) }
        })
      }),
    fetch: (request) => {
      const { topic, partition, leader } = request
      return applyFaults("fetch", { operation: "fetch", topic, partition, node: leader }).pipe(
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
    topicConfigs: (names) =>
      Effect.andThen(
        applyFaults("configs", { operation: "metadata" }),
        Effect.suspend(() => {
          if (state.denied.has("DescribeConfigs")) return Effect.fail(denied("configs", "cluster", "DescribeConfigs"))
          const refused = names.find((name) => isDenied("DescribeConfigs", name))
          if (refused !== undefined) return Effect.fail(denied("configs", `topic ${refused}`, "DescribeConfigs"))
          const known = names.flatMap((name) => state.topics.get(name) ?? [])
          return Effect.succeed(new Map(known.map(({ name, configs }) => [name, configs] as const)))
        })
      ),
    groupOffsets: (topics) =>
      Effect.andThen(
        applyFaults("groups", { operation: "metadata" }),
        Effect.suspend(() => {
          if (state.denied.has("DescribeGroups")) return Effect.fail(denied("groups", "cluster", "Describe"))
          const groups = [...state.groups].map(([groupId, offsets]) => ({
            groupId,
            offsets: [...offsets.values()].filter(({ topic }) => topics.includes(topic))
          }))
          return Effect.succeed(groups.filter(({ offsets }) => offsets.length > 0))
        })
      )
  }
}
