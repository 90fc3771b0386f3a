import { Effect, type Scope } from "effect"
import * as Access from "./kafkajs/Access.ts"
import { chunks } from "./kafkajs/chunks.ts"
import * as Cluster from "./kafkajs/Cluster.ts"
import * as GroupOffsets from "./kafkajs/GroupOffsets.ts"
import * as DescribeConfigs from "./kafkajs/protocol/DescribeConfigs.ts"
import * as OffsetForLeaderEpoch from "./kafkajs/protocol/OffsetForLeaderEpoch.ts"
import * as Fetch from "./kafkajs/protocol/Fetch.ts"
import * as FetchTogether from "./kafkajs/protocol/FetchTogether.ts"
import * as SharedBuffer from "./kafkajs/SharedBuffer.ts"
import * as ReadRights from "./kafkajs/protocol/ReadRights.ts"
import * as TopicConfigs from "./kafkajs/TopicConfigs.ts"
import { ErrorCode } from "./ErrorCode.ts"
import type { KafkaError } from "./KafkaError.ts"
import type { KafkaTarget } from "./KafkaTarget.ts"
import type { KafkaWire } from "./KafkaWire.ts"
import { cleanupKeys, cleanupOf } from "./TopicCleanup.ts"

export type Options = Cluster.Options

/**
 * Connects to the cluster for reading; fails as `Cluster.open` does. Not every run needs groups and configurations:
 * where the broker lacks their APIs, those calls fail by themselves.
 */
export const make = (target: KafkaTarget, options: Options = {}): Effect.Effect<KafkaWire, KafkaError, Scope.Scope> =>
  Effect.map(Cluster.open(target, options, [Fetch.api]), over)

const over = ({ brokers, location, metadata, offsets }: Cluster.Cluster): KafkaWire => ({
  location,
  metadata,
  offsets,
  epochEnds: (leader, places) =>
    brokers
      .ask(leader, OffsetForLeaderEpoch.api, (version) => OffsetForLeaderEpoch.call(places, version))
      .pipe(
        Effect.map(
          (answer) =>
            answer?.value ??
            places.map(() => ({ errorCode: ErrorCode.leaderNotAvailable, leaderEpoch: -1, endOffset: -1 }))
        ),
        Effect.mapError(Cluster.failing("offsets"))
      ),
  readRights: (leader, places) =>
    brokers
      .ask(leader, ReadRights.api, (version) => ReadRights.call(places, version))
      .pipe(
        Effect.map((answer) => answer?.value ?? places.map(() => ErrorCode.leaderNotAvailable)),
        Effect.mapError(Cluster.failing("fetch"))
      ),
  fetch: (request) =>
    brokers
      .ask(request.leader, Fetch.api, (best) => Fetch.call(request, Fetch.versionFor(request, best)), {
        channel: "fetch",
        pooled: true,
        waitMillis: request.maxWaitMillis
      })
      .pipe(
        Effect.map((answer) =>
          answer === undefined
            ? { ...Fetch.failed(ErrorCode.leaderNotAvailable, 0), release: () => undefined }
            : { ...answer.value, release: answer.release }
        ),
        Effect.mapError(Cluster.failing("fetch"))
      ),
  fetchTogether: (leader, requests, maxBytes) =>
    brokers
      .ask(
        leader,
        Fetch.api,
        (best) => FetchTogether.call(requests, maxBytes, FetchTogether.versionFor(requests, best)),
        {
          channel: "fetch",
          pooled: true,
          waitMillis: Math.max(...requests.map(({ maxWaitMillis }) => maxWaitMillis))
        }
      )
      .pipe(
        Effect.map((answer) => {
          const failed = Fetch.failed(ErrorCode.leaderNotAvailable, 0)
          if (answer === undefined) return requests.map(() => ({ ...failed, release: () => undefined }))
          const release = SharedBuffer.lent(requests.length, answer.release)
          return answer.value.map((one) => ({ ...one, release: release() }))
        }),
        Effect.mapError(Cluster.failing("fetch"))
      ),
  topicConfigs: (names) =>
    Effect.forEach(chunks(names, Cluster.batchSize), (some) =>
      brokers.askAny(DescribeConfigs.api, (version) => DescribeConfigs.call(some, version))
    ).pipe(
      Effect.flatMap((answers) => TopicConfigs.collect(answers.flat())),
      Effect.mapError(Cluster.failing("configs"))
    ),
  cleanup: (names) =>
    Effect.forEach(chunks(names, Cluster.batchSize), (some) =>
      brokers.askAny(DescribeConfigs.api, (version) => DescribeConfigs.call(some, version, cleanupKeys))
    ).pipe(
      Effect.flatMap((answers) => TopicConfigs.collectAllowed(answers.flat())),
      Effect.map((configs) => new Map([...configs].map(([name, config]) => [name, cleanupOf(config)]))),
      Effect.mapError(Cluster.failing("configs"))
    ),
  access: Access.reading({ brokers }),
  groupOffsets: (topics) => GroupOffsets.read(brokers, new Set(topics)).pipe(Effect.mapError(Cluster.failing("groups")))
})
