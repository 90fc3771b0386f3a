import { Result, Schema } from "effect"
import { inspect } from "./Inspection.ts"
import { apiVersion } from "./KafkaBackup.ts"
import { KafkaRestoreSpec } from "./KafkaRestoreSpec.ts"
import * as ManifestParser from "./ManifestParser.ts"
import { Metadata } from "./Metadata.ts"
import * as StructuralSchema from "./StructuralSchema.ts"

export const kind = "KafkaRestore"

/** The whole resource, with defaults applied when decoded. */
export const KafkaRestore = Schema.Struct({
  apiVersion: Schema.Literal(apiVersion),
  kind: Schema.Literal(kind),
  metadata: Metadata,
  spec: KafkaRestoreSpec
})
export type KafkaRestore = typeof KafkaRestore.Type

const spec = StructuralSchema.of(KafkaRestoreSpec)

/** Reads one KafkaRestore from YAML or JSON. The failure holds all problems at once; unknown fields are refused. */
export const parse = (text: string): Result.Result<KafkaRestore, ManifestParser.ManifestError> =>
  Result.flatMap(ManifestParser.document(text, kind), fromJson)

const fromJson = (json: unknown): Result.Result<KafkaRestore, ManifestParser.ManifestError> => {
  if (!ManifestParser.isMap(json)) {
    return ManifestParser.refuse([
      { field: "", message: `must be a ${kind}: a block that starts with apiVersion: ${apiVersion}` }
    ])
  }
  const identity = ManifestParser.identityProblems(json, kind)
  if (identity.length > 0) return ManifestParser.refuse(identity)
  const found = inspect(spec, json["spec"] ?? {}, "spec")
  const problems = [
    ...ManifestParser.unknownProblems(json, spec),
    ...ManifestParser.metadataProblems(json["metadata"]),
    ...found.problems
  ]
  if (problems.length > 0) return ManifestParser.refuse(problems)
  const { status: _, ...rest } = json
  return Schema.decodeUnknownResult(KafkaRestore)(
    { ...rest, metadata: ManifestParser.withoutNulls(json["metadata"]), spec: found.completed },
    { errors: "all" }
  ).pipe(
    // The tree and the schema agree; if they ever differ, the schema decides.
    Result.mapError((error) => new ManifestParser.ManifestError({ problems: [{ field: "", message: error.message }] }))
  )
}
