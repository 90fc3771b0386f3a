import { Duration, Effect, Layer, ManagedRuntime, References } from "effect"
import { TestClock } from "effect/testing"
import type { Status } from "../status/Status.ts"
import { defaultBootstrapServer } from "./KafkaBackupBuilder.ts"
import type { Kubectl } from "./Kubectl.ts"
import { OperatorHarness, type Replica, type SelectedTopics } from "./OperatorHarness.ts"
import * as Promised from "./Promised.ts"
import * as StoredBackups from "./StoredBackups.ts"
import * as TestKafka from "./TestKafka.ts"
import type * as TestServices from "./TestServices.ts"

export interface TestOperatorOptions {
  /** Start time: RFC 3339. Default 2026-01-01T00:00:00Z. Only `advance` and `until` move the clock. */
  readonly at?: string
  /** Shows the operator's log. Default false. */
  readonly log?: boolean
  /** Most active runs at the same time, over all resources. Default 10. */
  readonly maxConcurrentRuns?: number
}

/** A resource did not reach the wanted status in time. */
export class NotReached extends Error {
  override readonly name = "NotReached"
}

/**
 * The whole operator with a Kubernetes cluster, Kafka and object storage in memory, for tests with plain promises. Time
 * is virtual: an hour takes milliseconds.
 */
export class TestOperator implements AsyncDisposable {
  /** kubectl for the namespace `kafka-backup`. */
  readonly kubectl: TestServices.TestKubectl
  /** The Kafka cluster at `kafka:9092`. */
  readonly kafka: TestKafka.TestKafka
  /** Secrets, as pods see them; `kubectl.apply` of a Secret does the same. */
  readonly secrets: TestServices.TestSecrets
  /** The operator's API server: `disturb` it with `faults.api`. */
  readonly api: TestServices.TestApi
  /** The node of the pods: `trouble` keeps them from starting, `evict` ends one. */
  readonly node: TestServices.TestNode
  readonly #runtime: Runtime
  readonly #harness: OperatorHarness["Service"]
  readonly #options: TestOperatorOptions
  #replica: Replica

  private constructor(
    runtime: Runtime,
    harness: OperatorHarness["Service"],
    kafka: TestKafka.TestKafka,
    replica: Replica,
    options: TestOperatorOptions
  ) {
    this.#runtime = runtime
    this.#harness = harness
    this.#replica = replica
    this.#options = options
    this.kafka = kafka
    this.kubectl = kubectlOf(harness.kubectl, this.#run)
    this.secrets = Promised.of(harness.secrets, this.#run)
    this.node = Promised.of(harness.kubernetes.node, this.#run)
    const { calls, calm, disturb } = harness.kubernetes
    this.api = Promised.of({ calls, calm, disturb }, this.#run)
  }

  /** Starts an empty Kubernetes cluster, Kafka at `kafka:9092` without topics, and one operator. */
  static async start(options: TestOperatorOptions = {}): Promise<TestOperator> {
    const runtime = runtimeOf(options)
    const harness = await runtime.runPromise(Effect.service(OperatorHarness))
    const cluster = await runtime.runPromise(harness.kafka(defaultBootstrapServer))
    const replica = await runtime.runPromise(started(harness, options))
    const kafka = TestKafka.of(cluster, (effect) => runtime.runPromise(effect))
    return new TestOperator(runtime, harness, kafka, replica, options)
  }

  readonly #run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => this.#runtime.runPromise(effect)

  /** Lets time pass, and everything happen that is due in it: `"1 hour"`, or milliseconds. */
  advance(duration: Duration.Input): Promise<void> {
    return this.#run(this.#harness.advance(duration))
  }

  /** The time on the virtual clock. */
  async now(): Promise<Date> {
    return new Date(await this.#run(Effect.clockWith((clock) => clock.currentTimeMillis)))
  }

  /**
   * Lets time pass until `isWanted` holds, and returns the status. Rejects with `NotReached` after `within`, default
   * one day.
   */
  async until(
    name: string,
    isWanted: (status: Status) => boolean,
    options: { readonly within?: Duration.Input } = {}
  ): Promise<Status> {
    const { kubectl } = this.#harness
    const found = await this.#run(
      Effect.gen({ self: this }, function* () {
        const clock = yield* Effect.clockWith(Effect.succeed)
        const endMillis = clock.currentTimeMillisUnsafe() + Duration.toMillis(options.within ?? "1 day")
        yield* this.#harness.advance(0)
        let status = yield* kubectl.status(name)
        while (!isWanted(status)) {
          if (clock.currentTimeMillisUnsafe() >= endMillis) return { isReached: false, status }
          yield* this.#harness.advance("5 seconds")
          status = yield* kubectl.status(name)
        }
        return { isReached: true, status }
      })
    )
    if (found.isReached) return found.status
    throw new NotReached(
      `KafkaBackup ${name} did not reach the wanted status; its status is ${JSON.stringify(found.status, null, 2)}`
    )
  }

  /** The topics that a KafkaBackup would back up now, and those that it names but that do not exist. */
  selects(name: string): Promise<SelectedTopics> {
    return this.#run(this.#harness.selects(name))
  }

  /** The verified backups in the storage of a KafkaBackup, oldest first, including those of other resources there. */
  backups(name: string): Promise<ReadonlyArray<StoredBackups.StoredBackup>> {
    return this.#run(Effect.flatMap(this.#harness.storeOf(name), ({ store }) => StoredBackups.list(store)))
  }

  /** Reads every byte of a backup. `problems` is empty if it can be restored. */
  verify(name: string, backupId: string): Promise<TestServices.Verification> {
    return this.#run(Effect.flatMap(this.#harness.storeOf(name), ({ store }) => StoredBackups.verify(store, backupId)))
  }

  /** The records of a topic in a backup, by partition and offset. */
  records(name: string, backupId: string, topic: string): Promise<ReadonlyArray<StoredBackups.StoredRecord>> {
    return this.#run(
      Effect.flatMap(this.#harness.storeOf(name), ({ store }) => StoredBackups.records(store, backupId, topic))
    )
  }

  /**
   * The object storage of a KafkaBackup: `disturb` it with `faults.storage`, list its keys, `tamper` with its objects.
   */
  async storage(name: string): Promise<TestServices.TestStorage> {
    return Promised.of(await this.#run(this.#harness.storeOf(name)), this.#run)
  }

  /** Another Kafka cluster. */
  async kafkaAt(bootstrapServer: string): Promise<TestKafka.TestKafka> {
    return TestKafka.of(await this.#run(this.#harness.kafka(bootstrapServer)), this.#run)
  }

  /** The operator's metrics, as a scrape reads them. */
  metrics(): Promise<string> {
    return this.#run(this.#replica.metrics)
  }

  /** Stops the operator and starts another one; the cluster stays. */
  async restart(): Promise<void> {
    await this.#run(this.#replica.stop)
    this.#replica = await this.#run(started(this.#harness, this.#options))
  }

  /** Stops everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runtime.dispose()
  }

  /** Does what `await using` does at the end of a block. */
  stop(): Promise<void> {
    return this[Symbol.asyncDispose]()
  }
}

type Runtime = ManagedRuntime.ManagedRuntime<OperatorHarness, never>

const runtimeOf = ({ at = "2026-01-01T00:00:00Z", log = false }: TestOperatorOptions): Runtime => {
  const beginMillis = Date.parse(at)
  if (Number.isNaN(beginMillis)) throw new TypeError(`at must be a time such as 2026-01-01T00:00:00Z, not ${at}`)
  return ManagedRuntime.make(
    OperatorHarness.layer.pipe(
      Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(beginMillis))),
      Layer.provideMerge(TestClock.layer()),
      Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, log ? "Info" : "None"))
    )
  )
}

const started = (harness: OperatorHarness["Service"], { maxConcurrentRuns }: TestOperatorOptions) =>
  harness.start({ settings: maxConcurrentRuns === undefined ? {} : { maxConcurrentRuns } })

const kubectlOf = (
  kubectl: Kubectl,
  run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>
): TestServices.TestKubectl => ({
  ...Promised.of(kubectl, run),
  in: (namespace) => kubectlOf(kubectl.in(namespace), run)
})
