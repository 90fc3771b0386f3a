import { createHash } from "node:crypto"
import { crc32c } from "@node-rs/crc32"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Stream } from "effect"
import * as Requests from "../../src/storage/cloud/Requests.ts"
import * as GcsObjectStore from "../../src/storage/GcsObjectStore.ts"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"
import type { GcsTarget } from "../../src/storage/StorageTarget.ts"
import { scriptedServer, slow } from "./scriptedServer.ts"
import { type Answer, answering, breaking, stalling } from "./scriptedS3.ts"

const key = (text: string) => text as ObjectKey
const bytes = (text: string) => new TextEncoder().encode(text)
const content = bytes("the content of a manifest")
const md5Hash = (of: Uint8Array) => createHash("md5").update(of).digest("base64")
const crc = (of: Uint8Array) => {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(crc32c(of))
  return number.toString("base64")
}

const json = { "content-type": "application/json; charset=UTF-8" }
const told = (body: object) => answering(200, json, JSON.stringify(body))
const resource = (name: string, of: Uint8Array, more: object = {}) => ({
  name: `team/${name}`,
  size: String(of.byteLength),
  generation: "17",
  updated: "2026-11-23T12:00:00.000Z",
  crc32c: crc(of),
  md5Hash: md5Hash(of),
  ...more
})
const stored = told(resource("a", content))
const refusing = (status: number, reason: string, headers: Record<string, string> = {}, message = reason): Answer =>
  answering(
    status,
    { ...json, ...headers },
    JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } })
  )
const missing = refusing(404, "notFound")
const emptyListing = told({ kind: "storage#objects" })

const target: GcsTarget = { _tag: "Gcs", bucket: "kafka-backups", prefix: "team" }
const server = (answers: ReadonlyArray<Answer>, opening: Answer = emptyListing) =>
  scriptedServer(answers, ({ query }) => query.get("maxResults") === "1", opening)
const at = (address: string, times = Requests.timeOuts) =>
  GcsObjectStore.open(target, times, { STORAGE_EMULATOR_HOST: address })

/** A store whose server gives these answers in turn. */
const against = (...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const { address, arrived } = yield* server(answers)
    return { store: yield* at(address), arrived }
  })
const methods = (arrived: ReadonlyArray<{ readonly method: string }>) => arrived.map(({ method }) => method)

describe("GcsObjectStore.put", () => {
  it.live("sends name, CRC-32C and content in one multipart upload, and creates by generation 0", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(stored, stored)
      const info = yield* store.put(key("set/a"), [content.subarray(0, 5), content.subarray(5)], { ifAbsent: true })
      assert.strictEqual(info.fingerprint, "17")
      yield* store.put(key("set/a"), [content])
      for (const { body, headers, path, query } of arrived) {
        assert.strictEqual(path, "/upload/storage/v1/b/kafka-backups/o")
        assert.strictEqual(query.get("uploadType"), "multipart")
        assert.strictEqual(headers["content-length"], String(body.byteLength))
        const boundary = /^multipart\/related; boundary=(.+)$/u.exec(headers["content-type"] ?? "")?.[1]
        const [, first, second, end] = body.toString().split(`--${boundary}`)
        const metadata = JSON.parse(first?.split("\r\n\r\n")[1] ?? "") as Record<string, string>
        assert.strictEqual(metadata["name"], "team/set/a")
        assert.strictEqual(metadata["crc32c"], crc(content))
        assert.strictEqual(second?.split("\r\n\r\n")[1], `${new TextDecoder().decode(content)}\r\n`)
        assert.strictEqual(end, "--\r\n")
      }
      assert.strictEqual(arrived[0]?.query.get("ifGenerationMatch"), "0")
      assert.isFalse(arrived[1]?.query.has("ifGenerationMatch"))
    })
  )

  it.live("takes a create whose answer was lost for done when both checksums are its own", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(breaking, refusing(412, "conditionNotMet"), stored)
      const info = yield* store.put(key("a"), [content], { ifAbsent: true })
      assert.strictEqual(info.fingerprint, "17")
      assert.deepStrictEqual(methods(arrived), ["POST", "POST", "GET"])
    })
  )

  it.live("compares the content itself where the store has no MD5", () =>
    Effect.gen(function* () {
      const { md5Hash: _, ...bare } = resource("a", content)
      const media = answering(
        200,
        { "content-length": String(content.byteLength), "x-goog-generation": "17" },
        Buffer.from(content)
      )
      const { store } = yield* against(breaking, refusing(412, "conditionNotMet"), told(bare), media)
      assert.strictEqual((yield* store.put(key("a"), [content], { ifAbsent: true })).fingerprint, "17")
    })
  )

  it.live("says ObjectExists when the object is another writer's, of other or of the same size, or gone again", () =>
    Effect.gen(function* () {
      const other = Buffer.from(content).fill("x")
      for (const rest of [
        [told(resource("a", bytes("short")))],
        [told(resource("a", other))],
        [missing, emptyListing]
      ]) {
        const { store } = yield* against(breaking, refusing(412, "conditionNotMet"), ...rest)
        const error = yield* Effect.flip(store.put(key("a"), [content], { ifAbsent: true }))
        assert.strictEqual(error.reason._tag, "ObjectExists")
      }
      const { store, arrived } = yield* against(refusing(412, "conditionNotMet"))
      const error = yield* Effect.flip(store.put(key("a"), [content], { ifAbsent: true }))
      assert.strictEqual(error.reason._tag, "ObjectExists")
      assert.strictEqual(arrived.length, 1)
    })
  )

  it.live("sends everything anew, once, after a server's bad moment, and then reports it", () =>
    Effect.gen(function* () {
      const pieces = Array.from({ length: 50 }, (_, i) => new Uint8Array(10_000).fill(i))
      const { store, arrived } = yield* against(refusing(503, "backendError"), stored)
      yield* store.put(key("a"), pieces, { ifAbsent: true })
      for (const { body } of arrived) assert.include(body.toString("latin1"), Buffer.concat(pieces).toString("latin1"))
      assert.strictEqual(arrived.length, 2)
      const limited = yield* against(refusing(429, "rateLimitExceeded", { "retry-after": "7" }))
      const error = yield* Effect.flip(limited.store.put(key("a"), [content]))
      assert.strictEqual(error.reason._tag === "StoreUnavailable" && error.reason.retryAfterMillis, 7000)
      assert.strictEqual(limited.arrived.length, 1)
    })
  )

  it.live("tries once more when the server received other bytes, then says ContentMismatch", () =>
    Effect.gen(function* () {
      const bad = refusing(
        400,
        "invalid",
        {},
        'Provided CRC32C "AAAAAA==" doesn\'t match calculated CRC32C "BBBBBB==".'
      )
      const { store, arrived } = yield* against(bad, stored, bad, bad)
      yield* store.put(key("a"), [content])
      assert.strictEqual((yield* Effect.flip(store.put(key("a"), [content]))).reason._tag, "ContentMismatch")
      assert.strictEqual(arrived.length, 4)
    })
  )

  it.live("gives up the connection when it is interrupted, waiting for an answer or in the middle of the upload", () =>
    Effect.gen(function* () {
      let closed = 0
      const waiting: Answer = (response) => void response.on("close", () => closed++)
      const { store, arrived } = yield* against(waiting)
      const first = yield* Effect.forkChild(store.put(key("a"), [content]))
      while (arrived.length === 0) yield* Effect.sleep(1)
      yield* Fiber.interrupt(first)
      while (closed === 0) yield* Effect.sleep(1)
      const { address, state } = yield* slow((url) => url.searchParams.get("maxResults") === "1", {
        type: "application/json",
        body: "{}"
      })
      const other = yield* at(address)
      const second = yield* Effect.forkChild(other.put(key("large"), [new Uint8Array(32 * 1024 * 1024)]))
      while (state.begun === 0) yield* Effect.sleep(1)
      yield* Fiber.interrupt(second)
      while (state.brokenOff === 0) yield* Effect.sleep(1)
    })
  )

  it.live("gives up a request that is not answered in time", () =>
    Effect.gen(function* () {
      const { address, arrived } = yield* server([stalling, stalling])
      const store = yield* at(address, { idle: 100, answer: 100 })
      assert.strictEqual((yield* Effect.flip(store.head(key("a")))).reason._tag, "StoreUnavailable")
      assert.strictEqual(arrived.length, 2)
    })
  )
})

describe("GcsObjectStore.read", () => {
  const large = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251))
  const whole = {
    "content-length": String(large.byteLength),
    "x-goog-generation": "17",
    "x-goog-hash": `crc32c=${crc(large)},md5=${md5Hash(large)}`
  }
  const cut =
    (from: number, until: number): Answer =>
    (response) => {
      response.writeHead(from === 0 ? 200 : 206, { ...whole, "content-length": String(large.byteLength - from) })
      response.write(large.subarray(from, until), () => response.destroy())
    }
  const rest: Answer = (response, request) => {
    const from = Number(/bytes=(\d+)-/u.exec(request.headers.range ?? "")?.[1])
    response.writeHead(206, { ...whole, "content-length": String(large.byteLength - from) })
    response.end(large.subarray(from))
  }

  it.live("goes on where a connection broke or fell silent, on the same generation only", () =>
    Effect.gen(function* () {
      const stall: Answer = (response) => {
        response.writeHead(200, whole)
        response.write(large.subarray(0, 1000))
      }
      for (const first of [cut(0, 100_000), stall]) {
        const { address, arrived } = yield* server([first, rest])
        const store = yield* at(address, { idle: 200, answer: 5_000 })
        assert.isTrue(large.equals(Buffer.concat(yield* Stream.runCollect(store.read(key("segment"))))))
        assert.strictEqual(arrived[1]?.query.get("ifGenerationMatch"), "17")
        assert.match(arrived[1]?.headers.range ?? "", /^bytes=\d+-$/u)
      }
    })
  )

  it.live("fails at the end when what came does not have the CRC-32C that the store keeps, in one go or in two", () =>
    Effect.gen(function* () {
      const altered = Buffer.from(large)
      altered[7] = (altered[7] ?? 0) ^ 1
      const { store } = yield* against(answering(200, whole, altered))
      const error = yield* Effect.flip(store.get(key("segment")))
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.include(error.message, crc(large))
      const alteredRest: Answer = (response, request) => {
        const from = Number(/bytes=(\d+)-/u.exec(request.headers.range ?? "")?.[1])
        response.writeHead(206, { ...whole, "content-length": String(large.byteLength - from) })
        const bad = Buffer.from(large.subarray(from))
        bad[0] = (bad[0] ?? 0) ^ 1
        response.end(bad)
      }
      const resumed = yield* against(cut(0, 100_000), alteredRest)
      const second = yield* Effect.flip(Stream.runDrain(resumed.store.read(key("segment"))))
      assert.strictEqual(second.reason._tag, "ContentMismatch")
    })
  )

  it.live("fails when the object was replaced in the middle, or the server begins anew", () =>
    Effect.gen(function* () {
      for (const after of [refusing(412, "conditionNotMet"), answering(200, whole, large)]) {
        const { store } = yield* against(cut(0, 100_000), after)
        const error = yield* Effect.flip(Stream.runDrain(store.read(key("segment"))))
        assert.strictEqual(error.reason._tag, "ContentMismatch")
      }
    })
  )

  it.live("tells an object that does not exist from a bucket that does not exist", () =>
    Effect.gen(function* () {
      const { store } = yield* against(missing, emptyListing, missing, missing)
      assert.strictEqual((yield* Effect.flip(store.get(key("x")))).reason._tag, "ObjectNotFound")
      assert.strictEqual((yield* Effect.flip(store.get(key("x")))).reason._tag, "TargetMissing")
    })
  )
})

describe("GcsObjectStore.list", () => {
  it.live("follows the pages and leaves out the markers of consoles", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(
        told({ items: [resource("", content), resource("a", content), resource("b/", content)], nextPageToken: "t 1" }),
        told({ items: [resource("c", content)] })
      )
      const infos = yield* Stream.runCollect(store.list(""))
      const expected = {
        size: content.byteLength,
        fingerprint: "17",
        protection: null,
        modifiedMillis: Date.UTC(2026, 10, 23, 12)
      }
      assert.deepStrictEqual(infos, [
        { key: key("a"), ...expected },
        { key: key("c"), ...expected }
      ])
      assert.strictEqual(arrived[0]?.query.get("prefix"), "team/")
      assert.strictEqual(arrived[1]?.query.get("pageToken"), "t 1")
    })
  )

  it.live("fails rather than listing out of order, or the same page for ever", () =>
    Effect.gen(function* () {
      const unordered = yield* against(told({ items: [resource("b", content), resource("a", content)] }))
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(unordered.store.list("")))).reason._tag, "Misconfigured")
      const again = told({ items: [], nextPageToken: "t" })
      const endless = yield* against(again, again)
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(endless.store.list("")))).reason._tag, "Misconfigured")
    })
  )
})

describe("GcsObjectStore.open", () => {
  const withFile = (keyFile: string): GcsTarget => ({
    ...target,
    credentials: { keyFile: Redacted.make(keyFile), origin: { secret: "gcs-credentials", keys: ["credentials.json"] } }
  })

  it.live("refuses a Secret that holds no service account's key file, and quotes nothing of it", () =>
    Effect.gen(function* () {
      for (const file of [
        "hidden",
        "{}",
        JSON.stringify({ type: "authorized_user", refresh_token: "hidden" }),
        JSON.stringify({ type: "service_account", client_email: "a@b", private_key: "hidden" })
      ]) {
        const error = yield* Effect.flip(GcsObjectStore.open(withFile(file), Requests.timeOuts, {}))
        assert.strictEqual(error.reason._tag, "StorageAuthenticationFailed")
        assert.include(error.message, "Secret gcs-credentials, key credentials.json")
        assert.notInclude(error.message + error.advice + JSON.stringify(error), "hidden")
      }
    })
  )

  it.live("refuses what cannot work before any request", () =>
    Effect.gen(function* () {
      for (const [wrong, env] of [
        [{ ...target, bucket: "No_Bucket" }, {}],
        [{ ...target, prefix: "a/../b" }, {}],
        [target, { STORAGE_EMULATOR_HOST: "http://169.254.169.254" }]
      ] as const) {
        const error = yield* Effect.flip(GcsObjectStore.open(wrong, Requests.timeOuts, env))
        assert.strictEqual(error.reason._tag, "Misconfigured")
      }
    })
  )

  it.live("names the role that is missing", () =>
    Effect.gen(function* () {
      const message = "backup@project.iam.gserviceaccount.com does not have storage.objects.list access"
      const { address } = yield* server([], refusing(403, "forbidden", {}, message))
      const error = yield* Effect.flip(at(address))
      assert.strictEqual(error.reason._tag, "StorageAuthorizationFailed")
      assert.include(error.advice, "storage.objects.list")
      assert.include(error.advice, "roles/storage.objectUser")
    })
  )
})
