import type { ApiClient, Json } from "./ApiClient.ts"
import { expanded, type Values } from "./Expansion.ts"
import * as Fields from "./Fields.ts"
import { Unavailable } from "./Unavailable.ts"

/*
 * The environment of a container: values, references to Secrets, ConfigMaps and fields of the pod, and `$(NAME)` in
 * them.
 */

const kinds = { secret: "secrets", configmap: "configmaps" } as const
type Kind = keyof typeof kinds

/** The data of a Secret or ConfigMap as text; undefined when there is none and that is allowed. */
const data = async (client: ApiClient, pod: Json, kind: Kind, reference: Json) => {
  const { name, optional } = reference
  const object = await client.find(`/api/v1/namespaces/${pod["metadata"].namespace}/${kinds[kind]}/${name}`)
  if (object === undefined && optional !== true) throw Unavailable.variable(`${kind} "${name}" not found`)
  if (object === undefined) return undefined
  const entries = Object.entries((object["data"] ?? {}) as Record<string, string>)
  return kind === "secret"
    ? new Map(entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString()]))
    : new Map(entries)
}

const referred = async (client: ApiClient, pod: Json, podIP: string, from: Json): Promise<string | undefined> => {
  if (from["fieldRef"] !== undefined) return Fields.value(pod, podIP, from["fieldRef"].fieldPath)
  const kind: Kind | undefined =
    from["secretKeyRef"] === undefined ? (from["configMapKeyRef"] === undefined ? undefined : "configmap") : "secret"
  if (kind === undefined) throw new Error(`valueFrom ${Object.keys(from).join()} is not understood here`)
  const reference = (from["secretKeyRef"] ?? from["configMapKeyRef"]) as Json
  const found = (await data(client, pod, kind, reference))?.get(reference["key"])
  if (found !== undefined || reference["optional"] === true) return found
  const { name, namespace } = { name: reference["name"], namespace: pod["metadata"].namespace }
  throw Unavailable.variable(`couldn't find key ${reference["key"]} in ${kind} ${namespace}/${name}`)
}

/** What the container finds set. Throws Unavailable while something it must have is missing. */
export const of = async (client: ApiClient, pod: Json, podIP: string, container: Json): Promise<Values> => {
  const values = new Map<string, string>()
  for (const { configMapRef, prefix = "", secretRef } of container["envFrom"] ?? []) {
    const found = await data(client, pod, secretRef === undefined ? "configmap" : "secret", secretRef ?? configMapRef)
    for (const [key, value] of found ?? []) values.set(`${prefix}${key}`, value)
  }
  for (const { name, value, valueFrom } of container["env"] ?? []) {
    const found =
      valueFrom === undefined ? expanded(value ?? "", values) : await referred(client, pod, podIP, valueFrom)
    if (found !== undefined) values.set(name, found)
  }
  return values
}
