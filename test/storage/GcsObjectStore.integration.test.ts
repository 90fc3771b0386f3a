import { generateKeyPairSync, randomUUID, verify } from "node:crypto"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as Requests from "../../src/storage/cloud/Requests.ts"
import * as GcsObjectStore from "../../src/storage/GcsObjectStore.ts"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"
import type { GcsTarget } from "../../src/storage/StorageTarget.ts"
import { objectStoreContract } from "../contract/objectStore.ts"
import { describeWith } from "../harness/services.ts"
import { identityServer } from "./tokenEndpoint.ts"

const key = (text: string) => text as ObjectKey
const bytes = (text: string) => new TextEncoder().encode(text)
const email = "backup@project.iam.gserviceaccount.com"
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })

describeWith("fakegcs", "against fake-gcs-server", ({ fakegcs: { endpoint } }) => {
  /** A bucket of its own, which is never deleted: the emulator keeps it in memory and ends with the tests. */
  const freshBucket = Effect.promise(async () => {
    const name = `kafka-backup-${randomUUID()}`
    const answer = await fetch(`${endpoint}/storage/v1/b?project=test`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name })
    })
    if (!answer.ok) throw new Error(`no bucket: HTTP ${answer.status}`)
    await answer.arrayBuffer()
    return name
  })

  /**
   * The emulator asks nobody who he is, so this stands before it: only requests with this token pass. `refuse(n)` lets
   * the next n of them meet a 401 whatever they carry.
   */
  const guarded = (isGood: (authorization: string | undefined) => boolean) =>
    Effect.gen(function* () {
      const seen: Array<string | undefined> = []
      let refusals = 0
      const upstream = new URL(endpoint)
      const server = createServer((incoming, outgoing) => {
        const { authorization } = incoming.headers
        seen.push(authorization)
        if (!isGood(authorization) || refusals-- > 0) {
          incoming.resume()
          outgoing.writeHead(401, { "content-type": "application/json" })
          const errors = [{ reason: "authError", message: "Invalid Credentials" }]
          return void outgoing.end(JSON.stringify({ error: { code: 401, message: "Invalid Credentials", errors } }))
        }
        const { headers, method, url } = incoming
        const on = request({ host: upstream.hostname, port: upstream.port, path: url, method, headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(outgoing)
        })
        on.on("error", () => outgoing.destroy())
        outgoing.on("close", () => on.destroy())
        incoming.pipe(on)
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () =>
          Effect.sync(() => {
            server.closeAllConnections()
            server.close()
          })
      )
      return {
        address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
        seen,
        refuse: (count: number) => Effect.sync(() => void (refusals = count))
      }
    })

  const keyFile = (tokenUri: string, extra: object = {}) =>
    JSON.stringify({
      type: "service_account",
      project_id: "project",
      private_key_id: "key-1",
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      client_email: email,
      token_uri: tokenUri,
      ...extra
    })

  const target = (bucket: string, prefix: string, file: string): GcsTarget => ({
    _tag: "Gcs",
    bucket,
    prefix,
    credentials: { keyFile: Redacted.make(file), origin: { secret: "gcs-credentials", keys: ["credentials.json"] } }
  })

  /** Google's token endpoint: each token is another one, and every assertion is checked against the account's key. */
  const google = () => {
    let issued = 0
    return identityServer(({ form }, address) => {
      const [head = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".")
      const told = JSON.parse(Buffer.from(claims, "base64url").toString() || "{}") as Record<string, unknown>
      const isOurs =
        form.get("grant_type") === "urn:ietf:params:oauth:grant-type:jwt-bearer" &&
        verify("sha256", Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, "base64url")) &&
        told["iss"] === email &&
        told["aud"] === `${address}/token` &&
        Number(told["exp"]) - Number(told["iat"]) === 3600
      if (!isOurs) return [400, { error: "invalid_grant", error_description: "Invalid JWT Signature." }]
      return [200, { access_token: `token-${++issued}`, expires_in: 3599, token_type: "Bearer" }]
    })
  }

  objectStoreContract(
    "on fake-gcs-server",
    Effect.map(freshBucket, (bucket) => ({
      open: (prefix) =>
        GcsObjectStore.open({ _tag: "Gcs", bucket, prefix }, Requests.timeOuts, { STORAGE_EMULATOR_HOST: endpoint })
    }))
  )

  objectStoreContract(
    "on fake-gcs-server with a service account, behind a door that opens for its token alone",
    Effect.gen(function* () {
      const { address: tokens } = yield* google()
      const { address } = yield* guarded((authorization) => /^Bearer token-\d+$/u.test(authorization ?? ""))
      const bucket = yield* freshBucket
      const env = { STORAGE_EMULATOR_HOST: address }
      return {
        open: (prefix) =>
          GcsObjectStore.open(target(bucket, prefix, keyFile(`${tokens}/token`)), Requests.timeOuts, env)
      }
    })
  )

  describe("GcsObjectStore on fake-gcs-server", () => {
    it.live("says at opening that the bucket does not exist, and of an absent object in a bucket that has gone", () =>
      Effect.gen(function* () {
        const env = { STORAGE_EMULATOR_HOST: endpoint }
        const error = yield* Effect.flip(
          GcsObjectStore.open({ _tag: "Gcs", bucket: "no-such-bucket" }, Requests.timeOuts, env)
        )
        assert.strictEqual(error.reason._tag, "TargetMissing")
        assert.include(error.advice, "no-such-bucket")
        const bucket = yield* freshBucket
        const store = yield* GcsObjectStore.open({ _tag: "Gcs", bucket }, Requests.timeOuts, env)
        assert.strictEqual((yield* Effect.flip(store.head(key("x")))).reason._tag, "ObjectNotFound")
        yield* Effect.promise(() => fetch(`${endpoint}/storage/v1/b/${bucket}`, { method: "DELETE" }))
        assert.strictEqual((yield* Effect.flip(store.head(key("x")))).reason._tag, "TargetMissing")
        assert.strictEqual((yield* Effect.flip(store.get(key("x")))).reason._tag, "TargetMissing")
      })
    )

    it.live(
      "asks for one token with the key file's account, and for another when the store does not take it any more",
      () =>
        Effect.gen(function* () {
          const { address: tokens, asked } = yield* google()
          const { address, refuse, seen } = yield* guarded(() => true)
          const bucket = yield* freshBucket
          const env = { STORAGE_EMULATOR_HOST: address }
          const file = keyFile(`${tokens}/token`)
          const store = yield* GcsObjectStore.open(target(bucket, "", file), Requests.timeOuts, env)
          yield* store.put(key("a"), [bytes("content")])
          assert.strictEqual(asked.length, 1)
          assert.deepStrictEqual(new Set(seen), new Set(["Bearer token-1"]))
          yield* refuse(1)
          yield* store.put(key("a"), [bytes("new "), bytes("content")])
          assert.deepStrictEqual(yield* store.get(key("a")), bytes("new content"))
          assert.strictEqual(asked.length, 2)
          assert.strictEqual(seen.at(-1), "Bearer token-2")
        })
    )

    it.live("says that Google does not take the key, names the Secret, and shows no part of the key", () =>
      Effect.gen(function* () {
        const { address: tokens } = yield* google()
        const bucket = yield* freshBucket
        const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
          type: "pkcs8",
          format: "pem"
        })
        const file = keyFile(`${tokens}/token`, { private_key: other })
        const env = { STORAGE_EMULATOR_HOST: endpoint }
        const error = yield* Effect.flip(GcsObjectStore.open(target(bucket, "", file), Requests.timeOuts, env))
        assert.strictEqual(error.reason._tag, "StorageAuthenticationFailed")
        assert.include(error.message, "Invalid JWT Signature")
        assert.include(error.message, email)
        assert.include(error.advice, "Secret gcs-credentials, key credentials.json")
        assert.notInclude(JSON.stringify(error) + error.message, String(other).split("\n")[1] ?? "")
      })
    )

    it.live(
      "asks GKE's metadata server when there is no Secret, also when it is not ready yet, and sends what it gives",
      () =>
        Effect.gen(function* () {
          let isReady = false
          const metadata = yield* identityServer(({ path }) => {
            if (!isReady) {
              isReady = true
              return [500, {}]
            }
            return path.includes("/token")
              ? [200, { access_token: "token-of-the-pod", expires_in: 3599, token_type: "Bearer" }]
              : [200, {}]
          })
          const { address, seen } = yield* guarded((authorization) => authorization === "Bearer token-of-the-pod")
          const bucket = yield* freshBucket
          yield* Effect.acquireRelease(
            Effect.sync(() => void (process.env["GCE_METADATA_HOST"] = new URL(metadata.address).host)),
            () => Effect.sync(() => void delete process.env["GCE_METADATA_HOST"])
          )
          const store = yield* GcsObjectStore.open({ _tag: "Gcs", bucket }, Requests.timeOuts, {
            ...process.env,
            STORAGE_EMULATOR_HOST: address,
            KUBERNETES_SERVICE_HOST: "10.96.0.1"
          })
          yield* store.put(key("a"), [bytes("content")])
          assert.deepStrictEqual(yield* store.get(key("a")), bytes("content"))
          assert.deepStrictEqual(new Set(seen), new Set(["Bearer token-of-the-pod"]))
          const tokens = metadata.asked.filter(({ path }) => path.includes("/token"))
          assert.strictEqual(tokens.length, 1)
          assert.strictEqual(tokens[0]?.headers["metadata-flavor"], "Google")
          assert.include(tokens[0]?.path, "devstorage.read_write")
        })
    )
  })
})
