import { Effect, type Scope } from "effect"
import * as Access from "./kafkajs/Access.ts"
import type { Api, Call } from "./kafkajs/protocol/Api.ts"
import * as AddPartitionsToTxn from "./kafkajs/protocol/AddPartitionsToTxn.ts"
import * as Cluster from "./kafkajs/Cluster.ts"
import * as CreateTopics from "./kafkajs/protocol/CreateTopics.ts"
import * as DeleteRecords from "./kafkajs/protocol/DeleteRecords.ts"
import * as DeleteTopics from "./kafkajs/protocol/DeleteTopics.ts"
import * as DescribeTransactions from "./kafkajs/protocol/DescribeTransactions.ts"
import * as EndTxn from "./kafkajs/protocol/EndTxn.ts"
import * as GroupOffsets from "./kafkajs/GroupOffsets.ts"
import * as Groups from "./kafkajs/protocol/Groups.ts"
import * as IncrementalAlterConfigs from "./kafkajs/protocol/IncrementalAlterConfigs.ts"
import * as InitProducerId from "./kafkajs/protocol/InitProducerId.ts"
import * as OffsetCommit from "./kafkajs/protocol/OffsetCommit.ts"
import * as OffsetDelete from "./kafkajs/protocol/OffsetDelete.ts"
import * as OffsetFetch from "./kafkajs/protocol/OffsetFetch.ts"
import * as Produce from "./kafkajs/protocol/Produce.ts"
import * as WriteTxnMarkers from "./kafkajs/protocol/WriteTxnMarkers.ts"
import { ErrorCode } from "./ErrorCode.ts"
import type { KafkaError } from "./KafkaError.ts"
import type { KafkaTarget } from "./KafkaTarget.ts"
import type { KafkaWriteWire } from "./KafkaWriteWire.ts"

/**
 * Connects to the cluster for writing; fails as `Cluster.open` does. Only what every restore needs is checked: calls of
 * another API that the broker lacks fail by themselves.
 */
export const make = (
  target: KafkaTarget,
  options: Cluster.Options = {}
): Effect.Effect<KafkaWriteWire, KafkaError, Scope.Scope> =>
  Effect.map(Cluster.open(target, options, [Produce.api, InitProducerId.api]), over)

const noProducer = { producerId: -1, producerEpoch: -1 }

const over = ({ brokers, controller, location, metadata, offsets }: Cluster.Cluster): KafkaWriteWire => {
  /** One request to one broker, or `absent` when the cluster has no such broker. */
  const ask = <A>(
    operation: KafkaError["operation"],
    node: number,
    api: Api,
    request: (version: number) => Call<A>,
    absent: A,
    waitMillis = 0
  ): Effect.Effect<A, KafkaError> =>
    brokers.ask(node, api, request, { waitMillis }).pipe(
      Effect.map((answer) => (answer === undefined ? absent : answer.value)),
      Effect.mapError(Cluster.failing(operation))
    )

  /** Topics are created and deleted by the controller. */
  const askController = <A>(api: Api, request: (version: number) => Call<A>, absent: A) =>
    controller.pipe(
      Effect.mapError(Cluster.failing("topics")),
      Effect.flatMap((node) => ask("topics", node, api, request, absent, CreateTopics.waitMillis))
    )

  const withoutController = (names: ReadonlyArray<string>) =>
    names.map((name) => ({ name, errorCode: ErrorCode.notController, detail: undefined }))

  return {
    location,
    metadata,
    offsets,
    produce: (request, link) => {
      const call = (best: number) => Produce.call(request, Produce.versionFor(request, best))
      const waitMillis = Produce.replicationMillis
      return brokers.send(request.leader, Produce.api, call, { channel: "produce", over: link, waitMillis }).pipe(
        Effect.map((sent) =>
          sent === undefined
            ? { connection: brokers, answer: Effect.succeed(Produce.failed(ErrorCode.leaderNotAvailable)) }
            : { connection: sent.link, answer: Effect.mapError(sent.answer, Cluster.failing("produce")) }
        ),
        Effect.mapError(Cluster.failing("produce"))
      )
    },
    initProducer: (node, transactionalId) => {
      const call = (version: number) => InitProducerId.call(transactionalId, version)
      if (node === "any") return Effect.mapError(brokers.askAny(InitProducerId.api, call), Cluster.failing("producer"))
      const absent = { ...noProducer, errorCode: ErrorCode.coordinatorNotAvailable }
      return ask("producer", node, InitProducerId.api, call, absent)
    },
    describeTransaction: (node, transactionalId) =>
      ask(
        "producer",
        node,
        DescribeTransactions.api,
        (version) => DescribeTransactions.call(transactionalId, version),
        { ...noProducer, errorCode: ErrorCode.coordinatorNotAvailable }
      ),
    writeMarkers: (leader, partition, producer, count) =>
      ask(
        "produce",
        leader,
        WriteTxnMarkers.api,
        (version) => WriteTxnMarkers.call(partition, producer, count, version),
        ErrorCode.leaderNotAvailable,
        Produce.replicationMillis
      ),
    addToTransaction: (node, transactionalId, producer, place) =>
      ask(
        "producer",
        node,
        AddPartitionsToTxn.api,
        (version) => AddPartitionsToTxn.call(transactionalId, producer, place, version),
        ErrorCode.coordinatorNotAvailable
      ),
    commitTransaction: (node, transactionalId, producer) =>
      ask(
        "producer",
        node,
        EndTxn.api,
        (version) => EndTxn.call(transactionalId, producer, version),
        ErrorCode.coordinatorNotAvailable
      ),
    coordinator: (kind, key) =>
      brokers
        .askAny(Groups.coordinatorApi, (version) => Groups.coordinator(kind, key, version))
        .pipe(
          Effect.map(({ errorCode, node }) => ({ errorCode, node: node.nodeId })),
          Effect.mapError(Cluster.failing(kind === "group" ? "groups" : "producer"))
        ),
    createTopics: (topics, validateOnly) =>
      askController(
        CreateTopics.api,
        (version) => CreateTopics.call(topics, validateOnly, version),
        withoutController(topics.map(({ name }) => name))
      ),
    deleteTopics: (topics) =>
      askController(
        DeleteTopics.api,
        (version) => DeleteTopics.call(topics, version),
        withoutController(topics.map(({ name }) => name))
      ),
    alterConfigs: (topic, configs, validateOnly) =>
      brokers
        .askAny(IncrementalAlterConfigs.api, (version) =>
          IncrementalAlterConfigs.call(topic, configs, version, validateOnly)
        )
        .pipe(Effect.mapError(Cluster.failing("configs"))),
    deleteRecords: (leader, partition, offset) =>
      ask(
        "records",
        leader,
        DeleteRecords.api,
        (version) => DeleteRecords.call(partition, offset, version),
        ErrorCode.leaderNotAvailable,
        DeleteRecords.replicationMillis
      ),
    access: Access.changing({ brokers, controller }),
    groups: Effect.suspend(() => GroupOffsets.list(brokers)).pipe(Effect.mapError(Cluster.failing("groups"))),
    commitOffsets: (node, groupId, committed, keptMillis) =>
      ask(
        "groups",
        node,
        keptMillis === undefined ? OffsetCommit.api : OffsetCommit.keptApi,
        (version) => OffsetCommit.call(groupId, committed, version, keptMillis),
        committed.map(() => ErrorCode.coordinatorNotAvailable)
      ),
    deleteOffsets: (node, groupId, partitions) =>
      ask("groups", node, OffsetDelete.api, (version) => OffsetDelete.call(groupId, partitions, version), {
        errorCode: ErrorCode.coordinatorNotAvailable,
        partitionCodes: []
      }),
    committedOffsets: (node, groupId) =>
      ask("groups", node, OffsetFetch.api, (version) => OffsetFetch.call(groupId, true, version), {
        errorCode: ErrorCode.coordinatorNotAvailable,
        offsets: []
      })
  }
}
