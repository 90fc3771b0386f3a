import { assert, describe, it } from "@effect/vitest"
import { saslBlocks } from "../../resource/badSasl.ts"
import { backup, jobOf } from "./fixtures.ts"

const s3 = { storageType: "s3", s3: { bucket: "backups", region: "us-west-2" } }

/** What a pod has mounted for a cluster with this block of `sasl`. */
const sources = (sasl: unknown): any => {
  const cluster = { bootstrapServers: ["kafka:9092"], securityProtocol: "SASL_SSL", sasl }
  const pod: any = jobOf(backup(["storage", s3], ["kafkaCluster", cluster])).spec.template.spec
  assert.isFalse(pod.automountServiceAccountToken)
  return pod.volumes.find((one: any) => one.name === "secrets")?.projected.sources
}

const keys = (sasl: unknown) =>
  sources(sasl).map(({ secret }: any) => [secret.name, ...secret.items.map(({ key }: any) => key)])

describe("a pod that connects with tokens", () => {
  it("has the client's secret and the authority of the endpoint, and the id only where it is in the Secret", () => {
    const block = saslBlocks.clientCredentials()
    assert.deepStrictEqual(keys(block), [
      ["kafka-client", "secret"],
      ["sso-ca", "ca.pem"]
    ])
    const { clientId: _, ...client } = block.oauthBearer.clientCredentials
    const withId = { ...client, clientSecret: { ...client.clientSecret, clientIdKey: "id" } }
    assert.deepStrictEqual(keys({ ...block, oauthBearer: { clientCredentials: withId } })[0], [
      "kafka-client",
      "id",
      "secret"
    ])
  })

  it("has the token that a Secret holds, or the static keys for MSK", () => {
    assert.deepStrictEqual(keys(saslBlocks.tokenSecret()), [["kafka-token", "jwt"]])
    assert.deepStrictEqual(keys(saslBlocks.awsMskIam()), [["msk-keys", "id", "secret"]])
  })

  it("has a token of its service account for the audience and nothing else, and no Secret", () =>
    assert.deepStrictEqual(sources(saslBlocks.serviceAccountToken()), [
      {
        serviceAccountToken: {
          audience: "https://kafka.example.com",
          expirationSeconds: 600,
          path: "service-account-tokens/https_3A_2F_2Fkafka.example.com"
        }
      }
    ]))

  it("has nothing for MSK where its own identity is used: the cloud injects it", () =>
    assert.isUndefined(sources({ mechanism: "AWS_MSK_IAM", awsMskIam: { region: "us-east-1" } })))
})
