import { Clock, Context, Effect, Layer, type Option, Stream } from "effect"
import { kafkaBackups, kafkaOffsetResets, kafkaOffsetRollbacks, kafkaRestores, type Kind } from "./Kind.ts"
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
  /** Direct access to the same objects: never disturbed, never in `calls`. */
  readonly behind: KubernetesApiShape
  /** One more client, for a second or a restarted operator. The layer's `KubernetesApi` is the client `operator`. */
  readonly client: (name: string) => Effect.Effect<KubernetesApiShape>
  /** Scripts a fault for requests of clients; scripted faults add up. */
  readonly disturb: (fault: Faults.Fault & Faults.Occasion) => Effect.Effect<void>
  /** Calls `plan` before every request of a client from now on. */
  readonly plan: (plan: Faults.Plan) => Effect.Effect<void>
  /** Removes all scripted faults; crashed clients stay crashed. */
  readonly calm: Effect.Effect<void>
  /** Crashed clients can send requests again. */
  readonly revive: Effect.Effect<void>
  /** Every request of a client so far. */
  readonly calls: Effect.Effect<ReadonlyArray<Faults.Call>>
  readonly forgetCalls: Effect.Effect<void>
  /**
   * Replaces the admission rule for writes of this kind. At first KafkaBackups and KafkaRestores are checked against
   * their CRDs.
   */
  readonly admit: (kind: Kind, admission: ApiServer.Admission) => Effect.Effect<void>
  /** Removes the kind from the server; its objects come back with `install`. */
  readonly uninstall: (kind: Kind) => Effect.Effect<void>
  readonly install: (kind: Kind) => Effect.Effect<void>
  /** Marks the namespace as terminating and keeps its objects. `behind.remove(namespaces, …)` deletes them too. */
  readonly terminate: (namespace: string) => Effect.Effect<void>
  /** Holds back the deltas of this kind, or of every kind: caches get stale. */
  readonly holdWatches: (kind?: Kind) => Effect.Effect<void>
  /** Delivers the first `count` held deltas to each watch; without `count` all of them, and stops holding. */
  readonly releaseWatches: (count?: number) => Effect.Effect<void>
  /** Loses history (410): held deltas are dropped, and each watch starts again with a snapshot. */
  readonly relistWatches: (kind?: Kind) => Effect.Effect<void>
  /** Waits until `isWanted` holds for the object (`undefined`: not there) and returns it. Does not move a TestClock. */
  readonly until: <A extends KubeObject>(
    kind: Kind<A>,
    ref: ObjectRef,
    isWanted: (object: A | undefined) => boolean
  ) => Effect.Effect<A | undefined>
  /**
   * Waits until nothing more happens at this instant of the Clock: no request and no change for 50 turns. For tests,
   * before and after they move a TestClock.
   */
  readonly settled: Effect.Effect<void>
  /** Where pods run. */
  readonly node: Node.Node
}

/** A Kubernetes cluster in memory: API server, garbage collector, Job controller and one node, all under the Clock. */
export class InMemoryKubernetes extends Context.Service<InMemoryKubernetes, InMemoryKubernetesShape>()(
  "kafka-backup/kubernetes/InMemoryKubernetes"
) {
  /** Also the `KubernetesApi` of its first client, `operator`. */
  static readonly layer: Layer.Layer<InMemoryKubernetes | KubernetesApi> = Layer.effectContext(
    Effect.gen(function* () {
      const server = ApiServer.make()
      server.admissions.set(kafkaBackups.plural, CrdAdmission.kafkaBackup)
      server.admissions.set(kafkaRestores.plural, CrdAdmission.kafkaRestore)
      server.admissions.set(kafkaOffsetResets.plural, CrdAdmission.ofOffsets("KafkaOffsetReset"))
      server.admissions.set(kafkaOffsetRollbacks.plural, CrdAdmission.ofOffsets("KafkaOffsetRollback"))
      const watches = Watches.make()
      server.table.onChange(watches.publish)
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
        behind.watch(kind, { namespace, fieldSelector: `metadata.name=${name}` }).pipe(
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
        uninstall: ({ apiVersion, plural }) => Effect.sync(() => void server.missing.add(`${apiVersion}/${plural}`)),
        install: ({ apiVersion, plural }) => Effect.sync(() => void server.missing.delete(`${apiVersion}/${plural}`)),
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
