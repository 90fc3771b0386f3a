import { assert, beforeAll, it } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"
import * as HttpKubernetes from "../../src/kubernetes/HttpKubernetes.ts"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import type { Event } from "../../src/kubernetes/Objects.ts"
import * as EventRecorder from "../../src/operator/EventRecorder.ts"
import * as OperatorMetrics from "../../src/telemetry/OperatorMetrics.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"

const namespace = "event-recorder-test"

describeWith("apiserver", "Events on an API server", ({ apiserver }) => {
  beforeAll(async () => {
    const object = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } })
    await Kubectl.succeed(apiserver, ["apply", "--server-side", "-f", "-"], object)
  })

  const kubernetes = HttpKubernetes.layer({ source: { _tag: "File", path: apiserver.kubeconfig } })
  const recorder = EventRecorder.layer("kafka-backup-operator-0").pipe(
    Layer.provideMerge(Layer.mergeAll(kubernetes, OperatorMetrics.layer("1.2.3")))
  )
  const remark = { type: "Warning", reason: "JobRefused", action: "CreateJob", note: "€".repeat(1000) } as const

  /** Events about a resource, once there is what is waited for. */
  const until = (name: string, isThere: (events: ReadonlyArray<Event>) => boolean) =>
    Effect.gen(function* () {
      const api = yield* KubernetesApi
      const { items } = yield* api.list(Kind.events, { namespace, fieldSelector: `regarding.name=${name}` })
      return yield* isThere(items) ? Effect.succeed(items) : Effect.fail("not yet" as const)
    }).pipe(Effect.retry({ schedule: Schedule.spaced("100 millis"), while: (error) => error === "not yet" }))

  it.live("are accepted as they are, and what is said again becomes their series", () =>
    Effect.gen(function* () {
      const { emit } = yield* EventRecorder.EventRecorder
      const uid = crypto.randomUUID()
      const regarding = { namespace, name: `nightly-${uid}`, uid }
      yield* emit(regarding, remark)
      yield* emit(regarding, remark)
      yield* emit(regarding, remark)
      yield* emit(regarding, { ...remark, type: "Normal", reason: "BackupStarted", note: "Backup x started" })
      const events = yield* until(
        regarding.name,
        (all) => all.length === 2 && all.some(({ series }) => series?.count === 3)
      )
      const repeated = events.find(({ reason }) => reason === "JobRefused")!
      assert.strictEqual(Buffer.byteLength(repeated.note!), 1023)
      assert.strictEqual(repeated["reportingController"], EventRecorder.reportingController)
      const metrics = yield* (yield* OperatorMetrics.OperatorMetrics).text
      assert.notMatch(metrics, /events_dropped_total\{[^}]+\} [1-9]/)
    }).pipe(Effect.provide(recorder))
  )

  it.live("are shown by kubectl with the resource they are about", () =>
    Effect.gen(function* () {
      const { emit } = yield* EventRecorder.EventRecorder
      const uid = crypto.randomUUID()
      const regarding = { namespace, name: `hourly-${uid}`, uid }
      yield* emit(regarding, { ...remark, note: "no room for a Job" })
      yield* until(regarding.name, (all) => all.length === 1)
      const shown = yield* Effect.promise(() =>
        Kubectl.succeed(apiserver, [
          "events",
          `--namespace=${namespace}`,
          `--for=kafkabackup.kafka.oso.sh/${regarding.name}`
        ])
      )
      assert.match(shown, /Warning\s+JobRefused\s+KafkaBackup\/hourly-\S+\s+no room for a Job/)
    }).pipe(Effect.provide(recorder))
  )
})
