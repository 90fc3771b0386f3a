import { Effect } from "effect"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import * as RenewedObjectStore from "../../src/storage/RenewedObjectStore.ts"
import { objectStoreContract } from "../contract/objectStore.ts"

objectStoreContract(
  "in memory, whose credentials can be renewed",
  Effect.map(InMemoryObjectStores.pipe(Effect.provide(InMemoryObjectStores.layer)), ({ named }) => ({
    open: (root) =>
      Effect.map(named(root), ({ store }) => RenewedObjectStore.make(store, () => Effect.succeed(undefined)))
  }))
)
