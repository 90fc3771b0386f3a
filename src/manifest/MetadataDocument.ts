import { Effect, Result, Schema } from "effect"
import { BackupId } from "../identity/BackupId.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { CatalogueError, DocumentUnreadable } from "./CatalogueError.ts"
import { ClusterMetadata } from "./ClusterMetadata.ts"
import type { Manifest } from "./Manifest.ts"
import { sha256 } from "./Seal.ts"
import * as SealedJson from "./SealedJson.ts"

/** `cluster-metadata.json` in the folder of a set. */
const Document = Schema.Struct({
  version: Schema.Literal(1),
  backupId: BackupId,
  /** When the plan was made, in milliseconds since 1970. */
  capturedMillis: Schema.Int,
  ...ClusterMetadata.fields
})

export const encode = (backupId: BackupId, metadata: ClusterMetadata, capturedMillis: number): Uint8Array =>
  SealedJson.seal(Document, { version: 1, backupId, capturedMillis, ...metadata })

/**
 * What the set's document says; undefined if its manifest names none. A file that only lies in the folder grants
 * nothing: the manifest has to name it with this very content.
 */
export const read = Effect.fn("MetadataDocument.read")(function* (
  store: ObjectStoreShape,
  { backupId, manifest }: { readonly backupId: string; readonly manifest: Manifest }
) {
  const expected = manifest.kb_documents?.[BackupKeys.clusterMetadataName]
  if (expected === undefined) return undefined
  const key = ObjectKey.make(`${backupId}/${BackupKeys.clusterMetadataName}`)
  const unreadable = (detail: string) => new CatalogueError({ reason: new DocumentUnreadable({ key, detail }) })
  const bytes = yield* store
    .get(key)
    .pipe(Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => unreadable("it is not there")))
  if (sha256(bytes) !== expected) return yield* unreadable("it is not as it was committed")
  const opened = SealedJson.open(Document, bytes)
  if (Result.isFailure(opened)) return yield* unreadable(opened.failure.message)
  if (opened.success.backupId !== backupId) return yield* unreadable("it belongs to another backup")
  const { backupId: _id, capturedMillis: _captured, version: _version, ...metadata } = opened.success
  return metadata satisfies ClusterMetadata as ClusterMetadata
})
