import type { Json } from "./ApiClient.ts"

/*
 * What a pod can learn about itself: `fieldRef` of variables and of files.
 */

const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/
const plain = /^(metadata\.(name|namespace|uid)|spec\.(nodeName|serviceAccountName)|status\.(podIP|hostIP|podIPs))$/

const lines = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join("\n")

/** The text of a field. Throws for one that cannot be named. */
export const value = (pod: Json, podIP: string, path: string): string => {
  const key = keyed.exec(path)
  if (key !== null) return pod["metadata"][key[1] ?? ""]?.[key[2] ?? ""] ?? ""
  if (path === "metadata.labels" || path === "metadata.annotations") {
    return lines(pod["metadata"][path.slice("metadata.".length)] ?? {})
  }
  if (!plain.test(path)) throw new Error(`fieldRef ${path} is not understood here`)
  const [part = "", name = ""] = path.split(".")
  if (part !== "status") return pod[part][name] ?? ""
  return name === "hostIP" ? "127.0.0.1" : podIP
}
