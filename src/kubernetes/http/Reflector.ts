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

/** Changes that wait for the consumer; when it is full, the connection is not read any further. */
const bufferSize = 64

/** A connection that stood this long was a good one, even if nothing happened on it. */
const goodMillis = 30_000

/** A snapshot and all changes after it, across cuts, outages and lost history; it neither ends nor fails. */
export const watch = <A extends KubeObject>(
  requests: Requests,
  timings: Timings,
  kind: Kind<A>,
  selection: Selection
): Stream.Stream<Delta<A>> =>
  Stream.callback<Delta<A>>(
    (queue) => {
      const outage = Outage.make(`Watching ${kind.plural} ${Listing.subject(selection)}`)
      /** Where to go on; undefined: list first. */
      let version: string | undefined
      /** Attempts in a row that brought nothing. */
      let failures = 0

      const snapshot = Effect.suspend(() => {
        let others: Array<ObjectRef> = []
        const take = Effect.fnUntraced(function* ({ isFirst, items, next }: Listing.Leaf<A>) {
          if (isFirst) others = []
          if (next === undefined) return yield* Queue.offer(queue, { _tag: "Snapshot", items, others })
          for (const object of items) {
            const { name, namespace } = object.metadata
            others.push(namespace === undefined ? { name } : { namespace, name })
            yield* Queue.offer(queue, { _tag: "Upsert", object })
          }
          return true
        })
        return Effect.mapError(Listing.read(requests, kind, selection, take), (error) => ({ error }))
      })

      /** Lists where needed, and watches until the connection ends; says how long to wait before the next time. */
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
        yield* Effect.logDebug(`The watch of ${kind.plural} begins again: ${end.why}`)
        if (failures > 1) yield* outage.failed(end.why)
        return 0
      })

      const attempt = Effect.catch(round, (failed) => {
        failures++
        // When the kind is there again, what went with it is to be seen as gone.
        if (failed.error.reason._tag === "NotFound") version = undefined
        return Effect.as(outage.failed(failed.error.reason.detail), Retry.wishedMillis(failed))
      })

      return Effect.gen(function* () {
        const wished = yield* attempt
        const { firstDelayMillis, mostDelayMillis } = timings
        const backoff = Retry.delayMillis(failures, yield* Random.next, firstDelayMillis, mostDelayMillis)
        yield* Effect.sleep(Math.max(backoff, Math.min(wished, 2 * mostDelayMillis)))
      }).pipe(Effect.forever)
    },
    { bufferSize, strategy: "suspend" }
  )
