import * as Definition from "./Definition.ts"
import { KafkaOffsetResetSpec } from "./KafkaOffsetResetSpec.ts"
import { KafkaOffsetRollbackSpec } from "./KafkaOffsetRollbackSpec.ts"
import * as Metadata from "./Metadata.ts"
import { OffsetStatus } from "./OffsetStatus.ts"
import * as StructuralSchema from "./StructuralSchema.ts"

/** The definitions of KafkaOffsetReset and KafkaOffsetRollback. */

export const specs = {
  KafkaOffsetReset: StructuralSchema.later(KafkaOffsetResetSpec),
  KafkaOffsetRollback: StructuralSchema.later(KafkaOffsetRollbackSpec)
}
export type OffsetKind = keyof typeof specs

/** The tree of `status`, the same for both. */
export const status = StructuralSchema.later(OffsetStatus)

export const plurals: Readonly<Record<OffsetKind, string>> = {
  KafkaOffsetReset: "kafkaoffsetresets",
  KafkaOffsetRollback: "kafkaoffsetrollbacks"
}

const phase: Definition.Column = {
  name: "Phase",
  type: "string",
  jsonPath: ".status.phase",
  description: "Pending, Running, Completed or Failed"
}

const others: ReadonlyArray<Definition.Column> = [
  {
    name: "Reset",
    type: "integer",
    jsonPath: ".status.groupsResetTotal",
    description: "Consumer groups whose offsets were set and read back"
  },
  {
    name: "Skipped",
    type: "integer",
    jsonPath: ".status.groupsSkippedTotal",
    description: "Consumer groups that were left as they were"
  },
  {
    name: "Snapshot",
    type: "string",
    jsonPath: ".status.snapshotId",
    description: "Snapshot that was stored, used or deleted"
  },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" }
]

const message: Definition.Column = {
  name: "Message",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].message',
  priority: 1,
  description: "The message of condition Ready: what is wrong, and what to do"
}

/**
 * What has begun to change offsets is bound to what it did: a pod with another spec would not know it. Before that, and
 * after a dry run, the spec may be changed.
 */
export const immutable: Definition.RootRule = {
  rule: "!has(oldSelf.status) || !has(oldSelf.status.startedWriting) || self.spec == oldSelf.spec",
  message:
    "cannot be changed, because a pod may have changed offsets or snapshots already: delete it and create another one; offsets stay as they are",
  reason: "FieldValueForbidden",
  fieldPath: ".spec"
}

const rules: ReadonlyArray<Definition.RootRule> = [
  {
    rule: `self.metadata.name.size() <= ${Metadata.maxNameLength}`,
    message: `metadata.name ${Metadata.restoreNameTooLong}`
  },
  immutable
]

export const crds = {
  KafkaOffsetReset: StructuralSchema.once(() =>
    Definition.make({
      kind: "KafkaOffsetReset",
      plural: plurals.KafkaOffsetReset,
      shortName: "kor",
      description: "Sets the offsets of consumer groups that have no members, once, and reads each back.",
      columns: [
        phase,
        { name: "Strategy", type: "string", jsonPath: ".spec.strategy", description: "Offsets that the groups get" },
        ...others,
        {
          name: "Dry Run",
          type: "boolean",
          jsonPath: ".spec.dryRun",
          priority: 1,
          description: "Nothing is changed while true"
        },
        message
      ],
      spec: specs.KafkaOffsetReset(),
      status: status(),
      rules
    })
  ),
  KafkaOffsetRollback: StructuralSchema.once(() =>
    Definition.make({
      kind: "KafkaOffsetRollback",
      plural: plurals.KafkaOffsetRollback,
      shortName: "korb",
      description:
        "Stores the offsets of consumer groups as a snapshot, sets those of a snapshot again, compares with them, or deletes them.",
      columns: [
        phase,
        {
          name: "Operation",
          type: "string",
          jsonPath: ".spec.operation",
          description: "snapshot, rollback, verify or delete"
        },
        ...others,
        message
      ],
      spec: specs.KafkaOffsetRollback(),
      status: status(),
      rules
    })
  )
}

/** A definition as YAML, byte for byte the same for the same schema. */
export const yaml = (kind: OffsetKind): string => Definition.yaml(crds[kind]())
