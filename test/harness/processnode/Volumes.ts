import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { ApiClient, Json } from "./ApiClient.ts"
import { AtomicFolder } from "./AtomicFolder.ts"
import type { Mapping } from "./Paths.ts"
import { Unavailable } from "./Unavailable.ts"
import * as VolumeContent from "./VolumeContent.ts"

/** The folder behind a claim: its PersistentVolume's `hostPath`. */
const claimed = async (client: ApiClient, pod: Json, volume: string, claimName: string): Promise<string> => {
  const claim = await client.find(`/api/v1/namespaces/${pod["metadata"].namespace}/persistentvolumeclaims/${claimName}`)
  if (claim === undefined) throw Unavailable.volume(volume, `persistentvolumeclaim "${claimName}" not found`)
  const persistent = await client.find(`/api/v1/persistentvolumes/${claim["spec"].volumeName}`)
  const path: string | undefined = persistent?.["spec"].hostPath?.path
  if (path === undefined)
    throw Unavailable.volume(volume, `claim ${claimName} is not bound to a volume with a hostPath`)
  return path
}

/** The volumes of one pod as folders below `folder`. */
export class Volumes {
  readonly #client: ApiClient
  readonly #folder: string
  readonly #podIP: string
  readonly #atomic = new Map<string, AtomicFolder>()

  constructor(client: ApiClient, folder: string, podIP: string) {
    this.#client = client
    this.#folder = folder
    this.#podIP = podIP
  }

  /**
   * Makes the volumes that the container mounts; gives what its paths are here. Throws Unavailable while one cannot be
   * made.
   */
  async mount(pod: Json, container: Json): Promise<ReadonlyArray<Mapping>> {
    const mappings: Array<Mapping> = []
    for (const { mountPath, name, subPath = "" } of container["volumeMounts"] ?? []) {
      const volume = pod["spec"].volumes?.find((volume: Json) => volume["name"] === name)
      mappings.push({ containerPath: mountPath, hostPath: join(await this.#place(pod, volume), subPath) })
    }
    return mappings
  }

  /** Brings what came from the API server up to date; what has gone since stays as it was, as the kubelet leaves it. */
  async refresh(pod: Json): Promise<void> {
    for (const volume of pod["spec"].volumes ?? []) {
      if (!this.#atomic.has(volume["name"])) continue
      await this.#place(pod, volume).catch((error: unknown) => {
        if (!(error instanceof Unavailable)) throw error
      })
    }
  }

  async #place(pod: Json, volume: Json): Promise<string> {
    const { hostPath, name, persistentVolumeClaim } = volume
    if (hostPath !== undefined) return hostPath.path
    if (persistentVolumeClaim !== undefined) {
      return claimed(this.#client, pod, name, persistentVolumeClaim.claimName)
    }
    const path = join(this.#folder, "volumes", name)
    const files = await VolumeContent.of({ client: this.#client, pod, podIP: this.#podIP, volume: name }, volume)
    if (files === undefined) {
      if (volume["emptyDir"] === undefined) throw new Error(`volume ${name} is of a kind that is not understood here`)
      mkdirSync(path, { recursive: true })
      return path
    }
    const folder = this.#atomic.get(name) ?? new AtomicFolder(path)
    this.#atomic.set(name, folder)
    folder.hold(files)
    return path
  }
}
