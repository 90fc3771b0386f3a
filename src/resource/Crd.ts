import * as Definition from "./Definition.ts"
import { kind, plural } from "./KafkaBackup.ts"
import { KafkaBackupSpec } from "./KafkaBackupSpec.ts"
import { KafkaBackupStatus } from "./KafkaBackupStatus.ts"
import * as Metadata from "./Metadata.ts"
import * as StructuralSchema from "./StructuralSchema.ts"

/** The tree of `spec`: what the API server checks, and what Inspection walks. */
export const spec = StructuralSchema.later(KafkaBackupSpec)

/** The tree of `status`. */
export const status = StructuralSchema.later(KafkaBackupStatus)

const columns: ReadonlyArray<Definition.Column> = [
  {
    name: "Schedule",
    type: "string",
    jsonPath: ".spec.schedule",
    description: "When it runs; empty for a one-time backup"
  },
  { name: "Phase", type: "string", jsonPath: ".status.phase", description: "Running, else the last outcome" },
  {
    name: "Ready",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: "True: backups are made as wanted; the column Message (-o wide) says why not"
  },
  {
    name: "Intact",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="SetsIntact")].status',
    description: "False: a stored backup is known to be damaged; condition SetsIntact names the one to restore from"
  },
  {
    name: "Last Success",
    type: "date",
    jsonPath: ".status.lastBackupTime",
    description: "Age of the last successful backup: time since its run started"
  },
  {
    name: "Records",
    type: "integer",
    jsonPath: ".status.lastBackupRecords",
    description: "Records in the last successful backup"
  },
  // Text: kubectl prints an integer unformatted, and 1073741824 is hard to read.
  {
    name: "Size",
    type: "string",
    jsonPath: ".status.lastBackupSizeText",
    description: "Stored bytes of the last successful backup"
  },
  // A string: kubectl prints a date in the future as <invalid>.
  {
    name: "Next",
    type: "string",
    jsonPath: ".status.nextText",
    description: "The next slot, UTC; suspended while spec.suspend is true"
  },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  {
    name: "Suspended",
    type: "boolean",
    jsonPath: ".spec.suspend",
    priority: 1,
    description: "No scheduled runs start while true"
  },
  {
    name: "Duration",
    type: "string",
    jsonPath: ".status.lastBackupDuration",
    priority: 1,
    description: "How long the last successful backup took"
  },
  {
    name: "Restorable",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Restorable")].status',
    priority: 1,
    description: "True: the newest drill restored a part of the newest backup and found it equal; empty without drills"
  },
  {
    name: "Stored",
    type: "string",
    jsonPath: ".status.storedSizeText",
    priority: 1,
    description: "Stored bytes of all backups, each object counted once; empty while no run has counted them"
  },
  {
    name: "Location",
    type: "string",
    jsonPath: ".status.location",
    priority: 1,
    description: "Where the backups lie"
  },
  {
    name: "Message",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    priority: 1,
    description: "The message of condition Ready: what is wrong, what to do, and the last success"
  }
]

/** The CustomResourceDefinition, as the API server takes it. */
export const crd = StructuralSchema.once(() =>
  Definition.make({
    kind,
    plural,
    shortName: "kb",
    description:
      "Backs up topics of a Kafka cluster to object storage, once or on a schedule, and verifies what was stored.",
    columns,
    spec: spec(),
    status: status(),
    rules: [
      {
        rule: `self.metadata.name.size() <= ${Metadata.maxNameLength}`,
        message: `metadata.name ${Metadata.nameTooLong}`
      }
    ]
  })
)

/** The CRD as YAML, byte for byte the same for the same schema. */
export const yaml = (): string => Definition.yaml(crd())
