import { Effect, Stream } from "effect"
import { type Kind, pods } from "../Kind.ts"
import type { KubernetesError } from "../KubernetesError.ts"
import type { ObjectRef } from "../KubernetesApi.ts"
import type { LogOptions, PodLogsShape } from "../PodLogs.ts"
import { Invalid } from "../KubernetesError.ts"
import * as Address from "./Address.ts"
import * as Failure from "./Failure.ts"
import { type Ask, failure, type Requests } from "./Requests.ts"

/** As RBAC names it. */
const podLogs: Kind = { ...pods, plural: "pods/log" }

const asked = (pod: ObjectRef, { container, isFollowed, tailLines }: LogOptions): Ask => ({
  verb: "get",
  kind: podLogs,
  subject: Address.shown(pod),
  method: "GET",
  path: `${Address.object(pods, pod)}/log`,
  query: {
    container,
    follow: isFollowed === true ? "true" : undefined,
    tailLines: tailLines === undefined ? undefined : String(tailLines)
  },
  // The log is plain text, a refusal JSON.
  accept: "application/json, */*"
})

export const make = (requests: Requests): PodLogsShape => ({
  lines: (pod, options = {}) => {
    const ask = asked(pod, options)
    const refusal = Address.refusal(pods, pod)
    if (refusal !== undefined) return Stream.fail(failure(ask, new Invalid({ detail: refusal })).error)
    const broken = (cause: unknown): KubernetesError => failure(ask, Failure.ofTransport(cause)).error
    return requests.open(ask).pipe(
      Effect.mapError(({ error }) => error),
      Effect.map((body) =>
        Stream.fromAsyncIterable(body as AsyncIterable<Uint8Array>, broken).pipe(Stream.decodeText(), Stream.splitLines)
      ),
      Stream.unwrap
    )
  }
})
