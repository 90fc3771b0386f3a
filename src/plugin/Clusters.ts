import { Context, type Layer } from "effect"
import type { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import type { PodLogs } from "../kubernetes/PodLogs.ts"

/** Where a command works unless its flags say otherwise. */
export class Place extends Context.Service<
  Place,
  {
    /** Of the kubeconfig. */
    readonly context: string
    /** The namespace of that context. */
    readonly namespace: string
  }
>()("kafka-backup/plugin/Place") {}

/** A cluster as a command sees it. */
export type Cluster = KubernetesApi | PodLogs | Place

/** The user's clusters. */
export class Clusters extends Context.Service<
  Clusters,
  {
    /**
     * The cluster of this context of the kubeconfig; absent: of its current context. Opened when it is needed. Fails
     * where the kubeconfig does not name one, and where its login cannot be prepared.
     */
    readonly layer: (context: string | undefined) => Layer.Layer<Cluster, { readonly message: string }>
  }
>()("kafka-backup/plugin/Clusters") {}
