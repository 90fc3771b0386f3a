import { badSasl } from "./badSasl.ts"
import { badStorageSettings } from "./badStorageSettings.ts"
import { changed, manifest, put } from "./manifests.ts"

export interface BadManifest {
  /** What the user did. */
  readonly mistake: string
  readonly manifest: unknown
  readonly field: string
  /** A part of the message that no other rule of the field has. */
  readonly says: string
}

const bad = (
  mistake: string,
  changes: ReadonlyArray<readonly [path: string, value: unknown]>,
  field: string,
  says: string
): BadManifest => ({ mistake, manifest: changed(...changes), field: field === "" ? "spec" : `spec.${field}`, says })

/** One change, one message, at the changed field. */
const at = (field: string, mistake: string, value: unknown, says: string): BadManifest =>
  bad(mistake, [[field, value]], field, says)

const azure = "storage.azure"
const s3 = "storage.s3"
const gcs = "storage.gcs"
const pvc = "storage.pvc"
const server = "kafkaCluster.bootstrapServers"
const pod = "podTemplate"

/** Nothing but a reference to Strimzi's resources. */
const strimzi = (strimziRef: unknown): readonly [path: string, value: unknown] => ["kafkaCluster", { strimziRef }]

export const badManifests: ReadonlyArray<BadManifest> = [
  // the frame
  { mistake: "nothing", manifest: null, field: "", says: "must be a KafkaBackup" },
  { mistake: "a list of resources", manifest: [manifest()], field: "", says: "must be a KafkaBackup" },
  {
    mistake: "kind List",
    manifest: { apiVersion: "v1", kind: "List", items: [] },
    field: "kind",
    says: "each item of the list"
  },
  {
    mistake: "another kind",
    manifest: { ...manifest(), kind: "KafkaTopic" },
    field: "kind",
    says: "must be KafkaBackup"
  },
  { mistake: "no kind", manifest: put(manifest(), ["kind"], undefined), field: "kind", says: "is required" },
  {
    mistake: "another version",
    manifest: { ...manifest(), apiVersion: "kafka.oso.sh/v1" },
    field: "apiVersion",
    says: "must be kafka.oso.sh/v1alpha1"
  },
  {
    mistake: "no metadata",
    manifest: put(manifest(), ["metadata"], undefined),
    field: "metadata",
    says: "with a name"
  },
  {
    mistake: "no name",
    manifest: put(manifest(), ["metadata", "name"], undefined),
    field: "metadata.name",
    says: "is required"
  },
  {
    mistake: "a number as name",
    manifest: put(manifest(), ["metadata", "name"], 7),
    field: "metadata.name",
    says: "in quotes"
  },
  {
    mistake: "a name with capitals",
    manifest: put(manifest(), ["metadata", "name"], "Orders_Daily"),
    field: "metadata.name",
    says: "DNS-1123"
  },
  {
    mistake: "a name of 201 characters",
    manifest: put(manifest(), ["metadata", "name"], "a".repeat(201)),
    field: "metadata.name",
    says: "at most 200"
  },
  {
    mistake: "a boolean annotation",
    manifest: put(manifest(), ["metadata", "annotations"], { a: true }),
    field: "metadata.annotations[a]",
    says: "in quotes"
  },
  {
    mistake: "labels as a list",
    manifest: put(manifest(), ["metadata", "labels"], ["a"]),
    field: "metadata.labels",
    says: "names and values"
  },
  { mistake: "no spec", manifest: put(manifest(), ["spec"], undefined), field: "spec", says: "is required" },
  { mistake: "spec as text", manifest: manifest("orders"), field: "spec", says: "block of named fields" },
  { mistake: "a misspelt section", manifest: { ...manifest(), sepc: {} }, field: "sepc", says: "did you mean spec?" },
  {
    mistake: "topics outside of spec",
    manifest: { ...manifest(), topics: [] },
    field: "topics",
    says: "belongs to spec"
  },

  // schedule
  at("schedule", "four fields", "0 * * *", "five cron fields"),
  at("schedule", "seconds", "0 0 * * * *", "five cron fields"),
  at("schedule", "a minute of 60", "60 * * * *", "five cron fields"),
  at("schedule", "last day of the month", "0 0 L * *", "no L, W"),
  at("schedule", "an empty schedule", "", "five cron fields"),
  at("schedule", "a line break between fields", "0 *\n* * *", "five cron fields"),
  at("schedule", "a blank before @every", " @every 5m", "@every and @reboot"),
  at("schedule", "@every", "@every 5m", "@every and @reboot"),
  at("schedule", "a zone inside", "CRON_TZ=UTC 0 * * * *", "must not contain TZ="),
  at("schedule", "a long text", "0 ".repeat(200), "at most 256 characters"),
  at("schedule", "a range that runs backwards", "0 22-2 * * *", "write 22-23,0-2"),
  at("schedule", "a date that no month has", "0 0 31 2,4 *", "never matches"),
  at("schedule", "a step beyond the field", "0 */48 * * *", "step of */48"),
  at("schedule", "a number", 5, "five cron fields"),
  at("timeZone", "an offset", "+02:00", "IANA time zone"),
  at("timeZone", "Local", "Local", "'Local' is a different time zone"),
  at("timeZone", "an unknown zone", "Mars/Olympus", "IANA database"),
  bad(
    "a zone without schedule",
    [
      ["schedule", undefined],
      ["startingDeadlineSeconds", undefined]
    ],
    "timeZone",
    "timeZone has no effect without schedule"
  ),
  bad(
    "a deadline without schedule",
    [
      ["schedule", undefined],
      ["timeZone", undefined]
    ],
    "startingDeadlineSeconds",
    "startingDeadlineSeconds has no effect"
  ),
  at("startingDeadlineSeconds", "a deadline of zero", 0, "must be from 1 to 31536000"),
  at("suspend", "a quoted boolean", "true", "true or false without quotes"),

  // cluster
  at("kafkaCluster", "no cluster", undefined, "a backup needs kafkaCluster with bootstrapServers"),
  at(server, "no brokers", [], "at least one broker"),
  at(server, "brokers as text", "kafka:9092", "must be a list"),
  at(
    server,
    "101 brokers",
    Array.from({ length: 101 }, (_, n) => `k${n}:9092`),
    "at most 100 entries"
  ),
  at(`${server}[0]`, "a URL", "kafka://kafka:9092", "without a scheme"),
  at(`${server}[0]`, "two brokers in one entry", "a:9092,b:9092", "one broker without blanks or commas"),
  at(`${server}[0]`, "no port", "kafka", "port from 1 to 65535"),
  at(`${server}[0]`, "port 0", "kafka:0", "port from 1 to 65535"),
  at(`${server}[0]`, "port 65536", "kafka:65536", "port from 1 to 65535"),
  at(`${server}[0]`, "shell characters", "$(id):9092", "must be host:port with"),
  at(`${server}[0]`, "bare IPv6", "fd00::1:9092", "must be host:port with"),
  at(`${server}[0]`, "IPv6 with two gaps", "[1::2::3]:9092", "must be an IPv6 address"),
  at(`${server}[0]`, "a mapped address of five parts", "[::ffff:10.0.0.0.1]:9092", "must be an IPv6 address"),
  at(`${server}[0]`, "two dots at the end of a host", "kafka..:9092", "must be host:port with"),
  at(server, "a broker twice", ["a:9092", "b:9092", "a:9092"], "must not name a broker twice"),
  at(`${server}[0]`, "IPv4 in brackets", "[10.0.0.1]:9092", "must be an IPv6 address"),
  at("kafkaCluster.securityProtocol", "an unknown protocol", "SASL", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"),
  at("kafkaCluster.securityProtocol", "lower case", "sasl_ssl", "did you mean SASL_SSL?"),
  at("kafkaCluster.saslSecret", "SASL without credentials", undefined, "need saslSecret"),
  bad(
    "credentials without SASL",
    [["kafkaCluster.securityProtocol", "SSL"]],
    "kafkaCluster.saslSecret",
    "saslSecret has no effect"
  ),
  bad(
    "TLS material without TLS",
    [["kafkaCluster.securityProtocol", "SASL_PLAINTEXT"]],
    "kafkaCluster.tlsSecret",
    "tlsSecret has no effect"
  ),
  at("kafkaCluster.saslSecret.mechanism", "an unknown mechanism", "GSSAPI", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"),
  at("kafkaCluster.saslSecret.mechanism", "no mechanism", undefined, "is required"),
  at(
    "kafkaCluster.saslSecret.name",
    "a Secret of another namespace",
    "other/credentials",
    "name of a Secret in the same namespace"
  ),
  at("kafkaCluster.saslSecret.namespace", "a namespace field", "other", "is not a field here"),
  ...badSasl,
  at("kafkaCluster.tlsSecret.caKey", "a path as key", "certs/ca.crt", "key of the Secret's data"),
  at("kafkaCluster.tlsSecret.caKey", "a parent directory as key", "..", "key of the Secret's data"),
  bad(
    "a path as key of the authorities",
    [["kafkaCluster.caSecret", { name: "ca", key: "certs/ca.crt" }]],
    "kafkaCluster.caSecret.key",
    "key of the Secret's data"
  ),
  bad(
    "the key's name of another block",
    [["kafkaCluster.caSecret", { name: "ca", caKey: "ca.crt" }]],
    "kafkaCluster.caSecret.caKey",
    "is not a field here"
  ),
  bad(
    "authorities without TLS",
    [
      ["kafkaCluster.tlsSecret", undefined],
      ["kafkaCluster.caSecret", { name: "cluster-ca" }],
      ["kafkaCluster.securityProtocol", "SASL_PLAINTEXT"]
    ],
    "kafkaCluster.caSecret",
    "caSecret has no effect"
  ),
  at("kafkaCluster.saslSecret.username", "an empty user name", "", "not empty and without"),
  at("kafkaCluster.saslSecret.username", "a user name of two lines", "a\nb", "a user name of one line"),
  at("kafkaCluster.saslSecret.username", "a user name of a blank", " ", "without blanks at either end"),
  at("kafkaCluster.saslSecret.username", "a padded user name", "backup ", "without blanks at either end"),
  at(
    "kafkaCluster.saslSecret.username",
    "a no-break space before a name",
    "\u00a0backup",
    "without blanks at either end"
  ),
  at("kafkaCluster.saslSecret.username", "a control character beyond ASCII", "back\u0085up", "invisible characters"),
  at("kafkaCluster.saslSecret.username", "a zero-width space", "backup\u200b", "invisible characters"),
  bad(
    "a user name and a key for it",
    [
      ["kafkaCluster.saslSecret.username", "backup"],
      ["kafkaCluster.saslSecret.usernameKey", "user"]
    ],
    "kafkaCluster.saslSecret.usernameKey",
    "usernameKey has no effect beside username"
  ),

  // Strimzi
  at(server, "no brokers and no reference to them", undefined, "only strimziRef replaces it"),
  bad("nothing but a name", [strimzi({ name: "main" })], "kafkaCluster.strimziRef.listener", "is required"),
  bad(
    "a listener that Strimzi refuses",
    [strimzi({ name: "main", listener: "my-listener" })],
    "kafkaCluster.strimziRef.listener",
    "name of a listener"
  ),
  bad(
    "a cluster of another namespace",
    [strimzi({ name: "kafka/main", listener: "tls" })],
    "kafkaCluster.strimziRef.name",
    "in the same namespace"
  ),
  bad(
    "a user of another namespace",
    [strimzi({ name: "main", listener: "tls", user: "kafka/backup" })],
    "kafkaCluster.strimziRef.user",
    "in the same namespace"
  ),
  ...(
    [
      ["bootstrapServers", ["kafka:9092"]],
      ["securityProtocol", "SASL_SSL"],
      ["tlsSecret", { name: "tls" }],
      ["caSecret", { name: "ca" }],
      ["saslSecret", { name: "sasl", mechanism: "PLAIN" }]
    ] as const
  ).map(([field, value]) =>
    bad(
      `a reference and ${field}`,
      [strimzi({ name: "main", listener: "tls" }), [`kafkaCluster.${field}`, value]],
      "kafkaCluster.strimziRef",
      "come from Strimzi's resources"
    )
  ),

  // topics
  at("topics", "no topics at all", undefined, "a backup needs topics: list names or patterns"),
  at("topics", "an empty list", [], "at least one topic"),
  at(
    "topics",
    "10,001 topics",
    Array.from({ length: 10_001 }, (_, n) => `t${n}`),
    "at most 10000 entries"
  ),
  at("topics[0]", "a line break", "orders\n", "topic name or wildcard pattern"),
  at("topics[0]", "an emoji", "orders-🎉", "topic name or wildcard pattern"),
  at("topics[0]", "a regular expression", "^orders.*$", "topic name or wildcard pattern"),
  at("topics[0]", "two dots", "..", "no topics named"),
  at("topics[0]", "250 characters", "a".repeat(250), "at most 249 characters"),
  at("topics[1]", "an empty entry", null, "is empty"),
  at("excludeTopics[0]", "a blank", "my topic", "topic name or wildcard pattern"),

  // storage
  at("storage", "no storage", undefined, "a backup needs storage with storageType"),
  at("storage.storageType", "capitals", "S3", "did you mean s3?"),
  at("storage.storageType", "no type", undefined, "is required"),
  at("storage.storageType", "an unknown type", "ftp", "s3, azure, gcs or pvc"),
  at(s3, "s3 without its block", undefined, "needs the block storage.s3"),
  bad(
    "azure without its block",
    [
      ["storage.storageType", "azure"],
      [azure, undefined]
    ],
    azure,
    "needs the block storage.azure"
  ),
  bad(
    "gcs without its block",
    [
      ["storage.storageType", "gcs"],
      [gcs, undefined]
    ],
    gcs,
    "needs the block storage.gcs"
  ),
  bad(
    "pvc without its block",
    [
      ["storage.storageType", "pvc"],
      [pvc, undefined]
    ],
    pvc,
    "needs the block storage.pvc"
  ),
  at("storage.bucket", "the bucket one level too high", "b", "it belongs to spec.storage.s3"),
  at(`${s3}.bucket`, "a path in the bucket", "backups/kafka", "must be a bucket's name, 3 to 63"),
  at(`${s3}.bucket`, "an ARN", "arn:aws:s3:::backups", "must be a bucket's name, 3 to 63"),
  at(`${s3}.bucket`, "an address as bucket", "192.168.5.4", "look like an IP address"),
  at(`${s3}.bucket`, "two dots in the bucket", "kafka..backups", "must not contain '..'"),
  at(`${s3}.region`, "no region", undefined, "is required"),
  at(`${s3}.region`, "a URL as region", "https://s3", "region's name"),
  at(`${s3}.endpoint`, "another scheme", "file:///etc/passwd", "must start with http:// or https://"),
  at(`${s3}.endpoint`, "credentials in the address", "http://user:pw@minio:9000", "user name or password"),
  at(`${s3}.endpoint`, "a query", "https://minio:9000/?sig=abc", "query or fragment"),
  at(`${s3}.endpoint`, "no host", "https://", "scheme://host"),
  at(`${s3}.endpoint`, "port 99999", "https://minio:99999", "scheme://host"),
  at(`${s3}.endpoint`, "the metadata service", "http://169.254.169.254/latest", "link-local or metadata"),
  at(`${s3}.endpoint`, "the metadata service by another spelling", "HTTP://169.254.169.254", "link-local or metadata"),
  at(
    `${s3}.endpoint`,
    "the metadata service as a mapped address",
    "http://[::ffff:169.254.169.254]",
    "link-local or metadata"
  ),
  at(
    `${s3}.endpoint`,
    "the metadata service with a dot at the end",
    "http://metadata.google.internal./x",
    "link-local or metadata"
  ),
  at(`${s3}.endpoint`, "IPv6 with two gaps", "http://[1::2::3]:90", "must be an IPv6 address"),
  at(`${s3}.endpoint`, "a port after two dots", "http://minio..:90", "scheme://host"),
  bad(
    "authorities for a plain endpoint in capitals",
    [
      [`${s3}.endpoint`, "HTTP://minio:9000"],
      [`${s3}.caSecret`, { name: "minio-ca" }]
    ],
    `${s3}.caSecret`,
    "no effect without an https:// endpoint"
  ),
  bad(
    "authorities for a plain endpoint",
    [
      [`${s3}.endpoint`, "http://minio:9000"],
      [`${s3}.caSecret`, { name: "minio-ca" }]
    ],
    `${s3}.caSecret`,
    "no effect without an https:// endpoint"
  ),
  bad(
    "authorities for AWS",
    [
      [`${s3}.endpoint`, ""],
      [`${s3}.caSecret`, { name: "minio-ca" }]
    ],
    `${s3}.caSecret`,
    "no effect without an https:// endpoint"
  ),
  bad("authorities without a name", [[`${s3}.caSecret`, { caKey: "ca.crt" }]], `${s3}.caSecret.name`, "is required"),
  bad(
    "a path as key of the authorities",
    [[`${s3}.caSecret`, { name: "minio-ca", caKey: "/etc/ca.crt" }]],
    `${s3}.caSecret.caKey`,
    "key of the Secret"
  ),
  at(`${s3}.prefix`, "a NUL", "a\u0000b", "must not contain control characters"),
  at(`${s3}.prefix`, "a backslash", "a\\b", "separated by '/'"),
  at(`${s3}.prefix`, "a leading slash", "/production", "must not start with '/'"),
  at(`${s3}.prefix`, "a doubled slash", "a//b", "must not contain '//'"),
  at(`${s3}.prefix`, "the parent directory", "../other", "'.' or '..' as a part"),
  at(`${s3}.prefix`, "the parent directory inside", "a/../../b", "'.' or '..' as a part"),
  at(`${s3}.prefix`, "an encoded parent directory", "%2e%2e/other", "percent-encoded"),
  at(`${s3}.prefix`, "2,000 characters", "a".repeat(2000), "at most 400 characters"),
  at(`${s3}.credentialsSecret.name`, "a Secret's name with a slash", "other/ns", "name of a Secret"),
  at(`${azure}.accountName`, "a host name", "kafka.blob.core.windows.net", "at most 24 characters"),
  at(`${azure}.accountName`, "capitals", "KafkaBackups", "storage account's name"),
  at(`${azure}.container`, "two hyphens", "kafka--backups", "container's name"),
  at(`${azure}.container`, "the root container", "$root", "names of its blobs must not contain '/'"),
  bad("two ways to authenticate", [[`${azure}.useWorkloadIdentity`, true]], azure, "choose one way"),
  bad(
    "three ways to authenticate",
    [
      [`${azure}.credentialsSecret`, { name: "a" }],
      [`${azure}.servicePrincipalSecret`, { name: "b" }]
    ],
    azure,
    "choose one way"
  ),
  at(`${gcs}.bucket`, "a gs:// address", "gs://backups", "gs:// is left out"),
  at(`${gcs}.bucket`, "a reserved name", "google-backups", "Google reserves"),
  at(`${gcs}.bucket`, "a part of 64 characters", `${"a".repeat(64)}.example`, "more than 63 characters between dots"),
  at(`${pvc}.claimName`, "an underscore", "backup_storage", "PersistentVolumeClaim"),
  at(`${pvc}.subPath`, "an absolute path", "/kafka", "the path must not start with '/'"),
  at(`${pvc}.subPath`, "a path that leaves the volume", "kafka/..", "the path must not contain '.' or '..'"),
  at(`${pvc}.subPath`, "a line break", "kafka\n", "the path must not contain control"),
  at(`${pvc}.subPath`, "a backslash", "kafka\\a", "the path is separated"),
  at(`${pvc}.subPath`, "a doubled slash", "kafka//a", "the path must not contain '//'"),
  at(`${pvc}.subPath`, "an encoded slash", "kafka%2Fa", "the path must not contain percent-encoded"),
  ...badStorageSettings,

  // content
  at("compression", "gzip", "gzip", "zstd, lz4 or none"),
  at("compressionLevel", "level 23", 23, "must be from 1 to 22"),
  at("compressionLevel", "a fraction", 1.5, "whole number"),
  at("compressionLevel", "a quoted number", "3", "remove the quotes"),
  bad(
    "level 13 for lz4",
    [
      ["compression", "lz4"],
      ["compressionLevel", 13]
    ],
    "compressionLevel",
    "lz4 has levels 1 to 12"
  ),
  bad(
    "a level for none",
    [
      ["compression", "none"],
      ["compressionLevel", 1]
    ],
    "compressionLevel",
    "compression none has no level"
  ),
  at("format", "another format", "avro", "records or batches"),
  bad(
    "headers added to batches",
    [
      ["format", "batches"],
      ["includeOffsetHeaders", true]
    ],
    "includeOffsetHeaders",
    "format batches stores records untouched"
  ),
  at("sourceClusterId", "an emoji", "prod-🎉", "printable ASCII"),
  at("sourceClusterId", "a line break", "prod\nINFO all is well", "printable ASCII"),
  at("checkpointIntervalSecs", "zero", 0, "must be from 1 to 3600"),

  // limits
  at("retention.backups", "keeping nothing", 0, "must be 1 or more; remove retention"),
  at("retention.backups", "more than a number can hold", 2 ** 53, "must be 9007199254740991 or less"),
  at("retention.maxAge", "an age in months", "3m", "must be a duration in hours or days"),
  at("retention.maxAge", "a number of days", 30, "such as 720h, 30d or 1d12h"),
  at("retention.maxAge", "no time at all", "0d", "must be longer than 0"),
  at("retention.keep", "no period", {}, "must have at least one of hourly, daily"),
  at("retention.keep.daily", "no day", 0, "must be 1 or more; remove it"),
  bad(
    "a slip",
    [["retention.keep", { dayly: 7, weekly: 8 }]],
    "retention.keep.dayly",
    "is not a field here; did you mean daily?"
  ),
  at("retention.backup", "the singular", 5, "did you mean backups?"),
  at("rateLimit.bytesPerSecond", "zero", 0, "must be 1 or more"),
  at("rateLimit.recordsPerSecond", "a negative rate", -1, "must be 1 or more"),
  bad(
    "every backup in full",
    [["incremental", { enabled: true, fullEvery: 1 }]],
    "incremental.fullEvery",
    "must be 2 or more"
  ),
  bad(
    "full ones among backups that are full anyway",
    [["incremental", { enabled: false, fullEvery: 24 }]],
    "incremental.fullEvery",
    "fullEvery does nothing with enabled: false"
  ),
  at("incremental.enabled", "sometimes", "sometimes", "true or false"),
  at("clusterMetadata.acls", "a list of ACLs", ["orders"], "true or false"),
  at("clusterMetadata.users", "a word for it", "Capture", "true or false"),
  at("clusterMetadata.quotas", "a 1 for yes", 1, "true or false"),
  at("clusterMetadata", "a flag for all", false, "must be a block of named fields"),
  at("clusterMetadata.scramUsers", "another name", true, "is not a field here"),
  at("verification.percentPerRun", "more than all", 101, "must be from 0 to 100"),
  at("verification.percentPerRun", "less than nothing", -1, "must be from 0 to 100"),
  at("circuitBreaker.failureThreshold", "zero", 0, "must be from 1 to 1000"),
  at("circuitBreaker.resetTimeoutSecs", "two hours", 7200, "must be from 1 to 3600"),
  at("circuitBreaker.enabled", "yes", "yes", "true or false"),

  // job and pod
  at("job.backoffLimit", "a billion", 1e9, "must be from 0 to 100"),
  at("job.parallelism", "no pod at all", 0, "must be from 1 to 64"),
  at("job.parallelism", "more pods than a run may have", 65, "must be from 1 to 64"),
  at("job.parallelism", "half a pod", 1.5, "must be a whole number"),
  at("job.activeDeadlineSeconds", "zero", 0, "must be from 1 to"),
  at("job.startDeadlineSeconds", "too short for any image", 5, "must be from 30 to 604800"),
  at("job.ttlSecondsAfterFinished", "a negative time", -1, "must be from 0 to"),
  bad("a bare fraction", [["resources.requests.cpu", 0.5]], "resources.requests[cpu]", 'write "0.5" in quotes'),
  bad("no quantity", [["resources.requests.cpu", "half"]], "resources.requests[cpu]", "must be a quantity"),
  bad("a negative quantity", [["resources.limits.cpu", -1]], "resources.limits[cpu]", "not negative"),
  bad("an unknown resource", [["resources.limits.mem", "1Gi"]], "resources.limits", "resource names are"),
  bad(
    "more CPU asked than allowed",
    [["resources.requests.cpu", 3]],
    "resources.requests",
    "requests.cpu must not exceed"
  ),
  bad(
    "more memory asked than allowed",
    [["resources.requests.memory", "2049Mi"]],
    "resources.requests",
    "requests.memory must not exceed"
  ),
  bad(
    "more disk asked than allowed",
    [
      ["resources.requests.ephemeral-storage", "2Gi"],
      ["resources.limits.ephemeral-storage", "1G"]
    ],
    "resources.requests",
    "requests.ephemeral-storage must not exceed"
  ),
  bad(
    "nine resources",
    [["resources.limits", Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`a.example/d${n}`, 1]))]],
    "resources.limits",
    "at most 8 entries"
  ),
  {
    mistake: "a label key with two slashes",
    manifest: changed([`${pod}.labels`, { "a/b/c": "x" }]),
    field: `spec.${pod}.labels`,
    says: "a label's key must"
  },
  {
    mistake: "our label",
    manifest: changed([`${pod}.labels`, { "kafka.oso.sh/backup": "x" }]),
    field: `spec.${pod}.labels`,
    says: "labels under kafka.oso.sh/"
  },
  ...["job-name", "controller-uid"].map((key) => ({
    mistake: `the Job controller's label ${key}`,
    manifest: changed([`${pod}.labels`, { [key]: "x" }]),
    field: `spec.${pod}.labels`,
    says: "labels job-name and controller-uid"
  })),
  {
    mistake: "the Job controller's label with its prefix",
    manifest: changed([`${pod}.labels`, { "batch.kubernetes.io/controller-uid": "x" }]),
    field: `spec.${pod}.labels`,
    says: "labels under kafka.oso.sh/ and batch.kubernetes.io/"
  },
  at(`${pod}.tolerations[0].key`, "a taint's key with a blank", "my key", "must be a taint's key"),
  at(`${pod}.tolerations[0].value`, "a taint's value with a blank", "my value", "must be a taint's value"),
  {
    mistake: "our annotation",
    manifest: changed([`${pod}.annotations`, { "batch.kubernetes.io/job-name": "x" }]),
    field: `spec.${pod}.annotations`,
    says: "annotations under kafka.oso.sh/"
  },
  {
    mistake: "an annotation key with a blank",
    manifest: changed([`${pod}.annotations`, { "a b": "x" }]),
    field: `spec.${pod}.annotations`,
    says: "an annotation's key must"
  },
  {
    mistake: "a node label key with a blank",
    manifest: changed([`${pod}.nodeSelector`, { "a b": "x" }]),
    field: `spec.${pod}.nodeSelector`,
    says: "a node label's key must"
  },
  {
    mistake: "a label value with a blank",
    manifest: changed([`${pod}.labels`, { app: "kafka backup" }]),
    field: `spec.${pod}.labels[app]`,
    says: "a label's value"
  },
  {
    mistake: "a boolean label",
    manifest: changed([`${pod}.nodeSelector`, { fast: true }]),
    field: `spec.${pod}.nodeSelector[fast]`,
    says: "put it in quotes"
  },
  bad(
    "Exists with a value",
    [[`${pod}.tolerations[0].operator`, "Exists"]],
    `${pod}.tolerations[0].value`,
    "takes no value"
  ),
  bad(
    "a toleration without key",
    [[`${pod}.tolerations[0].key`, undefined]],
    `${pod}.tolerations[0].key`,
    "needs operator Exists"
  ),
  bad(
    "seconds without NoExecute",
    [[`${pod}.tolerations[0].tolerationSeconds`, 5]],
    `${pod}.tolerations[0].tolerationSeconds`,
    "effect NoExecute"
  ),
  at(`${pod}.serviceAccountName`, "a service account's path", "ns:backup", "ServiceAccount"),
  at(`${pod}.priorityClassName`, "capitals", "Low", "PriorityClass"),
  at(`${pod}.image`, "an image of one's own", "evil", "is not a field here"),
  at(`${pod}.affinity.nodeAffinty`, "a misspelt affinity", {}, "did you mean nodeAffinity?"),
  at(`${pod}.tolerations[0].effect`, "an unknown effect", "Evict", "NoSchedule, PreferNoSchedule or NoExecute"),
  ...["NODE_OPTIONS", "LD_PRELOAD", "TMPDIR", "POD_IP", "KAFKA_BACKUP_RUN_SPEC", "PATH", "HTTPS_PROXY "].map((name) =>
    at(`${pod}.env[0].name`, `a variable of its own: ${name}`, name, "other variables are not passed on")
  ),
  ...["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AZURE_CLIENT_SECRET", "AWS_SESSION_TOKEN"].map((name) =>
    at(`${pod}.env[0].name`, `a credential as a variable: ${name}`, name, "credentials go into a Secret")
  ),
  at(`${pod}.env[0].value`, "a proxy's password", "http://user:secret@proxy:3128", "user name or password"),
  at(`${pod}.env[0].value`, "a line break in a variable", "a\nb", "control characters"),
  at(`${pod}.env[1].valueFrom`, "a Secret as a variable", { secretKeyRef: {} }, "is not a field here"),
  at(
    `${pod}.env`,
    "a variable twice",
    [1, 2].map((value) => ({ name: "NO_PROXY", value: String(value) })),
    "must not name a variable twice"
  ),
  at(`${pod}.hostAliases[0].ip`, "a name as address", "minio", "must be an IP address"),
  at(`${pod}.hostAliases[0].ip`, "an address with a zone", "fe80::1%eth0", "must be an IP address"),
  at(`${pod}.hostAliases[0].hostnames[0]`, "a host name in capitals", "Minio", "must be a host name"),
  at(`${pod}.hostAliases[0].hostnames`, "an address without a name", [], "must have at least 1 entries"),
  at("deletionPolicy", "another word", "Keep", "must be Retain or Delete"),

  // drills
  at("drill.schedule", "a drill without a schedule", undefined, "a drill needs schedule"),
  at("drill.schedule", "a drill with four fields", "0 3 * *", "five cron fields"),
  at("drill.schedule", "a drill on a date that no month has", "0 0 31 2 *", "never matches"),
  at("drill.timeZone", "a drill in an offset", "+02:00", "IANA time zone"),
  at("drill.timeZone", "a drill in an unknown zone", "Mars/Olympus", "IANA database"),
  at("drill.shedule", "a misspelt schedule of a drill", "@daily", "is not a field here; did you mean"),
  at("drill.topicPrefix", "an empty prefix", "", "must be the start of a topic name"),
  at("drill.topicPrefix", "a prefix with a slash", "drill/", "must be the start of a topic name"),
  at("drill.topicPrefix", "a prefix of Kafka's own topics", "__drill-", "must not begin with '__'"),
  at("drill.topicPrefix", "a prefix that leaves no room for the topic", "d".repeat(65), "at most 64 characters"),
  at("drill.maxBytes", "hardly any bytes", "1Ki", "from 1Mi to 1Pi"),
  at("drill.maxBytes", "no bytes at all", 0, "from 1Mi to 1Pi"),
  at("drill.maxBytes", "more bytes than any cluster has", "2Pi", "from 1Mi to 1Pi"),
  at("drill.maxBytes", "an unknown unit", "1GB", "from 1Mi to 1Pi"),
  at("drill.maxBytes", "half a byte", 0.5, "in quotes"),
  at("drill.topics", "a drill of nothing", [], "remove it to drill all topics"),
  at("drill.topics[0]", "a drill of a regular expression", "^orders$", "must be a topic name or wildcard pattern"),
  at("drill.againstLive", "a word for a flag", "yes", "must be true or false"),
  at("drill.replicationFactor", "no replica", 0, "must be 1 or more, or -1"),
  at("drill.replicationFactor", "fewer replicas than none", -2, "-1"),
  at("drill.suspend", "a number for a flag", 1, "must be true or false"),
  at("drill.targetCluster.bootstrapServers", "a target without a broker", [], "at least one broker"),
  at("drill.targetCluster.saslSecret", "credentials without SASL", { name: "a", mechanism: "PLAIN" }, "has no effect"),
  at("drill.storage", "another storage", {}, "it belongs to spec")
]
