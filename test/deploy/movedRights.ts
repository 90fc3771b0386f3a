import { join } from "node:path"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { type Json, parseAll, root } from "./manifests.ts"

/** Which rights, and whose. */
export interface Move {
  readonly overlay: "cluster-wide" | "single-namespace"
  /** The operator's namespace, in place of kafka-backup-system; names what belongs to no namespace, too. */
  readonly own: string
  /** The namespace that the operator watches, instead of kafka-backup. */
  readonly watched: string
  /** The image of its Jobs, instead of the published one. */
  readonly image: string
}

const isMoved = ({ kind, metadata }: Json): boolean =>
  /Role|^ValidatingAdmissionPolicy/.test(kind) && !/^kafka-backup-(edit|view)$/.test(metadata.name)

/** What belongs to no namespace gets a name of its own. */
const renamed = (object: Json, own: string): Json => {
  const { kind, metadata, spec } = object
  if (kind === "ClusterRole") return { ...object, metadata: { ...metadata, name: own } }
  if (kind === "ClusterRoleBinding")
    return { ...object, metadata: { ...metadata, name: own }, roleRef: { ...object["roleRef"], name: own } }
  if (!kind.startsWith("ValidatingAdmissionPolicy")) return object
  const name = metadata.name.replace("kafka-backup-operator", own)
  const policyName = spec.policyName?.replace("kafka-backup-operator", own)
  return {
    ...object,
    metadata: { ...metadata, name },
    spec: policyName === undefined ? spec : { ...spec, policyName }
  }
}

/**
 * The operator's roles, policies and their bindings of an overlay, moved to other namespaces and names, so that neither
 * variant lends the other its rights, and an installation in the same cluster stays as it is.
 */
export const movedRights = async (
  apiserver: ApiServer,
  { overlay, own, watched, image }: Move
): Promise<ReadonlyArray<Json>> => {
  const rendered = await Kubectl.succeed(apiserver, ["kustomize", join(root, "deploy/overlays", overlay)])
  const moved = rendered
    .replaceAll("kafka-backup-system", own)
    .replaceAll(/^( *namespace:) kafka-backup$/gm, `$1 ${watched}`)
    .replace(/'ghcr\.io\/[^']+'/, `'${image}'`)
  return parseAll(moved)
    .filter(isMoved)
    .map((object) => renamed(object, own))
}
