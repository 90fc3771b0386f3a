import type { BadManifest } from "./badManifests.ts"
import { changed, put } from "./manifests.ts"

/** Valid blocks of `kafkaCluster.sasl`, as plain data; each call gives a fresh one. */
export const saslBlocks = {
  clientCredentials: () => ({
    mechanism: "OAUTHBEARER",
    oauthBearer: {
      clientCredentials: {
        tokenEndpoint: "https://sso.example.com:8443/realms/kafka/token?tenant=a",
        clientSecret: { name: "kafka-client", clientSecretKey: "secret" },
        clientId: "kafka-backup",
        sendIn: "Body",
        scope: "kafka read",
        audience: "https://kafka.example.com",
        caSecret: { name: "sso-ca", caKey: "ca.pem" }
      },
      extensions: { logicalCluster: "lkc-1", identityPoolId: "pool-1" }
    }
  }),
  tokenSecret: () => ({ mechanism: "OAUTHBEARER", oauthBearer: { tokenSecret: { name: "kafka-token", key: "jwt" } } }),
  serviceAccountToken: () => ({
    mechanism: "OAUTHBEARER",
    oauthBearer: { serviceAccountToken: { audience: "https://kafka.example.com", expirationSeconds: 600 } }
  }),
  awsMskIam: () => ({
    mechanism: "AWS_MSK_IAM",
    awsMskIam: {
      region: "eu-central-1",
      roleArn: "arn:aws:iam::123456789012:role/kafka/backup",
      externalId: "company-1",
      credentialsSecret: { name: "msk-keys", accessKeyKey: "id", secretKeyKey: "secret" }
    }
  })
} as const

const whole = "kafkaCluster.sasl"
const oauth = `${whole}.oauthBearer`
const client = `${oauth}.clientCredentials`
const msk = `${whole}.awsMskIam`

type Blocks = keyof typeof saslBlocks

/** One change of a valid block, and what else of `spec` is changed. */
const of =
  (block: Blocks) =>
  (
    field: string,
    mistake: string,
    value: unknown,
    says: string,
    more: ReadonlyArray<readonly [path: string, value: unknown]> = []
  ): BadManifest => {
    const inside = field === whole ? [] : field.slice(whole.length + 1).split(".")
    const spec = [
      ["kafkaCluster.saslSecret", undefined],
      [whole, put(saslBlocks[block](), inside, value)],
      ...more
    ] as const
    return { mistake, manifest: changed(...spec), field: `spec.${field}`, says }
  }

const withClient = of("clientCredentials")
const withToken = of("serviceAccountToken")
const withMsk = of("awsMskIam")

/** Mistakes in `kafkaCluster.sasl`. */
export const badSasl: ReadonlyArray<BadManifest> = [
  {
    mistake: "user and password beside tokens",
    manifest: changed([whole, saslBlocks.tokenSecret()]),
    field: `spec.${whole}`,
    says: "choose one: saslSecret"
  },
  withClient(whole, "tokens without SASL", saslBlocks.tokenSecret(), "sasl has no effect with this securityProtocol", [
    ["kafkaCluster.securityProtocol", "SSL"]
  ]),
  {
    mistake: "IAM without TLS",
    manifest: changed(
      ["kafkaCluster.saslSecret", undefined],
      ["kafkaCluster.tlsSecret", undefined],
      ["kafkaCluster.securityProtocol", "SASL_PLAINTEXT"],
      [whole, saslBlocks.awsMskIam()]
    ),
    field: "spec.kafkaCluster.securityProtocol",
    says: "AWS_MSK_IAM needs securityProtocol SASL_SSL"
  },
  withClient(`${whole}.mechanism`, "a mechanism with a password", "SCRAM-SHA-512", "OAUTHBEARER or AWS_MSK_IAM"),
  withClient(oauth, "no source of tokens", undefined, "needs the block sasl.oauthBearer"),
  withMsk(msk, "no region", undefined, "needs the block sasl.awsMskIam with region"),
  withClient(msk, "both blocks", saslBlocks.awsMskIam().awsMskIam, "set mechanism AWS_MSK_IAM"),
  withMsk(oauth, "both blocks", saslBlocks.tokenSecret().oauthBearer, "set mechanism OAUTHBEARER"),
  withClient(oauth, "an empty block", {}, "choose one source of tokens"),
  withClient(
    oauth,
    "two sources",
    { ...saslBlocks.clientCredentials().oauthBearer, ...saslBlocks.tokenSecret().oauthBearer },
    "choose one source of tokens"
  ),
  withClient(`${client}.tokenEndpoint`, "no TLS", "http://sso.example.com/token", "must start with https://"),
  withClient(`${client}.tokenEndpoint`, "a host alone", "sso.example.com/token", "must be https://host"),
  withClient(`${client}.tokenEndpoint`, "a user inside", "https://a:b@sso.example.com/token", "go into clientSecret"),
  withClient(`${client}.tokenEndpoint`, "a fragment", "https://sso.example.com/token#a", "must be https://host"),
  withClient(`${client}.tokenEndpoint`, "port 0", "https://sso.example.com:0/token", "must be https://host"),
  withClient(`${client}.clientSecret`, "no Secret", undefined, "is required"),
  withClient(`${client}.sendIn`, "another place", "Query", "Header or Body"),
  withClient(`${client}.scope`, "an empty scope", "", "leave the field out"),
  withClient(`${client}.audience`, "a line break", "kafka\n", "printable ASCII"),
  withClient(
    `${client}.clientId`,
    "a client's id and a key for it",
    undefined,
    "clientIdKey has no effect beside clientId",
    [
      [
        client,
        {
          ...saslBlocks.clientCredentials().oauthBearer.clientCredentials,
          clientSecret: { name: "a", clientIdKey: "id" }
        }
      ]
    ]
  ),
  withClient(`${oauth}.extensions`, "no extension", {}, "at least one extension"),
  withClient(`${oauth}.extensions`, "a reserved name", { auth: "x" }, "and not auth"),
  withClient(`${oauth}.extensions`, "a digit in a name", { pool1: "x" }, "1 to 64 letters"),
  withClient(`${oauth}.extensions[logicalCluster]`, "a separator in a value", undefined, "printable ASCII", [
    [`${oauth}.extensions`, { logicalCluster: "a\u0001auth=Bearer x" }]
  ]),
  withToken(`${oauth}.serviceAccountToken.audience`, "an empty audience", "", "without blanks"),
  withToken(`${oauth}.serviceAccountToken.audience`, "a path", "../kafka", "must not begin with a dot"),
  withToken(
    `${oauth}.serviceAccountToken.audience`,
    "the API server's audience",
    "https://kubernetes.default.svc",
    "must not be the audience of the API server"
  ),
  withToken(`${oauth}.serviceAccountToken.expirationSeconds`, "a minute", 60, "600"),
  withMsk(`${msk}.region`, "a zone in capitals", "EU-CENTRAL-1", "must be a region's name"),
  withMsk(`${msk}.roleArn`, "a role's name", "kafka-backup", "must be the ARN of a role"),
  withMsk(`${msk}.roleArn`, "a user", "arn:aws:iam::123456789012:user/backup", "must be the ARN of a role"),
  withMsk(`${msk}.externalId`, "a blank", "a b", "must be an external id"),
  withMsk(`${msk}.externalId`, "an external id for no role", "company-1", "no effect without roleArn", [
    [`${msk}.roleArn`, undefined]
  ])
]
