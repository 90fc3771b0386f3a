import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Redacted } from "effect"
import * as AzureObjectStore from "../../../src/storage/AzureObjectStore.ts"
import type { ObjectKey } from "../../../src/storage/ObjectStore.ts"
import { isLocked, lockedText } from "../../../src/storage/ObjectStoreError.ts"
import type { AzureTarget } from "../../../src/storage/StorageTarget.ts"
import { type Answer, answering } from "../scriptedS3.ts"
import { scriptedServer } from "../scriptedServer.ts"

const key = (text: string) => text as ObjectKey
const content = Buffer.from("a segment")
const stored = answering(201, { etag: '"0x1"' })
const xml = { "content-type": "application/xml" }
const emptyListing = answering(
  200,
  xml,
  '<?xml version="1.0"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>'
)
const refusing = (status: number, code: string) =>
  answering(
    status,
    { ...xml, "x-ms-error-code": code },
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
  )

/** A store with these settings whose server gives these answers in turn. */
const against = (settings: Partial<AzureTarget>, ...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const { address, arrived } = yield* scriptedServer(
      answers,
      ({ query }) => query.get("maxresults") === "1",
      emptyListing
    )
    const target: AzureTarget = {
      _tag: "Azure",
      accountName: "kafkabackups",
      container: "backups",
      endpoint: `${address}/kafkabackups`,
      credentials: {
        _tag: "AccountKey",
        accountKey: Redacted.make(Buffer.alloc(64, 9).toString("base64")),
        origin: { secret: "azure-credentials", keys: ["AZURE_STORAGE_KEY"] }
      },
      ...settings
    }
    return { store: yield* AzureObjectStore.open(target), arrived }
  })

const everything: Partial<AzureTarget> = {
  accessTier: "Cool",
  encryptionScope: "backups",
  lock: { mode: "Locked", days: 7 },
  tags: { team: "data platform", cluster: "a+b" }
}
const ofData = ["x-ms-access-tier", "x-ms-immutability-policy-mode", "x-ms-immutability-policy-until-date"]

describe("AzureObjectStore with settings for blobs", () => {
  it.live("sends scope and tags with every blob, tier and immutability policy with data alone", () =>
    Effect.gen(function* () {
      const { arrived, store } = yield* against(everything, stored, stored)
      assert.strictEqual(
        store.storing,
        "accessTier Cool, immutability Locked for 7 days, encryptionScope backups, tags team and cluster"
      )
      const now = yield* Clock.currentTimeMillis
      yield* store.put(key("set/segment"), [content], { role: "data" })
      yield* store.put(key("lock"), [content], { ifAbsent: true })
      for (const { headers } of arrived) {
        assert.strictEqual(headers["x-ms-encryption-scope"], "backups")
        assert.strictEqual(headers["x-ms-tags"], "team=data%20platform&cluster=a%2Bb")
      }
      const [data, bookkeeping] = arrived
      assert.strictEqual(data?.headers["x-ms-access-tier"], "Cool")
      assert.strictEqual(data?.headers["x-ms-immutability-policy-mode"]?.toString().toLowerCase(), "locked")
      const until = Date.parse(String(data?.headers["x-ms-immutability-policy-until-date"]))
      assert.closeTo(until, now + 7 * 24 * 60 * 60_000, 10_000)
      for (const name of ofData) assert.isUndefined(bookkeeping?.headers[name], name)
    })
  )

  it.live("sends the scope with every block of a large blob, and all the rest with the list of them", () =>
    Effect.gen(function* () {
      const { arrived, store } = yield* against(everything, stored, stored, stored)
      yield* store.put(key("segment"), [Buffer.alloc(9 * 1024 * 1024)], { role: "data" })
      const of = (comp: string) => arrived.filter(({ query }) => query.get("comp") === comp)
      assert.strictEqual(of("block").length, 2)
      for (const { headers } of arrived) assert.strictEqual(headers["x-ms-encryption-scope"], "backups")
      const [list] = of("blocklist")
      for (const name of [...ofData, "x-ms-tags"]) assert.isDefined(list?.headers[name], name)
    })
  )

  it.live("fails where the service does not say that it has a test blob so", () =>
    Effect.gen(function* () {
      const head = { etag: '"0x1"', "content-length": "9", "x-ms-access-tier": "Cool" }
      const { store } = yield* against(
        { accessTier: "Cool", lock: { mode: "Unlocked", days: 7 } },
        stored,
        answering(200, {
          ...head,
          "x-ms-immutability-policy-mode": "unlocked",
          "x-ms-immutability-policy-until-date": "Fri, 01 Jan 2099 00:00:00 GMT"
        }),
        stored,
        answering(200, head)
      )
      yield* store.put(key("trial"), [content], { role: "trial" })
      const error = yield* Effect.flip(store.put(key("trial"), [content], { role: "trial" }))
      assert.strictEqual(error.reason._tag, "Misconfigured")
      assert.include(error.advice, "version-level immutability")
    })
  )

  it.live("does not let the service keep a protected blob as an earlier version: it says until when it is locked", () =>
    Effect.gen(function* () {
      const until = (date: string) =>
        answering(200, {
          etag: '"0x1"',
          "content-length": "9",
          "x-ms-immutability-policy-mode": "locked",
          "x-ms-immutability-policy-until-date": date
        })
      const { arrived, store } = yield* against(
        { lock: { mode: "Locked", days: 7 } },
        until("Thu, 01 Jan 2099 00:00:00 GMT"),
        until("Wed, 01 Jan 2020 00:00:00 GMT"),
        answering(202, { "x-ms-delete-type-permanent": "false" }),
        answering(202)
      )
      const error = yield* Effect.flip(store.delete(key("set/segment"), { role: "data" }))
      assert.isTrue(isLocked(error))
      assert.include(error.message, "set/segment is locked until 2099-01-01T00:00:00.000Z")
      assert.isUndefined(yield* store.afterlife!)
      yield* store.delete(key("set/segment"), { role: "data" })
      assert.include(yield* store.afterlife!, "until the days of soft delete are over")
      yield* store.delete(key("lease"))
      assert.deepStrictEqual(
        arrived.map(({ method }) => method),
        ["HEAD", "HEAD", "DELETE", "DELETE"]
      )
    })
  )

  it.live("asks the container once whether its versions can be immutable, and looks at blobs only where they can", () =>
    Effect.gen(function* () {
      const container = (isVersioned: boolean) =>
        answering(200, { etag: '"0x1"', "x-ms-immutable-storage-with-versioning-enabled": String(isVersioned) })
      const held = answering(200, { etag: '"0x1"', "content-length": "9", "x-ms-legal-hold": "true" })
      const free = yield* against({}, container(false), answering(202), answering(202))
      yield* free.store.delete(key("set/a"), { role: "data" })
      yield* free.store.delete(key("set/b"), { role: "data" })
      assert.deepStrictEqual(
        free.arrived.map(({ method }) => method),
        ["GET", "DELETE", "DELETE"]
      )
      const { store } = yield* against({}, container(true), held)
      const error = yield* Effect.flip(store.delete(key("set/a"), { role: "data" }))
      assert.strictEqual(lockedText(error), "locked by a hold")
    })
  )

  it.live("says what to correct where account or container refuse a setting", () =>
    Effect.gen(function* () {
      for (const [status, code, advice] of [
        [404, "EncryptionScopeNotFound", "correct encryptionScope"],
        [409, "EncryptionScopeDisabled", "enable the encryption scope"],
        [400, "InvalidHeaderValue", "accessTier Cool, immutability Locked for 7 days"],
        [409, "FeatureNotEnabled", "version-level immutability"]
      ] as const) {
        const { store } = yield* against(everything, refusing(status, code))
        const error = yield* Effect.flip(store.put(key("a"), [content], { role: "data" }))
        assert.strictEqual(error.reason._tag, "Misconfigured", code)
        assert.include(error.advice, advice)
      }
      const { store } = yield* against(everything, refusing(403, "KeyVaultEncryptionKeyNotFound"))
      const error = yield* Effect.flip(store.put(key("a"), [content]))
      assert.strictEqual(error.reason._tag, "StorageAuthorizationFailed")
      assert.include(error.advice, "Key Vault")
    })
  )
})
