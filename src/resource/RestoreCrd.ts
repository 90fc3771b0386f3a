import * as Definition from "./Definition.ts"
import { kind, plural, spec } from "./KafkaRestore.ts"
import { KafkaRestoreStatus } from "./KafkaRestoreStatus.ts"
import * as Metadata from "./Metadata.ts"
import * as StructuralSchema from "./StructuralSchema.ts"

export { spec }

/** The tree of `status`. */
export const status = StructuralSchema.later(KafkaRestoreStatus)

const columns: ReadonlyArray<Definition.Column> = [
  { name: "Phase", type: "string", jsonPath: ".status.phase", description: "Pending, Running, Completed or Failed" },
  {
    name: "Backup",
    type: "string",
    jsonPath: ".status.resolved.backupId",
    description: "Id of the backup that is restored"
  },
  {
    name: "Progress",
    type: "integer",
    jsonPath: ".status.progress.percent",
    description: "Share of the records that were written, in percent"
  },
  {
    name: "Records",
    type: "integer",
    jsonPath: ".status.restoredRecords",
    description: "Records that were written, read back and compared"
  },
  {
    name: "Verified",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Verified")].status',
    description: "True: every record was read back from the target cluster and is equal to that of the backup"
  },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  {
    name: "Dry Run",
    type: "boolean",
    jsonPath: ".spec.dryRun",
    priority: 1,
    description: "Nothing is written while true"
  },
  {
    name: "Message",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    priority: 1,
    description: "The message of condition Ready: what is wrong, and what to do"
  }
]

/**
 * A restore that has begun to write is bound to what it wrote: with another spec its next pod would find records that
 * it does not expect. Before that, and after a dry run, the spec may be changed.
 */
export const immutable: Definition.RootRule = {
  rule: "!has(oldSelf.status) || !has(oldSelf.status.startedWriting) || self.spec == oldSelf.spec",
  message:
    "cannot be changed, because this restore has begun to write: delete it and create another one; restored topics stay as they are",
  reason: "FieldValueForbidden",
  fieldPath: ".spec"
}

/** The CustomResourceDefinition, as the API server takes it. */
export const crd = StructuralSchema.once(() =>
  Definition.make({
    kind,
    plural,
    shortName: "kr",
    description:
      "Restores topics of a backup into a Kafka cluster: every record at its old offset, read back and compared.",
    columns,
    spec: spec(),
    status: status(),
    rules: [
      {
        rule: `self.metadata.name.size() <= ${Metadata.maxNameLength}`,
        message: `metadata.name ${Metadata.restoreNameTooLong}`
      },
      immutable
    ]
  })
)

/** The CRD as YAML, byte for byte the same for the same schema. */
export const yaml = (): string => Definition.yaml(crd())
