import type { Pod } from "../Objects.ts"
import * as Tree from "./Tree.ts"

/*
 * The index of a pod of an Indexed Job, and how Kubernetes tells the pod: by a label, an annotation and a variable.
 */

const name = "batch.kubernetes.io/job-completion-index"

/** The labels and annotations of a pod with this index; none without one. */
export const metadata = (index: number | undefined): Readonly<Record<string, string>> =>
  index === undefined ? {} : { [name]: String(index) }

/** The index of a pod; undefined where its Job has none. */
export const of = ({ metadata: { annotations } }: Pod): number | undefined =>
  annotations?.[name] === undefined ? undefined : Number(annotations[name])

/** A pod's spec in which every container can read the index. */
export const withVariable = (spec: unknown): unknown => {
  const containers = Tree.isTree(spec) ? spec["containers"] : undefined
  if (!Tree.isTree(spec) || !Array.isArray(containers)) return spec
  const variable = {
    name: "JOB_COMPLETION_INDEX",
    valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: `metadata.annotations['${name}']` } }
  }
  const withIt = (container: unknown) => {
    const env = Tree.isTree(container) ? container["env"] : undefined
    return Tree.isTree(container) ? { ...container, env: [...(Array.isArray(env) ? env : []), variable] } : container
  }
  return { ...spec, containers: containers.map(withIt) }
}
