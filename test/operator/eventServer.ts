import { Effect, Layer } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import { KubernetesError, type KubernetesReason, NotFound } from "../../src/kubernetes/KubernetesError.ts"
import type { Event, KubeObject } from "../../src/kubernetes/Objects.ts"

/** An API server that knows Events only, and remembers what was asked. */
export const make = () => {
  const events = new Map<string, Event>()
  const asked: Array<string> = []
  const server = {
    events,
    asked,
    /** While set, every request fails so. */
    failure: undefined as KubernetesReason | undefined,
    /** While set, every request waits for it first. */
    gate: Effect.void as Effect.Effect<void>
  }
  const answer = <A>(request: string, give: () => Effect.Effect<A, KubernetesError>) =>
    Effect.suspend(() => {
      asked.push(request)
      return Effect.andThen(
        server.gate,
        Effect.suspend(() =>
          server.failure === undefined ? give() : Effect.fail(new KubernetesError({ request, reason: server.failure }))
        )
      )
    })
  const api = Layer.mock(KubernetesApi, {
    create: (kind, object) =>
      answer(`create ${kind.plural}`, () => {
        events.set(object.metadata.name, object as KubeObject as Event)
        return Effect.succeed(object)
      }),
    patch: (kind, { name }, patch) =>
      answer(`patch ${kind.plural}`, () => {
        const there = events.get(name)
        if (there === undefined) {
          const reason = new NotFound({ detail: "not found", isKindMissing: false })
          return Effect.fail(new KubernetesError({ request: `patch ${kind.plural} ${name}`, reason }))
        }
        const next = { ...there, ...patch }
        events.set(name, next)
        return Effect.succeed(next as KubeObject as never)
      })
  })
  return { ...server, server, api, kind: Kind.events }
}
