import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import type { ObjectKey } from "../../../src/storage/ObjectStore.ts"
import { isLocked, lockedText } from "../../../src/storage/ObjectStoreError.ts"
import * as S3ObjectStore from "../../../src/storage/S3ObjectStore.ts"
import type { S3Target } from "../../../src/storage/StorageTarget.ts"
import { type Answer, answering, emptyListing, refusing, scriptedS3 } from "../scriptedS3.ts"

const key = (text: string) => text as ObjectKey
const content = new TextEncoder().encode("a segment")
const stored = answering(200, { etag: '"e1"' })
const dayMillis = 24 * 60 * 60_000

/** A store with these settings whose server gives these answers in turn. */
const against = (settings: Partial<S3Target>, ...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const { target, arrived } = yield* scriptedS3(answers)
    return { store: yield* S3ObjectStore.open({ ...target, ...settings }), arrived }
  })

const everything: Partial<S3Target> = {
  encryption: { algorithm: "aws:kms", kmsKeyId: "alias/kafka" },
  storageClass: "STANDARD_IA",
  lock: { mode: "COMPLIANCE", days: 30 },
  tags: { team: "data platform", "kafka/cluster": "a+b" }
}

describe("S3ObjectStore with settings for objects", () => {
  it.live("sends encryption and tags with every object, class and lock with data alone", () =>
    Effect.gen(function* () {
      const { arrived, store } = yield* against(everything, stored, stored)
      assert.strictEqual(
        store.storing,
        "serverSideEncryption aws:kms with key alias/kafka, storageClass STANDARD_IA, objectLock COMPLIANCE for 30 days, tags team and kafka/cluster"
      )
      const before = yield* Clock.currentTimeMillis
      yield* store.put(key("set/segment"), [content], { role: "data" })
      yield* store.put(key("lock"), [content], { ifAbsent: true })
      const after = yield* Clock.currentTimeMillis
      for (const { headers } of arrived) {
        assert.strictEqual(headers["x-amz-server-side-encryption"], "aws:kms")
        assert.strictEqual(headers["x-amz-server-side-encryption-aws-kms-key-id"], "alias/kafka")
        assert.strictEqual(headers["x-amz-tagging"], "team=data%20platform&kafka%2Fcluster=a%2Bb")
        assert.isDefined(headers["x-amz-checksum-sha256"])
        assert.match(headers.authorization ?? "", /SignedHeaders=[^,]*x-amz-tagging/u)
      }
      const [data, bookkeeping] = arrived
      assert.strictEqual(data?.headers["x-amz-storage-class"], "STANDARD_IA")
      assert.strictEqual(data?.headers["x-amz-object-lock-mode"], "COMPLIANCE")
      assert.strictEqual(data?.headers["x-amz-sdk-checksum-algorithm"], "SHA256")
      const until = Date.parse(String(data?.headers["x-amz-object-lock-retain-until-date"]))
      assert.isAtLeast(until, before + 30 * dayMillis - 1000)
      assert.isAtMost(until, after + 30 * dayMillis)
      for (const name of ["x-amz-storage-class", "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"]) {
        assert.isUndefined(bookkeeping?.headers[name])
      }
    })
  )

  it.live("sends none of that by itself", () =>
    Effect.gen(function* () {
      const { arrived, store } = yield* against({}, stored)
      assert.isUndefined(store.storing)
      yield* store.put(key("set/segment"), [content], { role: "data" })
      assert.deepStrictEqual(
        Object.keys(arrived[0]?.headers ?? {}).filter((name) =>
          /encryption|storage-class|object-lock|tagging|payer/u.test(name)
        ),
        []
      )
    })
  )

  it.live("locks a test object for a minute, and fails where the store does not say that it has it so", () =>
    Effect.gen(function* () {
      const soon = new Date((yield* Clock.currentTimeMillis) + 60_000).toISOString()
      const whole = {
        etag: '"e1"',
        "content-length": "9",
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-storage-class": "STANDARD_IA",
        "x-amz-object-lock-mode": "COMPLIANCE",
        "x-amz-object-lock-retain-until-date": soon
      }
      const { "x-amz-object-lock-retain-until-date": _until, ...unlocked } = whole
      const { "x-amz-storage-class": _class, ...standard } = whole
      const { "x-amz-server-side-encryption": _algorithm, ...plain } = whole
      const heads = [whole, unlocked, standard, plain].flatMap((head) => [stored, answering(200, head)])
      const { arrived, store } = yield* against(everything, ...heads)
      const trial = store.put(key("trial"), [content], { role: "trial" })
      yield* trial
      const until = Date.parse(String(arrived[0]?.headers["x-amz-object-lock-retain-until-date"]))
      assert.isBelow(until, (yield* Clock.currentTimeMillis) + 61_000)
      const refusals = []
      for (let n = 0; n < 3; n++) refusals.push(yield* Effect.flip(trial))
      assert.deepStrictEqual(
        refusals.map(({ reason }) => reason._tag),
        ["Misconfigured", "Misconfigured", "Misconfigured"]
      )
      assert.include(refusals[0]?.advice, "s3:GetObjectRetention")
      assert.include(refusals[1]?.message, "with storageClass STANDARD_IA, and stored it with STANDARD")
      assert.include(refusals[2]?.message, "with serverSideEncryption aws:kms, and says nothing of that")
    })
  )

  it.live("does not hide a locked object behind a delete marker: it says until when it is locked", () =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const locked = (millis: number) =>
        answering(200, {
          etag: '"e1"',
          "content-length": "9",
          "x-amz-object-lock-mode": "GOVERNANCE",
          "x-amz-object-lock-retain-until-date": new Date(millis).toISOString()
        })
      const deleted = answering(204)
      const { arrived, store } = yield* against(
        { lock: { mode: "GOVERNANCE", days: 1 } },
        locked(Date.UTC(2099, 0, 1)),
        locked(now - 1000),
        answering(200),
        deleted,
        answering(404),
        deleted
      )
      const error = yield* Effect.flip(store.delete(key("set/segment"), { role: "data" }))
      assert.isTrue(isLocked(error))
      assert.include(error.message, "set/segment is locked until 2099-01-01T00:00:00.000Z")
      yield* store.delete(key("set/segment"), { role: "data" })
      yield* store.delete(key("gone"), { role: "data" })
      yield* store.delete(key("lease"))
      assert.deepStrictEqual(
        arrived.map(({ method }) => method),
        // The third asks for a hold: an identity that may not see one is told nothing by HEAD.
        ["HEAD", "HEAD", "GET", "DELETE", "HEAD", "DELETE"]
      )
    })
  )

  const lockedBucket = answering(
    200,
    { "content-type": "application/xml" },
    Buffer.from("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>")
  )
  const saying = (status: number, code: string) =>
    answering(
      status,
      { "content-type": "application/xml" },
      Buffer.from(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`)
    )
  const whole = { etag: '"e1"', "content-length": "9" }

  it.live("asks the bucket once whether it locks, and looks at data only where it does or does not say", () =>
    Effect.gen(function* () {
      const none = saying(404, "ObjectLockConfigurationNotFoundError")
      const plain = yield* against({}, none, answering(204), answering(204))
      yield* plain.store.delete(key("set/a"), { role: "data" })
      yield* plain.store.delete(key("set/b"), { role: "data" })
      assert.deepStrictEqual(
        plain.arrived.map(({ method }) => method),
        ["GET", "DELETE", "DELETE"]
      )
      const held = answering(200, { ...whole, "x-amz-object-lock-legal-hold": "ON" })
      for (const bucket of [lockedBucket, saying(403, "AccessDenied")]) {
        const { store } = yield* against({}, bucket, held)
        const error = yield* Effect.flip(store.delete(key("set/a"), { role: "data" }))
        assert.strictEqual(lockedText(error), "locked by a hold")
        assert.include(error.advice, "whoever has placed the hold")
      }
    })
  )

  it.live("removes no data of a bucket whose locks this identity may not see, and says what to allow", () =>
    Effect.gen(function* () {
      const head = answering(200, { ...whole, "x-amz-version-id": "v1" })
      const blind = yield* against({}, lockedBucket, head, saying(403, "AccessDenied"))
      const error = yield* Effect.flip(blind.store.delete(key("set/a"), { role: "data" }))
      assert.strictEqual(error.reason._tag, "StorageAuthorizationFailed")
      assert.include(error.advice, "s3:GetObjectRetention")
      // Nor where it may not even ask whether the bucket locks: without versions no bucket does.
      const denied = saying(403, "AccessDenied")
      const unknown = yield* against({}, denied, head, denied)
      const doubt = yield* Effect.flip(unknown.store.delete(key("set/a"), { role: "data" }))
      assert.strictEqual(doubt.reason._tag, "StorageAuthorizationFailed")
      assert.include(doubt.advice, "s3:GetBucketObjectLockConfiguration")
      const simple = yield* against({}, denied, answering(200, whole), answering(204))
      yield* simple.store.delete(key("set/a"), { role: "data" })
      // Holds are rare: not to see them is said, and keeps nothing.
      const free = saying(404, "NoSuchObjectLockConfiguration")
      const { store } = yield* against({}, lockedBucket, head, free, saying(403, "AccessDenied"), answering(204))
      yield* store.delete(key("set/a"), { role: "data" })
      assert.include(yield* store.afterlife!, "noncurrent versions")
      assert.include(yield* store.afterlife!, "s3:GetObjectLegalHold")
    })
  )

  it.live("says with every request that the requester pays, to list and to look too", () =>
    Effect.gen(function* () {
      const head = answering(200, { etag: '"e1"', "content-length": "9" })
      const body = answering(200, { etag: '"e1"', "content-length": "9" }, Buffer.from(content))
      let opening: string | undefined
      const { target, arrived } = yield* scriptedS3([stored, head, body, answering(204)], (response, request) => {
        opening = String(request.headers["x-amz-request-payer"])
        emptyListing(response, request)
      })
      const store = yield* S3ObjectStore.open({ ...target, requesterPays: true })
      yield* store.put(key("a"), [content])
      yield* store.head(key("a"))
      yield* store.get(key("a"))
      yield* store.delete(key("a"))
      assert.strictEqual(opening, "requester")
      assert.deepStrictEqual(
        arrived.map(({ headers, method }) => [method, headers["x-amz-request-payer"]]),
        ["PUT", "HEAD", "GET", "DELETE"].map((method) => [method, "requester"])
      )
      assert.match(arrived[2]?.headers.authorization ?? "", /SignedHeaders=[^,]*x-amz-request-payer/u)
    })
  )
})

describe("S3's refusals of settings", () => {
  const refusalOf = (settings: Partial<S3Target>, answer: Answer) =>
    Effect.gen(function* () {
      const { store } = yield* against(settings, answer)
      return yield* Effect.flip(store.put(key("a"), [content], { role: "data" }))
    })

  it.live("name the right to the key, not that to the object", () =>
    Effect.gen(function* () {
      const message =
        "User: arn:aws:iam::123456789012:user/kafka is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-central-1:123456789012:key/1"
      const error = yield* refusalOf(everything, refusing(403, "AccessDenied", { message }))
      assert.strictEqual(error.reason._tag, "StorageAuthorizationFailed")
      assert.include(
        error.advice,
        "allow kms:GenerateDataKey on KMS key alias/kafka to the credentials of Secret s3-credentials"
      )
    })
  )

  it.live(
    "say what to correct: a key that does not exist, a class that the store has not, a bucket without locks",
    () =>
      Effect.gen(function* () {
        for (const [status, code, message, advice] of [
          [404, "kms:KeyNotFound", "key with given key ID does not exist", "serverSideEncryption.kmsKeyId"],
          [400, "KMS.NotFoundException", "Invalid keyId", "serverSideEncryption.kmsKeyId"],
          [
            501,
            "NotImplemented",
            "Server side encryption specified but KMS is not configured",
            "set up a key management"
          ],
          [501, "KMSNotConfigured", "Server side encryption specified but KMS not configured", "remove serverSideEncr"],
          [400, "InvalidStorageClass", "The storage class you specified is not valid", "choose a storage class"],
          [400, "InvalidRequest", "Bucket is missing Object Lock Configuration", "enable object lock"],
          [501, "NotImplemented", "A header you provided implies functionality", "tags team and kafka/cluster"],
          [400, "InvalidArgument", "Unknown wormMode directive", "objectLock COMPLIANCE"]
        ] as const) {
          const error = yield* refusalOf(everything, refusing(status, code, { message }))
          assert.strictEqual(error.reason._tag, "Misconfigured", code)
          assert.include(error.advice, advice)
        }
      })
  )

  it.live("name the permission that the store names", () =>
    Effect.gen(function* () {
      const message = "not authorized to perform: s3:PutObjectTagging on resource: arn:aws:s3:::kafka-backups/a"
      const error = yield* refusalOf({}, refusing(403, "AccessDenied", { message }))
      assert.include(error.advice, "allow s3:PutObjectTagging on a in bucket kafka-backups")
    })
  )
})
