import { Effect, type Scope } from "effect"
import { KafkaSinks } from "./kafka/KafkaSink.ts"
import { KafkaSources } from "./kafka/KafkaSource.ts"
import type { KafkaRestore } from "./resource/KafkaRestore.ts"
import type { Systems } from "./restore/Restore.ts"
import type { Secrets } from "./secrets/MountedSecrets.ts"
import * as GuardedObjectStore from "./storage/GuardedObjectStore.ts"
import { ObjectStores } from "./storage/ObjectStore.ts"
import type { BackupFailure } from "./backup/BackupFailure.ts"
import * as Connections from "./worker/Connections.ts"

/** Opens what a restore works with, for as long as the scope lasts: the store is read, the cluster written and read. */
export const open = Effect.fn("RestoreWorker.open")(function* (
  { spec }: KafkaRestore,
  volumes: string | undefined
): Effect.fn.Return<Systems, BackupFailure, Secrets | ObjectStores | KafkaSources | KafkaSinks | Scope.Scope> {
  const storage = yield* Connections.storage(spec.storage, volumes)
  const target = yield* Connections.kafka(spec.targetCluster)
  const stores = yield* ObjectStores
  return {
    store: GuardedObjectStore.make(yield* stores.open(storage), GuardedObjectStore.bounded),
    sink: yield* (yield* KafkaSinks).open(target),
    source: yield* (yield* KafkaSources).open(target)
  }
})
