import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { inspect } from "../../src/resource/Inspection.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import { KafkaRestoreSpec } from "../../src/resource/KafkaRestoreSpec.ts"
import { changed, manifest } from "./restoreManifests.ts"
import { restoreSamples } from "./samples.ts"

const bare = {
  backupId: "shop-20260301-020000",
  targetCluster: { bootstrapServers: ["kafka:9092"] },
  storage: { storageType: "s3", s3: { bucket: "shop-backups", region: "eu-central-1" } }
}

describe("the samples of restores", () => {
  it("are there", () => {
    assert.sameMembers(
      restoreSamples.map(({ name }) => name),
      ["restore-simple.yaml", "restore-into-staging.yaml"]
    )
  })

  it.each(restoreSamples)("$name is a valid manifest, and its name is that of the file", ({ name, text }) => {
    const { metadata } = Result.getOrThrow(KafkaRestore.parse(text))
    assert.strictEqual(
      metadata.name,
      name === "restore-simple.yaml" ? "whole-set" : name.replace(/^restore-|\.yaml$/g, "")
    )
  })
})

describe("the defaults of a KafkaRestore", () => {
  it("are the same in the definition and in the decoder", () => {
    const { completed, problems } = inspect(KafkaRestore.spec, bare, "spec")
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(completed, Schema.decodeUnknownSync(KafkaRestoreSpec)(bare))
  })

  it("write to the old names and offsets, create what is missing, and are no dry run", () => {
    const {
      storage: _storage,
      targetCluster: _targetCluster,
      ...rest
    } = Schema.decodeUnknownSync(KafkaRestoreSpec)(bare)
    assert.deepStrictEqual(rest, {
      backupId: "shop-20260301-020000",
      topics: ["*"],
      excludeTopics: [],
      createTopics: true,
      offsets: "Auto",
      gaps: "Fail",
      dryRun: false,
      job: { backoffLimit: 3, ttlSecondsAfterFinished: 86_400 }
    })
  })
})

describe("a KafkaRestore from the API server", () => {
  it("may have fields of a newer definition: they are dropped, while a user's are refused", () => {
    const newer = changed(["storage.s3.storageClass", "GLACIER"], ["encryption", { enabled: false }])
    assert.deepStrictEqual(
      Result.getOrThrow(KafkaRestore.fromServer({ ...newer, later: {} })).spec,
      Result.getOrThrow(KafkaRestore.fromJson(manifest())).spec
    )
    const refused = KafkaRestore.fromJson(newer)
    assert.lengthOf(Result.isFailure(refused) ? refused.failure.problems : [], 2)
  })

  it("has a status, and one that cannot be read is the same as none", () => {
    const stored = (status: unknown) => Result.getOrThrow(KafkaRestore.fromServer({ ...manifest(), status }))
    const { status } = stored({ phase: "Running", startedWriting: "2026-03-01T02:00:00Z", later: 1 })
    assert.strictEqual(status?.phase, "Running")
    assert.strictEqual(status?.startedWriting?.epochMilliseconds, Date.UTC(2026, 2, 1, 2))
    for (const unreadable of [{ phase: "Sleeping" }, "gone", 7, null, { startTime: "yesterday" }]) {
      assert.isUndefined(stored(unreadable).status)
    }
  })
})
