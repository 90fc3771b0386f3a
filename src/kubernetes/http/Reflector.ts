import { Clock, Effect, Queue, Random, Stream } from "effect"
import type { Kind } from "../Kind.ts"
import type { Delta, ObjectRef, Selection } from "../KubernetesApi.ts"
import type { KubeObject } from "../Objects.ts"
import * as Listing from "./Listing.ts"
import * as Outage from "./Outage.ts"
import type { Requests } from "./Requests.ts"
import * as Retry from "./Retry.ts"
import type { Timings } from "./Timings.ts"
import * as WatchSession from "./WatchSession.ts"

/** Deltas that wait for the consumer; when the buffer is full, the connection is not read further. */
const bufferSize = 64

/** A connection that lasted this long counts as good, even without events. */
const goodMillis = 30_000

/**
 * A snapshot and all changes after it, across broken connections, outages and lost history. Never ends, never fails.
 */
export const watch = <A extends KubeObject>(
  requests: Requests,
  timings: Timings,
  kind: Kind<A>,
  selection: Selection
): Stream.Stream<Delta<A>> =>
  Stream.callback<Delta<A>>(
    (queue) => {
      const outage = Outage.make(`watching ${kind.plural} ${Listing.subject(selection)}`)
      /** The version to continue from; undefined: list first. */
      let version: string | undefined
      /** Attempts in a row without progress. */
      let failures = 0

      const snapshot = Effect.suspend(() => {
        let others: Array<ObjectRef> = []
        const take = Effect.fnUntraced(function* ({ isFirst, items, next }: Listing.Leaf<A>) {
          if (isFirst) others = []
          if (next === undefined) return yield* Queue.offer(queue, { _tag: "Snapshot", items, others })
          for (const object of items) {
            const { name, namespace } = object.metadata
            others.push({ namespace, name })
            yield* Queue.offer(queue, { _tag: "Upsert", object })
          }
          return true
        })
        return Effect.mapError(Listing.read(requests, kind, selection, take), (error) => ({ error }))
      })

      /** Lists if needed, then watches until the connection ends. Returns the least wait before the next attempt. */
      const round = Effect.gen(function* () {
        const from = (version ??= yield* snapshot)
        let openedMillis = Number.POSITIVE_INFINITY
        const end = yield* WatchSession.run(requests, { kind, selection, idleMillis: timings.idleMillis }, from, {
          opened: Effect.flatMap(Clock.currentTimeMillis, (now) => {
            openedMillis = now
            return outage.works
          }),
          delta: (delta) => Queue.offer(queue, delta),
          reached: (reached) => {
            version = reached
            failures = 0
          }
        })
        if ((yield* Clock.currentTimeMillis) - openedMillis >= goodMillis) failures = 0
        failures++
        if (end._tag === "Lost") version = undefined
        yield* Effect.logDebug(`the watch of ${kind.plural} starts again: ${end.why}`)
        if (failures > 1) yield* outage.failed(end.why)
        return 0
      })

      const attempt = Effect.catch(round, (failed) => {
        failures++
        // When the kind is back, the objects that went with it must be reported as deleted.
        if (failed.error.reason._tag === "NotFound") version = undefined
        return Effect.as(outage.failed(failed.error.reason.detail), Retry.retryAfterMillis(failed))
      })

      return Effect.gen(function* () {
        const wait = yield* attempt
        const { firstDelayMillis, mostDelayMillis } = timings
        const backoff = Retry.delayMillis(failures, yield* Random.next, firstDelayMillis, mostDelayMillis)
        yield* Effect.sleep(Math.max(backoff, Math.min(wait, 2 * mostDelayMillis)))
      }).pipe(Effect.forever)
    },
    { bufferSize, strategy: "suspend" }
  )
