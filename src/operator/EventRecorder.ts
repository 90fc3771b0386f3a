import { Clock, Context, Deferred, Effect, Layer, Queue, Random, Schedule } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { Event } from "../kubernetes/Objects.ts"
import * as KafkaBackup from "../resource/KafkaBackup.ts"
import { OperatorMetrics } from "../telemetry/OperatorMetrics.ts"
import type { DroppedEvent } from "../telemetry/OperatorReport.ts"
import * as EventCorrelation from "./EventCorrelation.ts"
import { cutNote } from "./EventNote.ts"

/** Who says so, in every Event: users select by it. */
export const reportingController = `${KafkaBackup.group}/kafka-backup-operator` as const

/** Remarks that wait to be written. */
const queueCapacity = 1000

/** How long `settled` waits. */
const patience = "2 seconds"

/** How often counts of series are brought up to date that no token was left for. */
const sweepEvery = "30 seconds"

/** What to tell the users of one resource. */
export class EventRecorder extends Context.Service<
  EventRecorder,
  {
    /**
     * Tells the resource's users by a Kubernetes Event. Returns at once and never fails: written in the background, the same
     * remark within ten minutes as one series, notes cut to 1 KiB. A remark that cannot be written is counted and forgotten.
     */
    readonly emit: (regarding: EventCorrelation.Regarding, remark: EventCorrelation.Remark) => Effect.Effect<void>
    /**
     * Waits until everything that was emitted before is written or given up, yet no longer than two seconds: who then remembers
     * that it was said does not forget to say it by dying in between.
     */
    readonly settled: Effect.Effect<void>
  }
>()("kafka-backup/operator/EventRecorder") {}

/** Whoever waits for all that stands before it in the queue. */
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

/** Twice more, and not for long: those behind wait. */
const again = { schedule: Schedule.exponential("500 millis"), times: 2 }

const make = Effect.fnUntraced(function* (instance: string) {
  const api = yield* KubernetesApi
  const metrics = yield* OperatorMetrics
  const queue = yield* Queue.dropping<Queued | Waiter>(queueCapacity)
  const memory = EventCorrelation.emptyMemory()
  // Two replicas may name an Event in the same millisecond.
  let serial = yield* Random.nextIntBetween(0, 2 ** 24)
  /** Reasons of failure that were logged since an Event was written last. */
  const told = new Set<string>()

  /** One line for each kind of failure until it is over, not one for each Event. */
  const notWritten = Effect.fnUntraced(function* (error: KubernetesError) {
    const { reason } = error
    // Nothing can be created there any more, and nobody will read it.
    const isExpected = reason._tag === "Forbidden" && reason.isNamespaceTerminating
    const dropped: DroppedEvent = reason._tag === "Forbidden" ? "denied" : "failed"
    yield* metrics.eventsDropped(dropped)
    if (isExpected || told.has(reason._tag)) return
    told.add(reason._tag)
    yield* Effect.logWarning("Events cannot be written; backups go on, their Events are missing").pipe(
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
      .pipe(Effect.retry({ ...again, while: (error) => error.isRetryable }))

  const create = Effect.fnUntraced(function* (queued: Queued) {
    const { atMillis, regarding, remark } = queued
    const name = `${regarding.name}.${atMillis.toString(16)}-${(serial++).toString(16)}`
    const written = api.create(Kind.events, toEvent(queued, name, instance)).pipe(
      Effect.retry({ ...again, while: (error) => error.isRetryable }),
      // Of an attempt of ours whose answer was lost.
      Effect.catchIf(hasReason("AlreadyExists"), () => Effect.void)
    )
    yield* written
    told.clear()
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
            // Its time was up, or somebody deleted it.
            Effect.catchIf(hasReason("NotFound"), () => {
              EventCorrelation.vanished(memory, regarding, remark)
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
      // One odd remark must not silence all that come after it.
      Effect.catchDefect((defect) => Effect.logError("writing an Event failed for a reason of our own", defect)),
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
      const { name, namespace, uid } = regarding
      const atMillis = yield* Clock.currentTimeMillis
      const cut = { ...remark, note: cutNote(remark.note) }
      const queued = { _tag: "Queued", regarding: { name, namespace, uid }, remark: cut, atMillis } as const
      const isTaken = yield* Queue.offer(queue, queued)
      if (!isTaken) yield* metrics.eventsDropped("queue_full")
    }),
    settled: Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      // With a full queue nobody waits: what is emitted now is not written either.
      if (!(yield* Queue.offer(queue, { _tag: "Waiter", reached }))) return
      yield* Effect.timeoutOption(Deferred.await(reached), patience)
    })
  })
})

/** Writes Events in the name of `instance`, the pod, for as long as the scope lasts. */
export const layer = (instance: string): Layer.Layer<EventRecorder, never, KubernetesApi | OperatorMetrics> =>
  Layer.effect(EventRecorder, make(instance))
