import { Duration, Effect, type Scope } from "effect"
import * as Address from "./Address.ts"
import * as Brokers from "./Brokers.ts"
import * as BufferPool from "./BufferPool.ts"
import { chunks } from "./chunks.ts"
import * as Identity from "./Identity.ts"
import * as Internals from "./Internals.ts"
import * as Api from "./protocol/Api.ts"
import * as ListOffsets from "./protocol/ListOffsets.ts"
import * as Metadata from "./protocol/Metadata.ts"
import type * as Opener from "./Opener.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { BrokerUnreachable, KafkaError, type KafkaReason, ProtocolFailure } from "../KafkaError.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"
import type { KafkaWire } from "../KafkaWire.ts"

export interface Options {
  /** The client id for brokers' logs and quotas. Default `kafka-backup`. */
  readonly clientId?: string
  /** For the whole list of bootstrap servers, later for each broker: TCP, TLS, versions and SASL. Default 15 s. */
  readonly connectTimeout?: Duration.Input
  /** For one answer, in addition to the wait that a fetch asks for. Default 30 s, as Kafka's `request.timeout.ms`. */
  readonly requestTimeout?: Duration.Input
  /** How long before its end a SASL session is renewed (KIP-368). Default 10 s. */
  readonly reauthenticateBefore?: Duration.Input
  /** Most bytes of unused fetch buffers to keep. Default 32 MiB. */
  readonly idleBufferBytes?: number
}

/** Partitions or topics in one request; keeps requests and answers of large clusters below a megabyte or two. */
export const batchSize = 5000

/** Fetch answers up to this length use pooled buffers; larger ones are rare enough to be allocated. */
const maxPooledBytes = 4 * 1024 * 1024

/** A cluster with authenticated connections, and what reading and writing have in common. */
export interface Cluster extends Pick<KafkaWire, "location" | "metadata" | "offsets"> {
  readonly brokers: Brokers.Brokers
  /** The node that topics are created and deleted at; -1 while there is none. */
  readonly controller: Effect.Effect<number, KafkaReason>
}

const noCommonVersion =
  (needed: ReadonlyArray<Api.Api>) =>
  (ranges: Api.VersionRanges): KafkaReason | undefined => {
    const missing = needed.filter((api) => Api.version(api, ranges) === undefined)
    return missing.length === 0
      ? undefined
      : new ProtocolFailure({
          detail: `no common version of ${missing.map((api) => Api.disagreement(api, ranges)).join(", ")}`,
          transient: false
        })
  }

export const failing = (operation: KafkaError["operation"]) => (reason: KafkaReason) =>
  new KafkaError({ operation, reason })

const bootstrapOf = (target: KafkaTarget): Effect.Effect<ReadonlyArray<Address.Address>, KafkaReason> => {
  const parsed = target.bootstrapServers.map((text) => ({ text, address: Address.parse(text) }))
  const wrong = parsed.find(({ address }) => address === undefined)
  if (parsed.length > 0 && wrong === undefined) return Effect.succeed(parsed.flatMap(({ address }) => address ?? []))
  return Effect.fail(
    new BrokerUnreachable({
      detail: wrong === undefined ? "no bootstrap server is given" : `bootstrap server ${wrong.text} is not an address`,
      advice: "write bootstrapServers as host:port or [IPv6]:port",
      transient: false
    })
  )
}

const limitsOf = (options: Options): Opener.Limits => ({
  clientId: options.clientId ?? "kafka-backup",
  pool: BufferPool.make({ maxIdleBytes: options.idleBufferBytes ?? 32 * 1024 * 1024, maxBufferBytes: maxPooledBytes }),
  openTimeoutMillis: Duration.toMillis(options.connectTimeout ?? "15 seconds"),
  requestTimeoutMillis: Duration.toMillis(options.requestTimeout ?? "30 seconds"),
  reauthenticateBeforeMillis: Duration.toMillis(options.reauthenticateBefore ?? "10 seconds")
})

/**
 * Connects to the cluster and checks that it is usable: authentication works, and every API of `needed` has a common
 * version. All connections close with the scope. Fails with `operation: "connect"` and names each server that was
 * tried.
 */
export const open = (
  target: KafkaTarget,
  options: Options,
  needed: ReadonlyArray<Api.Api>
): Effect.Effect<Cluster, KafkaError, Scope.Scope> =>
  Effect.gen(function* () {
    const incompatibility = Internals.incompatibility()
    if (incompatibility !== undefined) return yield* Effect.die(new Error(incompatibility))
    Internals.quietTimers()
    const bootstrap = yield* bootstrapOf(target)
    const brokers = yield* Brokers.make(bootstrap, limitsOf(options), yield* Identity.of(target))

    const metadataOf = (names: ReadonlyArray<string> | "all", introduction?: Brokers.Introduction) =>
      brokers
        .askAny(Metadata.api, (version) => Metadata.call(names, version), introduction)
        .pipe(Effect.tap(({ nodes }) => brokers.learn(nodes)))
    yield* metadataOf([], { check: noCommonVersion([Metadata.api, ListOffsets.api, ...needed]) })
    return {
      location: target.bootstrapServers.join(","),
      brokers,
      controller: Effect.map(metadataOf([]), ({ controller }) => controller),
      metadata: (names) =>
        metadataOf(names).pipe(
          Effect.map(({ brokers, clusterId, topics }) => ({ brokers, clusterId, topics })),
          Effect.mapError(failing("metadata"))
        ),
      offsets: (leader, partitions, kind) =>
        Effect.forEach(chunks(partitions, batchSize), (some) =>
          brokers
            .ask(leader, ListOffsets.api, (version) => ListOffsets.call(some, kind, version))
            .pipe(
              Effect.map(
                (answer) => answer?.value ?? some.map(() => ({ errorCode: ErrorCode.leaderNotAvailable, offset: -1 }))
              )
            )
        ).pipe(
          Effect.map((answers) => answers.flat()),
          Effect.mapError(failing("offsets"))
        )
    } satisfies Cluster
  }).pipe(Effect.mapError(failing("connect")))
