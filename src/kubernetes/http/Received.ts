import type { Kind } from "../Kind.ts"
import type { KubeObject } from "../Objects.ts"

/*
 * What the API server sends, looked at before it is called an object. Only what every object has is checked: fields that a
 * kind may lack are optional in its type, and the resource itself is decoded by whoever reads it.
 */

type Json = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * An object of the kind, or undefined. Items of lists do not say what they are; here all do. The server's bookkeeping of who wrote
 * which field is half of an object and nobody here reads it: lists of thousands go on without it page by page.
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

/** One page of a list, or undefined when it is none. */
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

/** An event and the version after it, or undefined when the line is none. */
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
