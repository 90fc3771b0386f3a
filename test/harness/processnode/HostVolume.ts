import { mkdirSync } from "node:fs"
import { type ApiClient, until } from "./ApiClient.ts"

/** A folder of this machine as a claim of a namespace. */
export interface HostVolume {
  /** Of the PersistentVolume, which belongs to no namespace. */
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly namespace: string
  readonly claim: string
  readonly folder: string
}

/** Makes the folder, the volume and the claim; resolves once they are bound. Removing the volume is the caller's. */
export const provide = async (client: ApiClient, volume: HostVolume): Promise<void> => {
  const { claim, folder, labels = {}, name, namespace } = volume
  mkdirSync(folder, { recursive: true })
  const shape = { accessModes: ["ReadWriteMany"], storageClassName: "" }
  await client.create("/api/v1/persistentvolumes", {
    metadata: { name, labels },
    spec: {
      ...shape,
      capacity: { storage: "1Gi" },
      hostPath: { path: folder },
      persistentVolumeReclaimPolicy: "Retain",
      claimRef: { namespace, name: claim }
    }
  })
  const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`
  await client.create(path, {
    metadata: { name: claim },
    spec: { ...shape, volumeName: name, resources: { requests: { storage: "1Gi" } } }
  })
  await until(`claim ${claim} is bound`, async () => {
    const { status } = await client.get(`${path}/${claim}`)
    return status.phase === "Bound" ? true : undefined
  })
}
