import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { KafkaTarget } from "../../../src/kafka/KafkaTarget.ts"
import * as KafkaJsWire from "../../../src/kafka/KafkaJsWire.ts"
import { issued } from "../../certificates/issued.ts"
import { fakeBroker } from "./fakeBroker.ts"

interface Pair {
  readonly key: string
  readonly cert: string
}

let folder: string
let ca: string
let here: Pair
let elsewhere: Pair
let expired: Pair
let encryptedKey: string

const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" })
const read = (name: string) => readFileSync(join(folder, name), "utf8")

/** A server certificate signed by the test's authority. */
const certificate = (name: string, names: string, ...validity: ReadonlyArray<string>): Pair => {
  writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}`)
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
    "-subj",
    `/CN=${name}`
  )
  const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", `${name}.ext`]
  openssl("x509", "-req", "-in", `${name}.csr`, ...signing, "-out", `${name}.crt`, ...validity)
  return { key: read(`${name}.key`), cert: read(`${name}.crt`) }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kafka-backup-tls-"))
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-days",
    "2",
    "-subj",
    "/CN=ca"
  )
  ca = read("ca.crt")
  here = certificate("here", "IP:127.0.0.1", "-days", "2")
  elsewhere = certificate("elsewhere", "DNS:kafka.example", "-days", "2")
  expired = certificate("expired", "IP:127.0.0.1", "-days", "-1")
  openssl("pkcs8", "-topk8", "-in", "here.key", "-passout", "pass:secret", "-out", "encrypted.key")
  encryptedKey = read("encrypted.key")
})

afterAll(() => rmSync(folder, { recursive: true }))

const connect = (server: string, tls: KafkaTarget["tls"]) =>
  KafkaJsWire.make(
    { bootstrapServers: [server], ...(tls === undefined ? {} : { tls }) },
    { connectTimeout: "5 seconds" }
  )

const failure = (server: string, tls: KafkaTarget["tls"]) =>
  Effect.flip(connect(server, tls)).pipe(
    Effect.map((error) => ({
      tag: error.reason._tag,
      isRetryable: error.isRetryable,
      message: error.message,
      advice: error.advice
    }))
  )

describe("a TLS listener", () => {
  it.live("whose authority is in ca.crt is trusted, without a client certificate", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({ tls: here })
      const wire = yield* connect(broker.server, { ca })
      expect((yield* wire.metadata(["orders"])).topics[0]!.name).toBe("orders")
    })
  )

  it.live("is trusted where ca.crt holds only the intermediate authority that has issued its certificate", () =>
    Effect.gen(function* () {
      const { certificate, intermediate, key, root } = yield* issued("IP:127.0.0.1")
      for (const cert of [certificate, certificate + intermediate, certificate + intermediate + root]) {
        const broker = yield* fakeBroker({ tls: { cert, key } })
        yield* connect(broker.server, { ca: intermediate })
      }
      const other = yield* fakeBroker({ tls: here })
      expect(yield* failure(other.server, { ca: intermediate })).toMatchObject({ tag: "KafkaAuthenticationFailed" })
    })
  )

  it.live("of an unknown authority is not trusted, and the advice names the Secret", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({ tls: here })
      const error = yield* failure(broker.server, { secret: "kafka-tls" })
      expect(error).toMatchObject({ tag: "KafkaAuthenticationFailed", isRetryable: false })
      expect(error.message).toContain("is not trusted")
      expect(error.advice).toContain("Secret kafka-tls, key ca.crt")
    })
  )

  it.live("with a certificate for another name is refused", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({ tls: elsewhere })
      const error = yield* failure(broker.server, { ca })
      expect(error).toMatchObject({ tag: "KafkaAuthenticationFailed", isRetryable: false })
      expect(error.message).toContain("certificate is for other names")
      expect(error.advice).toContain("advertised.listeners")
    })
  )

  it.live("with an expired certificate is refused", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({ tls: expired })
      const error = yield* failure(broker.server, { ca })
      expect(error).toMatchObject({ tag: "KafkaAuthenticationFailed", isRetryable: false })
      expect(error.message).toContain("has expired")
    })
  )

  it.live("is recognised when it is addressed in plaintext", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({ tls: here })
      const error = yield* failure(broker.server, undefined)
      expect(error).toMatchObject({ tag: "BrokerUnreachable", isRetryable: false })
      expect(error.message).toContain("the listener speaks TLS")
      expect(error.advice).toContain("securityProtocol to SSL or SASL_SSL")
    })
  )
})

describe("a plaintext listener", () => {
  it.live("is recognised when it is addressed with TLS", () =>
    Effect.gen(function* () {
      // As Kafka does: a ClientHello is no request, and the connection ends.
      const broker = yield* fakeBroker({ hangUpOnGarbage: true })
      const error = yield* failure(broker.server, { ca })
      expect(error).toMatchObject({ tag: "BrokerUnreachable", isRetryable: false })
      expect(error.message).toContain("does not speak TLS")
      expect(error.advice).toContain("PLAINTEXT or SASL_PLAINTEXT")
    })
  )
})

describe("TLS material", () => {
  it.live.each([
    ["an encrypted key", () => ({ certificate: here.cert, key: Redacted.make(encryptedKey) }), "tls.key is encrypted"],
    [
      "a key of another certificate",
      () => ({ certificate: here.cert, key: Redacted.make(expired.key) }),
      "does not belong to"
    ],
    ["a certificate without key", () => ({ certificate: here.cert }), "tls.key is missing"],
    ["a key without certificate", () => ({ key: Redacted.make(here.key) }), "tls.crt is missing"],
    ["a ca.crt that is none", () => ({ ca: "hello" }), "ca.crt holds no PEM certificate"],
    ["a bundle with damage in it", () => ({ ca: ca + ca.replace("MII", "MIX") }), "certificate 2 of ca.crt is damaged"],
    ["a bundle that is cut off", () => ({ ca: ca + ca.slice(0, 200) }), "a certificate of ca.crt is cut off"],
    [
      "a key that is none",
      () => ({ certificate: here.cert, key: Redacted.make("hello") }),
      "tls.key is not a PEM private key"
    ],
    ["keys of other names", () => ({ ca: "hello", caKey: "authority" }), "authority holds no PEM certificate"]
  ] as const)("with %s is refused before connecting", ([, material, said]) =>
    Effect.gen(function* () {
      const error = yield* failure("127.0.0.1:1", { ...material(), secret: "kafka-tls" })
      expect(error).toMatchObject({ tag: "KafkaAuthenticationFailed", isRetryable: false })
      expect(error.message).toContain("Secret kafka-tls")
      expect(error.message).toContain(said)
      expect(error.message + error.advice).not.toContain("PRIVATE KEY")
    })
  )
})
