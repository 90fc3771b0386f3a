import { describe, expect, it } from "@effect/vitest"
import { Redacted } from "effect"
import type { KafkaTarget } from "../../../src/kafka/KafkaTarget.ts"
import * as Failure from "../../../src/kafka/kafkajs/Failure.ts"
import { LinkBroken, NoAnswer, type Stage } from "../../../src/kafka/kafkajs/LinkBroken.ts"

const target = {
  bootstrapServers: ["kafka:9093"],
  tls: { ca: "pem", secret: "kafka-tls" },
  sasl: {
    mechanism: "SCRAM-SHA-512",
    username: Redacted.make("backup"),
    password: Redacted.make("hunter2"),
    secret: "kafka-credentials",
    usernameKey: "username",
    passwordKey: "password"
  }
} satisfies KafkaTarget

const withClientCertificate: KafkaTarget = {
  ...target,
  tls: { ...target.tls, certificate: "pem", key: Redacted.make("pem") }
}

const reasonOf = (error: Error, stage: Stage = "connecting", of: KafkaTarget = target) => {
  const reason = Failure.reason(new LinkBroken(stage, error), "broker 1 (kafka:9093)", of)
  return {
    tag: reason._tag,
    transient: "transient" in reason ? reason.transient : undefined,
    message: reason.message,
    advice: "advice" in reason ? reason.advice : "",
    cause: "cause" in reason ? String(reason.cause) : ""
  }
}

const coded = (code: string) => Object.assign(new Error(`it failed: ${code}`), { code })

describe("what broke a connection", () => {
  it.each(["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EPIPE", "EAI_AGAIN"])(
    "%s may pass by waiting",
    (code) => expect(reasonOf(coded(code))).toMatchObject({ tag: "BrokerUnreachable", transient: true })
  )

  it("an unknown host name is not cured by waiting", () => {
    const reason = reasonOf(coded("ENOTFOUND"))
    expect(reason).toMatchObject({ tag: "BrokerUnreachable", transient: false })
    expect(reason.message).toContain("the host name is unknown")
    expect(reason.advice).toContain("advertised.listeners")
  })

  it.each([
    ["SELF_SIGNED_CERT_IN_CHAIN", "is not trusted"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "is not trusted"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "is not trusted"],
    ["CERT_HAS_EXPIRED", "has expired"],
    ["CERT_NOT_YET_VALID", "is not valid yet"]
  ])("%s is about the broker's certificate, and ca.crt of the Secret", (code, said) => {
    const reason = reasonOf(coded(code))
    expect(reason.tag).toBe("KafkaAuthenticationFailed")
    expect(reason.message).toContain(said)
    expect(reason.advice).toContain("Secret kafka-tls, key ca.crt")
  })

  it.each(["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE"])(
    "%s says that a client certificate is missing, or that ours is refused",
    (code) => {
      expect(reasonOf(coded(code), "greeting").message).toContain("requires a client certificate")
      const refused = reasonOf(coded(code), "greeting", withClientCertificate)
      expect(refused.message).toContain("refused the client certificate")
      expect(refused.advice).toContain("Secret kafka-tls, keys tls.crt and tls.key")
    }
  )

  it("a TLS record of the wrong version is a listener without TLS", () => {
    const reason = reasonOf(coded("ERR_SSL_WRONG_VERSION_NUMBER"))
    expect(reason).toMatchObject({ tag: "BrokerUnreachable", transient: false })
    expect(reason.message).toContain("does not speak TLS")
  })

  it("refused credentials name Secret, keys and mechanism", () => {
    const error = Object.assign(new Error("invalid credentials"), { name: "KafkaJSSASLAuthenticationError" })
    const reason = reasonOf(error, "authenticating")
    expect(reason.tag).toBe("KafkaAuthenticationFailed")
    expect(reason.message).toContain("SCRAM-SHA-512")
    expect(reason.advice).toContain("Secret kafka-credentials, keys username and password")
  })

  it("refused credentials name the resource's own user name, where the Secret has only the password", () => {
    const { usernameKey: _, ...sasl } = target.sasl
    const error = Object.assign(new Error("invalid credentials"), { name: "KafkaJSSASLAuthenticationError" })
    const { advice } = reasonOf(error, "authenticating", { ...target, sasl })
    expect(advice).toContain("saslSecret.username (backup) and Secret kafka-credentials, key password")
  })

  it.each([
    ["an authority that is not trusted", "SELF_SIGNED_CERT_IN_CHAIN", "Secret cluster-ca, key ca.crt"],
    ["a certificate that has expired", "CERT_HAS_EXPIRED", "Secret cluster-ca, key ca.crt"],
    ["a client certificate that is missing", "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "tlsSecret, beside caSecret"]
  ])("%s is told with caSecret, where that has the authorities", (_, code, says) => {
    const of: KafkaTarget = { ...target, tls: { ca: "pem", caSecret: "cluster-ca", caKey: "ca.crt" } }
    expect(reasonOf(coded(code), "greeting", of).advice).toContain(says)
    expect(Failure.secrets(of)).toContain("Secret cluster-ca")
    const both: KafkaTarget = { ...target, tls: { ...of.tls, secret: "kafka-tls" } }
    expect(Failure.secrets(both)).toMatch(/Secret cluster-ca and Secret kafka-tls$/)
  })

  it("an authority that is not trusted is told with the field that the resource uses, or with both where it has none", () => {
    const advice = (tls: NonNullable<KafkaTarget["tls"]>) =>
      reasonOf(coded("SELF_SIGNED_CERT_IN_CHAIN"), "greeting", { ...target, tls })
    expect(advice({}).message).toContain("neither caSecret nor tlsSecret names another one")
    expect(advice({}).advice).toMatch(/^set kafkaCluster[.]caSecret to a Secret .* tlsSecret may hold both$/u)
    expect(advice({ ca: "pem", secret: "kafka-tls", caKey: "ca.crt" }).advice).toContain("(kafkaCluster.tlsSecret)")
    expect(advice({ ca: "pem", caSecret: "cluster-ca", caKey: "ca.crt" }).advice).toContain("(kafkaCluster.caSecret)")
  })

  it("a server's text that quotes a secret is not repeated", () => {
    const error = Object.assign(new Error("hunter2 is wrong"), { name: "KafkaJSSASLAuthenticationError" })
    expect(JSON.stringify(reasonOf(error, "authenticating"))).not.toContain("hunter2")
    expect(JSON.stringify(reasonOf(new Error("hunter2 is wrong")))).not.toContain("hunter2")
  })

  it("a text with the id of a client is repeated, one with its secret is not", () => {
    const source = {
      _tag: "ClientCredentials",
      tokenEndpoint: "https://sso/token",
      clientId: Redacted.make("kafka"),
      clientSecret: Redacted.make("hunter2"),
      sentIn: "Header",
      origin: { secret: "kafka-client", keys: ["clientId", "clientSecret"] }
    } as const
    const bearer: KafkaTarget = { ...target, sasl: { mechanism: "OAUTHBEARER", source, extensions: {} } }
    expect(reasonOf(new Error("kafka is away"), "connecting", bearer).message).toContain("kafka is away")
    expect(JSON.stringify(reasonOf(new Error("hunter2 is wrong"), "connecting", bearer))).not.toContain("hunter2")
  })

  it("silence is reported with the stage of the connection and the time", () => {
    const said = (stage: Stage) => reasonOf(new NoAnswer(5000), stage).message
    expect(said("connecting")).toContain("no connection was established within 5 s")
    expect(said("greeting")).toContain("did not answer the first request within 5 s")
    expect(said("serving")).toContain("no answer came within 5 s")
  })
})
