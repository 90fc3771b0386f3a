import { Clock, Effect, Queue, Result, Schedule, type Scope, Stream } from "effect"
import type { Kind } from "../Kind.ts"
import type { Delta, KubernetesApiShape, Selection } from "../KubernetesApi.ts"
import { KubernetesError, Unavailable } from "../KubernetesError.ts"
import type { KubeObject } from "../Objects.ts"
import type { ApiServer } from "./ApiServer.ts"
import type { Call, Fault, Script, Verb } from "./Faults.ts"
import type { Outcome } from "./Outcome.ts"
import * as Selectors from "./Selectors.ts"
import type { Watches } from "./Watches.ts"

/** What a client's requests pass through before they reach the server. */
export interface Traffic {
  readonly calls: Array<Call>
  readonly script: Script
  /** Clients whose process has crashed. */
  readonly dead: Set<symbol>
  /** Owns the fibers that crashes start. */
  readonly scope: Scope.Scope
}

export interface ClientOptions {
  readonly server: ApiServer
  readonly watches: Watches
  readonly client: string
  /** Field manager of its applications. */
  readonly manager: string
  /** Without traffic requests are neither logged nor disturbed. */
  readonly traffic?: Traffic
}

/** Between two attempts to open a watch that the server refuses. */
const watchRetryMillis = 1000

type Request = Omit<Call, "index" | "client" | "atMillis" | "bytes">

const gone = (detail: string) => new Unavailable({ detail })

/** A client's view of the server: the port, with the scripted faults around each request. */
export const make = ({ client, manager, server, traffic, watches }: ClientOptions): KubernetesApiShape => {
  // Two processes of the same name are two clients.
  const process = Symbol(client)
  const errorOf = ({ kind, name, namespace, subresource, verb }: Request, reason: KubernetesError["reason"]) => {
    const subject = [namespace, name].filter((part) => part !== undefined).join("/")
    const request = [verb, subresource === undefined ? kind : `${kind}/${subresource}`, subject].join(" ").trimEnd()
    return new KubernetesError({ request, reason })
  }

  const crash = (traffic: Traffic, kill: Effect.Effect<unknown>) =>
    Effect.gen(function* () {
      traffic.dead.add(process)
      watches.closeAllOf(process)
      const killed = Effect.catchCause(kill, (cause) =>
        Effect.logError("the effect of a simulated crash failed", cause)
      )
      yield* Effect.forkIn(killed, traffic.scope)
      return yield* Effect.interruptible(Effect.never)
    })

  const suffer = (traffic: Traffic, request: Request, fault: Fault, moment: "before" | "after") => {
    switch (fault._tag) {
      case "Delay":
        return moment === "before" ? Effect.sleep(fault.duration) : Effect.void
      case "Fail":
        return moment === "before" ? Effect.fail(errorOf(request, fault.reason)) : Effect.void
      case "LoseAnswer":
        return moment === "after"
          ? Effect.fail(errorOf(request, gone("the connection broke before the answer")))
          : Effect.void
      case "Run":
        return fault.moment === moment ? Effect.orDie(fault.effect) : Effect.void
      case "Crash":
        return fault.moment === moment ? crash(traffic, fault.kill) : Effect.void
    }
  }

  const logged = (traffic: Traffic, request: Request, atMillis: number): Call => {
    const bytes = request.body === undefined ? 0 : Buffer.byteLength(JSON.stringify(request.body))
    const call: Call = { ...request, index: traffic.calls.length + 1, client, bytes, atMillis }
    traffic.calls.push(call)
    return call
  }

  const answered = <A>(
    request: Request,
    work: (nowMillis: number) => Outcome<A>
  ): Effect.Effect<A, KubernetesError> => {
    const answer = Effect.flatMap(Clock.currentTimeMillis, (nowMillis) =>
      Effect.fromResult(Result.mapError(work(nowMillis), (reason) => errorOf(request, reason)))
    )
    if (traffic === undefined) return answer
    const isDead = Effect.suspend(() =>
      traffic.dead.has(process) ? Effect.fail(errorOf(request, gone("this client has crashed"))) : Effect.void
    )
    return Effect.gen(function* () {
      yield* isDead
      const faults = traffic.script.met(logged(traffic, request, yield* Clock.currentTimeMillis))
      // As over a network, other fibers run while a request is under way.
      yield* Effect.yieldNow
      for (const fault of faults) yield* suffer(traffic, request, fault, "before")
      yield* isDead
      const result = yield* Effect.result(answer)
      for (const fault of faults) yield* suffer(traffic, request, fault, "after")
      return yield* Effect.fromResult(result)
    })
  }

  const request = (verb: Verb, kind: Kind, of: Partial<Request>): Request => ({ verb, kind: kind.plural, ...of })

  const about = (object: KubeObject) => ({
    namespace: object.metadata.namespace,
    name: object.metadata.name,
    body: object
  })

  const within = ({ namespace }: Selection) => ({ namespace })

  const watch = <A extends KubeObject>(kind: Kind<A>, selection: Selection): Stream.Stream<Delta<A>> => {
    const connected = Effect.gen(function* () {
      const deltas = yield* Queue.unbounded<Delta<A>>()
      const accepted = answered(request("watch", kind, within(selection)), () =>
        Result.flatMap(server.list(kind, selection), () => Selectors.matcher(kind, selection))
      )
      const retried = Effect.retry(accepted, { schedule: Schedule.spaced(watchRetryMillis) })
      const isMatch = yield* Effect.orDie(retried)
      const snapshot = () => server.table.all(kind).flatMap(({ object }) => (isMatch(object) ? [object] : []))
      // The kind's type parameter, given by the caller, is the type of its objects; the server has no types.
      const deliver = (delta: Delta<KubeObject>) => void Queue.offerUnsafe(deltas, delta as Delta<A>)
      const watcher = { kind, client: process, isMatch, snapshot, deliver }
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          deliver({ _tag: "Snapshot", items: snapshot() })
          watches.open(watcher)
        }),
        () => Effect.sync(() => watches.close(watcher))
      )
      return Stream.fromQueue(deltas)
    })
    return Stream.unwrap(connected)
  }

  const typed = <A extends KubeObject>(outcome: Outcome<KubeObject>) => outcome as Outcome<A>

  return {
    get: <A extends KubeObject>(kind: Kind<A>, ref: Parameters<KubernetesApiShape["get"]>[1]) =>
      answered(request("get", kind, ref), () => typed<A>(server.get(kind, ref))),
    list: <A extends KubeObject>(kind: Kind<A>, selection: Selection) =>
      answered(request("list", kind, within(selection)), () =>
        Result.map(server.list(kind, selection), (items) => ({
          items: items as ReadonlyArray<A>,
          resourceVersion: server.table.version()
        }))
      ),
    watch,
    create: <A extends KubeObject>(kind: Kind<A>, object: A) =>
      answered(request("create", kind, about(object)), (now) => typed<A>(server.create(kind, object, now))),
    apply: <A extends KubeObject>(kind: Kind<A>, object: KubeObject, subresource?: "status") =>
      answered(request("apply", kind, { ...about(object), ...(subresource && { subresource }) }), (now) =>
        typed<A>(server.apply(kind, object, subresource, manager, now))
      ),
    replace: <A extends KubeObject>(kind: Kind<A>, object: A) =>
      answered(request("replace", kind, about(object)), (now) => typed<A>(server.replace(kind, object, now))),
    patch: <A extends KubeObject>(
      kind: Kind<A>,
      ref: Parameters<KubernetesApiShape["get"]>[1],
      patch: Readonly<Record<string, unknown>>,
      subresource?: "status"
    ) =>
      answered(request("patch", kind, { ...ref, body: patch, ...(subresource && { subresource }) }), (now) =>
        typed<A>(server.patch(kind, ref, patch, subresource, now))
      ),
    remove: (kind, ref, options = {}) =>
      answered(request("remove", kind, ref), (now) => server.remove(kind, ref, options, now))
  }
}
