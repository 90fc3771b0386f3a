import { type BadManifest, badManifests } from "./badManifests.ts"
import { put } from "./manifests.ts"
import { fullSpec as restoreSpec } from "./restoreManifests.ts"

/*
 * What people write by mistake into a KafkaOffsetReset or a KafkaOffsetRollback. The API server and the command line
 * refuse each of them, and name the field, the value and what to write instead.
 */

const common = () => {
  const { podTemplate, resources, storage, targetCluster } = restoreSpec()
  return {
    kafkaCluster: targetCluster,
    consumerGroups: ["billing", "mail-*"],
    topics: ["orders"],
    snapshotId: "before-reset",
    storage,
    parallelism: 4,
    resources,
    job: { backoffLimit: 3, activeDeadlineSeconds: 3600, ttlSecondsAfterFinished: 0 },
    podTemplate
  }
}

/** Valid specs with every block, as plain data; each call gives a fresh one. */
export const fullSpecs = {
  KafkaOffsetReset: () => ({
    ...common(),
    strategy: "timestamp",
    timestamp: "2026-03-01T01:15:00Z",
    dryRun: false,
    createSnapshot: true
  }),
  KafkaOffsetRollback: () => ({ ...common(), operation: "verify", verify: { strict: true } })
} as const

export type Kind = keyof typeof fullSpecs

/** The whole manifest around a spec. */
export const offsetManifest = (kind: Kind, spec: unknown = fullSpecs[kind]()): Record<string, unknown> => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind,
  metadata: { name: "groups" },
  spec
})

type Change = readonly [path: string, value: unknown]

const changed = (kind: Kind, changes: ReadonlyArray<Change>) =>
  offsetManifest(
    kind,
    changes.reduce<Record<string, unknown>>(
      (spec, [path, value]) => put(spec, path.split("."), value) as Record<string, unknown>,
      fullSpecs[kind]()
    )
  )

const bad =
  (kind: Kind) =>
  (mistake: string, changes: ReadonlyArray<Change>, field: string, says: string): BadManifest => ({
    mistake,
    manifest: changed(kind, changes),
    field: field === "" ? "spec" : `spec.${field}`,
    says
  })

const reset = bad("KafkaOffsetReset")
const rollback = bad("KafkaOffsetRollback")

const needsTime = "strategy timestamp needs one of timestamp and timestampMillis; no other strategy takes them"
const needsOffset = "strategy offset needs offset; no other strategy takes it"
const noTime: Change = ["timestamp", undefined]

/** The same mistakes in a field that both kinds have. */
const ofBoth = (one: typeof reset): ReadonlyArray<BadManifest> => [
  one("no group at all", [["consumerGroups", []]], "consumerGroups", "must name at least one consumer group"),
  one("a group without a name", [["consumerGroups", [""]]], "consumerGroups[0]", "write '*' for every group"),
  one("one group as text", [["consumerGroups", "billing"]], "consumerGroups", "must be a list"),
  one("a group's number", [["consumerGroups", [7]]], "consumerGroups[0]", "must be text"),
  one("a group of 256 letters", [["consumerGroups", ["g".repeat(256)]]], "consumerGroups[0]", "at most 255 characters"),
  one("no topic at all", [["topics", []]], "topics", "must name at least one topic or pattern; remove it"),
  one("a topic that Kafka does not allow", [["topics", ["or/ders"]]], "topics[0]", "topic"),
  one("a topic named '.'", [["topics", ["."]]], "topics[0]", "Kafka has no topics named '.' or '..'"),
  one("a path as snapshot", [["snapshotId", "a/b"]], "snapshotId", "must be a name of letters, digits"),
  one("a snapshot that begins with a dot", [["snapshotId", ".hidden"]], "snapshotId", "must be a name of letters"),
  one("a number as snapshot", [["snapshotId", 20_260_301]], "snapshotId", "must be text"),
  one("no group at a time", [["parallelism", 0]], "parallelism", "must be from 1 to 100"),
  one("too many groups at a time", [["parallelism", 1000]], "parallelism", "must be from 1 to 100"),
  one("a negative number of pods", [["job.backoffLimit", -1]], "job.backoffLimit", "must be from 0 to 100"),
  one("a Job of no time", [["job.activeDeadlineSeconds", 0]], "job.activeDeadlineSeconds", "must be from 1"),
  one("a Job without logs", [["job.ttlSecondsAfterFinished", -5]], "job.ttlSecondsAfterFinished", "must be from 0"),
  one("a start deadline", [["job.startDeadlineSeconds", 60]], "job.startDeadlineSeconds", "is not a field here"),
  one("a storage that does not exist", [["storage.storageType", "configMap"]], "storage.storageType", "must be"),
  one("a misspelt field", [["consumerGroup", ["billing"]]], "consumerGroup", "did you mean consumerGroups?")
]

/** Blocks that a KafkaBackup has, too. */
const shared = ["kafkaCluster", "storage", "resources", "podTemplate"]

/** The mistakes in those blocks. */
const ofBlocks = (kind: Kind): ReadonlyArray<BadManifest> =>
  badManifests.flatMap(({ field, manifest: given, ...row }) => {
    const spec = ((given as { readonly spec?: unknown } | null)?.spec ?? {}) as Readonly<Record<string, unknown>>
    const block = shared.find((name) => field.startsWith(`spec.${name}.`))
    return block === undefined
      ? []
      : [{ ...row, field, manifest: offsetManifest(kind, put(fullSpecs[kind](), [block], spec[block])) }]
  })

export const badOffsets: Readonly<Record<Kind, ReadonlyArray<BadManifest>>> = {
  KafkaOffsetReset: [
    reset("no cluster", [["kafkaCluster", undefined]], "kafkaCluster", "a reset needs kafkaCluster"),
    reset("no strategy", [["strategy", undefined]], "strategy", "is required: earliest, latest, timestamp or offset"),
    reset("no groups", [["consumerGroups", undefined]], "consumerGroups", "is required: name the consumer groups"),
    reset(
      "an unknown strategy",
      [["strategy", "newest"], noTime],
      "strategy",
      "must be one of earliest, latest, timestamp, offset"
    ),
    reset(
      "the strategy of a restore",
      [["strategy", "headerBased"], noTime],
      "strategy",
      "needs a backup, and this resource names none: write the strategy into spec.offsetReset of a KafkaRestore"
    ),
    reset(
      "the other name of that strategy",
      [["strategy", "exact"], noTime],
      "strategy",
      "needs a backup, and this resource names none"
    ),
    reset(
      "a mapping in a file",
      [["strategy", "fromMapping"], noTime],
      "strategy",
      "kafka-consumer-groups --reset-offsets --from-file"
    ),
    reset("a strategy with capitals", [["strategy", "Earliest"], noTime], "strategy", "must be one of earliest"),
    reset("the field of a mapping", [["mappingConfigMap", { name: "m" }]], "mappingConfigMap", "is not a field here"),
    reset("the field of a restore", [["sourceCluster", "shop"]], "sourceCluster", "is not a field here"),
    reset("no time", [noTime], "", needsTime),
    reset("two times", [["timestampMillis", 1]], "", needsTime),
    reset("a time for another strategy", [["strategy", "latest"]], "", needsTime),
    reset(
      "a time without a zone",
      [["timestamp", "2026-03-01T01:15:00"]],
      "timestamp",
      "must be a time with a time zone"
    ),
    reset("a negative time", [noTime, ["timestampMillis", -1]], "timestampMillis", "must be from 0"),
    reset("no offset", [["strategy", "offset"], noTime], "", needsOffset),
    reset("an offset for another strategy", [["offset", 5]], "", needsOffset),
    reset("a negative offset", [["strategy", "offset"], noTime, ["offset", -2]], "offset", "must be 0 or more"),
    reset("an offset as text", [["strategy", "offset"], noTime, ["offset", "5"]], "offset", "must be a whole number"),
    reset("a snapshot without storage", [["storage", undefined]], "storage", "is required with createSnapshot"),
    reset("a dry run as text", [["dryRun", "yes"]], "dryRun", "must be true or false"),
    reset("the operation of a rollback", [["operation", "rollback"]], "operation", "is not a field here"),
    ...ofBoth(reset)
  ],
  KafkaOffsetRollback: [
    rollback("no cluster", [["kafkaCluster", undefined]], "kafkaCluster", "is required: write bootstrapServers"),
    rollback("no snapshot", [["snapshotId", undefined]], "snapshotId", "is required: the name of the snapshot"),
    rollback(
      "an unknown operation",
      [
        ["operation", "restore"],
        ["verify", undefined]
      ],
      "operation",
      "must be"
    ),
    rollback(
      "a snapshot without storage",
      [
        ["operation", "snapshot"],
        ["verify", undefined],
        ["storage", undefined]
      ],
      "storage",
      "is required with operation snapshot: say where"
    ),
    rollback(
      "a snapshot of no groups",
      [
        ["operation", "snapshot"],
        ["verify", undefined],
        ["consumerGroups", undefined]
      ],
      "consumerGroups",
      "is required with operation snapshot: name the consumer groups"
    ),
    rollback(
      "deleting a part of a snapshot",
      [
        ["operation", "delete"],
        ["verify", undefined]
      ],
      "",
      "operation delete removes the whole snapshot: remove consumerGroups and topics"
    ),
    rollback("how to verify a rollback", [["operation", "rollback"]], "verify", "is for operation verify only"),
    rollback("verify as text", [["verify", "strict"]], "verify", "must be a block"),
    rollback("strict as text", [["verify.strict", "no"]], "verify.strict", "must be true or false"),
    rollback("the strategy of a reset", [["strategy", "latest"]], "strategy", "is not a field here"),
    rollback("a dry run", [["dryRun", true]], "dryRun", "is not a field here"),
    ...ofBoth(rollback)
  ]
}

/** With the mistakes in blocks that a KafkaBackup has, too. */
export const allBadOffsets: Readonly<Record<Kind, ReadonlyArray<BadManifest>>> = {
  KafkaOffsetReset: [...badOffsets.KafkaOffsetReset, ...ofBlocks("KafkaOffsetReset")],
  KafkaOffsetRollback: [...badOffsets.KafkaOffsetRollback, ...ofBlocks("KafkaOffsetRollback")]
}
