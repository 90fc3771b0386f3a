import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type { MskIam } from "../../../src/kafka/KafkaCredentials.ts"
import * as AwsKeys from "../../../src/kafka/tokens/AwsKeys.ts"
import * as MskIamTokens from "../../../src/kafka/tokens/MskIamTokens.ts"
import { httpServer, type Received, type Reply } from "./tokenServer.ts"

const arn = "arn:aws:iam::123456789012:role/kafka-backup"

/** What STS answers to AssumeRole and AssumeRoleWithWebIdentity. */
const given = (action: string, id: string, millis = 3_600_000): Reply => ({
  headers: { "content-type": "text/xml" },
  body: `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>secret-of-${id}</SecretAccessKey><SessionToken>session-of-${id}</SessionToken><Expiration>${new Date(Date.now() + millis).toISOString()}</Expiration></Credentials></${action}Result></${action}Response>`
})

const refusal = (code: string, message: string): Reply => ({
  status: 403,
  headers: { "content-type": "text/xml" },
  body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
})

/** STS on loopback, and an environment in which the SDK finds it and nothing else. */
const inCloud = (reply: (request: Received) => Reply, env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const sts = yield* httpServer(reply)
    const folder = mkdtempSync(join(tmpdir(), "aws-"))
    writeFileSync(join(folder, "token"), "web.identity.token")
    const set: Readonly<Record<string, string>> = {
      AWS_ENDPOINT_URL_STS: sts.url,
      AWS_CONFIG_FILE: join(folder, "none"),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, "none"),
      AWS_EC2_METADATA_DISABLED: "true",
      ...env,
      ...("AWS_ROLE_ARN" in env ? { AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "token") } : {})
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const before = Object.fromEntries(
          Object.keys(process.env)
            .filter((name) => name.startsWith("AWS_"))
            .map((name) => [name, process.env[name]])
        )
        for (const name of Object.keys(before)) delete process.env[name]
        Object.assign(process.env, set)
        return before
      }),
      (before) =>
        Effect.sync(() => {
          for (const name of Object.keys(set)) delete process.env[name]
          Object.assign(process.env, before)
          rmSync(folder, { recursive: true })
        })
    )
    return sts
  })

const target = (more: Partial<MskIam> = {}): MskIam => ({ mechanism: "AWS_MSK_IAM", region: "eu-central-1", ...more })

const keys = {
  accessKeyId: Redacted.make("STATIC"),
  secretAccessKey: Redacted.make("static-secret"),
  origin: { secret: "msk-keys", keys: ["accessKey", "secretKey"] }
}

const urlOf = (token: { readonly value: Redacted.Redacted }) =>
  new URL(Buffer.from(Redacted.value(token.value), "base64url").toString())

describe("a token for Amazon MSK", () => {
  it.live("is signed with the keys of a Secret for 15 minutes, and asks AWS for nothing", () =>
    Effect.gen(function* () {
      const { received } = yield* inCloud(() => ({ status: 500 }))
      const token = yield* MskIamTokens.make()(target({ credentials: keys }))
      expect(urlOf(token).host).toBe("kafka.eu-central-1.amazonaws.com")
      expect(urlOf(token).searchParams.get("X-Amz-Credential")).toMatch(/^STATIC\/\d{8}\/eu-central-1\/kafka-cluster\//)
      expect(token.expiryMillis).toBe(token.takenMillis + 900_000)
      expect(received).toHaveLength(0)
    })
  )

  it.live("is signed by the role of the pod's service account (IRSA)", () =>
    Effect.gen(function* () {
      const { received } = yield* inCloud(() => given("AssumeRoleWithWebIdentity", "POD"), { AWS_ROLE_ARN: arn })
      const token = yield* MskIamTokens.make()(target())
      expect(Object.fromEntries(received[0]?.form ?? [])).toMatchObject({
        Action: "AssumeRoleWithWebIdentity",
        RoleArn: arn,
        WebIdentityToken: "web.identity.token",
        RoleSessionName: "kafka-backup"
      })
      expect(urlOf(token).searchParams.get("X-Amz-Credential")).toMatch(/^POD\//)
      expect(urlOf(token).searchParams.get("X-Amz-Security-Token")).toBe("session-of-POD")
    })
  )

  it.live("is signed by the role that the resource names, which the pod's own role assumes, with its external id", () =>
    Effect.gen(function* () {
      const { received } = yield* inCloud(
        ({ form }) => given(form.get("Action") ?? "", form.get("Action") === "AssumeRole" ? "OTHER" : "POD"),
        { AWS_ROLE_ARN: arn }
      )
      const other = "arn:aws:iam::210987654321:role/msk"
      const token = yield* MskIamTokens.make()(target({ role: { arn: other, externalId: "company-1" } }))
      expect(Object.fromEntries(received.at(-1)?.form ?? [])).toMatchObject({ RoleArn: other, ExternalId: "company-1" })
      expect(received.at(-1)?.headers.authorization).toContain("Credential=POD/")
      expect(urlOf(token).searchParams.get("X-Amz-Credential")).toMatch(/^OTHER\//)
    })
  )

  it.live("lives no longer than the keys that signed it", () =>
    Effect.gen(function* () {
      yield* inCloud(() => given("AssumeRole", "SHORT", 60_500))
      const token = yield* MskIamTokens.make()(target({ credentials: keys, role: { arn } }))
      expect(Number(urlOf(token).searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(60)
      expect(token.expiryMillis! - token.takenMillis).toBeLessThanOrEqual(60_000)
    })
  )

  it.live("that AWS gives no keys for says so, with the role and what to check", () =>
    Effect.gen(function* () {
      yield* inCloud(() => refusal("AccessDenied", "User: x is not authorized to perform: sts:AssumeRole"))
      const reason = yield* Effect.flip(
        MskIamTokens.make()(target({ credentials: keys, role: { arn, externalId: "e1" } }))
      )
      expect(reason._tag).toBe("KafkaAuthenticationFailed")
      expect(reason.message).toContain(`AWS gives no credentials for ${arn} (AccessDenied: User: x is not authorized`)
      expect("advice" in reason && reason.advice).toContain("assume it with this externalId")
      expect(JSON.stringify(reason)).not.toContain("static-secret")
    })
  )

  it.live("needs an identity: without one the service account is to be annotated", () =>
    Effect.gen(function* () {
      yield* inCloud(() => ({ status: 500 }))
      const reason = yield* Effect.flip(MskIamTokens.make()(target()))
      expect(reason._tag).toBe("KafkaAuthenticationFailed")
      expect(reason.message).toContain("AWS gives no credentials for the role of the pod's service account")
      expect("advice" in reason && reason.advice).toContain("eks.amazonaws.com/role-arn")
    })
  )

  it.live("needs an identity before it can assume a role: the role's trust policy is not to blame", () =>
    Effect.gen(function* () {
      for (const [env, reply] of [
        [{}, { status: 500 }],
        [{ AWS_ROLE_ARN: arn }, refusal("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")]
      ] as const) {
        yield* inCloud(() => reply, env)
        const other = "arn:aws:iam::210987654321:role/msk"
        const reason = yield* Effect.flip(MskIamTokens.make()(target({ role: { arn: other } })))
        expect(reason._tag).toBe("KafkaAuthenticationFailed")
        expect(reason.message).toContain("AWS gives no credentials for the role of the pod's service account")
        expect("advice" in reason && reason.advice).toContain("eks.amazonaws.com/role-arn")
        expect(JSON.stringify(reason)).not.toContain(other)
      }
    })
  )

  it.effect("names the region where its STS has no address, and waits only where that is asked for", () =>
    Effect.gen(function* () {
      const region = "eu-centrall-9"
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND sts.${region}.amazonaws.com`), { code: "ENOTFOUND" })
      const asked = target({ region, role: { arn } })
      for (const cause of [error, new AwsKeys.NoIdentity(error)]) {
        for (const waits of [true, false]) {
          const reason = yield* Effect.flip(MskIamTokens.make(() => Promise.reject(cause), waits)(asked))
          expect(reason).toMatchObject({ _tag: "TokenUnavailable", transient: waits })
          expect(reason.message).toContain(`the host name sts.${region}.amazonaws.com is unknown`)
          expect("advice" in reason && reason.advice).toContain(`correct region in sasl.awsMskIam (now ${region})`)
        }
      }
    })
  )

  it.live("waits for AWS where AWS itself fails", () =>
    Effect.gen(function* () {
      yield* inCloud(() => ({ status: 503, body: "busy" }))
      const reason = yield* Effect.flip(MskIamTokens.make()(target({ credentials: keys, role: { arn } })))
      expect(reason).toMatchObject({ _tag: "TokenUnavailable", transient: true })
    })
  )
})
