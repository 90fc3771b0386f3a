import { Context, Duration, Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Connections from "../worker/Connections.ts"
import type { InMemoryCluster } from "../kafka/memory/InMemoryCluster.ts"
import { InMemoryKafka } from "../kafka/InMemoryKafka.ts"
import { KafkaSources } from "../kafka/KafkaSource.ts"
import { InMemoryKubernetes, type InMemoryKubernetesShape } from "../kubernetes/InMemoryKubernetes.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import * as Operator from "../Operator.ts"
import { Health, type ProbeAnswer } from "../operator/Health.ts"
import { PodProgress } from "../operator/PodProgress.ts"
import { type Source, Watched } from "../operator/Watched.ts"
import * as Reconciler from "../operator/Reconciler.ts"
import * as TopicSelection from "../backup/TopicSelection.ts"
import * as ManifestParser from "../resource/ManifestParser.ts"
import { Secrets } from "../secrets/MountedSecrets.ts"
import { InMemoryObjectStores, type InMemoryStore } from "../storage/InMemoryObjectStore.ts"
import { ObjectStores } from "../storage/ObjectStore.ts"
import * as OperatorMetrics from "../telemetry/OperatorMetrics.ts"
import * as Kubectl from "./Kubectl.ts"
import { MemorySecrets } from "./MemorySecrets.ts"
import * as MemoryStores from "./MemoryStores.ts"
import * as RealStores from "./RealStores.ts"
import { WorkerPods } from "./WorkerPods.ts"

/** One operator process of the harness. */
export interface Replica {
  readonly name: string
  /** Stops it cleanly, as SIGTERM does. */
  readonly stop: Effect.Effect<void>
  /** Its metrics, as a scrape reads them. */
  readonly metrics: Effect.Effect<string>
  /** Its answer to `/readyz`. */
  readonly ready: Effect.Effect<ProbeAnswer>
  /** The resources that it watches; none while it stands by. */
  readonly watched: Effect.Effect<ReadonlyArray<Source>>
}

/** Stores outside of memory, for a harness whose backups outlive it. */
export interface RealStorage {
  readonly stores: ObjectStores["Service"]
  /** Absolute path of the directory with one folder per claim. */
  readonly volumes: string
  /** Least real milliseconds per virtual second while a pod works, so that slow machines keep up. Default 0. */
  readonly paceMillis?: number
}

/** What a KafkaBackup would back up now. */
export interface SelectedTopics extends TopicSelection.TopicSelection {
  /** Topics that the spec names and the cluster does not have or show: a run would fail for them. */
  readonly missing: ReadonlyArray<string>
}

/** The whole operator, with a Kubernetes cluster, Kafka and object storage in memory. */
export class OperatorHarness extends Context.Service<
  OperatorHarness,
  {
    readonly kubernetes: InMemoryKubernetesShape
    /** kubectl for the namespace `kafka-backup`. */
    readonly kubectl: Kubectl.Kubectl
    /** Starts an operator process with a client of its own; with `elect` the replicas elect a leader. */
    readonly start: (options?: {
      readonly name?: string
      readonly elect?: boolean
      readonly settings?: Partial<Reconciler.Settings>
    }) => Effect.Effect<Replica>
    /** The Kafka cluster behind a bootstrap server. */
    readonly kafka: (bootstrapServer: string) => Effect.Effect<InMemoryCluster>
    /**
     * The store of a bucket, container or claim, by `MemoryStores.nameOf`: `s3:bucket/prefix`, `pvc:claim/sub/path`.
     */
    readonly store: (name: string) => Effect.Effect<InMemoryStore>
    /** The store that a KafkaBackup names. */
    readonly storeOf: (name: string) => Effect.Effect<InMemoryStore, HarnessError>
    /** What a KafkaBackup would back up now. */
    readonly selects: (name: string) => Effect.Effect<SelectedTopics, HarnessError>
    readonly secrets: MemorySecrets["Service"]
    /** Moves the TestClock, and lets everything happen that is due in that time. */
    readonly advance: (duration: Duration.Input) => Effect.Effect<void>
  }
>()("kafka-backup/testing/OperatorHarness") {
  static readonly layer: Layer.Layer<OperatorHarness> = Layer.suspend(() => inMemory)
  /** Kubernetes and Kafka in memory, but storage outside of it, which `store` and `storeOf` do not give access to. */
  static readonly layerOn = (storage: RealStorage): Layer.Layer<OperatorHarness> => onStorage(storage)
}

/** Why `storeOf` or `selects` fails: the resource is missing or invalid, or its cluster or Secret is missing. */
export type HarnessError = Effect.Error<ReturnType<ReturnType<typeof questions>["selects"]>>

export const namespace = "kafka-backup"

/** Steps of virtual time while pods work, in milliseconds: short, so that their timers fire on time. */
const workingStepMillis = 1_000
const idleStepMillis = 30_000

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const realPause = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis))

/** Claims' directory of a harness whose storage is in memory; it does not exist. */
const noVolumes = "/volumes"

interface Ground {
  readonly volumes: string
  readonly paceMillis: number
  readonly callsOut: () => number
}

const inMemoryGround: Ground = { volumes: noVolumes, paceMillis: 0, callsOut: () => 0 }

/** Questions about a resource that the ports answer. */
const questions = (
  kubectl: Kubectl.Kubectl,
  stores: InMemoryObjectStores["Service"],
  services: Context.Context<KafkaSources | Secrets>
) => {
  const backupOf = Effect.fnUntraced(function* (name: string) {
    return yield* Effect.fromResult(ManifestParser.fromServer(yield* kubectl.get(name)))
  })
  return {
    storeOf: Effect.fnUntraced(function* (name: string) {
      const { spec } = yield* backupOf(name)
      const target = yield* Effect.provideContext(Connections.storage(spec.storage, noVolumes), services)
      return yield* stores.named(MemoryStores.nameOf(target))
    }),
    selects: Effect.fnUntraced(
      function* (name: string) {
        const { spec } = yield* backupOf(name)
        const target = yield* Connections.kafka(spec.kafkaCluster)
        const source = yield* (yield* KafkaSources).open(target)
        const { topics } = yield* source.cluster
        const visible = new Set(topics.map((topic) => topic.name))
        return {
          ...TopicSelection.select(spec.topics, spec.excludeTopics, topics),
          missing: TopicSelection.literals(spec.topics, spec.excludeTopics).filter((topic) => !visible.has(topic))
        } satisfies SelectedTopics
      },
      Effect.scoped,
      Effect.provideContext(services)
    )
  }
}

const make = Effect.fnUntraced(function* ({ callsOut, paceMillis }: Ground) {
  const kubernetes = yield* InMemoryKubernetes
  const kafka = yield* InMemoryKafka
  const stores = yield* InMemoryObjectStores
  const pods = yield* WorkerPods
  const progress = yield* PodProgress
  const secrets = yield* MemorySecrets
  const services = yield* Effect.context<KafkaSources | Secrets>()
  const scope = yield* Effect.scope
  const kubectl = Kubectl.make(kubernetes.behind, namespace, secrets)
  let started = 0

  yield* kubernetes.node.run(pods.run)

  /**
   * Gives real work, such as compression, time to proceed; more of it while pods work. From the end of a pod to the
   * status that tells of it the operator needs more than six turns.
   */
  const settle = Effect.promise(async () => {
    for (let quiet = 0, turns = 0; quiet < 12 && turns < 10_000; turns++) {
      if (callsOut() > 0) {
        await realPause(1)
        quiet = 0
      } else {
        await turn()
        quiet = pods.active() === 0 ? quiet + 1 : quiet + 0.3
      }
    }
  })

  return OperatorHarness.of({
    kubernetes,
    kubectl,
    secrets,
    ...questions(kubectl, stores, services),
    kafka: (bootstrapServer) => kafka.cluster(bootstrapServer),
    store: stores.named,
    start: Effect.fnUntraced(function* ({ elect = false, name = `operator-${++started}`, settings = {} } = {}) {
      const own = yield* Scope.fork(scope)
      const client = yield* kubernetes.client(name)
      const operator = Operator.layer({
        ...Reconciler.defaults,
        jobs: { image: "kafka-backup:test" },
        ...settings,
        instance: name,
        ...(elect ? { election: { namespace, name: "kafka-backup-operator", identity: name } } : {})
      }).pipe(
        Layer.provideMerge(OperatorMetrics.layer("test")),
        Layer.provide(Layer.mergeAll(Layer.succeed(KubernetesApi, client), Layer.succeed(PodProgress, progress)))
      )
      const context = yield* Layer.buildWithScope(operator, own)
      return {
        name,
        stop: Scope.close(own, Exit.void),
        metrics: Context.get(context, OperatorMetrics.OperatorMetrics).text,
        ready: Context.get(context, Health).ready,
        watched: Context.get(context, Watched).sources
      }
    }),
    advance: Effect.fnUntraced(function* (duration) {
      yield* settle
      for (let left = Duration.toMillis(duration); left > 0;) {
        const isWorking = pods.active() > 0
        const step = Math.min(left, isWorking ? workingStepMillis : idleStepMillis)
        left -= step
        yield* TestClock.adjust(step)
        if (isWorking && paceMillis > 0) yield* Effect.promise(() => realPause((paceMillis * step) / workingStepMillis))
        yield* settle
      }
    })
  })
})

const on = (ground: Ground) =>
  Layer.effect(OperatorHarness, make(ground)).pipe(
    Layer.provide(WorkerPods.layer(ground.volumes)),
    Layer.provide(Layer.mergeAll(InMemoryKubernetes.layer, InMemoryKafka.layer, MemorySecrets.layer))
  )

const inMemory: Layer.Layer<OperatorHarness> = on(inMemoryGround).pipe(Layer.provide(MemoryStores.layer))

const onStorage = ({ paceMillis = 0, stores, volumes }: RealStorage): Layer.Layer<OperatorHarness> =>
  Layer.suspend(() => {
    const real = RealStores.counting(stores)
    return on({ volumes, paceMillis, callsOut: real.callsOut }).pipe(
      Layer.provide(Layer.mergeAll(Layer.succeed(ObjectStores, real.stores), InMemoryObjectStores.layer))
    )
  })
