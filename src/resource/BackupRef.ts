import { Schema } from "effect"
import { given } from "./Json.ts"
import type { KafkaBackup } from "./KafkaBackup.ts"
import type { KafkaRestore } from "./KafkaRestore.ts"
import type { StorageSpec } from "./StorageSpec.ts"

/** The KafkaBackup that `spec.backupRef` names, as far as its backups are recognised by it. */
export const Origin = Schema.Struct({
  name: Schema.String,
  namespace: Schema.optionalKey(Schema.String),
  uid: Schema.optionalKey(Schema.String),
  sourceClusterId: Schema.optionalKey(Schema.String),
  /** When it was created, milliseconds since 1970. */
  createdMillis: Schema.optionalKey(Schema.Int)
})
export type Origin = typeof Origin.Type

/** A restore, with the KafkaBackup that it refers to, where that is known. */
export interface WithOrigin extends KafkaRestore {
  readonly origin?: Origin
}

/** A restore that can be carried out: it is known where its backup is kept, and whose backup it is. */
export interface Restorable extends WithOrigin {
  readonly spec: KafkaRestore["spec"] & { readonly storage: StorageSpec }
}

/** The restore with what it takes from the KafkaBackup that it refers to. Its own storage takes precedence. */
export const complete = (restore: KafkaRestore, { metadata, spec }: KafkaBackup): Restorable => {
  const createdMillis = Date.parse(metadata.creationTimestamp ?? "")
  return {
    ...restore,
    spec: { ...restore.spec, storage: restore.spec.storage ?? spec.storage },
    origin: given({
      name: metadata.name,
      namespace: metadata.namespace,
      uid: metadata.uid,
      sourceClusterId: spec.sourceClusterId,
      createdMillis: Number.isNaN(createdMillis) ? undefined : createdMillis
    })
  }
}

/** The restore, if it needs no KafkaBackup that is not known. */
export const restorable = ({ spec, ...rest }: WithOrigin): Restorable | undefined => {
  const { storage } = spec
  const isOpen = storage === undefined || (spec.backupRef !== undefined && rest.origin === undefined)
  return isOpen ? undefined : { ...rest, spec: { ...spec, storage } }
}
