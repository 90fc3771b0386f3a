import { Context, Effect } from "effect"
import type { KubernetesError } from "./KubernetesError.ts"

/**
 * The OpenAPI v3 document that the API server publishes for a group and version, as parsed JSON: the definitions that
 * count for what is written there. Every account may read it (ClusterRole `system:discovery`), so it takes no right on
 * CustomResourceDefinitions. Fails with `NotFound` where the server has no definition of that group and version;
 * a definition that was just made may be missing for some seconds. Undefined where there is no real server.
 */
export const ServedSchemas = Context.Reference<
  ((apiVersion: string) => Effect.Effect<unknown, KubernetesError>) | undefined
>("kafka-backup/kubernetes/ServedSchemas", { defaultValue: () => undefined })
