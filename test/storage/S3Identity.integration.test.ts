import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"
import * as S3ObjectStore from "../../src/storage/S3ObjectStore.ts"
import { describeWith } from "../harness/services.ts"

const key = (text: string) => text as ObjectKey
const bytes = (text: string) => new TextEncoder().encode(text)
const role = "arn:aws:iam::123456789012:role/kafka-backup"

interface Asked {
  readonly path: string
  readonly authorization: string | undefined
  readonly form: URLSearchParams
}

/** A service of AWS on loopback that remembers what it was asked. */
const awsService = (answer: (asked: Asked) => readonly [status: number, type: string, body: string]) =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    const server = createServer(async (request, response) => {
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const form = new URLSearchParams(Buffer.concat(chunks).toString())
      const one = { path: request.url ?? "", authorization: request.headers.authorization, form }
      asked.push(one)
      const [status, type, body] = answer(one)
      response.writeHead(status, { "content-type": type })
      response.end(body)
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
  })

/** The environment that EKS gives a pod, for as long as the scope lasts; nothing else of AWS is in it. */
const environment = (given: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("AWS_")))
      for (const name of Object.keys(before)) delete process.env[name]
      const none = { AWS_SHARED_CREDENTIALS_FILE: "/nonexistent", AWS_CONFIG_FILE: "/nonexistent" }
      Object.assign(process.env, none, { AWS_EC2_METADATA_DISABLED: "true" }, given)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name]
        Object.assign(process.env, before)
      })
  )

/** A projected token's file, which the kubelet replaces from time to time. */
const tokenFile = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "kafka-backup-token-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )
  const file = join(folder, "token")
  return { file, rotate: (token: string) => Effect.sync(() => writeFileSync(file, token)) }
})

/**
 * Ends within the SDK's five minutes of grace, so that requests make it ask for new keys, some of them in the
 * background.
 */
const soon = () => new Date(Date.now() + 60_000).toISOString()

describeWith("versitygw", "against versitygw", ({ versitygw: { accessKey, endpoint, region, secretKey } }) => {
  const freshBucket = Effect.promise(async () => {
    const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
    const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials })
    const bucket = `kafka-backup-${randomUUID()}`
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    client.destroy()
    return bucket
  })

  describe("S3ObjectStore without a Secret", () => {
    it.live("takes the role of the pod's service account (IRSA), and reads a rotated token's file anew", () =>
      Effect.gen(function* () {
        const { address, asked } = yield* awsService(() => [
          200,
          "text/xml",
          `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${accessKey}</AccessKeyId><SecretAccessKey>${secretKey}</SecretAccessKey><SessionToken>session</SessionToken><Expiration>${soon()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
        ])
        const bucket = yield* freshBucket
        const { file, rotate } = yield* tokenFile
        yield* rotate("kubernetes-token-1")
        yield* environment({
          AWS_ROLE_ARN: role,
          AWS_WEB_IDENTITY_TOKEN_FILE: file,
          AWS_REGION: region,
          AWS_ENDPOINT_URL_STS: address
        })
        const store = yield* S3ObjectStore.open({ _tag: "S3", bucket, region, endpoint })
        yield* rotate("kubernetes-token-2")
        while (asked.at(-1)?.form.get("WebIdentityToken") !== "kubernetes-token-2") {
          yield* store.put(key("a"), [bytes("content")])
        }
        assert.deepStrictEqual(yield* store.get(key("a")), bytes("content"))
        for (const { form } of asked) {
          assert.strictEqual(form.get("Action"), "AssumeRoleWithWebIdentity")
          assert.strictEqual(form.get("RoleArn"), role)
        }
        assert.strictEqual(asked[0]?.form.get("WebIdentityToken"), "kubernetes-token-1")
      })
    )

    it.live("takes the keys of the EKS Pod Identity agent, and reads a rotated token's file anew", () =>
      Effect.gen(function* () {
        const { address, asked } = yield* awsService(() => [
          200,
          "application/json",
          JSON.stringify({ AccessKeyId: accessKey, SecretAccessKey: secretKey, Token: "session", Expiration: soon() })
        ])
        const bucket = yield* freshBucket
        const { file, rotate } = yield* tokenFile
        yield* rotate("pod-token-1")
        yield* environment({
          AWS_CONTAINER_CREDENTIALS_FULL_URI: `${address}/v1/credentials`,
          AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file
        })
        const store = yield* S3ObjectStore.open({ _tag: "S3", bucket, region, endpoint })
        yield* rotate("pod-token-2")
        while (asked.at(-1)?.authorization !== "pod-token-2") yield* store.put(key("a"), [bytes("content")])
        assert.deepStrictEqual(yield* store.get(key("a")), bytes("content"))
        assert.deepStrictEqual(new Set(asked.map(({ path }) => path)), new Set(["/v1/credentials"]))
        assert.strictEqual(asked[0]?.authorization, "pod-token-1")
      })
    )

    it.live("says what to do when the role may not be taken, and when there is no identity at all", () =>
      Effect.gen(function* () {
        const { address } = yield* awsService(() => [
          403,
          "text/xml",
          `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>`
        ])
        const { file, rotate } = yield* tokenFile
        yield* rotate("kubernetes-token")
        const target = { _tag: "S3", bucket: "any-bucket", region, endpoint } as const
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* environment({
              AWS_ROLE_ARN: role,
              AWS_WEB_IDENTITY_TOKEN_FILE: file,
              AWS_REGION: region,
              AWS_ENDPOINT_URL_STS: address
            })
            const denied = yield* Effect.flip(S3ObjectStore.open(target))
            assert.strictEqual(denied.reason._tag, "StorageAuthenticationFailed")
            assert.include(denied.message, "sts:AssumeRoleWithWebIdentity")
            assert.include(denied.advice, "IRSA")
          })
        )
        yield* environment({})
        const nobody = yield* Effect.flip(S3ObjectStore.open(target))
        assert.strictEqual(nobody.reason._tag, "StorageAuthenticationFailed")
        assert.include(nobody.advice, "service account")
      })
    )
  })
})
