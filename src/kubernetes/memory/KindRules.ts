import { plurals } from "../../resource/OffsetCrds.ts"
import type { Kind } from "../Kind.ts"
import type { KubeObject } from "../Objects.ts"
import * as Tree from "./Tree.ts"

/** Plurals of the product's own kinds. */
const ours = ["kafkabackups", "kafkarestores", ...Object.values(plurals)]

/** Plurals of Strimzi's kinds. */
const strimzi = ["kafkas", "kafkausers"]

/** Kinds whose status is a subresource. */
export const hasStatus = ({ plural }: Kind): boolean =>
  [...ours, ...strimzi, "jobs", "pods", "namespaces"].includes(plural)

/** Kinds whose spec changes are counted in metadata.generation. */
export const hasGeneration = ({ plural }: Kind): boolean => [...ours, ...strimzi, "jobs", "pods"].includes(plural)

/** The kind's name in messages of the API server: `leases.coordination.k8s.io`. */
export const qualified = ({ apiVersion, plural }: Kind): string =>
  apiVersion.includes("/") ? `${plural}.${apiVersion.split("/")[0]}` : plural

const dnsLabel = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
const subdomain = new RegExp(`^${dnsLabel}(\\.${dnsLabel})*$`)
const labelName = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

const isLabelKey = (key: string): boolean => {
  const slash = key.lastIndexOf("/")
  const [prefix, name] = [key.slice(0, Math.max(slash, 0)), key.slice(slash + 1)]
  return labelName.test(name) && (slash < 0 || (prefix.length <= 253 && subdomain.test(prefix)))
}

const invalid = (field: string, value: unknown, why: string) =>
  `${field}: Invalid value: ${JSON.stringify(value)}: ${why}`

/** Largest annotations of one object, keys and values together, in bytes. */
const maxAnnotationBytes = 256 * 1024

const metadataProblems = (kind: Kind, { metadata }: KubeObject): ReadonlyArray<string> => {
  const { annotations = {}, labels = {}, name } = metadata
  const problems: Array<string> = []
  const longest = kind.plural === "jobs" || kind.plural === "namespaces" ? 63 : 253
  if (!subdomain.test(name)) {
    problems.push(invalid("metadata.name", name, "must be a lowercase RFC 1123 subdomain, such as 'example.com'"))
  } else if (name.length > longest) {
    problems.push(invalid("metadata.name", name, `must be no more than ${longest} characters`))
  }
  for (const [key, value] of Object.entries(labels)) {
    if (!isLabelKey(key)) problems.push(invalid("metadata.labels", key, "must be a qualified name"))
    if (value !== "" && !labelName.test(value)) {
      problems.push(invalid("metadata.labels", value, "must be a valid label value of no more than 63 characters"))
    }
  }
  const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0)
  if (size > maxAnnotationBytes) {
    problems.push(`metadata.annotations: Too long: may not be more than ${maxAnnotationBytes} bytes`)
  }
  return problems
}

const jobProblems = (job: KubeObject, before: KubeObject | undefined): ReadonlyArray<string> => {
  const template = Tree.inner(job.spec, "template")
  const pod = Tree.inner(template, "spec")
  const problems: Array<string> = []
  if (!Array.isArray(pod["containers"]) || pod["containers"].length === 0) {
    problems.push("spec.template.spec.containers: Required value")
  }
  if (pod["restartPolicy"] !== "Never" && pod["restartPolicy"] !== "OnFailure") {
    problems.push('spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"')
  }
  if (before !== undefined && !Tree.isSame(template, Tree.inner(before.spec, "template"))) {
    problems.push("spec.template: Invalid value: field is immutable")
  }
  return problems
}

/** Why the API server refuses an object for good; empty when it accepts it. */
export const problems = (kind: Kind, object: KubeObject, before: KubeObject | undefined): ReadonlyArray<string> => [
  ...metadataProblems(kind, object),
  ...(kind.plural === "jobs" ? jobProblems(object, before) : [])
]

/** The labels that mark a Job's pods. */
export const podLabels = ({ metadata }: KubeObject): Readonly<Record<string, string>> => ({
  "batch.kubernetes.io/controller-uid": metadata.uid ?? "",
  "batch.kubernetes.io/job-name": metadata.name,
  "controller-uid": metadata.uid ?? "",
  "job-name": metadata.name
})

/** What the API server adds to an object of a built-in kind. */
export const completed = (kind: Kind, object: KubeObject): KubeObject => {
  if (kind.plural === "pods" && object.status === undefined) return { ...object, status: { phase: "Pending" } }
  if (kind.plural === "namespaces" && object.status === undefined) return { ...object, status: { phase: "Active" } }
  if (kind.plural !== "jobs" || !Tree.isTree(object.spec)) return object
  const template = Tree.inner(object.spec, "template")
  const metadata = Tree.inner(template, "metadata")
  const labels = { ...Tree.inner(metadata, "labels"), ...podLabels(object) }
  return {
    ...object,
    spec: {
      ...(object.spec["backoffLimitPerIndex"] === undefined ? { backoffLimit: 6 } : {}),
      completions: 1,
      parallelism: 1,
      suspend: false,
      selector: { matchLabels: { "batch.kubernetes.io/controller-uid": object.metadata.uid } },
      ...object.spec,
      template: { ...template, metadata: { ...metadata, labels } }
    }
  }
}
