import { Result, Schema } from "effect"
import { inspect, type UnknownFields } from "./Inspection.ts"
import { apiVersion } from "./KafkaBackup.ts"
import { KafkaOffsetResetSpec } from "./KafkaOffsetResetSpec.ts"
import { KafkaOffsetRollbackSpec } from "./KafkaOffsetRollbackSpec.ts"
import * as KafkaRestore from "./KafkaRestore.ts"
import * as ManifestParser from "./ManifestParser.ts"
import { Metadata, restoreNameTooLong } from "./Metadata.ts"
import { type OffsetKind, specs } from "./OffsetCrds.ts"
import * as Problem from "./Problem.ts"

/** Resources about the offsets of consumer groups alone, without a restore. */

const resource = <const Kind extends string, Spec extends Schema.Top>(kind: Kind, spec: Spec) =>
  Schema.Struct({ apiVersion: Schema.Literal(apiVersion), kind: Schema.Literal(kind), metadata: Metadata, spec })

export const KafkaOffsetReset = resource("KafkaOffsetReset", KafkaOffsetResetSpec)
export type KafkaOffsetReset = typeof KafkaOffsetReset.Type
export const KafkaOffsetRollback = resource("KafkaOffsetRollback", KafkaOffsetRollbackSpec)
export type KafkaOffsetRollback = typeof KafkaOffsetRollback.Type

export type OffsetResource = KafkaOffsetReset | KafkaOffsetRollback | KafkaRestore.KafkaRestore
export type Kind = OffsetResource["kind"]

const decoders = {
  KafkaOffsetReset: Schema.decodeUnknownResult(KafkaOffsetReset),
  KafkaOffsetRollback: Schema.decodeUnknownResult(KafkaOffsetRollback)
}

type Parsed = Result.Result<OffsetResource, ManifestParser.ManifestError>

/** Reads one resource of one of these kinds from YAML or JSON. The failure holds all problems at once. */
export const parse = <const K extends Kind>(
  text: string,
  kinds: ReadonlyArray<K>
): Result.Result<Extract<OffsetResource, { readonly kind: K }>, ManifestParser.ManifestError> =>
  Result.flatMap(ManifestParser.document(text, kinds[0]!), (json) => {
    const kind = kinds.find((each) => ManifestParser.isMap(json) && json["kind"] === each)
    if (kind === undefined) {
      const given = ManifestParser.isMap(json) ? Problem.shown("kind", json["kind"]) : undefined
      const message = `must be ${kinds.join(" or ")}`
      return ManifestParser.refuse([{ field: "kind", ...(given === undefined ? {} : { value: given }), message }])
    }
    const parsed: Parsed =
      kind === "KafkaRestore" ? KafkaRestore.fromJson(json) : ofKind(kind, json as ManifestParser.Json)
    return parsed as Result.Result<Extract<OffsetResource, { readonly kind: K }>, ManifestParser.ManifestError>
  })

/** Reads one from what the API server sent: fields of a newer CRD are dropped. */
export const fromServer = (
  kind: OffsetKind,
  json: unknown
): Result.Result<KafkaOffsetReset | KafkaOffsetRollback, ManifestParser.ManifestError> =>
  ManifestParser.isMap(json)
    ? ofKind(kind, json, "drop")
    : ManifestParser.refuse([{ field: "", message: `must be a ${kind}` }])

const ofKind = (
  kind: OffsetKind,
  json: ManifestParser.Json,
  unknownFields: UnknownFields = "refuse"
): Result.Result<KafkaOffsetReset | KafkaOffsetRollback, ManifestParser.ManifestError> => {
  const identity = ManifestParser.identityProblems(json, kind)
  if (identity.length > 0) return ManifestParser.refuse(identity)
  const tree = specs[kind]()
  const found =
    json["spec"] === undefined || json["spec"] === null
      ? { problems: [{ field: "spec", message: `is required: ${tree.description}` }], completed: undefined }
      : inspect(tree, json["spec"], "spec", unknownFields)
  const problems = [
    ...(unknownFields === "drop" ? [] : ManifestParser.unknownProblems(json, tree)),
    ...ManifestParser.metadataProblems(json["metadata"], restoreNameTooLong),
    ...found.problems
  ]
  if (problems.length > 0) return ManifestParser.refuse(problems)
  const { status: _, ...rest } = json
  const whole = { ...rest, metadata: ManifestParser.withoutNulls(json["metadata"]), spec: found.completed }
  return Result.mapError(
    decoders[kind](whole, { errors: "all" }) as Result.Result<
      KafkaOffsetReset | KafkaOffsetRollback,
      Schema.SchemaError
    >,
    // The tree and the schema agree; if they ever differ, the schema decides.
    (error) => new ManifestParser.ManifestError({ problems: [{ field: "", message: error.message }] })
  )
}
