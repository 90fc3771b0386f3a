import { join } from "node:path"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Helm from "../harness/Helm.ts"
import { type Json, parseAll, root } from "./manifests.ts"

export const chart = join(root, "deploy/helm/kafka-backup-operator")
export const definitionsChart = join(chart, "charts/kafka-backup-crds")

/** Values as options of Helm, by their path: `{ "watch.scope": "OwnNamespace" }`. */
export const set = (values: Json): ReadonlyArray<string> =>
  Object.entries(values).flatMap(([path, value]) => ["--set-json", `${path}=${JSON.stringify(value)}`])

/** What `helm install` would send: the objects of a release kafka-backup-operator in kafka-backup-system. */
export const render = async (apiserver: ApiServer, ...options: ReadonlyArray<string>): Promise<ReadonlyArray<Json>> =>
  parseAll(
    await Helm.succeed(apiserver, [
      "template",
      "kafka-backup-operator",
      chart,
      "--namespace=kafka-backup-system",
      ...options
    ])
  ).filter((object) => object !== null)

/** Labels and annotations by which Helm and people know where an object is from. */
const origin = new Set([
  "app.kubernetes.io/instance",
  "app.kubernetes.io/version",
  "helm.sh/chart",
  "helm.sh/resource-policy"
])

const without = (map: Json | undefined, isLeftOut: (entry: readonly [string, unknown]) => boolean): Json =>
  Object.fromEntries(Object.entries(map ?? {}).filter((entry) => !isLeftOut(entry)))

/** Arguments as a container gets them, without those that say what is so anyway; and the environment without theirs. */
const expanded = (container: Json): Json => {
  const env = container["env"] as ReadonlyArray<Json>
  const used = new Set<string>()
  const args = (container["args"] as ReadonlyArray<string>).map((text) =>
    text.replaceAll(/\$\((\w+)\)/gu, (_, name: string) => {
      used.add(name)
      return env.find((variable) => variable["name"] === name)!["value"]
    })
  )
  const defaults = new Set([
    "--max-concurrent-runs=10",
    "--max-concurrent-drills=2",
    "--max-concurrent-checks=5",
    "--check-interval=6h"
  ])
  return {
    ...container,
    args: args.filter((text) => !defaults.has(text)),
    env: env.filter(({ name }) => !used.has(name)).toSorted((a, b) => (a["name"] < b["name"] ? -1 : 1))
  }
}

/** An object's effect: without its origin, and without what is said in another way. */
const effect = (object: Json): Json => {
  const { kind, metadata, spec } = object
  const isOrigin = ([name, value]: readonly [string, unknown]) =>
    origin.has(name) || (name === "app.kubernetes.io/managed-by" && value === "Helm")
  const labels = without(metadata.labels, isOrigin)
  const annotations = without(metadata.annotations, isOrigin)
  const plain = { ...object, metadata: { ...metadata, labels, annotations } }
  if (kind !== "Deployment") return plain
  const pod = spec.template.spec
  const template = { ...spec.template, spec: { ...pod, containers: pod.containers.map(expanded) } }
  return { ...plain, spec: { ...spec, template } }
}

/**
 * Objects by kind, namespace and name, for comparison. A namespace is not of a chart, so it is left out.
 */
export const effects = (objects: ReadonlyArray<Json>): Json =>
  Object.fromEntries(
    objects
      .filter(({ kind }) => kind !== "Namespace")
      .map(effect)
      .map((object) => {
        const { kind, metadata } = object
        return [`${kind} ${metadata.namespace ?? ""}/${metadata.name}`, object]
      })
  )
