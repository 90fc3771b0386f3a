import { generateKeyPairSync, verify } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import * as Agents from "../../../src/storage/cloud/Agents.ts"
import * as Requests from "../../../src/storage/cloud/Requests.ts"
import * as Failure from "../../../src/storage/gcs/Failure.ts"
import * as ServiceAccount from "../../../src/storage/gcs/ServiceAccount.ts"
import { type Answer, answering, stalling } from "../scriptedS3.ts"
import { scriptedServer } from "../scriptedServer.ts"

const email = "backup@project.iam.gserviceaccount.com"
const origin = { secret: "gcs-credentials", keys: ["credentials.json"] }
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })

const json = { "content-type": "application/json" }
const token = (name: string, seconds = 3599) =>
  answering(200, json, JSON.stringify({ access_token: name, expires_in: seconds, token_type: "Bearer" }))
const refusing = (status: number, body: object, headers: Record<string, string> = {}) =>
  answering(status, { ...json, ...headers }, JSON.stringify(body))

/** A key file whose token endpoint gives these answers in turn. */
const against = (answers: ReadonlyArray<Answer>, times = Requests.timeOuts) =>
  Effect.gen(function* () {
    const { address, arrived } = yield* scriptedServer(answers, () => false, stalling)
    const file = JSON.stringify({
      type: "service_account",
      client_email: email,
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      token_uri: `${address}/of/this/file`
    })
    const account = ServiceAccount.parse(Redacted.make(file), origin)
    if ("_tag" in account) return assert.fail(account.detail)
    const place: Failure.ErrorContext = {
      operation: "open",
      location: "gcs bucket kafka-backups",
      bucket: "kafka-backups",
      service: "https://storage.googleapis.com",
      account: { email, origin },
      isToken: true,
      secrets: []
    }
    const line = yield* Requests.make(times)
    const tokens = yield* ServiceAccount.tokens(
      account,
      (request) => line(request, (error, now) => Failure.from(error, place, now)),
      Agents.make({}, {})
    )
    return { address, arrived, tokens }
  })

const decoded = (part: string | undefined) =>
  JSON.parse(Buffer.from(part ?? "", "base64url").toString()) as Record<string, unknown>

describe("The token of a service account's key file", () => {
  it.live("is asked for where the file says, with a statement that its key has signed", () =>
    Effect.gen(function* () {
      const { address, arrived, tokens } = yield* against([token("one")])
      assert.strictEqual(yield* tokens.get, "one")
      const [asked] = arrived
      assert.strictEqual(`${asked?.method} ${asked?.path}`, "POST /of/this/file")
      const form = new URLSearchParams(asked?.body.toString())
      assert.strictEqual(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer")
      const [head, claims, signature] = (form.get("assertion") ?? "").split(".")
      assert.isTrue(
        verify("sha256", Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature ?? "", "base64url"))
      )
      const { aud, exp, iat, iss, scope } = decoded(claims)
      assert.deepStrictEqual(
        { aud, iss, scope, seconds: Number(exp) - Number(iat) },
        { aud: `${address}/of/this/file`, iss: email, scope: ServiceAccount.scope, seconds: 3600 }
      )
    })
  )

  it.live("is asked for once, however many wait for it, and once more when it was not taken", () =>
    Effect.gen(function* () {
      const { arrived, tokens } = yield* against([token("one"), token("two")])
      const all = yield* Effect.all(
        Array.from({ length: 20 }, () => tokens.get),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(new Set(all), new Set(["one"]))
      assert.strictEqual(arrived.length, 1)
      yield* tokens.forget
      assert.strictEqual(yield* tokens.get, "two")
      assert.strictEqual(arrived.length, 2)
    })
  )

  it.live("is not used in its last five minutes", () =>
    Effect.gen(function* () {
      const { tokens } = yield* against([token("ending", 299), token("lasting", 3599), token("third")])
      assert.strictEqual(yield* tokens.get, "ending")
      assert.strictEqual(yield* tokens.get, "lasting")
      assert.strictEqual(yield* tokens.get, "lasting")
    })
  )

  it.live("is asked for by one request: no refusal is repeated, and no redirection followed", () =>
    Effect.gen(function* () {
      const elsewhere = yield* scriptedServer([token("stolen")], () => false, stalling)
      const { arrived, tokens } = yield* against([
        refusing(503, { error: "temporarily_unavailable" }, { "retry-after": "7" }),
        (response) => response.destroy(),
        refusing(307, {}, { location: `${elsewhere.address}/token` }),
        refusing(400, { error: "invalid_grant", error_description: "Invalid JWT Signature." })
      ])
      const busy = yield* Effect.flip(tokens.get)
      assert.strictEqual(busy.reason._tag === "StoreUnavailable" && busy.reason.retryAfterMillis, 7000)
      assert.strictEqual((yield* Effect.flip(tokens.get)).reason._tag, "StoreUnavailable")
      assert.strictEqual((yield* Effect.flip(tokens.get)).reason._tag, "StorageAuthenticationFailed")
      const refused = yield* Effect.flip(tokens.get)
      assert.strictEqual(refused.reason._tag, "StorageAuthenticationFailed")
      assert.include(refused.message, "credentials.json): Invalid JWT Signature. (invalid_grant, HTTP 400)")
      assert.strictEqual(arrived.length, 4)
      assert.strictEqual(elsewhere.arrived.length, 0)
    })
  )

  it.live("is asked for directly, as the store is, whatever proxy the environment names", () =>
    Effect.gen(function* () {
      const proxy = yield* scriptedServer([], () => false, stalling)
      yield* Effect.acquireRelease(
        Effect.sync(() => void (process.env["HTTPS_PROXY"] = proxy.address)),
        () => Effect.sync(() => void delete process.env["HTTPS_PROXY"])
      )
      const { tokens } = yield* against([token("direct")])
      assert.strictEqual(yield* tokens.get, "direct")
      assert.strictEqual(proxy.arrived.length, 0)
    })
  )

  it.live("is refused without a word of the key or of what it signed", () =>
    Effect.gen(function* () {
      const { arrived, tokens } = yield* against([refusing(400, { error: "invalid_grant" })])
      const error = yield* Effect.flip(tokens.get)
      const said = error.message + JSON.stringify(error)
      assert.include(said, "credentials.json): invalid_grant (invalid_grant, HTTP 400)")
      const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }))
      assert.notInclude(said, pem.split("\n")[1] ?? "")
      assert.notInclude(said, new URLSearchParams(arrived[0]?.body.toString()).get("assertion") ?? "")
    })
  )

  it.live("is not waited for without end, and the connection is given up with the wait", () =>
    Effect.gen(function* () {
      let closed = 0
      const silent: Answer = (response) => void response.on("close", () => closed++)
      const { arrived, tokens } = yield* against([silent, silent, token("late")], { idle: 100, answer: 500 })
      const error = yield* Effect.flip(tokens.get)
      assert.strictEqual(error.reason._tag, "StoreUnavailable")
      while (closed < 1) yield* Effect.sleep(1)
      const waiting = yield* Effect.forkChild(tokens.get)
      while (arrived.length < 2) yield* Effect.sleep(1)
      yield* Fiber.interrupt(waiting)
      while (closed < 2) yield* Effect.sleep(1)
      assert.strictEqual(yield* tokens.get, "late")
    })
  )
})
