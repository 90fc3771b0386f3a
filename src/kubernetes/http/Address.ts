import type { Kind } from "../Kind.ts"
import type { ObjectRef, Selection } from "../KubernetesApi.ts"

/** Parameters of a request; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | undefined>>

/** The absolute path for listing and creating objects of a kind. Without a namespace: of all namespaces. */
export const collection = ({ apiVersion, isNamespaced, plural }: Kind, namespace: string | undefined): string => {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return isNamespaced && namespace !== undefined
    ? `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}`
    : `${group}/${plural}`
}

/** The path of one object or one of its subresources. */
export const object = (kind: Kind, ref: ObjectRef, subresource?: "status"): string =>
  [collection(kind, ref.namespace), encodeURIComponent(ref.name), ...(subresource ? [subresource] : [])].join("/")

/** Why these names would not form the path of exactly one object; undefined when they do. */
export const refusal = ({ isNamespaced, kind }: Kind, { name, namespace }: ObjectRef): string | undefined => {
  const isSegment = (text: string) => text !== "" && text !== "." && text !== ".."
  if (!isSegment(name)) return `"${name}" is not a name`
  if (!isNamespaced) return undefined
  if (namespace === undefined) return `a ${kind} is namespaced, and no namespace was given`
  return isSegment(namespace) ? undefined : `"${namespace}" is not a namespace`
}

export const selected = ({ fieldSelector, labelSelector }: Selection): Query => ({ labelSelector, fieldSelector })

/** `?a=b&c=d`, or nothing. */
export const search = (query: Query): string => {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`
}

/** For people: `kafka-backup/hourly`. */
export const shown = ({ name, namespace }: ObjectRef): string =>
  namespace === undefined ? name : `${namespace}/${name}`
