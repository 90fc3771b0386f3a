import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import { Forbidden, type KubernetesReason, Unavailable } from "../../src/kubernetes/KubernetesError.ts"
import type { Event } from "../../src/kubernetes/Objects.ts"
import type { Regarding, Remark } from "../../src/operator/EventCorrelation.ts"
import * as EventRecorder from "../../src/operator/EventRecorder.ts"
import type { DroppedEvent } from "../../src/telemetry/OperatorReport.ts"
import * as OperatorMetrics from "../../src/telemetry/OperatorMetrics.ts"
import * as EventServer from "./eventServer.ts"

const nightly: Regarding = { namespace: "orders", name: "nightly", uid: "u-1" }
const hourly: Regarding = { namespace: "orders", name: "hourly", uid: "u-2" }

const completed = (backupId: string): Remark => ({
  type: "Normal",
  reason: "BackupCompleted",
  action: "HarvestRun",
  note: `Backup ${backupId} is complete and verified`
})
const refused: Remark = { type: "Warning", reason: "QuotaExceeded", action: "StartRun", note: "no room for a Job" }

interface Stage {
  readonly emit: (remark: Remark, regarding?: Regarding) => Effect.Effect<void>
  /** Events of the server, in the order in which they were made. */
  readonly events: () => ReadonlyArray<Event>
  readonly asked: ReadonlyArray<string>
  readonly server: { failure: KubernetesReason | undefined; gate: Effect.Effect<void> }
  readonly eventNames: () => ReadonlyArray<string>
  readonly settled: Effect.Effect<void>
  readonly forgetEvents: () => void
  readonly dropped: Map<DroppedEvent, number>
  readonly logged: ReadonlyArray<string>
}

const test = (name: string, play: (stage: Stage) => Effect.Effect<void>) =>
  it.effect(name, () => {
    const { api, asked, events, server } = EventServer.make()
    const dropped = new Map<DroppedEvent, number>()
    const logged: Array<string> = []
    const metrics = Layer.mock(OperatorMetrics.OperatorMetrics, {
      eventsDropped: (reason, count = 1) =>
        Effect.sync(() => void dropped.set(reason, (dropped.get(reason) ?? 0) + count))
    })
    const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])
    return Effect.gen(function* () {
      const recorder = yield* EventRecorder.EventRecorder
      yield* play({
        emit: (remark, regarding = nightly) => recorder.emit(regarding, remark),
        settled: recorder.settled,
        events: () => [...events.values()],
        eventNames: () => [...events.keys()],
        forgetEvents: () => events.clear(),
        asked,
        server,
        dropped,
        logged
      })
    }).pipe(
      Effect.provide(
        EventRecorder.layer("kafka-backup-operator-5d4-abcde").pipe(
          Layer.provide([api, metrics]),
          Layer.provideMerge(logger)
        )
      )
    )
  })

/** Lets the background go on until it has nothing to do. */
const settle = Effect.repeat(Effect.yieldNow, { times: 5000 })

describe("EventRecorder", () => {
  test("writes an Event that names the resource, the controller, the action and the moment", ({ emit, events }) =>
    Effect.gen(function* () {
      yield* TestClock.adjust("250 millis")
      yield* emit(completed("nightly-20261125-120000"))
      yield* settle
      const [event] = events()
      assert.match(event!.metadata.name, /^nightly\.[0-9a-f]+-[0-9a-f]+$/)
      assert.deepStrictEqual(event, {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: { name: event!.metadata.name, namespace: "orders" },
        eventTime: "1970-01-01T00:00:00.250000Z",
        reportingController: "kafka.oso.sh/kafka-backup-operator",
        reportingInstance: "kafka-backup-operator-5d4-abcde",
        type: "Normal",
        reason: "BackupCompleted",
        action: "HarvestRun",
        note: "Backup nightly-20261125-120000 is complete and verified",
        regarding: {
          apiVersion: "kafka.oso.sh/v1alpha1",
          kind: "KafkaBackup",
          namespace: "orders",
          name: "nightly",
          uid: "u-1"
        }
      })
    }))

  test("cuts a note at a character so that 1 KiB holds it", ({ emit, events }) =>
    Effect.gen(function* () {
      for (const note of ["x".repeat(1024), "x".repeat(1025), `a${"€".repeat(500)}`, `ab${"😀".repeat(400)}`]) {
        yield* emit({ ...refused, note })
      }
      yield* settle
      const notes = events().map(({ note }) => note!)
      assert.deepStrictEqual(
        notes.map((note) => Buffer.byteLength(note)),
        [1024, 1024, 1 + 3 * 340 + 3, 2 + 4 * 254 + 3]
      )
      for (const note of notes) assert.isTrue(note.isWellFormed())
      assert.isTrue(notes.slice(1).every((note) => note.endsWith("…")))
    }))

  test("counts what is said again within ten minutes of the last time in the first Event", ({ emit, events }) =>
    Effect.gen(function* () {
      for (let times = 0; times < 3; times++) {
        yield* emit(refused)
        yield* settle
        yield* TestClock.adjust("9 minutes")
      }
      assert.lengthOf(events(), 1)
      assert.deepStrictEqual(events()[0]!.series, { count: 3, lastObservedTime: "1970-01-01T00:18:00.000000Z" })
    }))

  test("begins a new Event after ten minutes of silence", ({ emit, events }) =>
    Effect.gen(function* () {
      yield* emit(refused)
      yield* TestClock.adjust("601 seconds")
      yield* emit(refused)
      yield* settle
      assert.deepStrictEqual(
        events().map(({ series }) => series),
        [undefined, undefined]
      )
    }))

  test("takes remarks for the same that differ only in the instants they name", ({ emit, events }) =>
    Effect.gen(function* () {
      yield* emit({ ...refused, note: "tried at 2026-11-25T12:00:00Z, again at 2026-11-25T12:01:00Z" })
      yield* emit({ ...refused, note: "tried at 2026-11-25T12:01:00Z, again at 2026-11-25T12:03:00.5Z" })
      yield* settle
      assert.lengthOf(events(), 1)
      assert.strictEqual(events()[0]!.series?.count, 2)
    }))

  test("keeps apart what differs in resource, type, reason, action or words", ({ emit, events }) =>
    Effect.gen(function* () {
      yield* emit(refused)
      yield* emit(refused, hourly)
      yield* emit({ ...refused, type: "Normal" })
      yield* emit({ ...refused, reason: "Forbidden" })
      yield* emit({ ...refused, action: "Prune" })
      yield* emit(completed("nightly-20261125-120000"))
      yield* emit(completed("nightly-20261125-130000"))
      yield* settle
      assert.lengthOf(events(), 7)
      assert.isTrue(events().every(({ series }) => series === undefined))
    }))

  test("writes a new Event when the one of the series is gone", ({ emit, events, forgetEvents }) =>
    Effect.gen(function* () {
      yield* emit(refused)
      yield* settle
      forgetEvents()
      yield* emit(refused)
      yield* settle
      assert.lengthOf(events(), 1)
      assert.isUndefined(events()[0]!.series)
      yield* emit(refused)
      yield* settle
      assert.strictEqual(events()[0]!.series?.count, 2)
    }))

  test("lets no resource write more than 25 in a burst and one in 30 s, and others all the same", (stage) =>
    Effect.gen(function* () {
      const { dropped, emit, events } = stage
      for (let n = 0; n < 40; n++) yield* emit({ ...refused, note: `refusal number ${n}` })
      yield* emit(refused, hourly)
      yield* settle
      assert.lengthOf(events(), 26)
      assert.strictEqual(dropped.get("rate_limited"), 15)
      yield* TestClock.adjust("30 seconds")
      yield* emit({ ...refused, note: "refusal after half a minute" })
      yield* emit({ ...refused, note: "and one more" })
      yield* settle
      assert.lengthOf(events(), 27)
    }))

  test("loses no count of a series to the limit: it is written when there is room", ({ asked, emit, events }) =>
    Effect.gen(function* () {
      for (let n = 0; n < 500; n++) yield* emit(refused)
      yield* settle
      assert.lengthOf(asked, 25)
      assert.strictEqual(events()[0]!.series?.count, 25)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(events()[0]!.series?.count, 500)
      assert.isAtMost(asked.length, 27)
    }))

  test("never makes its caller wait, and drops what does not fit while the API server hangs", (stage) =>
    Effect.gen(function* () {
      const open = yield* Deferred.make<void>()
      stage.server.gate = Deferred.await(open)
      for (let n = 0; n < 1500; n++) {
        yield* stage.emit(refused, { ...nightly, name: `backup-${n}`, uid: `u-${n}` })
      }
      yield* settle
      assert.lengthOf(stage.events(), 0)
      // One may be under way besides those that wait.
      const dropped = stage.dropped.get("queue_full") ?? 0
      assert.include([499, 500], dropped)
      yield* Deferred.succeed(open, undefined)
      yield* settle
      assert.lengthOf(stage.events(), 1500 - dropped)
    }))

  test("has written what was emitted when it is settled", ({ emit, events, settled }) =>
    Effect.gen(function* () {
      yield* emit(refused)
      yield* emit(refused, { ...nightly, name: "other", uid: "u-other" })
      yield* settled
      assert.lengthOf(events(), 2)
    }))

  test("is waited for two seconds at most while the API server hangs", ({ emit, events, server, settled }) =>
    Effect.gen(function* () {
      server.gate = Effect.never
      yield* emit(refused)
      const waiting = yield* Effect.forkChild(settled)
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(waiting.pollUnsafe())
      assert.lengthOf(events(), 0)
    }))

  test("tries again what the server did not answer, and makes one Event of it", ({ emit, events, server }) =>
    Effect.gen(function* () {
      server.failure = new Unavailable({ detail: "connection refused" })
      yield* emit(refused)
      yield* settle
      server.failure = undefined
      yield* TestClock.adjust("1 second")
      assert.lengthOf(events(), 1)
    }))

  test("says once in the log that Events are refused, counts them, and goes on when they are allowed", (stage) =>
    Effect.gen(function* () {
      const forbidden = { detail: "events.events.k8s.io is forbidden", isNamespaceTerminating: false, isQuota: false }
      stage.server.failure = new Forbidden(forbidden)
      for (let n = 0; n < 5; n++) yield* stage.emit({ ...refused, note: `refusal number ${n}` })
      yield* settle
      assert.strictEqual(stage.dropped.get("denied"), 5)
      assert.lengthOf(stage.logged, 1)
      stage.server.failure = undefined
      yield* stage.emit(refused)
      yield* settle
      assert.lengthOf(stage.events(), 1)
      stage.server.failure = new Forbidden(forbidden)
      yield* stage.emit(completed("x"))
      yield* settle
      assert.lengthOf(stage.logged, 2)
    }))

  test("does not complain about a namespace that is being deleted", (stage) =>
    Effect.gen(function* () {
      stage.server.failure = new Forbidden({ detail: "terminating", isNamespaceTerminating: true, isQuota: false })
      yield* stage.emit(refused)
      yield* settle
      assert.strictEqual(stage.dropped.get("denied"), 1)
      assert.lengthOf(stage.logged, 0)
    }))

  test("gives up on a server that does not come back, with one line, and counts the Event", (stage) =>
    Effect.gen(function* () {
      stage.server.failure = new Unavailable({ detail: "connection refused" })
      yield* stage.emit(refused)
      yield* stage.emit(completed("x"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(stage.dropped.get("failed"), 2)
      assert.lengthOf(stage.asked, 6)
      assert.lengthOf(stage.logged, 1)
    }))
})
