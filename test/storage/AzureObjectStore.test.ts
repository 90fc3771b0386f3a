import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Stream } from "effect"
import * as AzureObjectStore from "../../src/storage/AzureObjectStore.ts"
import * as Requests from "../../src/storage/cloud/Requests.ts"
import * as GuardedObjectStore from "../../src/storage/GuardedObjectStore.ts"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"
import type { AzureCredentials, AzureTarget } from "../../src/storage/StorageTarget.ts"
import { scriptedServer, slow } from "./scriptedServer.ts"
import { type Answer, answering, breaking, stalling } from "./scriptedS3.ts"

const key = (text: string) => text as ObjectKey
const bytes = (text: string) => new TextEncoder().encode(text)
const md5 = (content: Uint8Array) => createHash("md5").update(content).digest("base64")
const content = bytes("the content of a manifest")
const accountKey = Buffer.alloc(64, 9).toString("base64")

const xml = { "content-type": "application/xml" }
const listing = (inside: string) =>
  answering(200, xml, `<?xml version="1.0"?><EnumerationResults>${inside}</EnumerationResults>`)
const emptyListing = listing("<Blobs/><NextMarker/>")
const stored = answering(201, { etag: '"0x1"', "last-modified": "Mon, 23 Nov 2026 12:00:00 GMT" })
const refusing = (status: number, code: string, headers: Record<string, string> = {}, more = ""): Answer =>
  answering(
    status,
    { ...xml, "x-ms-error-code": code, ...headers },
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}\nRequestId:1\nTime:2</Message>${more}</Error>`
  )

const withKey: AzureCredentials = {
  _tag: "AccountKey",
  accountKey: Redacted.make(accountKey),
  origin: { secret: "azure-credentials", keys: ["AZURE_STORAGE_KEY"] }
}
const target = (address: string, credentials: AzureCredentials = withKey): AzureTarget => ({
  _tag: "Azure",
  accountName: "kafkabackups",
  container: "backups",
  prefix: "team",
  endpoint: `${address}/kafkabackups`,
  credentials
})

const server = (answers: ReadonlyArray<Answer>, opening: Answer = emptyListing) =>
  scriptedServer(answers, ({ query }) => query.get("maxresults") === "1", opening)

/** A store whose server gives these answers in turn. */
const against = (...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const { address, arrived } = yield* server(answers)
    return { store: yield* AzureObjectStore.open(target(address)), arrived }
  })
const methods = (arrived: ReadonlyArray<{ readonly method: string }>) => arrived.map(({ method }) => method)

describe("AzureObjectStore.put", () => {
  it.live("lets the service check the content by its MD5, and creates by If-None-Match", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(stored, stored)
      const info = yield* store.put(key("set/manifest.json"), [content.subarray(0, 5), content.subarray(5)], {
        ifAbsent: true
      })
      assert.strictEqual(info.fingerprint, "0x1")
      assert.strictEqual(info.key, "set/manifest.json")
      yield* store.put(key("set/manifest.json"), [content])
      for (const { body, headers, path } of arrived) {
        assert.strictEqual(path, "/kafkabackups/backups/team/set/manifest.json")
        assert.isTrue(body.equals(content))
        assert.strictEqual(headers["content-length"], String(content.byteLength))
        assert.strictEqual(headers["content-md5"], md5(content))
        assert.strictEqual(headers["x-ms-blob-content-md5"], md5(content))
        assert.match(headers.authorization ?? "", /^SharedKey kafkabackups:/u)
      }
      assert.strictEqual(arrived[0]?.headers["if-none-match"], "*")
      assert.isUndefined(arrived[1]?.headers["if-none-match"])
    })
  )

  it.live("sends large content in blocks of its own, each with its MD5, and shows it only with the list of them", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(...Array.from({ length: 4 }, () => stored))
      const pieces = Array.from({ length: 5 }, (_, i) => Buffer.alloc(4 * 1024 * 1024, i + 1))
      const sha256 = createHash("sha256").update(Buffer.concat(pieces)).digest("hex")
      yield* store.put(key("segment"), pieces, { ifAbsent: true, sha256 })
      const blocks = arrived.filter(({ query }) => query.get("comp") === "block")
      const [list, ...more] = arrived.filter(({ query }) => query.get("comp") === "blocklist")
      assert.deepStrictEqual(more, [])
      assert.strictEqual(arrived.at(-1), list)
      const byId = new Map(blocks.map((block) => [block.query.get("blockid") ?? "", block]))
      const ids = [...(list?.body.toString() ?? "").matchAll(/<Latest>([^<]+)<\/Latest>/gu)].map(([, id]) => id ?? "")
      assert.strictEqual(new Set(ids).size, 3)
      assert.isTrue(Buffer.concat(ids.map((id) => byId.get(id)?.body ?? Buffer.alloc(0))).equals(Buffer.concat(pieces)))
      for (const { body, headers } of blocks) assert.strictEqual(headers["content-md5"], md5(body))
      assert.strictEqual(list?.headers["if-none-match"], "*")
      assert.strictEqual(list?.headers["x-ms-meta-sha256"], sha256)
    })
  )

  it.live("never shares a block's name with another writer of the same blob", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(...Array.from({ length: 6 }, () => stored))
      const large = [Buffer.alloc(9 * 1024 * 1024)]
      yield* store.put(key("segment"), large)
      yield* store.put(key("segment"), large)
      const ids = arrived.flatMap(({ query }) => query.get("blockid") ?? [])
      assert.strictEqual(new Set(ids).size, 4)
      assert.strictEqual(new Set(ids.map((id) => id.length)).size, 1)
    })
  )

  for (const [status, code] of [
    [409, "BlobAlreadyExists"],
    [412, "ConditionNotMet"]
  ] as const) {
    it.live(`takes a create whose answer was lost for done when the stored MD5 is its own (${status} ${code})`, () =>
      Effect.gen(function* () {
        const exists = refusing(status, code)
        const head = { etag: '"0x1"', "content-length": String(content.byteLength), "content-md5": md5(content) }
        const { store, arrived } = yield* against(breaking, exists, answering(200, head))
        const info = yield* store.put(key("lock"), [content], { ifAbsent: true })
        assert.strictEqual(info.fingerprint, "0x1")
        assert.deepStrictEqual(methods(arrived), ["PUT", "PUT", "HEAD"])
      })
    )

    it.live(`says ObjectExists at once when the very first request meets a blob (${status} ${code})`, () =>
      Effect.gen(function* () {
        const { store, arrived } = yield* against(refusing(status, code))
        const error = yield* Effect.flip(store.put(key("lock"), [content], { ifAbsent: true }))
        assert.strictEqual(error.reason._tag, "ObjectExists")
        assert.strictEqual(arrived.length, 1)
      })
    )
  }

  it.live("knows its own large blob by the SHA-256 that it wrote beside it", () =>
    Effect.gen(function* () {
      const large = Buffer.alloc(9 * 1024 * 1024, 3)
      const sha256 = createHash("sha256").update(large).digest("hex")
      const exists = refusing(409, "BlobAlreadyExists")
      const head = (told: string) =>
        answering(200, { etag: '"0x1"', "content-length": String(large.byteLength), "x-ms-meta-sha256": told })
      for (const [told, isOurs] of [
        [sha256, true],
        ["0".repeat(64), false]
      ] as const) {
        const { store } = yield* against(stored, stored, breaking, stored, stored, exists, head(told))
        const outcome = yield* Effect.result(store.put(key("segment"), [large], { ifAbsent: true, sha256 }))
        assert.strictEqual(outcome._tag === "Success", isOurs)
        if (outcome._tag === "Failure") assert.strictEqual(outcome.failure.reason._tag, "ObjectExists")
      }
    })
  )

  it.live("says ObjectExists after a lost answer when the blob is another writer's, or gone again", () =>
    Effect.gen(function* () {
      const exists = refusing(409, "BlobAlreadyExists")
      const other = Buffer.from(content).fill("x")
      const length = { "content-length": String(other.byteLength), etag: '"0x1"' }
      for (const rest of [
        [answering(200, { ...length, "content-length": "7" })],
        [answering(200, { ...length, "content-md5": md5(other) })],
        [answering(200, length), answering(200, length, other)],
        [answering(404, { "x-ms-error-code": "BlobNotFound" })]
      ]) {
        const { store } = yield* against(breaking, exists, ...rest)
        const error = yield* Effect.flip(store.put(key("lock"), [content], { ifAbsent: true }))
        assert.strictEqual(error.reason._tag, "ObjectExists")
      }
    })
  )

  it.live("repeats once, and the SDK not at all", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(refusing(503, "ServerBusy"), stored)
      yield* store.put(key("a"), [content])
      assert.strictEqual(arrived.length, 2)
      const twice = yield* against(refusing(500, "InternalError"), refusing(500, "OperationTimedOut"))
      const error = yield* Effect.flip(twice.store.put(key("a"), [content]))
      assert.strictEqual(error.reason._tag, "StoreUnavailable")
      assert.strictEqual(twice.arrived.length, 2)
    })
  )

  it.live("hands on the wait that the service asks for, and does not knock before", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(refusing(503, "ServerBusy", { "retry-after": "30" }))
      const error = yield* Effect.flip(store.put(key("a"), [content]))
      assert.strictEqual(error.reason._tag === "StoreUnavailable" && error.reason.retryAfterMillis, 30_000)
      assert.strictEqual(arrived.length, 1)
    })
  )

  it.live("stages everything anew when another writer's commit threw the blocks away", () =>
    Effect.gen(function* () {
      const lost = refusing(400, "InvalidBlockList")
      const { store, arrived } = yield* against(stored, stored, lost, stored, stored, stored)
      // The adapter repeats only at once; on a machine that is too busy for that, the guard does.
      const guarded = GuardedObjectStore.make(store, GuardedObjectStore.bounded)
      yield* guarded.put(key("segment"), [Buffer.alloc(9 * 1024 * 1024)])
      assert.strictEqual(arrived.filter(({ query }) => query.get("comp") === "block").length, 4)
    })
  )

  it.live("tries once more when the service received other bytes, then says ContentMismatch", () =>
    Effect.gen(function* () {
      const bad = refusing(400, "Md5Mismatch")
      const { store, arrived } = yield* against(bad, stored, bad, bad)
      yield* store.put(key("a"), [content])
      assert.strictEqual((yield* Effect.flip(store.put(key("a"), [content]))).reason._tag, "ContentMismatch")
      assert.strictEqual(arrived.length, 4)
    })
  )

  it.live("sends nothing when the content does not have the announced SHA-256", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against()
      const error = yield* Effect.flip(store.put(key("a"), [content], { sha256: "0".repeat(64) }))
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.deepStrictEqual(arrived, [])
    })
  )

  it.live("gives up its connections when it is interrupted, waiting for an answer or in the middle of the upload", () =>
    Effect.gen(function* () {
      let closed = 0
      const waiting: Answer = (response) => void response.on("close", () => closed++)
      const { store, arrived } = yield* against(waiting)
      const first = yield* Effect.forkChild(store.put(key("a"), [content]))
      while (arrived.length === 0) yield* Effect.sleep(1)
      yield* Fiber.interrupt(first)
      while (closed === 0) yield* Effect.sleep(1)
      const { address, state } = yield* slow((url) => url.searchParams.get("maxresults") === "1", {
        type: "application/xml",
        body: "<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>"
      })
      const other = yield* AzureObjectStore.open(target(address))
      const second = yield* Effect.forkChild(other.put(key("large"), [new Uint8Array(32 * 1024 * 1024)]))
      while (state.begun < 4) yield* Effect.sleep(1)
      yield* Fiber.interrupt(second)
      while (state.brokenOff < 4) yield* Effect.sleep(1)
      assert.strictEqual(state.begun, 4, "no more blocks at once, whatever the size")
    })
  )

  it.live("gives up a request that is not answered in time", () =>
    Effect.gen(function* () {
      const { address, arrived } = yield* server([stalling, stalling])
      const store = yield* AzureObjectStore.open(target(address), { idle: 100, answer: 100 })
      const error = yield* Effect.flip(store.put(key("a"), [content]))
      assert.strictEqual(error.reason._tag, "StoreUnavailable")
      assert.strictEqual(arrived.length, 2)
    })
  )
})

describe("AzureObjectStore.read", () => {
  const large = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251))
  const whole = { "content-length": String(large.byteLength), etag: '"0x1"' }
  /** Announces everything, sends so much, and breaks. */
  const cut =
    (from: number, until: number): Answer =>
    (response) => {
      response.writeHead(from === 0 ? 200 : 206, { ...whole, "content-length": String(large.byteLength - from) })
      response.write(large.subarray(from, until), () => response.destroy())
    }
  const rest: Answer = (response, request) => {
    const range = request.headers["x-ms-range"] ?? request.headers.range
    const from = Number(/bytes=(\d+)-/u.exec(String(range))?.[1])
    response.writeHead(206, { ...whole, "content-length": String(large.byteLength - from) })
    response.end(large.subarray(from))
  }

  it.live("goes on where a connection broke, on the same content only", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(cut(0, 100_000), rest)
      const pieces = yield* Stream.runCollect(store.read(key("segment")))
      assert.isTrue(large.equals(Buffer.concat(pieces)))
      assert.strictEqual(arrived[1]?.headers["if-match"], '"0x1"')
    })
  )

  it.live("resumes after a stalled body", () =>
    Effect.gen(function* () {
      const stall: Answer = (response) => {
        response.writeHead(200, whole)
        response.write(large.subarray(0, 1000))
      }
      const { address, arrived } = yield* server([stall, rest])
      const store = yield* AzureObjectStore.open(target(address), { idle: 200, answer: 5_000 })
      assert.isTrue(large.equals(yield* store.get(key("segment"))))
      assert.strictEqual(arrived.length, 2)
    })
  )

  it.live(
    "fails, and never ends early, when every connection breaks, and when the blob was replaced or begins anew",
    () =>
      Effect.gen(function* () {
        const broken = yield* against(...Array.from({ length: 6 }, () => cut(0, 0)))
        const error = yield* Effect.flip(Stream.runDrain(broken.store.read(key("segment"))))
        assert.strictEqual(error.reason._tag, "StoreUnavailable")
        assert.include(error.message, `0 of ${large.byteLength} bytes`)
        for (const after of [refusing(412, "ConditionNotMet"), answering(200, whole, large)]) {
          const { store } = yield* against(cut(0, 100_000), after)
          const replaced = yield* Effect.flip(Stream.runDrain(store.read(key("segment"))))
          assert.strictEqual(replaced.reason._tag, "ContentMismatch")
        }
      })
  )
})

describe("AzureObjectStore.list", () => {
  const blob = (name: string, metadata = "") =>
    `<Blob><Name>${name}</Name><Properties><Etag>0x1</Etag><Content-Length>1</Content-Length></Properties>${metadata}</Blob>`
  const page = (blobs: string, marker = "") => listing(`<Blobs>${blobs}</Blobs><NextMarker>${marker}</NextMarker>`)
  const folder = "<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>"

  it.live("follows the pages, sorts what a hierarchical namespace lists its own way, and leaves its folders out", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(
        page(blob("team/a", folder) + blob("team/a/z") + blob("team/a-b"), "marker 1"),
        page("")
      )
      const infos = yield* Stream.runCollect(store.list(""))
      assert.deepStrictEqual(infos, [
        { key: key("a-b"), size: 1, fingerprint: "0x1" },
        { key: key("a/z"), size: 1, fingerprint: "0x1" }
      ])
      assert.strictEqual(arrived[0]?.query.get("prefix"), "team/")
      assert.strictEqual(arrived[1]?.query.get("marker"), "marker 1")
    })
  )

  it.live("does not take a folder of a hierarchical namespace for an object", () =>
    Effect.gen(function* () {
      const marked = { etag: '"0x1"', "content-length": "0", "x-ms-meta-hdi_isfolder": "true" }
      const { store } = yield* against(answering(200, marked), answering(200, marked))
      assert.strictEqual((yield* Effect.flip(store.head(key("set")))).reason._tag, "ObjectNotFound")
      assert.strictEqual((yield* Effect.flip(store.get(key("set")))).reason._tag, "ObjectNotFound")
    })
  )

  it.live("fails rather than asking for the same page for ever", () =>
    Effect.gen(function* () {
      const { store } = yield* against(page(blob("team/a"), "m"), page(blob("team/b"), "m"))
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(store.list("")))).reason._tag, "Misconfigured")
    })
  )
})

describe("AzureObjectStore.open", () => {
  const sas = (token: string): AzureCredentials => ({
    _tag: "SasToken",
    sasToken: Redacted.make(token),
    origin: { secret: "azure-sas-credentials", keys: ["AZURE_SAS_TOKEN"] }
  })

  it.live("tolerates a question mark and a line break around a SAS token", () =>
    Effect.gen(function* () {
      const { address, arrived } = yield* server([stored])
      const store = yield* AzureObjectStore.open(target(address, sas("?sv=2025-01-05&sp=racwdl&sig=abc%3D\n")))
      yield* store.put(key("a"), [content])
      assert.strictEqual(arrived[0]?.query.get("sig"), "abc=")
      assert.strictEqual(arrived[0]?.query.get("sv"), "2025-01-05")
      assert.isUndefined(arrived[0]?.headers.authorization)
    })
  )

  it.live("recognises a wrong clock by the service's own", () =>
    Effect.gen(function* () {
      const date = new Date(Date.now() + 3 * 3_600_000).toUTCString()
      const { address } = yield* server([], refusing(403, "AuthenticationFailed", { date }))
      const error = yield* Effect.flip(AzureObjectStore.open(target(address)))
      assert.strictEqual(error.reason._tag, "Misconfigured")
      assert.include(error.advice, "clock")
    })
  )

  it.live("refuses what cannot work before any request, and shows no secret in saying so", () =>
    Effect.gen(function* () {
      const base = target("http://127.0.0.1:1")
      const refused = (wrong: AzureTarget, env: object = {}) =>
        Effect.flip(AzureObjectStore.open(wrong, Requests.timeOuts, env))
      const plain = yield* refused({ ...base, credentials: { _tag: "WorkloadIdentity" } })
      assert.include(plain.message, "https")
      const noAccount = yield* refused({ ...base, endpoint: "http://127.0.0.1:10000" })
      assert.include(noAccount.message, "http://127.0.0.1:10000/kafkabackups")
      const noPod = yield* refused(
        { ...base, endpoint: "https://x.blob.core.windows.net", credentials: { _tag: "WorkloadIdentity" } },
        { AZURE_CLIENT_ID: "id" }
      )
      assert.include(noPod.message, "AZURE_FEDERATED_TOKEN_FILE, AZURE_TENANT_ID")
      assert.include(noPod.advice, "podTemplate.serviceAccountName")
      const url = yield* refused({
        ...base,
        credentials: sas("https://x.blob.core.windows.net/?sv=1&sig=hidden-signature")
      })
      assert.include(url.advice, "behind the ?")
      const noKey = yield* refused({
        ...base,
        credentials: {
          _tag: "AccountKey",
          accountKey: Redacted.make("DefaultEndpointsProtocol=https;AccountKey=hidden-key"),
          origin: { secret: "azure-credentials", keys: ["AZURE_STORAGE_KEY"] }
        }
      })
      assert.include(noKey.message, "Secret azure-credentials, key AZURE_STORAGE_KEY")
      for (const error of [url, noKey]) assert.notInclude(error.message + error.advice, "hidden")
      for (const wrong of [{ accountName: "No.Such" }, { container: "a--b" }, { prefix: "a/../b" }]) {
        assert.strictEqual((yield* refused({ ...base, ...wrong })).reason._tag, "Misconfigured")
      }
    })
  )
})
