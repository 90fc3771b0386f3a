import type { KafkaBackupSpec } from "../../resource/KafkaBackupSpec.ts"
import * as StorageSpec from "../../resource/StorageSpec.ts"
import { secretsDirectory, volumesDirectory } from "./JobSettings.ts"
import type { SecretKey } from "./SecretKeys.ts"

/** Volumes of a pod, and where its container finds them. */
export interface Mounted {
  readonly volumes: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly volumeMounts: ReadonlyArray<{
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
  }>
}

/** Octal 0440: for the pod's group only. */
const secretMode = 0o440

const temporaryLimit = "64Mi"

/** One token for each audience; where two clusters want the same one, with the shorter life. */
const tokens = (keys: ReadonlyArray<SecretKey>) => {
  const byPath = new Map<string, NonNullable<SecretKey["token"]>>()
  for (const { key, secret, token } of keys) {
    if (token === undefined) continue
    const path = `${secret}/${key}`
    const seconds = Math.min(token.expirationSeconds, byPath.get(path)?.expirationSeconds ?? Infinity)
    byPath.set(path, { audience: token.audience, expirationSeconds: seconds })
  }
  return [...byPath].map(([path, token]) => ({ serviceAccountToken: { ...token, path } }))
}

/**
 * One volume with a folder for each Secret, holding the keys that are named and no other, and one for tokens of the
 * service account. A Secret or key that does not
 * exist is left out: the worker reports it by name, where otherwise the pod would hang without starting. Files follow a
 * rotation.
 */
const secrets = (keys: ReadonlyArray<SecretKey>): Mounted => {
  if (keys.length === 0) return { volumes: [], volumeMounts: [] }
  const bySecret = new Map<string, Set<string>>()
  for (const { key, secret, token } of keys) {
    if (token === undefined) bySecret.set(secret, (bySecret.get(secret) ?? new Set()).add(key))
  }
  const sources = [...bySecret].map(([name, named]) => ({
    secret: { name, items: [...named].map((key) => ({ key, path: `${name}/${key}` })), optional: true }
  }))
  return {
    volumes: [{ name: "secrets", projected: { defaultMode: secretMode, sources: [...sources, ...tokens(keys)] } }],
    volumeMounts: [{ name: "secrets", mountPath: secretsDirectory, readOnly: true }]
  }
}

/**
 * The whole claim: the worker goes down to `subPath` itself and creates it under its own user, where the kubelet would
 * create it under root.
 */
const claim = (spec: Pick<KafkaBackupSpec, "storage">): Mounted => {
  const chosen = StorageSpec.chosen(spec.storage)
  if (chosen.storageType !== "pvc") return { volumes: [], volumeMounts: [] }
  const { claimName } = chosen.pvc
  return {
    volumes: [{ name: "storage", persistentVolumeClaim: { claimName } }],
    volumeMounts: [{ name: "storage", mountPath: `${volumesDirectory}/${claimName}` }]
  }
}

const temporary: Mounted = {
  volumes: [{ name: "tmp", emptyDir: { sizeLimit: temporaryLimit } }],
  volumeMounts: [{ name: "tmp", mountPath: "/tmp" }]
}

/**
 * Everything that a container needs mounted: the Secret keys that it may read, and the claim of the storage it uses.
 */
export const mounted = (
  spec: Pick<KafkaBackupSpec, "storage"> | undefined,
  keys: ReadonlyArray<SecretKey>
): Mounted => {
  const parts = [temporary, secrets(keys), ...(spec === undefined ? [] : [claim(spec)])]
  return {
    volumes: parts.flatMap(({ volumes }) => volumes),
    volumeMounts: parts.flatMap(({ volumeMounts }) => volumeMounts)
  }
}
