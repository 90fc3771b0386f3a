import { Context, Effect, Layer } from "effect"
import * as Address from "./http/Address.ts"
import * as Configuration from "./http/Configuration.ts"
import type { KubernetesConfigError, Source } from "./http/Configuration.ts"
import * as Connection from "./http/Connection.ts"
import * as Listing from "./http/Listing.ts"
import * as LogReading from "./http/LogReading.ts"
import * as Received from "./http/Received.ts"
import * as Reflector from "./http/Reflector.ts"
import { type Ask, failure, make as makeRequests, type Requests } from "./http/Requests.ts"
import { type Timings, usual } from "./http/Timings.ts"
import type { Kind } from "./Kind.ts"
import { KubernetesApi, type KubernetesApiShape, type ObjectRef } from "./KubernetesApi.ts"
import { Invalid, type KubernetesError, Unavailable } from "./KubernetesError.ts"
import type { KubeObject } from "./Objects.ts"
import { PodLogs } from "./PodLogs.ts"
import { RequestObserver } from "./RequestObserver.ts"
import { ServedSchemas } from "./ServedSchemas.ts"
import { given } from "../resource/Json.ts"

export { KubernetesConfigError, type Source } from "./http/Configuration.ts"

export interface Options {
  /** Default: the configuration that kubectl would use, else the pod's service account. */
  readonly source?: Source
  /** Sent with every request; appears in the API server's audit log. */
  readonly userAgent?: string
  /** Owner of the fields that are written. Default: the operator. */
  readonly fieldManager?: string
  readonly timings?: Partial<Timings>
}

/** Owner of the fields that the operator writes. Must never change: apply removes only fields of the same owner. */
const operatorsFields = "kafka-backup-operator"

type Write = Pick<Ask, "verb" | "method" | "query" | "body" | "contentType">

const methods = (requests: Requests, timings: Timings, fieldManager: string): KubernetesApiShape => {
  /** One request about one object; returns the object in the answer. */
  const about = <A extends KubeObject>(
    kind: Kind<A>,
    ref: ObjectRef,
    path: string,
    write: Write
  ): Effect.Effect<A, KubernetesError> => {
    const ask: Ask = { ...write, kind, subject: Address.shown(ref), path }
    const refusal = Address.refusal(kind, ref)
    if (refusal !== undefined) return Effect.fail(failure(ask, new Invalid({ detail: refusal })).error)
    return Effect.flatMap(requests.json(ask), (answer) => {
      const object = Received.object(kind, answer)
      return object === undefined
        ? Effect.fail(failure(ask, new Unavailable({ detail: `the answer is not a ${kind.kind}` })).error)
        : Effect.succeed(object)
    })
  }

  return {
    get: (kind, ref) => about(kind, ref, Address.object(kind, ref), { verb: "get", method: "GET" }),
    list: (kind, selection) => Listing.list(requests, kind, selection),
    watch: (kind, selection) => Reflector.watch(requests, timings, kind, selection),
    create: (kind, object) =>
      about(kind, object.metadata, Address.collection(kind, object.metadata.namespace), {
        verb: "create",
        method: "POST",
        query: { fieldManager },
        body: object
      }),
    apply: <A extends KubeObject>(kind: Kind<A>, object: KubeObject, subresource?: "status") =>
      about(kind, object.metadata, Address.object(kind, object.metadata, subresource), {
        verb: "apply",
        method: "PATCH",
        query: { fieldManager, force: "true" },
        body: object,
        // JSON is YAML.
        contentType: "application/apply-patch+yaml"
      }),
    replace: (kind, object) =>
      about(kind, object.metadata, Address.object(kind, object.metadata), {
        verb: "replace",
        method: "PUT",
        query: { fieldManager },
        body: object
      }),
    patch: (kind, ref, patch, subresource) =>
      about(kind, ref, Address.object(kind, ref, subresource), {
        verb: "patch",
        method: "PATCH",
        query: { fieldManager },
        body: patch,
        contentType: "application/merge-patch+json"
      }),
    remove: (kind, ref, { propagation, resourceVersion, uid } = {}) => {
      const ask: Ask = {
        verb: "remove",
        kind,
        subject: Address.shown(ref),
        method: "DELETE",
        path: Address.object(kind, ref),
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          preconditions:
            uid === undefined && resourceVersion === undefined ? undefined : given({ uid, resourceVersion }),
          propagationPolicy: propagation
        }
      }
      const refusal = Address.refusal(kind, ref)
      return refusal === undefined
        ? Effect.asVoid(requests.json(ask))
        : Effect.fail(failure(ask, new Invalid({ detail: refusal })).error)
    }
  }
}

/** For the names of a request that is about no object. */
const openApi: Kind = { apiVersion: "v3", kind: "OpenAPI", plural: "openapi", isNamespaced: false }

/** See `ServedSchemas`. */
const served = (requests: Requests) => (apiVersion: string) =>
  requests.json({
    verb: "get",
    kind: openApi,
    subject: apiVersion,
    method: "GET",
    path: `/openapi/v3/apis/${apiVersion}`
  })

/**
 * The real API server. Building the layer reads the configuration and sends no request. The `RequestObserver` below it
 * is called for every request. Beside the port it has the `ServedSchemas` of that server.
 */
export const layer = (options: Options = {}): Layer.Layer<KubernetesApi | PodLogs, KubernetesConfigError> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const timings = { ...usual, ...options.timings }
      const connection = yield* Connection.make(options.source ?? { _tag: "Default" }, timings.freshMillis)
      const requests = makeRequests({
        connection,
        observe: yield* RequestObserver,
        userAgent: options.userAgent ?? operatorsFields,
        requestMillis: timings.requestMillis
      })
      const api = methods(requests, timings, options.fieldManager ?? operatorsFields)
      return Context.make(KubernetesApi, api).pipe(
        Context.add(PodLogs, LogReading.make(requests)),
        Context.add(ServedSchemas, served(requests))
      )
    })
  )

/** The context that is used, and its namespace: `default` where it names none. Sends no request. */
export const place = (
  source: Source
): Effect.Effect<{ readonly context: string; readonly namespace: string }, KubernetesConfigError> =>
  Effect.map(Configuration.read(source), (config) => {
    const context = config.getCurrentContext()
    const named = config.getContextObject(context)?.namespace
    return { context, namespace: named === undefined || named === "" ? "default" : named }
  })

/** With the configuration that kubectl would use, else the pod's service account. */
export const layerDefault: Layer.Layer<KubernetesApi, KubernetesConfigError> = layer()
