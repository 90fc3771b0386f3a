import { Clock, Effect } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import type { KafkaError } from "../KafkaError.ts"
import type { Producer } from "../KafkaSink.ts"
import type { TopicPartition } from "../KafkaSource.ts"
import { type KafkaWriteWire, noPartition, type Sent, type WireProduce, type WireProduced } from "../KafkaWriteWire.ts"
import * as Cluster from "./ClusterState.ts"
import * as Cleaner from "./InMemoryCleaner.ts"
import * as Coordinators from "./InMemoryCoordinators.ts"
import { accessChanging } from "./InMemoryAccess.ts"
import type { ChangingOperation, FaultRequest } from "./InMemoryFaults.ts"
import type { InMemoryPartition } from "./InMemoryTopics.ts"
import * as TopicChanges from "./InMemoryTopicChanges.ts"
import { makeInMemoryWire } from "./InMemoryWire.ts"
import { checkBatch } from "./ProducedBatch.ts"

const answered = (errorCode: number, detail?: string): WireProduced => ({
  errorCode,
  detail,
  baseOffset: -1,
  throttleMillis: 0
})

/** Writes to an in-memory cluster with the rules of a broker. */
export const makeInMemoryWriteWire = (state: Cluster.ClusterState): KafkaWriteWire => {
  const { location, metadata, offsets } = makeInMemoryWire(state)

  /** The partition, if `leader` leads it; else the error code. */
  const led = ({ partition, topic }: TopicPartition, leader: number): InMemoryPartition | number => {
    const found = state.topics.get(topic)?.partitions[partition]
    if (found === undefined) return ErrorCode.unknownTopicOrPartition
    return found.leader === leader ? found : ErrorCode.notLeaderOrFollower
  }

  const append = (request: WireProduce, nowMillis: number): WireProduced => {
    Coordinators.abortOverdue(state, nowMillis)
    const topic = state.topics.get(request.topic)
    if (request.topicId !== undefined && request.topicId !== topic?.topicId) return answered(ErrorCode.unknownTopicId)
    if (Cluster.isDenied(state, "Write", request.topic)) return answered(ErrorCode.topicAuthorizationFailed)
    if (topic?.isInternal === true) return answered(ErrorCode.invalidTopic)
    const found = led(request, request.leader)
    if (topic === undefined || typeof found === "number") {
      return answered(typeof found === "number" ? found : ErrorCode.unknownTopicOrPartition)
    }
    const inSync = found.replicas.filter((node) => state.live.has(node)).length
    // More replicas than a partition has are not asked for (Kafka 4 and later).
    const wanted = Math.min(Number(topic.configs["min.insync.replicas"] ?? 1), found.replicas.length)
    if (inSync < wanted) return answered(ErrorCode.notEnoughReplicas)
    const checked = checkBatch(request.batch, topic.configs, nowMillis)
    if (checked._tag === "Refused") return answered(checked.errorCode, checked.detail)
    const { batch } = checked
    const { producer, records } = batch
    const sequence = producer && found.log.producers.check(producer, records.length, nowMillis)
    if (sequence?._tag === "Refused") return answered(sequence.errorCode)
    if (sequence?._tag === "Repeated") return { ...answered(ErrorCode.none), baseOffset: sequence.baseOffset }
    const stamp = topic.configs["message.timestamp.type"] === "LogAppendTime" ? nowMillis : undefined
    const baseOffset = found.log.appendProduced(batch, stamp)
    if (producer !== undefined) {
      found.log.producers.appended(producer, records.length, baseOffset, stamp ?? batch.maxTimestamp)
    }
    return { ...answered(ErrorCode.none), baseOffset }
  }

  const send = (request: WireProduce, over: object | undefined, nowMillis: number): Effect.Effect<Sent, KafkaError> => {
    const { leader, partition, topic } = request
    const silent = Cluster.silence(state, "produce", leader)
    if (silent !== undefined) return Effect.fail(silent)
    const connection = state.connections.to(leader)
    if (over !== undefined && over !== connection) return Effect.fail(Cluster.lost("produce"))
    const { broken } = connection
    const fault = state.faults.next({ operation: "produce", topic, partition, node: leader })
    const breakWith = (then: Effect.Effect<unknown>): Effect.Effect<Sent> => {
      state.connections.break(leader, Cluster.lost("produce"))
      return Effect.as(then, { connection, answer: broken })
    }
    switch (fault?._tag) {
      case "ConnectionLost":
        return breakWith(Effect.void)
      case "AnswerLost":
        return breakWith(Effect.sync(() => append(request, nowMillis)))
      case "LateEffect": {
        // The caller may use the buffers again as soon as it has its answer.
        const copy = { ...request, batch: request.batch.map((piece) => Buffer.from(piece)) }
        return breakWith(Effect.forkDetach(later(fault.millis, (then) => append(copy, then))))
      }
      case "Code":
        return Effect.succeed({ connection, answer: Effect.succeed(answered(fault.code)) })
      case "Uncommitted": {
        const release = state.topics.get(topic)?.partitions[partition]?.log.holdBack() ?? (() => undefined)
        append(request, nowMillis)
        const answer = Effect.succeed(answered(ErrorCode.requestTimedOut))
        return Effect.as(Effect.forkDetach(Effect.andThen(Effect.sleep(fault.millis), Effect.sync(release))), {
          connection,
          answer
        })
      }
      default: {
        const answer = append(request, nowMillis)
        if (fault?._tag === "Throttled") {
          return Effect.succeed({ connection, answer: Effect.succeed({ ...answer, throttleMillis: fault.millis }) })
        }
        const arrives = fault?._tag === "Delayed" ? Effect.sleep(fault.millis) : Effect.yieldNow
        return Effect.succeed({ connection, answer: Effect.raceFirst(Effect.as(arrives, answer), broken) })
      }
    }
  }

  /** A request that changes something; `refusal` makes the answer to a `Code` fault. */
  const change = <A>(
    operation: Cluster.Operation,
    request: Omit<FaultRequest, "operation"> & { readonly operation?: ChangingOperation },
    changes: (nowMillis: number) => A,
    refusal: (code: number) => A
  ): Effect.Effect<A, KafkaError> =>
    Effect.gen(function* () {
      const effect = (nowMillis: number) => {
        Coordinators.abortOverdue(state, nowMillis)
        return changes(nowMillis)
      }
      // A question about permissions: faults are for requests that do something.
      if (request.partition === noPartition) return effect(yield* Clock.currentTimeMillis)
      const asked = { operation: operation as ChangingOperation, ...request }
      const fault = yield* Cluster.applyFaults(state, operation, asked)
      if (fault?._tag === "Code") return refusal(fault.code)
      if (fault?._tag === "LateEffect") {
        yield* Effect.forkDetach(later(fault.millis, effect))
        return yield* Cluster.lost(operation)
      }
      const answer = effect(yield* Clock.currentTimeMillis)
      if (fault?._tag === "AnswerLost") return yield* Cluster.lost(operation)
      return answer
    })

  const markers = ({ log }: InMemoryPartition, producer: Producer, count: number, nowMillis: number): number => {
    if (!log.producers.admitsMarker(producer)) return ErrorCode.invalidProducerEpoch
    for (let i = 0; i < count; i++) log.appendMarker(producer.producerId, "commit", nowMillis)
    log.producers.marked(producer, nowMillis)
    return ErrorCode.none
  }

  const deleteBefore = ({ log }: InMemoryPartition, offset: number): number => {
    if (offset > log.highWatermark()) return ErrorCode.offsetOutOfRange
    log.deleteBefore(offset < 0 ? log.highWatermark() : offset)
    return ErrorCode.none
  }

  /** Coordinators are the first live node. */
  const coordinator = () => state.nodes.find((node) => state.live.has(node)) ?? -1
  const withCode = (code: number) => code
  const noProducer = (errorCode: number) => ({ errorCode, producerId: -1, producerEpoch: -1 })

  return {
    location,
    metadata,
    offsets,
    produce: (request, over) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
        if (request.partition === noPartition) {
          return Effect.succeed({ connection: state, answer: Effect.sync(() => append(request, nowMillis)) })
        }
        state.counters.produceRequests++
        return send(request, over, nowMillis)
      }),
    initProducer: (node, transactionalId) =>
      change(
        "producer",
        node === "any" ? {} : { node },
        (nowMillis) => Coordinators.initProducer(state, transactionalId, nowMillis),
        noProducer
      ),
    describeTransaction: (node, transactionalId) =>
      change("producer", { node }, () => Coordinators.describeTransaction(state, transactionalId), noProducer),
    writeMarkers: (leader, place, producer, count) =>
      change(
        "produce",
        { ...place, operation: "markers", node: leader },
        (nowMillis) => {
          if (state.denied.has("Alter")) return ErrorCode.clusterAuthorizationFailed
          const found = led(place, leader)
          if (typeof found === "number") return found
          const code = markers(found, producer, count, nowMillis)
          Cleaner.clean(state.topics.get(place.topic)?.configs, found.log)
          return code
        },
        withCode
      ),
    addToTransaction: (node, transactionalId, producer, place) =>
      change(
        "producer",
        { ...place, operation: "transactions", node },
        (nowMillis) => Coordinators.addToTransaction(state, transactionalId, producer, place, nowMillis),
        withCode
      ),
    commitTransaction: (node, transactionalId, producer) =>
      change(
        "producer",
        { operation: "transactions", node },
        (nowMillis) => Coordinators.commitTransaction(state, transactionalId, producer, nowMillis),
        withCode
      ),
    coordinator: (kind) =>
      Effect.map(
        Cluster.applyFaults(state, kind === "group" ? "groups" : "producer", { operation: "metadata" }),
        (fault) =>
          fault?._tag === "Code"
            ? { errorCode: fault.code, node: -1 }
            : { errorCode: ErrorCode.none, node: coordinator() }
      ),
    createTopics: (topics, validateOnly) =>
      change(
        "topics",
        {},
        () => TopicChanges.createTopics(state, topics, validateOnly),
        (errorCode) => topics.map(({ name }) => ({ name, errorCode, detail: undefined }))
      ),
    deleteTopics: (topics) =>
      change(
        "topics",
        {},
        () => TopicChanges.deleteTopics(state, topics),
        (errorCode) => topics.map(({ name }) => ({ name, errorCode, detail: undefined }))
      ),
    alterConfigs: (topic, configs, validateOnly = false) =>
      validateOnly
        ? Effect.sync(() => TopicChanges.alterConfigs(state, topic, configs, true))
        : change(
            "configs",
            { topic },
            () => TopicChanges.alterConfigs(state, topic, configs),
            (errorCode) => ({ errorCode, detail: undefined })
          ),
    deleteRecords: (leader, place, offset) =>
      change(
        "records",
        { ...place, node: leader },
        () => {
          if (Cluster.isDenied(state, "Delete", place.topic)) return ErrorCode.topicAuthorizationFailed
          const found = led(place, leader)
          return typeof found === "number" ? found : deleteBefore(found, offset)
        },
        withCode
      ),
    access: accessChanging(state),
    groups: Effect.map(Cluster.applyFaults(state, "groups", { operation: "metadata" }), () =>
      Coordinators.groups(state)
    ),
    commitOffsets: (node, groupId, committed) =>
      change(
        "groups",
        { node, ...(committed.every(({ partition }) => partition === noPartition) ? { partition: noPartition } : {}) },
        () => Coordinators.commitOffsets(state, groupId, committed),
        (code) => committed.map(() => code)
      ),
    deleteOffsets: (node, groupId, partitions) =>
      change(
        "groups",
        { node },
        () => Coordinators.deleteOffsets(state, groupId, partitions),
        (errorCode) => ({ errorCode, partitionCodes: [] })
      ),
    committedOffsets: (node, groupId) =>
      change(
        "groups",
        { node },
        () => Coordinators.committedOffsets(state, groupId),
        (errorCode) => ({ errorCode, offsets: [] })
      )
  }
}

/** The effect of a request that waits in the broker while its connection is gone. */
const later = <A>(millis: number, effect: (nowMillis: number) => A): Effect.Effect<A> =>
  Effect.sleep(millis).pipe(
    Effect.andThen(Clock.currentTimeMillis),
    Effect.map((nowMillis) => effect(nowMillis))
  )
