import type { KubeConfig } from "@kubernetes/client-node"
import { Effect, Schema } from "effect"
import * as Near from "../../resource/Near.ts"

/** Where the API server's address and the credentials come from. */
export type Source =
  /** As for kubectl: `KUBECONFIG`, `~/.kube/config`, else the pod's service account. */
  | {
      readonly _tag: "Default"
      /** Default: the current one. */
      readonly context?: string
    }
  /** The pod's service account only. */
  | {
      readonly _tag: "InCluster"
      /** The folder that contains `var/run/secrets`. Default: `/`. */
      readonly root?: string
    }
  /** A kubeconfig. Without `context`: its current one. */
  | { readonly _tag: "File"; readonly path: string; readonly context?: string }

/** The API server's address or the credentials cannot be determined. */
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
    case "Default": {
      const given = process.env["KUBECONFIG"]
      return given === undefined || given === "" ? "the kubeconfig" : `the kubeconfig of KUBECONFIG, ${given}`
    }
    case "InCluster":
      return "the pod's service account"
    case "File":
      return `the kubeconfig ${source.path}`
  }
}

const load = (config: KubeConfig, source: Source): string | undefined => {
  const isPod = Boolean(process.env["KUBERNETES_SERVICE_HOST"] && process.env["KUBERNETES_SERVICE_PORT"])
  const nowhere = "this process does not run in a pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set)"
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
      // The library's fallback when it finds no configuration.
      if (config.getCurrentContext() === "loaded-context") {
        return `no API server is configured: KUBECONFIG is not set, ~/.kube/config does not exist, and ${nowhere}`
      }
      if (source.context !== undefined) config.setCurrentContext(source.context)
  }
  const context = config.getCurrentContext()
  if (!context) return `${described(source)} has no current context`
  if (config.getContextObject(context) === null) {
    const names = config.getContexts().map(({ name }) => name)
    return `${described(source)} has no context ${context}${Near.didYouMean([context], names)}`
  }
  if (!config.getCurrentCluster()?.server) return `context ${context} of ${described(source)} names no API server`
  if (config.getCurrentUser() === null) return `context ${context} of ${described(source)} names no user`
  return undefined
}

/** Reads the configuration again. The first call loads the client library, which takes half a second. */
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
