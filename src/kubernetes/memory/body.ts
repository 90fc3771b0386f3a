import type { KubeObject } from "../Objects.ts"
import * as Tree from "./Tree.ts"

/** The parts of metadata that users write. */
const written = ["annotations", "finalizers", "labels", "ownerReferences"] as const

/** None of them. */
export const cleared = Object.fromEntries(written.map((key) => [key, undefined]))

/** The part that has field owners: everything but identity and the server's own metadata. */
export const body = ({ apiVersion: _version, kind: _kind, metadata, ...rest }: KubeObject): Tree.Tree =>
  Tree.received({
    ...rest,
    metadata: Object.fromEntries(written.map((key) => [key, metadata[key]]))
  }) as Tree.Tree

/** Without the empty maps and lists that the server does not keep in metadata. */
export const tidy = (object: KubeObject): KubeObject => {
  const isEmpty = (value: object | undefined) => value !== undefined && Object.keys(value).length === 0
  const empty = written.filter((key) => isEmpty(object.metadata[key]))
  if (empty.length === 0) return object
  const kept = Object.entries(object.metadata).filter(([key]) => !empty.some((each) => each === key))
  return { ...object, metadata: Object.fromEntries(kept) as unknown as KubeObject["metadata"] }
}
