import type { ApiClient, Json } from "./ApiClient.ts"
import type { Files } from "./AtomicFolder.ts"
import * as Fields from "./Fields.ts"
import { Unavailable } from "./Unavailable.ts"

/*
 * What the API server puts into volumes: Secrets, ConfigMaps, fields of the pod, tokens, alone or projected into one
 * folder.
 */

type Entry = readonly [path: string, file: { readonly bytes: Buffer; readonly mode: number }]

/** Whose volume is filled. */
export interface Filling {
  readonly client: ApiClient
  /** As it is now: its annotations may have changed. */
  readonly pod: Json
  readonly podIP: string
  readonly volume: string
}

const objectPath = (pod: Json, plural: string, name: string): string =>
  `/api/v1/namespaces/${pod["metadata"].namespace}/${plural}/${name}`

/** Files of a Secret or ConfigMap: all keys, or those that `items` name. */
const keys = async (filling: Filling, kind: "secret" | "configmap", source: Json, mode: number) => {
  const { client, pod, volume } = filling
  const name: string = source["name"] ?? source["secretName"]
  const isOptional = source["optional"] === true
  const object = await client.find(objectPath(pod, `${kind}s`, name))
  if (object === undefined) {
    if (isOptional) return []
    throw Unavailable.volume(volume, `${kind} "${name}" not found`)
  }
  const bytes = new Map<string, Buffer>()
  const encoding = kind === "secret" ? "base64" : "utf8"
  for (const [key, value] of Object.entries(object["data"] ?? {})) bytes.set(key, Buffer.from(String(value), encoding))
  for (const [key, value] of Object.entries(object["binaryData"] ?? {})) {
    bytes.set(key, Buffer.from(String(value), "base64"))
  }
  const items: ReadonlyArray<Json> = source["items"] ?? [...bytes.keys()].map((key) => ({ key, path: key }))
  const entries: Array<Entry> = []
  for (const item of items) {
    const found = bytes.get(item["key"])
    if (found !== undefined) entries.push([item["path"], { bytes: found, mode: item["mode"] ?? mode }])
    else if (!isOptional) throw Unavailable.volume(volume, `references non-existent ${kind} key: ${item["key"]}`)
  }
  return entries
}

const fields = ({ pod, podIP }: Filling, source: Json, mode: number): ReadonlyArray<Entry> =>
  (source["items"] ?? []).map((item: Json) => {
    const text = Fields.value(pod, podIP, item["fieldRef"].fieldPath)
    return [item["path"], { bytes: Buffer.from(text), mode: item["mode"] ?? mode }] as const
  })

/** Tokens are asked for once per volume and path: they outlive every test. */
const tokens = new WeakMap<ApiClient, Map<string, Buffer>>()

const token = async ({ client, pod, volume }: Filling, source: Json, mode: number): Promise<ReadonlyArray<Entry>> => {
  const { name, uid } = pod["metadata"]
  const { audience, expirationSeconds, path } = source
  const known = tokens.get(client) ?? new Map<string, Buffer>()
  tokens.set(client, known)
  const key = `${uid}/${volume}/${path}`
  if (!known.has(key)) {
    const account = pod["spec"].serviceAccountName ?? "default"
    const asked = await client.create(objectPath(pod, "serviceaccounts", `${account}/token`), {
      spec: {
        ...(audience === undefined ? {} : { audiences: [audience] }),
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid }
      }
    })
    known.set(key, Buffer.from(asked["status"].token))
  }
  return [[path, { bytes: known.get(key) ?? Buffer.alloc(0), mode }]]
}

const projected = async (filling: Filling, source: Json, mode: number): Promise<ReadonlyArray<Entry>> => {
  if (source["secret"] !== undefined) return keys(filling, "secret", source["secret"], mode)
  if (source["configMap"] !== undefined) return keys(filling, "configmap", source["configMap"], mode)
  if (source["downwardAPI"] !== undefined) return fields(filling, source["downwardAPI"], mode)
  if (source["serviceAccountToken"] !== undefined) return token(filling, source["serviceAccountToken"], mode)
  throw new Error(`a projected volume of ${Object.keys(source).join()} is not understood here`)
}

/**
 * The files of a volume, or undefined when the API server has no say in it. Throws Unavailable while something is
 * missing.
 */
export const of = async (filling: Filling, volume: Json): Promise<Files | undefined> => {
  const { configMap, downwardAPI, projected: sources, secret } = volume
  const mode: number = (secret ?? configMap ?? downwardAPI ?? sources)?.defaultMode ?? 0o644
  if (secret !== undefined) return new Map(await keys(filling, "secret", secret, mode))
  if (configMap !== undefined) return new Map(await keys(filling, "configmap", configMap, mode))
  if (downwardAPI !== undefined) return new Map(fields(filling, downwardAPI, mode))
  if (sources === undefined) return undefined
  const parts = await Promise.all(sources.sources.map((source: Json) => projected(filling, source, mode)))
  return new Map(parts.flat())
}
