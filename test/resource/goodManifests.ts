import { changed } from "./manifests.ts"

export interface GoodManifest {
  /** What the user wrote, which looks odd and is right. */
  readonly oddity: string
  readonly manifest: Record<string, unknown>
  /** Where it is in the spec, and how the program reads it. */
  readonly path: string
  readonly reads: unknown
}

const good = (
  path: string,
  oddity: string,
  value: unknown,
  reads: unknown = value,
  ...others: ReadonlyArray<readonly [path: string, value: unknown]>
): GoodManifest => ({ oddity, manifest: changed(...others, [path, value]), path, reads })

const server = "kafkaCluster.bootstrapServers[0]"
const strimzi = { strimziRef: { name: "main.cluster", listener: "plain" } }
const endpoint = "storage.s3.endpoint"
const toleration = "podTemplate.tolerations[0]"

export const goodManifests: ReadonlyArray<GoodManifest> = [
  good("schedule", "a tab between fields", "0\t*\t* * *", "0 * * * *"),
  good("schedule", "blanks around the fields", "  0  * * * * ", "0 * * * *"),
  good("schedule", "a YAML block with its line break", "0 * * * *\n", "0 * * * *"),
  good("schedule", "blanks around a macro", " @daily\n", "@daily"),

  good(server, "a host name that ends with a dot", "kafka-0.kafka.svc.cluster.local.:9092"),
  good(server, "an IPv4-mapped IPv6 address", "[::ffff:10.0.0.1]:9092"),
  good(server, "an IPv4-mapped IPv6 address in hexadecimal capitals", "[::FFFF:0A00:1]:9092"),
  good(server, "an IPv4-mapped IPv6 address with all zeros", "[0:0:0:0:0:ffff:10.0.0.1]:9092"),

  good("kafkaCluster.caSecret", "authorities alone", { name: "ca" }, { name: "ca", key: "ca.crt" }),
  good("kafkaCluster.saslSecret.username", "a user name with blanks and umlauts", "jürgen =, x"),
  good("kafkaCluster", "Strimzi's resources, without a user", strimzi, { ...strimzi, securityProtocol: "PLAINTEXT" }),

  good(endpoint, "a scheme in capitals", "HTTPS://minio:9000", "https://minio:9000"),
  good(endpoint, "authorities for a scheme in capitals", "Https://Minio:9000", "https://Minio:9000", [
    "storage.s3.caSecret",
    { name: "minio-ca" }
  ]),
  good(endpoint, "a host name that ends with a dot", "https://minio.storage.svc.cluster.local.:9000"),
  good(endpoint, "an IPv6 address", "http://[fd00::1]:9000"),
  good(endpoint, "an IPv4-mapped IPv6 address", "http://[::ffff:10.0.0.1]:9000/path"),

  good("storage.s3.storageClass", "a class of glaciers that is read at once", "GLACIER_IR"),
  good("storage.s3.tags", "a tag's name in another script, and an empty value", { "Abteilung für Kafka": "" }),
  good("storage.s3.serverSideEncryption", "no key", { algorithm: "aws:kms" }),
  good(
    "storage.s3.assumeRole",
    "the role of a compatible store, and no address",
    {
      roleArn: "arn:aws:iam:::role/kafka-backup",
      externalId: "team:kafka/1",
      sessionName: "nightly@kafka",
      endpoint: ""
    },
    {
      roleArn: "arn:aws:iam:::role/kafka-backup",
      externalId: "team:kafka/1",
      sessionName: "nightly@kafka"
    }
  ),
  good("storage.azure.immutability", "a day", { mode: "Unlocked", days: 1 }),
  good("storage.gcs.storageClass", "the archive of Google, which is read at once", "ARCHIVE"),

  good("sourceClusterId", "a blank inside", "a b"),
  good("resources.limits.cpu", "a whole number without quotes", 3),
  good("resources.requests.cpu", "a fraction in quotes", "0.5"),

  good("retention.maxAge", "days and hours", "1d12h"),
  good("retention", "no rule at all", {}),
  good("retention.keep", "years alone", { yearly: 10 }),

  good("drill.maxBytes", "a number of bytes", 104_857_600),
  good("drill.maxBytes", "a fraction of a unit", "1.5Gi"),
  good("drill.schedule", "a macro with blanks", " @weekly\n", "@weekly"),
  good("drill.topicPrefix", "a prefix of one dot", "."),
  good(
    "drill",
    "nothing but a schedule",
    { schedule: "@daily" },
    {
      schedule: "@daily",
      topicPrefix: "_drill-",
      maxBytes: "1Gi",
      topics: ["*"],
      againstLive: true,
      replicationFactor: 1,
      suspend: false
    }
  ),

  good("podTemplate.env[0].name", "a proxy in small letters", "https_proxy"),
  good("podTemplate.env[0].name", "the name of a token's file", "AWS_WEB_IDENTITY_TOKEN_FILE"),
  good("podTemplate.env[0].name", "the authorities of a proxy", "NODE_EXTRA_CA_CERTS"),
  good("podTemplate.env[0].value", "an empty variable", ""),
  good("podTemplate.hostAliases[0].ip", "an IPv4-mapped address", "::ffff:10.0.0.1"),

  good(`${toleration}.effect`, "an empty effect, which stands for all", ""),
  good(`${toleration}.operator`, "an empty operator, which stands for Equal", "")
]
