import { Effect, Layer } from "effect"
import * as AzureObjectStore from "./AzureObjectStore.ts"
import * as DirectoryObjectStore from "./DirectoryObjectStore.ts"
import * as GcsObjectStore from "./GcsObjectStore.ts"
import { InMemoryObjectStores } from "./InMemoryObjectStore.ts"
import { ObjectStores } from "./ObjectStore.ts"
import * as S3ObjectStore from "./S3ObjectStore.ts"

/**
 * Opens any storage target; the one place that names every backend. The in-memory stores behind it come along, so that
 * stories can script faults for the stores that the code under test opens.
 */
export const layer = Layer.effect(
  ObjectStores,
  Effect.gen(function* () {
    const inMemory = yield* InMemoryObjectStores
    return ObjectStores.of({
      open: (target) => {
        switch (target._tag) {
          case "Directory":
            return DirectoryObjectStore.open(target)
          case "S3":
            return S3ObjectStore.open(target)
          case "Azure":
            return AzureObjectStore.open(target)
          case "Gcs":
            return GcsObjectStore.open(target)
          case "InMemory":
            return Effect.map(inMemory.named(target.name), ({ store }) => store)
        }
      }
    })
  })
).pipe(Layer.provideMerge(InMemoryObjectStores.layer))
