import type { KubeConfig } from "@kubernetes/client-node"
import { Effect, Schema } from "effect"

/** Where it stands which API server is meant and who we are. */
export type Source =
  /** As kubectl finds it: `KUBECONFIG`, `~/.kube/config`, else the pod's service account. */
  | { readonly _tag: "Default" }
  /** The pod's service account, whatever else there is. */
  | {
      readonly _tag: "InCluster"
      /** The folder in which `var/run/secrets` is to be found, if that is not the root. */
      readonly root?: string
    }
  /** A kubeconfig. Without `context`: its current one. */
  | { readonly _tag: "File"; readonly path: string; readonly context?: string }

/** It cannot be found out which API server is meant, or how to log in there. */
export class KubernetesConfigError extends Schema.TaggedError<KubernetesConfigError>()("KubernetesConfigError", {
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return this.detail
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const described = (source: Source): string => {
  switch (source._tag) {
    case "Default":
      return "the kubeconfig"
    case "InCluster":
      return "the pod's service account"
    case "File":
      return `the kubeconfig ${source.path}`
  }
}

const load = (config: KubeConfig, source: Source): string | undefined => {
  const isPod = Boolean(process.env["KUBERNETES_SERVICE_HOST"] && process.env["KUBERNETES_SERVICE_PORT"])
  const nowhere = "this is no pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set"
  switch (source._tag) {
    case "InCluster":
      if (!isPod) return nowhere
      config.loadFromCluster(source.root)
      return undefined
    case "File":
      config.loadFromFile(source.path)
      if (source.context !== undefined) config.setCurrentContext(source.context)
      break
    case "Default":
      config.loadFromDefault()
      // The library's last resort, for want of anything else.
      if (config.getCurrentContext() === "loaded-context") {
        return `no API server is configured: KUBECONFIG is not set, there is no ~/.kube/config, and ${nowhere}`
      }
  }
  const context = config.getCurrentContext()
  if (!context) return `${described(source)} has no current context`
  if (config.getContextObject(context) === null) return `${described(source)} has no context ${context}`
  if (!config.getCurrentCluster()?.server) return `context ${context} of ${described(source)} names no API server`
  if (config.getCurrentUser() === null) return `context ${context} of ${described(source)} names no user`
  return undefined
}

/** Reads the configuration anew. Loads the client library, which takes half a second, at the first time only. */
export const read = (source: Source): Effect.Effect<KubeConfig, KubernetesConfigError> =>
  Effect.gen(function* () {
    const library = yield* Effect.promise(() => import("./KubeConfig.ts"))
    const config = new library.KubeConfig()
    const refusal = yield* Effect.try({
      try: () => load(config, source),
      catch: (cause) =>
        new KubernetesConfigError({ detail: `cannot read ${described(source)}: ${reasonOf(cause)}`, cause })
    })
    return refusal === undefined ? config : yield* new KubernetesConfigError({ detail: refusal })
  })
