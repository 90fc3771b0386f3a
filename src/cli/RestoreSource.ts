import { Effect } from "effect"
import * as BackupRef from "../resource/BackupRef.ts"
import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import type { StorageSpec } from "../resource/StorageSpec.ts"
import * as Resource from "./Resource.ts"
import { UsageError } from "./UsageError.ts"

/*
 * Where the backup of a restore comes from. In a cluster the operator looks up the KafkaBackup of spec.backupRef; a
 * command is given its manifest.
 */

/** The restore of `file`, with what `backupFile` says of the KafkaBackup that it refers to. */
export const readRestorable = Effect.fn("RestoreSource.readRestorable")(function* (
  file: string,
  backupFile: string | undefined
) {
  const restore = yield* Resource.readRestore(file)
  const { backupRef } = restore.spec
  if (backupFile === undefined) {
    const restorable = BackupRef.restorable(restore)
    if (restorable !== undefined) return restorable
    return yield* new UsageError({
      detail: `spec.backupRef names KafkaBackup ${backupRef?.name ?? ""}, and a command cannot look it up`,
      advice:
        "give its manifest with --backup FILE, for example from kubectl get kafkabackup -o yaml; or write backupId and storage instead of backupRef"
    })
  }
  if (backupRef === undefined) {
    const detail = "--backup is for a manifest with spec.backupRef, and this one has backupId"
    return yield* new UsageError({ detail, advice: "leave out --backup, or write backupRef instead of backupId" })
  }
  const backup = yield* Resource.read(backupFile)
  const { name, namespace } = backup.metadata
  const own = restore.metadata.namespace
  if (name !== backupRef.name || (namespace !== undefined && own !== undefined && namespace !== own)) {
    const is = namespace === undefined ? name : `${namespace}/${name}`
    const wanted = own === undefined ? backupRef.name : `${own}/${backupRef.name}`
    return yield* new UsageError({
      detail: `--backup is the KafkaBackup ${is}, and the restore refers to ${wanted}`,
      advice: "give the manifest of that KafkaBackup, or correct spec.backupRef"
    })
  }
  return BackupRef.complete(restore, backup)
})

/** The storage of a restore whose manifest is all that is given. */
export const storageOf = ({ spec: { backupRef, storage } }: KafkaRestore): Effect.Effect<StorageSpec, UsageError> =>
  storage !== undefined
    ? Effect.succeed(storage)
    : Effect.fail(
        new UsageError({
          detail: `the manifest has no storage: spec.backupRef leaves it to KafkaBackup ${backupRef?.name ?? ""}`,
          advice: "write spec.storage of that KafkaBackup into the manifest, too"
        })
      )

/** Fails unless the manifest itself names its backup. */
export const assertNamed = ({ spec: { backupId } }: KafkaRestore): Effect.Effect<void, UsageError> =>
  backupId !== undefined
    ? Effect.void
    : Effect.fail(
        new UsageError({
          detail: "the manifest has backupRef, and this command needs the backup itself",
          advice: "write backupId instead, as the output of the restore or status.resolved of the resource has it"
        })
      )
