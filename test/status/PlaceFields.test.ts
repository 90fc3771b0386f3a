import { assert, describe, it } from "@effect/vitest"
import * as StorageLocation from "../../src/resource/StorageLocation.ts"
import * as StorageSpec from "../../src/resource/StorageSpec.ts"
import { next } from "../../src/status/Next.ts"
import { at, catalogue, failed, hourly, running, succeeded } from "./facts.ts"

const place = { namespace: "shop", location: "s3://backups/hourly" }

describe("where a status says to look", () => {
  it("is the place of the data, which stays while the spec has problems", () => {
    const status = next({}, hourly(place), at("12:00"))
    assert.strictEqual(status.location, "s3://backups/hourly")
    const broken = hourly({ namespace: "shop", problems: [{ field: "spec.topics", message: "must not be empty" }] })
    assert.strictEqual(next(status, broken, at("12:01")).location, "s3://backups/hourly")
    assert.strictEqual(next(status, hourly({ ...place, location: "gs://other" }), at("12:01")).location, "gs://other")
  })

  it("is the log of the active run, else of the newest one", () => {
    const ended = next({}, hourly({ ...place, ended: [failed("12:00")] }), at("12:06"))
    assert.strictEqual(ended.logs, "kubectl logs -n shop job/orders-job-1200")
    const active = next(ended, hourly({ ...place, active: running("13:00") }), at("13:01"))
    assert.strictEqual(active.logs, "kubectl logs -n shop job/orders-job-1300")
    assert.isUndefined(next({}, hourly(place), at("12:00")).logs)
  })

  it("names bucket, container or claim, and neither endpoint nor Secret", () => {
    const of = (storage: object) => StorageLocation.of(StorageSpec.chosen(storage as never))
    const s3 = {
      bucket: "backups",
      region: "eu-west-1",
      endpoint: "https://user:password@s3.example.com",
      credentialsSecret: { name: "s3-credentials" }
    }
    assert.strictEqual(
      of({ storageType: "s3", s3: { ...s3, prefix: "production/hourly/" } }),
      "s3://backups/production/hourly"
    )
    assert.strictEqual(of({ storageType: "s3", s3: { ...s3, prefix: "" } }), "s3://backups")
    const azure = { accountName: "acct", container: "box", prefix: "a" }
    assert.strictEqual(of({ storageType: "azure", azure }), "azure://acct/box/a")
    assert.strictEqual(of({ storageType: "gcs", gcs: { bucket: "b" } }), "gs://b")
    assert.strictEqual(of({ storageType: "pvc", pvc: { claimName: "claim", subPath: "x/y" } }), "pvc://claim/x/y")
  })
})

describe("what a status says of sizes", () => {
  const counted = succeeded("12:00", { topics: 42, partitions: 504 })

  it("is how many topics and partitions the last backup has, also after a failure", () => {
    const status = next({}, hourly({ ended: [counted] }), at("12:06"))
    assert.deepStrictEqual([status.lastBackupTopics, status.lastBackupPartitions], [42, 504])
    const after = next(status, hourly({ ended: [failed("12:30")] }), at("12:36"))
    assert.deepStrictEqual([after.lastBackupTopics, after.lastBackupPartitions], [42, 504])
  })

  it("is left out where the run did not say, and is kept of the newest success alone", () => {
    const status = next({}, hourly({ ended: [counted] }), at("12:06"))
    const newer = next(status, hourly({ ended: [succeeded("13:00")] }), at("13:06"))
    assert.isUndefined(newer.lastBackupTopics)
    assert.isTrue(newer.backupHistory!.every(({ topics }) => topics === undefined))
    assert.isUndefined(next({}, hourly({ catalogue: catalogue("12:00") }), at("12:06")).lastBackupTopics)
  })

  it("is the size of all backups once a run has counted it", () => {
    assert.isUndefined(next({}, hourly({ ended: [counted] }), at("12:06")).storedSize)
    const verification = { percent: 2, objects: 1, bytes: 5, totalBytes: 184_000_000_000, endMillis: at("12:05") }
    const status = next({}, hourly({ ended: [counted], storedData: { verification } }), at("12:06"))
    assert.deepStrictEqual([status.storedSize, status.storedSizeText], [184_000_000_000, "184 GB"])
  })
})

describe("the column NEXT", () => {
  it("says suspended while a schedule starts nothing", () => {
    const status = next({}, hourly({ state: { _tag: "Suspended" } }), at("12:00"))
    assert.deepStrictEqual([status.nextText, status.nextScheduledTime], ["suspended", undefined])
  })
})
