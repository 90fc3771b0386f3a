import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { KubernetesApi } from "../../../src/kubernetes/KubernetesApi.ts"
import { KubernetesError, Unavailable } from "../../../src/kubernetes/KubernetesError.ts"
import type { Job, KubeObject } from "../../../src/kubernetes/Objects.ts"
import * as Caches from "../../../src/operator/Caches.ts"
import * as DrillJob from "../../../src/operator/drill/DrillJob.ts"
import * as DrillStep from "../../../src/operator/drill/DrillStep.ts"
import * as Observed from "../../../src/operator/Observed.ts"
import * as RunQueue from "../../../src/operator/RunQueue.ts"
import * as ManifestParser from "../../../src/resource/ManifestParser.ts"
import { quiet } from "../world.ts"
import { drilled } from "./world.ts"

const settings = { image: "kafka-backup:test" }
const nowMillis = Date.parse("2026-11-25T12:26:00Z")
const slot = { _tag: "Slot", slotMillis: Date.parse("2026-11-25T12:15:00Z") } as const
const resource: KubeObject = {
  ...drilled("shop"),
  metadata: {
    name: "shop",
    namespace: "kafka-backup",
    uid: "uid-1",
    generation: 1,
    creationTimestamp: "2026-11-25T11:50:00Z"
  }
}
const key = "kafka-backup/shop"
const full = { total: 1, ofNamespace: () => 0 }
const empty = { total: 0, ofNamespace: () => 0 }

const api = (over: Partial<(typeof KubernetesApi)["Service"]>) => {
  const none = () => Effect.die(new Error("no such request is expected"))
  return { ...Object.fromEntries(["create", "patch", "remove"].map((verb) => [verb, none])), ...over } as never
}

const take = (
  { caches = Caches.make(), drillQueue = RunQueue.make(1) },
  status: object,
  requests: Partial<(typeof KubernetesApi)["Service"]>
) =>
  DrillStep.take(
    {
      caches,
      queue: RunQueue.make(1),
      drillQueue,
      checkQueue: RunQueue.make(1),
      checkEveryMillis: undefined,
      settings
    },
    Observed.of(caches, { ...resource, status }, nowMillis)
  ).pipe(Effect.provideService(KubernetesApi, api(requests)), Effect.provide(quiet))

describe("the step of a reconcile that is about drills", () => {
  const active = { jobName: "shop-drill-1", cause: "schedule", startTime: "2026-11-25T12:15:00Z" }
  const reason = new Unavailable({ detail: "no answer" })
  for (const [what, get] of [
    ["is refused", () => Effect.fail(new KubernetesError({ request: "get jobs", reason }))],
    ["has a fault of its own", () => Effect.die(new Error("a fault"))]
  ] as const) {
    it.effect(`gives up its place where it ${what}: room that it cannot use wakes it only after its pause`, () =>
      Effect.gen(function* () {
        const drillQueue = RunQueue.make(1)
        drillQueue.ask(key, slot.slotMillis, full, nowMillis)
        assert.deepStrictEqual(drillQueue.next(empty), [key])
        const result = yield* take({ drillQueue }, { drill: { active } }, { get })
        assert.strictEqual(result.observation._tag, "Unchanged")
        assert.strictEqual(result.millis, 30_000)
        assert.deepStrictEqual(drillQueue.next(empty), [])
      })
    )
  }

  const neverStarted = (deletionTimestamp: string | undefined): Job => {
    const backup = Result.getOrThrow(ManifestParser.fromServer(resource))
    const { metadata, ...rest } = Result.getOrThrow(DrillJob.make(backup, slot, settings))
    const times = { creationTimestamp: "2026-11-25T12:15:00Z", ...(deletionTimestamp && { deletionTimestamp }) }
    return { ...rest, metadata: { ...metadata, uid: "job-1", ...times }, status: { startTime: "2026-11-25T12:15:00Z" } }
  }
  for (const [what, deletionTimestamp, millis] of [
    ["comes again at once after the end of a Job", undefined, 1000],
    ["waits for a Job that never started and is being deleted", "2026-11-25T12:25:30Z", 30_000]
  ] as const) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const caches = Caches.make()
        caches.learnJob(neverStarted(deletionTimestamp))
        const list = () => Effect.succeed({ items: [] } as never)
        const status = { drill: { observedSchedule: "15 * * * * in UTC", scheduledSince: "2026-11-25T11:50:00Z" } }
        const result = yield* take({ caches }, status, { list })
        assert.lengthOf(result.unreported, 1)
        assert.strictEqual(result.millis, millis)
      })
    )
  }
})
