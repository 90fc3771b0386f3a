import { type BadManifest, badManifests } from "./badManifests.ts"
import { badOffsetResets } from "./badOffsetResets.ts"
import { put } from "./manifests.ts"
import { changed, fullSpec, manifest } from "./restoreManifests.ts"

/*
 * What people write by mistake into a KafkaRestore. The API server and the command line refuse each of them, and name
 * the field, the value and what to write instead.
 */

const bad = (
  mistake: string,
  changes: ReadonlyArray<readonly [path: string, value: unknown]>,
  field: string,
  says: string
): BadManifest => ({ mistake, manifest: changed(...changes), field: `spec.${field}`, says })

/** One change, one message, at the changed field. */
const at = (field: string, mistake: string, value: unknown, says: string): BadManifest =>
  bad(mistake, [[field, value]], field, says)

/** A KafkaBackup instead of a backup. */
const ref = (
  mistake: string,
  value: unknown,
  field: string,
  says: string,
  others: ReadonlyArray<readonly [path: string, value: unknown]> = []
): BadManifest => bad(mistake, [["backupId", undefined], ["backupRef", value], ...others], field, says)

/** A topic mapping with one entry. */
const mapping = (mistake: string, source: string, target: unknown, says: string, field = "topicMapping") =>
  bad(mistake, [["topicMapping", { [source]: target }]], field, says)

const framed = (mistake: string, path: string, value: unknown, says: string): BadManifest => ({
  mistake,
  manifest: put(manifest(), path.split("."), value),
  field: path,
  says
})

const server = "targetCluster.bootstrapServers"
const s3 = "storage.s3"
const pod = "podTemplate"

/** Around the spec. */
const ofFrame: ReadonlyArray<BadManifest> = [
  { mistake: "nothing", manifest: null, field: "", says: "must be a KafkaRestore" },
  { mistake: "a list of resources", manifest: [manifest()], field: "", says: "must be a KafkaRestore" },
  {
    mistake: "kind List",
    manifest: { apiVersion: "v1", kind: "List", items: [] },
    field: "kind",
    says: "each item of the list"
  },
  framed("the kind of backups", "kind", "KafkaBackup", "must be KafkaRestore"),
  framed("no kind", "kind", undefined, "is required: write kind: KafkaRestore"),
  framed("another version", "apiVersion", "kafka.oso.sh/v1", "must be kafka.oso.sh/v1alpha1"),
  framed("no metadata", "metadata", undefined, "with a name"),
  framed("no name", "metadata.name", undefined, "is required"),
  framed("a number as name", "metadata.name", 7, "in quotes"),
  framed("a name with capitals", "metadata.name", "Whole_Set", "DNS-1123"),
  framed("a name of 201 characters", "metadata.name", "a".repeat(201), "at most 200 characters: choose a shorter name"),
  framed("no spec", "spec", undefined, "is required"),
  framed("spec as text", "spec", "shop-20260301-020000", "block of named fields"),
  framed("a misspelt section", "sepc", {}, "did you mean spec?"),
  framed("the backup outside of spec", "backupId", "shop-20260301-020000", "belongs to spec")
]

const ofSpec: ReadonlyArray<BadManifest> = [
  // which backup
  at("backupId", "no backup", undefined, "a restore needs backupId, for example"),
  at("backupId", "an empty id", "", "must be the id of one backup"),
  at("backupId", "an id in capitals", "Shop-20260301-020000", "must be the id of one backup"),
  at("backupId", "a path to a backup", "nightly/shop-20260301-020000", "must be the id of one backup"),
  at("backupId", "the address of a backup", "s3://shop-backups/shop-20260301-020000", "must be the id of one backup"),
  at("backupId", "a pattern of ids", "shop-*", "must be the id of one backup"),
  at("backupId", "an id with a line break", "shop-20260301-020000\n", "must be the id of one backup"),
  at("backupId", "an id that ends with a hyphen", "shop-20260301-", "must be the id of one backup"),
  at("backupId", "an id of 254 characters", "a".repeat(254), "at most 253 characters"),
  at("backupId", "a number as id", 20260301, "must be text"),
  at("backupId", "a list of ids", ["shop-20260301-020000"], "must be text"),
  bad("a backup and a KafkaBackup", [["backupRef", { name: "shop" }]], "backupRef", "remove one of them"),
  ref("a KafkaBackup without a name", {}, "backupRef.name", "needs the name of a KafkaBackup"),
  ref("a KafkaBackup as text", "shop", "backupRef", "block"),
  ref("a KafkaBackup of another namespace", { name: "kafka/shop" }, "backupRef.name", "no namespace in front"),
  ref("a namespace beside the name", { name: "shop", namespace: "kafka" }, "backupRef.namespace", "not a field"),
  ref("a way to select that does not exist", { name: "shop", select: "Oldest" }, "backupRef.select", "PointInTime"),
  ref(
    "a point in time without a time",
    { name: "shop", select: "PointInTime" },
    "backupRef",
    "needs pitr with a timestamp",
    [["pitr", undefined]]
  ),
  ref(
    "a point in time that is turned off",
    { name: "shop", select: "PointInTime" },
    "backupRef",
    "needs pitr with a timestamp",
    [["pitr", { enabled: false, timestamp: "2026-03-01T01:15:00Z" }]]
  ),
  bad("a misspelt backupId", [["backupID", "shop-20260301-020000"]], "backupID", "did you mean backupId?"),

  // where to
  at("targetCluster", "no cluster", undefined, "a restore needs targetCluster with bootstrapServers"),
  at("targetCluster", "a cluster as text", "kafka:9092", "block of named fields"),
  bad(
    "the cluster of a backup",
    [["kafkaCluster", { bootstrapServers: ["kafka:9092"] }]],
    "kafkaCluster",
    "is not a field here; the fields are"
  ),
  at(server, "no brokers", [], "at least one broker"),
  at(server, "brokers as text", "kafka:9092", "must be a list"),
  at(`${server}[0]`, "a broker without port", "kafka", "port from 1 to 65535"),
  at(`${server}[0]`, "two brokers in one entry", "a:9092,b:9092", "one broker without blanks or commas"),
  at("targetCluster.securityProtocol", "a protocol in small letters", "sasl_ssl", "did you mean SASL_SSL?"),
  at("targetCluster.saslSecret", "SASL without credentials", undefined, "need saslSecret"),
  at("targetCluster.saslSecret.mechanism", "another mechanism", "GSSAPI", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"),
  at("targetCluster.saslSecret.name", "a Secret of another namespace", "other/kafka", "in the same namespace"),

  // from where
  at("storage", "no storage", undefined, "a restore needs storage with storageType"),
  at("storage.storageType", "a type in capitals", "S3", "did you mean s3?"),
  at(s3, "s3 without its block", undefined, "needs the block storage.s3"),
  at(`${s3}.bucket`, "a path in the bucket", "shop-backups/nightly", "must be a bucket's name, 3 to 63"),
  at(`${s3}.region`, "no region", undefined, "is required"),
  at(`${s3}.prefix`, "the folder of the backup as prefix", "/nightly/shop-20260301-020000", "must not start with '/'"),
  bad(
    "a prefix one level too high",
    [["storage.prefix", "nightly"]],
    "storage.prefix",
    "it belongs to spec.storage.s3"
  ),

  // which topics
  at("topics", "an empty list", [], "remove it to restore all topics"),
  at("topics", "topics as text", "orders", "must be a list"),
  at("topics", "a mapping as topics", { orders: "orders-restored" }, "must be a list"),
  at(
    "topics",
    "10,001 topics",
    Array.from({ length: 10_001 }, (_, n) => `t${n}`),
    "at most 10000 entries"
  ),
  at("topics[0]", "a regular expression", "^orders.*$", "topic name or wildcard pattern"),
  at("topics[0]", "a topic and its partition", "orders:0", "topic name or wildcard pattern"),
  at("topics[0]", "two dots", "..", "no topics named"),
  at("topics[0]", "a topic of 250 characters", "a".repeat(250), "at most 249 characters"),
  at("topics[1]", "an empty entry", null, "is empty"),
  at("excludeTopics[0]", "a blank", "my topic", "topic name or wildcard pattern"),

  // under which names
  at("topicMapping", "a mapping as list", ["orders", "orders-restored"], "block"),
  at("topicMapping", "a mapping as text", "orders:orders-restored", "block"),
  mapping("a source with a blank", "my orders", "orders", "must map names of topics"),
  mapping("a regular expression as source", "(orders)", "restored", "must map names of topics"),
  mapping("a source of 250 characters", "a".repeat(250), "orders", "must map names of topics"),
  mapping("a target with a blank", "orders", "my orders", "must be a topic name", "topicMapping[orders]"),
  mapping("an empty target", "orders", "", "must be a topic name", "topicMapping[orders]"),
  mapping("a captured group in the target", "orders", "restored-$1", "must be a topic name", "topicMapping[orders]"),
  mapping("a target of 250 characters", "orders", "a".repeat(250), "at most 249 characters", "topicMapping[orders]"),
  mapping("two dots as target", "orders", "..", "names of Kafka's own topics", "topicMapping[orders]"),
  mapping(
    "Kafka's own offsets as target",
    "orders",
    "__consumer_offsets",
    "names of Kafka's own topics",
    "topicMapping[orders]"
  ),
  mapping("a pattern with a name as target", "orders-*", "restored", "its value has one exactly if the key has"),
  mapping("a name with a pattern as target", "orders", "restored-*", "its value has one exactly if the key has"),
  mapping("two stars", "*-orders-*", "restored-*", "a key has at most one '*'"),
  mapping("a number as target", "orders", 7, "must be text", "topicMapping[orders]"),
  at(
    "topicMapping",
    "1,001 entries",
    Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`a${n}`, `b${n}`])),
    "at most 1000 entries"
  ),

  // which records
  at("pitr", "an empty block", {}, "set timestamp, such as 2026-03-01T01:15:00Z"),
  at("pitr", "a time as text", "2026-03-01T01:15:00Z", "block"),
  at("pitr", "enabled without a time", { enabled: true }, "remove pitr to restore all times"),
  at(
    "pitr",
    "two times",
    { timestamp: "2026-03-01T01:15:00Z", timestampMillis: 1_772_327_700_000 },
    "set timestamp or timestampMillis, not both"
  ),
  at(
    "pitr",
    "a start after the end",
    { timestamp: "2026-03-01T01:15:00Z", start: "2026-03-02T00:00:00Z" },
    "start must not be after the end"
  ),
  at("pitr.timestamp", "a time without its zone", "2026-03-01T01:15:00", "must be a time with its time zone"),
  at("pitr.timestamp", "a date alone", "2026-03-01", "must be a time with its time zone"),
  at("pitr.timestamp", "the 29th of a February with 28 days", "2026-02-29T00:00:00Z", "must be a day that exists"),
  at("pitr.timestampMillis", "milliseconds as text", "1772327700000", "must be a whole number"),
  at("partitions", "other partitions at the old offsets", { orders: 12 }, "partitions needs offsets: New"),
  at("partitions", "one number for all topics", 12, "block"),
  bad(
    "no partition",
    [
      ["partitions", { orders: 0 }],
      ["offsets", "New"]
    ],
    "partitions[orders]",
    "1"
  ),
  at("sourcePartitions", "a list", [1, 2], "block"),
  bad("a partition without its list", [["sourcePartitions", { orders: 3 }]], "sourcePartitions[orders]", "list"),
  at("includeOriginalOffsetHeader", "a text", "yes", "true or false"),

  // how
  at("createTopics", "yes", "yes", "true or false"),
  at("defaultReplicationFactor", "no replica", 0, "must be 1 or more, or -1 for the broker's default"),
  at("defaultReplicationFactor", "minus two replicas", -2, "must be from -1 to 32767"),
  at("defaultReplicationFactor", "more replicas than Kafka can count", 32_768, "must be from -1 to 32767"),
  at("defaultReplicationFactor", "a quoted number", "3", "remove the quotes"),
  at("defaultReplicationFactor", "a replica and a half", 1.5, "whole number"),
  at("defaultReplicationFactor", "replicas of topics that are not created", 3, "no effect with createTopics false"),
  at("offsets", "offsets in small letters", "exact", "did you mean Exact?"),
  at("offsets", "another word for offsets", "Original", "Auto, Exact or New"),
  at("offsets", "a flag for offsets", true, "must be Auto, Exact or New"),
  at("gaps", "another word for gaps", "Ignore", "Fail or Accept"),
  at("existingTopics", "another word for replacing", "Replace", "Fail, Append or Recreate"),
  at("existingTopics", "appending at the old offsets", "Append", "Append needs offsets: New"),
  bad(
    "appending, and groups where they were",
    [
      ["existingTopics", "Append"],
      ["offsets", "New"],
      ["offsetReset", { enabled: true, strategy: "headerBased", consumerGroups: ["billing"] }]
    ],
    "offsetReset",
    "use another strategy"
  ),
  bad("recreating without names", [["existingTopics", "Recreate"]], "confirmRecreate", "list their names"),
  bad(
    "recreating with an empty list",
    [
      ["existingTopics", "Recreate"],
      ["confirmRecreate", []]
    ],
    "confirmRecreate",
    "list their names"
  ),
  bad(
    "recreating by a pattern",
    [
      ["existingTopics", "Recreate"],
      ["confirmRecreate", ["orders-*"]]
    ],
    "confirmRecreate[0]",
    "patterns are not taken"
  ),
  bad("names without recreating", [["confirmRecreate", ["orders"]]], "confirmRecreate", "has no effect without"),
  bad(
    "recreating without creating",
    [
      ["existingTopics", "Recreate"],
      ["confirmRecreate", ["orders"]],
      ["createTopics", false],
      ["defaultReplicationFactor", undefined]
    ],
    "createTopics",
    "remove createTopics: false"
  ),
  at("onFailure", "another word for deleting", "Delete", "Keep or DeleteCreated"),
  at("retentionHold", "a hold in words", "1 day", "24h, 90m or 7d, 0s for no hold, or forever"),
  at("retentionHold", "a hold as a number", 24, "such as 24h"),
  at("exact.maxFillerOffsets", "fewer than no fillers", -1, "from 0 to 1000000000000"),
  at("compression", "a codec that Kafka has and a restore has not", "snappy", "none, gzip, lz4 or zstd"),
  at("configs", "another word for the configuration", "None", "FromBackup or BrokerDefaults"),
  at("acls", "a flag", true, "None or Create"),
  at("acls", "another word for adding", "FromBackup", "None or Create"),
  at("quotas", "another word for adding", "create", "None or Create"),
  at("configOverrides", "a topic with a blank", { "a b": { "retention.ms": "1" } }, "topic names or wildcard patterns"),
  bad(
    "a configuration with capitals",
    [["configOverrides", { orders: { "Retention.Ms": "1" } }]],
    "configOverrides[orders]",
    "names of topic configurations as keys"
  ),
  at("rateLimit.bytesPerSecond", "no bytes at all", 0, "remove it for no limit"),
  at("rateLimit.recordsPerSecond", "no records at all", 0, "remove it for no limit"),
  at("circuitBreaker.failureThreshold", "a breaker that is always open", 0, "1 to 1000"),
  at("dryRun", "a quoted boolean", "true", "true or false without quotes"),
  bad("a dry run as on the command line", [["dry-run", true]], "dry-run", "did you mean dryRun?"),
  bad("a schedule", [["schedule", "0 * * * *"]], "schedule", "is not a field here; the fields are"),

  // Job and pod
  at("job.backoffLimit", "a negative limit", -1, "must be from 0 to 100"),
  at("job.activeDeadlineSeconds", "a deadline of zero", 0, "must be from 1 to"),
  at("job.activeDeadlineSeconds", "a deadline as duration", "1h", "must be a whole number"),
  at("job.ttlSecondsAfterFinished", "a negative time", -1, "must be from 0 to"),
  at("job.startDeadlineSeconds", "a deadline of backups", 600, "is not a field here"),
  at("job.parallelism", "the shards of backups", 4, "is not a field here"),
  at("resources.requests.memory", "more memory asked than allowed", "3Gi", "requests.memory must not exceed"),
  at(`${pod}.image`, "an image of one's own", "evil", "is not a field here"),
  bad("the operator's label", [[`${pod}.labels`, { "kafka.oso.sh/uid": "x" }]], `${pod}.labels`, "under kafka.oso.sh/"),
  at(`${pod}.serviceAccountName`, "a service account's path", "ns:restore", "ServiceAccount")
].map((row) =>
  // The one mistake that two fields make.
  row.mistake === "replicas of topics that are not created"
    ? { ...row, manifest: put(row.manifest, ["spec", "createTopics"], false) }
    : row.mistake === "more memory asked than allowed"
      ? { ...row, field: "spec.resources.requests" }
      : row
)

/** The table. */
export const badRestores: ReadonlyArray<BadManifest> = [...ofFrame, ...ofSpec, ...badOffsetResets]

/** The blocks that a KafkaBackup has, too, and their names in a KafkaRestore. */
const shared = {
  kafkaCluster: "targetCluster",
  storage: "storage",
  resources: "resources",
  job: "job",
  podTemplate: "podTemplate"
} as const

/** The mistakes in those blocks, in a KafkaRestore. */
export const sharedMistakes: ReadonlyArray<BadManifest> = badManifests.flatMap(({ field, manifest: given, ...row }) => {
  const spec = ((given as { readonly spec?: unknown } | null)?.spec ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(shared).flatMap(([theirs, ours]) => {
    if (!field.startsWith(`spec.${theirs}.`) || /\.job\.(startDeadlineSeconds|parallelism)$/.test(field)) return []
    const whole = put(fullSpec(), [ours], spec[theirs])
    return [{ ...row, manifest: manifest(whole), field: field.replace(`spec.${theirs}`, `spec.${ours}`) }]
  })
})
