import { Clock, Context, Effect, Layer, type Option, Stream } from "effect"
import { kafkaBackups, type Kind } from "./Kind.ts"
import { KubernetesApi, type KubernetesApiShape, type ObjectRef } from "./KubernetesApi.ts"
import * as ApiServer from "./memory/ApiServer.ts"
import * as Client from "./memory/Client.ts"
import * as CrdAdmission from "./memory/CrdAdmission.ts"
import * as Faults from "./memory/Faults.ts"
import * as JobController from "./memory/JobController.ts"
import * as Node from "./memory/Node.ts"
import * as Watches from "./memory/Watches.ts"
import type { KubeObject } from "./Objects.ts"

export interface InMemoryKubernetesShape {
  /** The same objects as everybody else sees and changes them: never disturbed, never in `calls`. */
  readonly behind: KubernetesApiShape
  /** A further client of its own, for a second operator or one that was started again. The layer's `KubernetesApi` is `operator`. */
  readonly client: (name: string) => Effect.Effect<KubernetesApiShape>
  /** Lets a fault meet requests of clients; scripted ones add up. */
  readonly disturb: (fault: Faults.Fault & Faults.Occasion) => Effect.Effect<void>
  /** Asks `plan` before every request of a client from now on. */
  readonly plan: (plan: Faults.Plan) => Effect.Effect<void>
  /** No scripted fault meets anything any more; clients that crashed stay so. */
  readonly calm: Effect.Effect<void>
  /** Clients that crashed can send requests again. */
  readonly revive: Effect.Effect<void>
  /** Every request of a client so far. */
  readonly calls: Effect.Effect<ReadonlyArray<Faults.Call>>
  readonly forgetCalls: Effect.Effect<void>
  /** Decides over every object of the kind that is written, in place of what did before. At first KafkaBackups obey their CRD. */
  readonly admit: (kind: Kind, admission: ApiServer.Admission) => Effect.Effect<void>
  /** The server does not know the kind any more; its objects come back with it. */
  readonly uninstall: (kind: Kind) => Effect.Effect<void>
  readonly install: (kind: Kind) => Effect.Effect<void>
  /** Marks the namespace as being deleted and leaves what is in it. `behind.remove(namespaces, …)` empties it too. */
  readonly terminate: (namespace: string) => Effect.Effect<void>
  /** What watches would tell of this kind, or of every kind, waits: caches get old. */
  readonly holdWatches: (kind?: Kind) => Effect.Effect<void>
  /** Tells each watch the first `count` changes that wait; without `count` all of them, and holds no longer. */
  readonly releaseWatches: (count?: number) => Effect.Effect<void>
  /** History is lost (410): what waits is dropped, and each watch begins anew with a snapshot. */
  readonly relistWatches: (kind?: Kind) => Effect.Effect<void>
  /** Waits until the object, `undefined` when it is not there, is as wanted, and answers it. Does not move a TestClock. */
  readonly until: <A extends KubeObject>(
    kind: Kind<A>,
    place: ObjectRef,
    isWanted: (object: A | undefined) => boolean
  ) => Effect.Effect<A | undefined>
  /**
   * Waits until nothing happens any more at this instant of the Clock: no request and no change for a while of turns. For tests,
   * before and after they move a TestClock.
   */
  readonly settled: Effect.Effect<void>
  /** Where pods run. */
  readonly node: Node.Node
}

/** A Kubernetes cluster in this process's memory: API server, garbage collector, Job controller and one node, all under the Clock. */
export class InMemoryKubernetes extends Context.Service<InMemoryKubernetes, InMemoryKubernetesShape>()(
  "kafka-backup/kubernetes/InMemoryKubernetes"
) {
  /** Also the `KubernetesApi` of its first client, `operator`. */
  static readonly layer: Layer.Layer<InMemoryKubernetes | KubernetesApi> = Layer.effectContext(
    Effect.gen(function* () {
      const server = ApiServer.make()
      server.admissions.set(kafkaBackups.plural, CrdAdmission.kafkaBackup)
      const watches = Watches.make()
      server.table.onChange(watches.tell)
      const traffic: Client.Traffic = {
        calls: [],
        script: Faults.make(),
        dead: new Set(),
        scope: yield* Effect.scope
      }
      const behind = Client.make({ server, watches, client: "behind", manager: "kubectl" })
      const client = (name: string) =>
        Effect.sync(() => Client.make({ server, watches, client: name, manager: "kafka-backup-operator", traffic }))
      const node = yield* Node.make(server, behind)
      yield* JobController.make(server, behind)

      const settled = Effect.gen(function* () {
        const now = () => `${server.table.version()} ${traffic.calls.length}`
        let [seen, quietTurns] = [now(), 0]
        while (quietTurns < 50) {
          yield* Effect.yieldNow
          quietTurns = now() === seen ? quietTurns + 1 : 0
          seen = now()
        }
      })

      const until: InMemoryKubernetesShape["until"] = (kind, { name, namespace }, isWanted) =>
        behind
          .watch(kind, { ...(namespace === undefined ? {} : { namespace }), fieldSelector: `metadata.name=${name}` })
          .pipe(
            Stream.map((delta) => ({
              object: delta._tag === "Snapshot" ? delta.items[0] : delta._tag === "Upsert" ? delta.object : undefined
            })),
            Stream.filter(({ object }) => isWanted(object)),
            Stream.runHead,
            Effect.map(
              (found) => (found as Option.Some<{ readonly object: KubeObject | undefined }>).value.object as never
            )
          )

      const memory = InMemoryKubernetes.of({
        behind,
        client,
        disturb: (fault) => Effect.sync(() => traffic.script.add(Faults.at(fault))),
        plan: (plan) => Effect.sync(() => traffic.script.add(plan)),
        calm: Effect.sync(() => traffic.script.clear()),
        revive: Effect.sync(() => traffic.dead.clear()),
        calls: Effect.sync(() => traffic.calls.slice()),
        forgetCalls: Effect.sync(() => void traffic.calls.splice(0)),
        admit: ({ plural }, admission) => Effect.sync(() => void server.admissions.set(plural, admission)),
        uninstall: ({ plural }) => Effect.sync(() => void server.missing.add(plural)),
        install: ({ plural }) => Effect.sync(() => void server.missing.delete(plural)),
        terminate: (namespace) => Effect.map(Clock.currentTimeMillis, (now) => server.terminate(namespace, now)),
        holdWatches: (kind) => Effect.sync(() => watches.hold(kind)),
        releaseWatches: (count) => Effect.sync(() => watches.release(count)),
        relistWatches: (kind) => Effect.sync(() => watches.relist(kind)),
        until,
        settled,
        node
      })
      return Context.make(InMemoryKubernetes, memory).pipe(Context.add(KubernetesApi, yield* client("operator")))
    })
  )
}
