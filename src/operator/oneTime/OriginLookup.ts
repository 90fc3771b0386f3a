import { Effect, Result } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import * as BackupRef from "../../resource/BackupRef.ts"
import type { KafkaRestore } from "../../resource/KafkaRestore.ts"
import * as ManifestParser from "../../resource/ManifestParser.ts"
import * as Problem from "../../resource/Problem.ts"

/** How soon a KafkaBackup that is missing or cannot be used is looked up again. */
export const againMillis = 15_000

export type Origin =
  | { readonly _tag: "Known"; readonly restore: BackupRef.Restorable }
  /** The KafkaBackup is missing or cannot be used. */
  | { readonly _tag: "Missing"; readonly message: string }

/** The restore with what it takes from the KafkaBackup of `spec.backupRef`, which is looked up in its own namespace. */
export const of = Effect.fnUntraced(function* (
  restore: KafkaRestore,
  namespace: string
): Effect.fn.Return<Origin, KubernetesError, KubernetesApi> {
  const { backupRef } = restore.spec
  if (backupRef === undefined) {
    // Without backupRef the spec has storage: its own rule says so.
    return { _tag: "Known", restore: BackupRef.restorable(restore)! }
  }
  const { name } = backupRef
  const api = yield* KubernetesApi
  const found = yield* api
    .get(Kind.kafkaBackups, { namespace, name })
    .pipe(Effect.catchIf(hasReason("NotFound"), () => Effect.succeed(undefined)))
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) {
    const state = found === undefined ? "does not exist" : "is being deleted"
    return { _tag: "Missing", message: `KafkaBackup ${name} ${state} in namespace ${namespace}` }
  }
  const { status: _status, ...desired } = found
  return Result.match(ManifestParser.fromServer(desired), {
    onFailure: ({ problems }): Origin => ({
      _tag: "Missing",
      message: `KafkaBackup ${name} cannot be used: ${problems.map(Problem.format).join("; ")}`
    }),
    onSuccess: (backup): Origin => ({ _tag: "Known", restore: BackupRef.complete(restore, backup) })
  })
})
