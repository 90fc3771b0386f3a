import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Stream } from "effect"
import * as Requests from "../../../src/storage/cloud/Requests.ts"
import * as GcsObjectStore from "../../../src/storage/GcsObjectStore.ts"
import type { ObjectKey } from "../../../src/storage/ObjectStore.ts"
import { isLocked } from "../../../src/storage/ObjectStoreError.ts"
import type { GcsTarget } from "../../../src/storage/StorageTarget.ts"
import { type Answer, answering, type Arrived } from "../scriptedS3.ts"
import { scriptedServer } from "../scriptedServer.ts"

const key = (text: string) => text as ObjectKey
const content = Buffer.from("a segment")
const json = { "content-type": "application/json; charset=UTF-8" }
const told = (body: object) => answering(200, json, JSON.stringify(body))
const stored = told({ name: "a", size: "9", generation: "17" })
const refusing = (status: number, reason: string, message: string) =>
  answering(status, json, JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } }))

/** A store with these settings whose server gives these answers in turn. */
const against = (settings: Partial<GcsTarget>, ...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const { address, arrived } = yield* scriptedServer(
      answers,
      ({ query }) => query.get("maxResults") === "1",
      told({ kind: "storage#objects" })
    )
    const target: GcsTarget = { _tag: "Gcs", bucket: "kafka-backups", ...settings }
    const env = { STORAGE_EMULATOR_HOST: address }
    return { store: yield* GcsObjectStore.open(target, Requests.timeOuts, env), arrived }
  })

const kmsKeyName = "projects/p/locations/eu/keyRings/r/cryptoKeys/k"
const everything: Partial<GcsTarget> = { storageClass: "COLDLINE", kmsKeyName, lock: { mode: "Locked", days: 7 } }

/** What an upload says of the object. */
const resourceOf = ({ body }: Arrived) =>
  JSON.parse(/\{.*\}/u.exec(body.toString())?.[0] ?? "{}") as {
    readonly storageClass?: string
    readonly retention?: { readonly mode: string; readonly retainUntilTime: string }
  }

describe("GcsObjectStore with settings for objects", () => {
  it.live("sends the key with every object, class and retention with data alone", () =>
    Effect.gen(function* () {
      const { arrived, store } = yield* against(everything, stored, stored)
      assert.strictEqual(
        store.storing,
        `storageClass COLDLINE, kmsKeyName ${kmsKeyName}, objectRetention Locked for 7 days`
      )
      const now = yield* Clock.currentTimeMillis
      yield* store.put(key("set/segment"), [content], { role: "data" })
      yield* store.put(key("lock"), [content], { ifAbsent: true })
      for (const { query } of arrived) assert.strictEqual(query.get("kmsKeyName"), kmsKeyName)
      const [data, bookkeeping] = arrived.map(resourceOf)
      assert.strictEqual(data?.storageClass, "COLDLINE")
      assert.strictEqual(data?.retention?.mode, "Locked")
      assert.closeTo(Date.parse(data?.retention?.retainUntilTime ?? ""), now + 7 * 24 * 60 * 60_000, 10_000)
      assert.isUndefined(bookkeeping?.storageClass)
      assert.isUndefined(bookkeeping?.retention)
    })
  )

  it.live("fails where the service does not say that it has a test object so; it names the key's version too", () =>
    Effect.gen(function* () {
      const whole = {
        storageClass: "COLDLINE",
        kmsKeyName: `${kmsKeyName}/cryptoKeyVersions/3`,
        retention: { mode: "Locked", retainUntilTime: "2099-01-01T00:00:00Z" }
      }
      const { store } = yield* against(
        everything,
        stored,
        told(whole),
        stored,
        told({ ...whole, storageClass: "STANDARD" })
      )
      yield* store.put(key("trial"), [content], { role: "trial" })
      const error = yield* Effect.flip(store.put(key("trial"), [content], { role: "trial" }))
      assert.strictEqual(error.reason._tag, "Misconfigured")
      assert.include(error.message, "storageClass COLDLINE, and stored it with STANDARD")
    })
  )

  it.live("does not let the service keep a locked object as a noncurrent one: it says until when it is locked", () =>
    Effect.gen(function* () {
      const until = (time: string) =>
        told({ name: "a", size: "9", generation: "17", retention: { mode: "Locked", retainUntilTime: time } })
      const { arrived, store } = yield* against(
        { lock: { mode: "Locked", days: 7 } },
        until("2099-01-01T00:00:00Z"),
        until("2020-01-01T00:00:00Z"),
        answering(204),
        refusing(404, "notFound", "No such object"),
        told({ kind: "storage#objects" })
      )
      const error = yield* Effect.flip(store.delete(key("set/segment"), { role: "data" }))
      assert.isTrue(isLocked(error))
      assert.include(error.message, "set/segment is locked until 2099-01-01T00:00:00.000Z")
      yield* store.delete(key("set/segment"), { role: "data" })
      yield* store.delete(key("gone"), { role: "data" })
      assert.deepStrictEqual(
        arrived.slice(0, 4).map(({ method }) => method),
        ["GET", "GET", "DELETE", "GET"]
      )
    })
  )

  it.live("knows from a listing what the bucket's policy or a hold protects, and asks for no object", () =>
    Effect.gen(function* () {
      const object = { name: "production/a", size: "1", generation: "1" }
      const items = [
        { ...object, name: "a", retentionExpirationTime: "2099-01-01T00:00:00Z" },
        { ...object, name: "b", eventBasedHold: true },
        { ...object, name: "c" }
      ]
      const { arrived, store } = yield* against(
        {},
        told({ kind: "storage#objects", items }),
        told({ versioning: { enabled: true }, softDeletePolicy: { retentionDurationSeconds: "604800" } })
      )
      const protections = yield* store.list("").pipe(
        Stream.mapEffect((info) => store.protection!(info)),
        Stream.runCollect
      )
      assert.deepStrictEqual(protections, [{ untilMillis: Date.UTC(2099, 0, 1) }, { isHeld: true }, undefined])
      assert.strictEqual(arrived.length, 1)
      assert.strictEqual(
        yield* store.afterlife!,
        "the bucket keeps them as noncurrent versions until a lifecycle rule removes them, then for 7 days of soft delete"
      )
      yield* store.afterlife!
      assert.strictEqual(arrived.length, 2)
    })
  )

  it.live("says what to correct where the bucket refuses a setting", () =>
    Effect.gen(function* () {
      for (const [status, reason, message, tag, advice] of [
        [
          403,
          "forbidden",
          "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized",
          "StorageAuthorizationFailed",
          `CryptoKey Encrypter/Decrypter on key ${kmsKeyName}`
        ],
        [
          403,
          "forbidden",
          "backup@p.iam.gserviceaccount.com does not have storage.objects.setRetention access",
          "StorageAuthorizationFailed",
          "grant storage.objects.setRetention"
        ],
        [
          400,
          "invalid",
          "Object retention is not enabled on the bucket",
          "Misconfigured",
          "object retention on the bucket"
        ]
      ] as const) {
        const { store } = yield* against(everything, refusing(status, reason, message))
        const error = yield* Effect.flip(store.put(key("a"), [content], { role: "data" }))
        assert.strictEqual(error.reason._tag, tag, message)
        assert.include(error.advice, advice)
      }
    })
  )
})
