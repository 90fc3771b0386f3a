import { Result, Schema } from "effect"
import * as Field from "./Field.ts"
import { inspect } from "./Inspection.ts"
import { apiVersion } from "./KafkaBackup.ts"
import { KafkaClusterSpec } from "./KafkaClusterSpec.ts"
import * as KafkaRestore from "./KafkaRestore.ts"
import * as ManifestParser from "./ManifestParser.ts"
import { Metadata } from "./Metadata.ts"
import { consumerGroups, SnapshotId, strategyFields, strategyRules } from "./OffsetResetSpec.ts"
import * as Problem from "./Problem.ts"
import * as Rule from "./Rule.ts"
import { StorageSpec } from "./StorageSpec.ts"
import * as StructuralSchema from "./StructuralSchema.ts"
import { maxPatterns, TopicPattern } from "./TopicPattern.ts"

/** Resources about the offsets of consumer groups alone, without a restore. */

const topics = Field.optional(
  Field.list(TopicPattern, {
    description: "Topics whose offsets are meant: names and patterns. Absent: those that the group has offsets in.",
    maxItems: maxPatterns,
    rules: [
      Rule.rule({
        cel: "self.size() >= 1",
        message: "must name at least one topic or pattern; remove it for the topics that the group has offsets in",
        holds: (self) => self.length >= 1
      })
    ]
  })
)

/** Gives groups other offsets. */
export const OffsetResetSpec = Field.object(
  {
    kafkaCluster: KafkaClusterSpec,
    strategy: Field.choice(["earliest", "latest", "timestamp", "offset"], {
      description:
        "Offsets that the groups get. earliest, latest: start or end of the log. timestamp: the first record of that time or later. offset: that offset."
    }),
    consumerGroups: consumerGroups("Groups whose offsets are set.", "the cluster"),
    topics,
    ...strategyFields,
    dryRun: Field.withDefault(Field.flag({ description: "Show what would be set, and change nothing." }), false),
    createSnapshot: Field.withDefault(
      Field.flag({ description: "Store the present offsets before they are changed. Needs storage." }),
      false
    ),
    snapshotId: Field.optional(SnapshotId),
    storage: Field.optional(StorageSpec)
  },
  {
    description: "Which consumer groups get which offsets.",
    rules: [
      ...strategyRules,
      Rule.rule({
        cel: "!self.createSnapshot || has(self.storage)",
        message: "is required with createSnapshot: say where the snapshot is stored",
        reason: "FieldValueRequired",
        fieldPath: ".storage",
        holds: ({ createSnapshot, storage }) => !createSnapshot || storage !== undefined
      })
    ]
  }
)

/** Stores offsets of groups, or brings stored ones back. */
export const OffsetRollbackSpec = Field.object(
  {
    kafkaCluster: KafkaClusterSpec,
    operation: Field.withDefault(
      Field.choice(["snapshot", "rollback", "verify"], {
        description:
          "snapshot stores the present offsets. rollback sets the stored ones. verify compares the stored ones with the present ones."
      }),
      "rollback"
    ),
    snapshotId: SnapshotId,
    consumerGroups: Field.optional(
      consumerGroups("Groups that are meant. Absent: all of the snapshot.", "the snapshot, or of the cluster")
    ),
    topics,
    storage: Field.optional(StorageSpec)
  },
  {
    description: "Which snapshot of offsets, where it is stored, and what to do with it.",
    rules: [
      Rule.required("storage", "is required: where the snapshot is stored"),
      Rule.rule({
        cel: "self.operation != 'snapshot' || has(self.consumerGroups)",
        message: "is required with operation snapshot: name the consumer groups, or write '*' for all",
        reason: "FieldValueRequired",
        fieldPath: ".consumerGroups",
        holds: ({ consumerGroups: groups, operation }) => operation !== "snapshot" || groups !== undefined
      })
    ]
  }
)

const resource = <const Kind extends string, Spec extends Schema.Top>(kind: Kind, spec: Spec) =>
  Schema.Struct({ apiVersion: Schema.Literal(apiVersion), kind: Schema.Literal(kind), metadata: Metadata, spec })

export const KafkaOffsetReset = resource("KafkaOffsetReset", OffsetResetSpec)
export type KafkaOffsetReset = typeof KafkaOffsetReset.Type
export const KafkaOffsetRollback = resource("KafkaOffsetRollback", OffsetRollbackSpec)
export type KafkaOffsetRollback = typeof KafkaOffsetRollback.Type

export type OffsetResource = KafkaOffsetReset | KafkaOffsetRollback | KafkaRestore.KafkaRestore
export type Kind = OffsetResource["kind"]

const trees = {
  KafkaOffsetReset: StructuralSchema.of(OffsetResetSpec),
  KafkaOffsetRollback: StructuralSchema.of(OffsetRollbackSpec)
}

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

const ofKind = (kind: keyof typeof trees, json: ManifestParser.Json): Parsed => {
  const identity = ManifestParser.identityProblems(json, kind)
  if (identity.length > 0) return ManifestParser.refuse(identity)
  const tree = trees[kind]
  const found = inspect(tree, json["spec"] ?? {}, "spec")
  const problems = [
    ...ManifestParser.unknownProblems(json, tree),
    ...ManifestParser.metadataProblems(json["metadata"]),
    ...found.problems
  ]
  if (problems.length > 0) return ManifestParser.refuse(problems)
  const { status: _, ...rest } = json
  const whole = { ...rest, metadata: ManifestParser.withoutNulls(json["metadata"]), spec: found.completed }
  return Result.mapError(
    decoders[kind](whole, { errors: "all" }) as Result.Result<OffsetResource, Schema.SchemaError>,
    // The tree and the schema agree; if they ever differ, the schema decides.
    (error) => new ManifestParser.ManifestError({ problems: [{ field: "", message: error.message }] })
  )
}
