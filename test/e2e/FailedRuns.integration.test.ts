import { afterAll, assert, beforeAll, it } from "vitest"
import { describeWith } from "../harness/services.ts"
import { kafkaBackup, reportOf, succeed, Workspace } from "./product.ts"
import { createBucket, keysBelow, unique } from "./scenes.ts"

describeWith(["kafka", "minio"], "The report of a failed run in a real store", ({ kafka, minio }) => {
  const bucket = unique("failed")
  const workspace = new Workspace()
  let places: ReadonlyArray<string>

  beforeAll(async () => {
    await createBucket(minio, bucket)
    workspace.secret("s3", { accessKey: minio.accessKey, secretKey: minio.secretKey })
    const s3 = { bucket, region: minio.region, endpoint: minio.endpoint, credentialsSecret: { name: "s3" } }
    places = workspace.manifest("lost", {
      kafkaCluster: { bootstrapServers: [kafka.plaintext] },
      topics: [unique("gone")],
      storage: { storageType: "s3", s3 }
    })
  })
  afterAll(() => workspace[Symbol.dispose]())

  it("is there after each attempt, once for each run, and tells what its log told", async () => {
    const run = () => kafkaBackup("run", ...places, "--slot", "2026-11-23T12:00:00Z")
    const { code, stdout } = await run()
    assert.notStrictEqual(code, 0)
    const { error } = reportOf({ code, stdout, stderr: "" })
    assert.strictEqual((await run()).code, code)
    assert.strictEqual((await keysBelow(minio, bucket, "_kafka-backup/failed/")).length, 1)
    const [found, ...others] = JSON.parse((await succeed("list", ...places, "--failed", "-o", "json")).stdout)
    assert.deepStrictEqual(others, [])
    assert.deepInclude(found, { backupId: "lost-20261123-120000", reason: error.reason, advice: error.advice })
    const shown = (await succeed("report", "lost-20261123-120000", ...places)).stdout
    assert.include(shown, `error: ${error.reason}: ${error.message}`)
    assert.include(shown, `what to do: ${error.advice}`)
    // The folder of the run is no backup, and there is no other one.
    const listed = JSON.parse((await succeed("list", ...places, "-o", "json")).stdout)
    assert.deepStrictEqual(listed, [{ backupId: "lost-20261123-120000", state: "unfinished", failure: error.reason }])
  })
})
