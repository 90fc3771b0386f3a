import { Clock, Deferred, Effect, Fiber, Stream } from "effect"
import type { RunRequest } from "../../../src/backup/RunRequest.ts"
import type { ObjectStoreShape } from "../../../src/storage/ObjectStore.ts"
import { attempt, dyingAt } from "../world.ts"
import * as PodClock from "./PodClock.ts"
import type { World } from "./World.ts"

/* A process at work on the store: with a clock of its own, which may die, or stand still while another one works. */

export interface Pod {
  readonly store: ObjectStoreShape
  readonly clock: Clock.Clock
}

/** One that nothing happens to. */
export const make = (world: World): Pod => ({
  store: world.store,
  clock: PodClock.make(world.time, world.skewMillis)
})

/** One that dies at its n-th call to the store. */
export const dying = (world: World, n: number, when: "before" | "after"): Pod => ({
  ...make(world),
  store: dyingAt(world.store, n, when).store
})

/** The clock of the pod counts for what it does. */
export const on = <A, E, R>({ clock }: Pod, work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(work, Clock.Clock, clock)

export const backup = (world: World, pod: Pod, request: RunRequest) =>
  on(
    pod,
    attempt(request, {
      store: pod.store,
      segmentBytes: world.segmentBytes,
      // Others are compressed by threads, whose order is not that of the seed.
      openPartitions: request.settings.compression === "lz4" ? 1 : 3
    })
  )

/** A store whose n-th call waits for `goOn`. */
const pausedAt = (
  store: ObjectStoreShape,
  n: number,
  reached: Deferred.Deferred<void>,
  goOn: Deferred.Deferred<void>
): ObjectStoreShape => {
  let calls = 0
  const met = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() =>
      ++calls === n
        ? Deferred.succeed(reached, undefined).pipe(Effect.andThen(Deferred.await(goOn)), Effect.andThen(call))
        : call
    )
  return {
    ...store,
    put: (key, pieces, options) => met(store.put(key, pieces, options)),
    get: (key) => met(store.get(key)),
    head: (key) => met(store.head(key)),
    delete: (key) => met(store.delete(key)),
    list: (prefix) => Stream.unwrap(met(Effect.succeed(store.list(prefix)))),
    read: (key) => Stream.unwrap(met(Effect.succeed(store.read(key)))),
    folders: Stream.unwrap(met(Effect.succeed(store.folders)))
  }
}

/**
 * Two processes at the same time: the first one stands still at its n-th call to the store until the second one has
 * ended, or waits for something. Neither's failure is one of the race.
 */
export const race = Effect.fnUntraced(function* <A, B, E, F, R, S>(
  world: World,
  n: number,
  first: (pod: Pod) => Effect.Effect<A, E, R>,
  second: (pod: Pod) => Effect.Effect<B, F, S>
) {
  const [reached, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  let isPaused = false
  const frozen = Effect.suspend(() => (isPaused ? Deferred.await(goOn) : Effect.void))
  const clock = PodClock.make(world.time, world.skewMillis, { frozen })
  const fiber = yield* Effect.forkChild(Effect.exit(first({ store: pausedAt(world.store, n, reached, goOn), clock })))
  yield* Effect.raceFirst(Deferred.await(reached), Effect.asVoid(Fiber.await(fiber)))
  isPaused = true
  const giveWay = Effect.suspend(() => {
    isPaused = false
    return Effect.andThen(Deferred.succeed(goOn, undefined), Fiber.await(fiber))
  })
  const exit = yield* Effect.exit(
    second({ store: world.store, clock: PodClock.make(world.time, world.skewMillis, { giveWay }) })
  )
  yield* giveWay
  return [yield* Fiber.join(fiber), exit] as const
})
