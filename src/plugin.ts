import { Effect, Layer } from "effect"
import { Clusters, Place } from "./plugin/Clusters.ts"
import * as Plugin from "./plugin/Plugin.ts"
import { version } from "./version.ts"

/** The user's clusters, as their kubeconfig has them. The client is loaded when it is needed. */
const clusters = Layer.succeed(Clusters, {
  layer: (context) =>
    Layer.unwrap(
      Effect.map(
        Effect.promise(() => import("./kubernetes/HttpKubernetes.ts")),
        (HttpKubernetes) => {
          const source = { _tag: "Default", ...(context === undefined ? {} : { context }) } as const
          return Layer.mergeAll(
            HttpKubernetes.layer({
              source,
              userAgent: `kubectl-kafka-backup/${version}`,
              fieldManager: "kubectl-kafka-backup"
            }),
            Layer.effect(Place, HttpKubernetes.place(source))
          )
        }
      )
    )
})

/** `kubectl kafka-backup` with the real API server behind it. */
Plugin.start(clusters)
