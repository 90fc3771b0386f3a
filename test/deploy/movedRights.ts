import { join } from "node:path"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { type Json, parseAll, root } from "./manifests.ts"

/** Which rights, and whose. */
export interface Move {
  readonly overlay: "cluster-wide" | "single-namespace"
  /** The operator's namespace, in place of kafka-backup-system; names what belongs to no namespace, too. */
  readonly own: string
  /** The namespace that the operator watches, in place of kafka-backup. */
  readonly watched: string
}

/**
 * The operator's roles and bindings of an overlay, moved to other namespaces and names, so that neither variant lends
 * the other its rights, and an installation in the same cluster stays as it is.
 */
export const movedRights = async (
  apiserver: ApiServer,
  { overlay, own, watched }: Move
): Promise<ReadonlyArray<Json>> => {
  const rendered = await Kubectl.succeed(apiserver, ["kustomize", join(root, "deploy/overlays", overlay)])
  const moved = rendered
    .replaceAll("kafka-backup-system", own)
    .replaceAll(/^( *namespace:) kafka-backup$/gm, `$1 ${watched}`)
  return parseAll(moved)
    .filter(({ kind, metadata }) => /Role/.test(kind) && !/^kafka-backup-(edit|view)$/.test(metadata.name))
    .map((object) => {
      const isOfCluster = object["kind"].startsWith("Cluster")
      return {
        ...object,
        metadata: { ...object["metadata"], name: isOfCluster ? own : object["metadata"].name },
        ...(object["kind"] === "ClusterRoleBinding" ? { roleRef: { ...object["roleRef"], name: own } } : {})
      }
    })
}
