import { Option, Result, Schema } from "effect"
import { inspect, type UnknownFields } from "./Inspection.ts"
import { apiVersion, group } from "./KafkaBackup.ts"
import { KafkaRestoreSpec } from "./KafkaRestoreSpec.ts"
import { KafkaRestoreStatus } from "./KafkaRestoreStatus.ts"
import * as ManifestParser from "./ManifestParser.ts"
import { Metadata, restoreNameTooLong } from "./Metadata.ts"
import * as StructuralSchema from "./StructuralSchema.ts"

export const kind = "KafkaRestore"
export const plural = "kafkarestores"

/** A restore that failed is tried again when the value of this annotation changes. */
export const retryAnnotation = `${group}/retry` as const

/** A complete restore sets the groups that it had left, once for each value of this annotation. */
export const resetOffsetsAnnotation = `${group}/reset-offsets` as const

/** The whole resource, with defaults applied when decoded. */
export const KafkaRestore = Schema.Struct({
  apiVersion: Schema.Literal(apiVersion),
  kind: Schema.Literal(kind),
  metadata: Metadata,
  spec: KafkaRestoreSpec,
  status: Schema.optionalKey(KafkaRestoreStatus)
})
export type KafkaRestore = typeof KafkaRestore.Type

/** The tree of `spec`: what the API server checks. */
export const spec = StructuralSchema.later(KafkaRestoreSpec)

/** Reads one KafkaRestore from YAML or JSON. The failure holds all problems at once; unknown fields are refused. */
export const parse = (text: string): Result.Result<KafkaRestore, ManifestParser.ManifestError> =>
  Result.flatMap(ManifestParser.document(text, kind), fromJson)

/**
 * Reads a KafkaRestore from what a user wrote. Unknown fields are refused in the spec; a status that cannot be read is
 * the same as none.
 */
export const fromJson = (json: unknown): Result.Result<KafkaRestore, ManifestParser.ManifestError> =>
  read(json, "refuse")

/** The same from what the API server sent: fields of a newer CRD are dropped. */
export const fromServer = (json: unknown): Result.Result<KafkaRestore, ManifestParser.ManifestError> =>
  read(json, "drop")

/** The status, when it can be read. */
export const readableStatus = (json: unknown): Option.Option<KafkaRestoreStatus> =>
  json === undefined || json === null ? Option.none() : Schema.decodeUnknownOption(KafkaRestoreStatus)(json)

const read = (
  json: unknown,
  unknownFields: UnknownFields
): Result.Result<KafkaRestore, ManifestParser.ManifestError> => {
  if (!ManifestParser.isMap(json)) {
    return ManifestParser.refuse([
      { field: "", message: `must be a ${kind}: a block that starts with apiVersion: ${apiVersion}` }
    ])
  }
  const identity = ManifestParser.identityProblems(json, kind)
  if (identity.length > 0) return ManifestParser.refuse(identity)
  const found =
    json["spec"] === undefined || json["spec"] === null
      ? {
          problems: [
            { field: "spec", message: "is required: Which backup to restore, from where, and into which cluster" }
          ],
          completed: undefined
        }
      : inspect(spec(), json["spec"], "spec", unknownFields)
  const problems = [
    ...(unknownFields === "drop" ? [] : ManifestParser.unknownProblems(json, spec())),
    ...ManifestParser.metadataProblems(json["metadata"], restoreNameTooLong),
    ...found.problems
  ]
  if (problems.length > 0) return ManifestParser.refuse(problems)
  const { metadata: _metadata, status: _status, ...rest } = json
  const status = readableStatus(json["status"])
  return Schema.decodeUnknownResult(KafkaRestore)(
    { ...rest, metadata: ManifestParser.withoutNulls(json["metadata"]), spec: found.completed },
    { errors: "all" }
  ).pipe(
    Result.map((restore): KafkaRestore => (Option.isSome(status) ? { ...restore, status: status.value } : restore)),
    // The tree and the schema agree; if they ever differ, the schema decides.
    Result.mapError((error) => new ManifestParser.ManifestError({ problems: [{ field: "", message: error.message }] }))
  )
}
