import { Context, Effect, Layer, type Scope } from "effect"
import { KubernetesError } from "../kubernetes/KubernetesError.ts"
import { type Cluster, Clusters, Place } from "./Clusters.ts"
import type { ClusterFlags } from "./Flags.ts"
import * as Problems from "./Problems.ts"
import * as Translation from "./Translation.ts"

const noCluster = ({ message }: { readonly message: string }) =>
  new Problems.NoCluster({
    detail: message,
    advice: "kubectl config get-contexts shows the contexts; --context and KUBECONFIG choose one"
  })

/** Work of a command: its failures in the words of a user. */
type Told<A, E, R> = Effect.Effect<
  A,
  Exclude<E, KubernetesError> | Problems.Problem,
  Exclude<Exclude<R, Cluster>, Scope.Scope> | Clusters
>

/**
 * Works in the cluster that the flags choose. `work` is told the namespace that they choose; with `isEverywhere` it is
 * about all namespaces. What the API server refuses is told in the words of a user.
 */
export const within = <A, E, R>(
  { context, namespace }: ClusterFlags,
  work: (namespace: string) => Effect.Effect<A, E, R>,
  { isEverywhere = false }: { readonly isEverywhere?: boolean } = {}
): Told<A, E, R> =>
  Effect.gen(function* () {
    const clusters = yield* Clusters
    const cluster = yield* Layer.build(clusters.layer(context)).pipe(Effect.mapError(noCluster))
    const place = Context.get(cluster, Place)
    // As kubectl: an empty name is none.
    const chosen = namespace === undefined || namespace === "" ? place.namespace : namespace
    const about = { context: place.context, namespace: isEverywhere ? undefined : chosen }
    const told = Effect.mapError(work(chosen), (error) =>
      error instanceof KubernetesError ? Translation.problem(error, about) : error
    )
    return yield* Effect.provideContext(told, cluster)
  }).pipe(Effect.scoped) as Told<A, E, R>
