import type { Kind } from "../Kind.ts"
import type { ObjectRef, Selection } from "../KubernetesApi.ts"

/** Parameters of a request; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | undefined>>

/** Where the objects of a kind are listed and created, as an absolute path. Without a namespace: of all namespaces. */
export const collection = ({ apiVersion, isNamespaced, plural }: Kind, namespace: string | undefined): string => {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return isNamespaced && namespace !== undefined
    ? `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}`
    : `${group}/${plural}`
}

/** Where one object is, or one of its subresources. */
export const object = (kind: Kind, place: ObjectRef, subresource?: "status"): string =>
  [collection(kind, place.namespace), encodeURIComponent(place.name), ...(subresource ? [subresource] : [])].join("/")

/** What an address would be made of that leads somewhere else than to one object, or undefined when all is well. */
export const refusal = ({ isNamespaced, kind }: Kind, { name, namespace }: ObjectRef): string | undefined => {
  const isSegment = (text: string) => text !== "" && text !== "." && text !== ".."
  if (!isSegment(name)) return `"${name}" is no name`
  if (!isNamespaced) return undefined
  if (namespace === undefined) return `a ${kind} has its place in a namespace, and none was given`
  return isSegment(namespace) ? undefined : `"${namespace}" is no namespace`
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
