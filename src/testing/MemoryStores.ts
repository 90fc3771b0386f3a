import { Effect, Layer } from "effect"
import { InMemoryObjectStores } from "../storage/InMemoryObjectStore.ts"
import { ObjectStores } from "../storage/ObjectStore.ts"
import type { StorageTarget } from "../storage/StorageTarget.ts"

/** The name of a target's store in `InMemoryObjectStores`: one for each bucket, container or claim and prefix. */
export const nameOf = (target: StorageTarget): string => {
  const below = (prefix: string | undefined) => (prefix === undefined || prefix === "" ? "" : `/${prefix}`)
  switch (target._tag) {
    case "S3":
      return `s3:${target.bucket}${below(target.prefix)}`
    case "Azure":
      return `azure:${target.accountName}/${target.container}${below(target.prefix)}`
    case "Gcs":
      return `gcs:${target.bucket}${below(target.prefix)}`
    case "Directory":
      return `pvc:${target.volume.replace(/^.*\//, "")}${below(target.subPath)}`
    case "InMemory":
      return target.name
  }
}

/** Every storage that a resource can name, in memory. */
export const layer: Layer.Layer<ObjectStores | InMemoryObjectStores> = Layer.effect(
  ObjectStores,
  Effect.map(InMemoryObjectStores, (memory) => ({
    open: (target: StorageTarget) => Effect.map(memory.named(nameOf(target)), ({ store }) => store)
  }))
).pipe(Layer.provideMerge(InMemoryObjectStores.layer))
