import type { Kind } from "../Kind.ts"
import type { KubeObject } from "../Objects.ts"

/*
 * Checks what the API server sends. Only fields that every object has are checked: the others are optional in their
 * types, and a resource is decoded by its reader.
 */

type Json = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * An object of the kind, or undefined. Items of lists carry no apiVersion and kind; they are added here.
 * `managedFields` is half of an object and never read: it is dropped, which halves the memory of long lists.
 */
export const object = <A extends KubeObject>(kind: Kind<A>, value: unknown): A | undefined => {
  if (!isRecord(value) || !isRecord(value["metadata"]) || typeof value["metadata"]["name"] !== "string")
    return undefined
  const { managedFields: _, ...metadata } = value["metadata"]
  return { apiVersion: kind.apiVersion, kind: kind.kind, ...value, metadata } as unknown as A
}

/** `metadata.resourceVersion`, where there is one. */
export const version = (value: unknown): string | undefined => {
  const metadata = isRecord(value) && isRecord(value["metadata"]) ? value["metadata"] : {}
  const found = metadata["resourceVersion"]
  return typeof found === "string" && found !== "" ? found : undefined
}

export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly resourceVersion: string
  /** Where the next page begins; absent on the last one. */
  readonly next: string | undefined
}

/** One page of a list, or undefined when the value is not one. */
export const page = <A extends KubeObject>(kind: Kind<A>, value: unknown): Page<A> | undefined => {
  const resourceVersion = version(value)
  if (!isRecord(value) || resourceVersion === undefined) return undefined
  const sent = value["items"] ?? []
  if (!Array.isArray(sent)) return undefined
  const items = sent.map((item) => object(kind, item))
  const next = isRecord(value["metadata"]) ? value["metadata"]["continue"] : undefined
  return items.includes(undefined)
    ? undefined
    : { items: items as ReadonlyArray<A>, resourceVersion, next: typeof next === "string" && next ? next : undefined }
}

/** One line of a watch. */
export type WatchEvent<A> =
  | { readonly _tag: "Changed"; readonly object: A; readonly isGone: boolean }
  | { readonly _tag: "Bookmark" }
  | { readonly _tag: "Error"; readonly object: unknown }

/** An event and the version after it, or undefined when the line is not an event. */
export const event = <A extends KubeObject>(
  kind: Kind<A>,
  line: string
): { readonly event: WatchEvent<A>; readonly version: string | undefined } | undefined => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  const sent = value["object"]
  switch (value["type"]) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const found = object(kind, sent)
      const isGone = value["type"] === "DELETED"
      return found && { event: { _tag: "Changed", object: found, isGone }, version: version(sent) }
    }
    case "BOOKMARK":
      return { event: { _tag: "Bookmark" }, version: version(sent) }
    case "ERROR":
      return { event: { _tag: "Error", object: sent }, version: undefined }
    default:
      return undefined
  }
}
