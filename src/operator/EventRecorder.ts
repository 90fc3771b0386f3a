import { Clock, Context, Deferred, Effect, Layer, Queue, Random, Schedule } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { Event } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"
import * as KafkaBackup from "../resource/KafkaBackup.ts"
import { OperatorMetrics } from "../telemetry/OperatorMetrics.ts"
import type { DroppedEvent } from "../telemetry/OperatorReport.ts"
import * as EventCorrelation from "./EventCorrelation.ts"
import { maxNoteBytes } from "../status/Announcements.ts"
import * as Format from "../status/Format.ts"

/** The reporter in every Event: users select by it. */
export const reportingController = `${KafkaBackup.group}/kafka-backup-operator` as const

/** Most remarks that wait to be written. */
const queueCapacity = 1000

/** How long `settled` waits. */
const patience = "2 seconds"

/** How often the counts of series are written for which no token was left. */
const sweepEvery = "30 seconds"

/** Writes Kubernetes Events about resources. */
export class EventRecorder extends Context.Service<
  EventRecorder,
  {
    /**
     * Emits a Kubernetes Event about the resource. Returns at once and never fails: it is written in the background,
     * the same remark within ten minutes as one series, notes cut to 1 KiB. A remark that cannot be written is counted
     * and forgotten.
     */
    readonly emit: (regarding: EventCorrelation.Regarding, remark: EventCorrelation.Remark) => Effect.Effect<void>
    /**
     * Waits until everything that was emitted before is written or given up, but no longer than two seconds: a caller
     * that then records it as announced does not lose it by ending in between.
     */
    readonly settled: Effect.Effect<void>
  }
>()("kafka-backup/operator/EventRecorder") {}

/** Waits for everything before it in the queue. */
interface Waiter {
  readonly _tag: "Waiter"
  readonly reached: Deferred.Deferred<void>
}

interface Queued {
  readonly _tag: "Queued"
  readonly regarding: EventCorrelation.Regarding
  readonly remark: EventCorrelation.Remark
  readonly atMillis: number
}

/** RFC 3339 with six digits of the second. */
const microTime = (millis: number) => new Date(millis).toISOString().replace("Z", "000Z")

const toEvent = ({ atMillis, regarding, remark }: Queued, name: string, instance: string): Event => ({
  apiVersion: Kind.events.apiVersion,
  kind: Kind.events.kind,
  metadata: { name, namespace: regarding.namespace },
  eventTime: microTime(atMillis),
  reportingController,
  reportingInstance: instance.slice(0, 128),
  type: remark.type,
  reason: remark.reason,
  action: remark.action,
  note: remark.note,
  regarding: { apiVersion: KafkaBackup.apiVersion, kind: KafkaBackup.kind, ...regarding }
})

/** Two retries, and short ones: the Events behind wait. */
const retries = { schedule: Schedule.exponential("500 millis"), times: 2 }

const make = Effect.fnUntraced(function* (instance: string) {
  const api = yield* KubernetesApi
  const metrics = yield* OperatorMetrics
  const queue = yield* Queue.dropping<Queued | Waiter>(queueCapacity)
  const memory = EventCorrelation.emptyMemory()
  // Two replicas may name an Event in the same millisecond.
  let serial = yield* Random.nextIntBetween(0, 2 ** 24)
  /** Reasons of failure that were logged since an Event was last written. */
  const logged = new Set<string>()

  /** One line for each kind of failure until it is over, not one for each Event. */
  const notWritten = Effect.fnUntraced(function* (error: KubernetesError) {
    const { reason } = error
    // Nothing can be created in that namespace, and no one will read it.
    const isExpected = reason._tag === "Forbidden" && reason.isNamespaceTerminating
    const dropped: DroppedEvent = reason._tag === "Forbidden" ? "denied" : "failed"
    yield* metrics.eventsDropped(dropped)
    if (isExpected || logged.has(reason._tag)) return
    logged.add(reason._tag)
    yield* Effect.logWarning("Events cannot be written; backups and restores continue without them").pipe(
      Effect.annotateLogs({ error: error.message })
    )
  })

  const patch = ({
    count,
    eventName,
    lastMillis,
    namespace
  }: EventCorrelation.Decision & { readonly _tag: "Repeat" }) =>
    api
      .patch(
        Kind.events,
        { namespace, name: eventName },
        { series: { count, lastObservedTime: microTime(lastMillis) } }
      )
      .pipe(Effect.retry({ ...retries, while: (error) => error.isRetryable }))

  const create = Effect.fnUntraced(function* (queued: Queued) {
    const { atMillis, regarding, remark } = queued
    const name = `${regarding.name}.${atMillis.toString(16)}-${(serial++).toString(16)}`
    const written = api.create(Kind.events, toEvent(queued, name, instance)).pipe(
      Effect.retry({ ...retries, while: (error) => error.isRetryable }),
      // An earlier attempt created it, and its answer was lost.
      Effect.catchIf(hasReason("AlreadyExists"), () => Effect.void)
    )
    yield* written
    logged.clear()
    EventCorrelation.created(memory, regarding, remark, name, atMillis)
  })

  const write = (queued: Queued) =>
    Effect.suspend(() => {
      const { atMillis, regarding, remark } = queued
      const decision = EventCorrelation.decide(memory, regarding, remark, atMillis)
      switch (decision._tag) {
        case "Create":
          return create(queued)
        case "Repeat":
          return patch(decision).pipe(
            Effect.asVoid,
            // It has expired, or was deleted.
            Effect.catchIf(hasReason("NotFound"), () => {
              EventCorrelation.forget(memory, regarding, remark)
              return create(queued)
            })
          )
        case "Counted":
          return Effect.void
        case "RateLimited":
          return metrics.eventsDropped("rate_limited")
      }
    }).pipe(Effect.catch(notWritten))

  const sweep = Effect.gen(function* () {
    for (const series of EventCorrelation.unwritten(memory, yield* Clock.currentTimeMillis)) {
      yield* patch(series).pipe(
        Effect.asVoid,
        Effect.catchIf(hasReason("NotFound"), () => Effect.void),
        Effect.catch(notWritten)
      )
    }
  })

  const forever = <A>(work: Effect.Effect<A>) =>
    work.pipe(
      // One odd remark must not silence all that follow.
      Effect.catchDefect((defect) =>
        Effect.logError("internal error while writing an Event (please report it)", defect)
      ),
      Effect.forever,
      Effect.forkScoped
    )
  yield* forever(
    Effect.flatMap(Queue.take(queue), (next) =>
      next._tag === "Queued" ? write(next) : Effect.asVoid(Deferred.succeed(next.reached, undefined))
    )
  )
  yield* forever(Effect.andThen(Effect.sleep(sweepEvery), sweep))

  return EventRecorder.of({
    emit: Effect.fnUntraced(function* (regarding, remark) {
      const { kind, name, namespace, uid } = regarding
      const atMillis = yield* Clock.currentTimeMillis
      const cut = { ...remark, note: Format.cut(remark.note, maxNoteBytes) }
      const queued = {
        _tag: "Queued",
        regarding: given({ kind, name, namespace, uid }),
        remark: cut,
        atMillis
      } as const
      const isTaken = yield* Queue.offer(queue, queued)
      if (!isTaken) yield* metrics.eventsDropped("queue_full")
    }),
    settled: Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      // Do not wait for a full queue: what is emitted now is not written either.
      if (!(yield* Queue.offer(queue, { _tag: "Waiter", reached }))) return
      yield* Effect.timeoutOption(Deferred.await(reached), patience)
    })
  })
})

/** Writes Events in the name of `instance`, the pod, for as long as the scope lasts. */
export const layer = (instance: string): Layer.Layer<EventRecorder, never, KubernetesApi | OperatorMetrics> =>
  Layer.effect(EventRecorder, make(instance))
