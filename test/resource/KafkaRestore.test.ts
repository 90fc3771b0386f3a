import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { inspect } from "../../src/resource/Inspection.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import { KafkaRestoreSpec } from "../../src/resource/KafkaRestoreSpec.ts"
import * as Problem from "../../src/resource/Problem.ts"
import type { StructuralSchema } from "../../src/resource/StructuralSchema.ts"
import { badRestores, sharedMistakes } from "./badRestores.ts"
import { type Path, put } from "./manifests.ts"
import { bareSpec, changed, fullSpec, manifest } from "./restoreManifests.ts"
import { restoreSamples } from "./samples.ts"

const bare = bareSpec()

describe("the samples of restores", () => {
  it("are all five of the documentation, and the newest backup of a KafkaBackup", () => {
    assert.sameMembers(
      restoreSamples.map(({ name }) => name),
      ["before-the-bad-deploy", "into-staging", "newest", "other-region", "simple", "with-groups"].map(
        (name) => `restore-${name}.yaml`
      )
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
    const { completed, problems } = inspect(KafkaRestore.spec(), bare, "spec")
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
      includeOriginalOffsetHeader: false,
      createTopics: true,
      offsets: "Auto",
      existingTopics: "Fail",
      gaps: "Fail",
      onFailure: "Keep",
      retentionHold: "24h",
      exact: { maxFillerOffsets: 2_000_000_000 },
      configs: "FromBackup",
      acls: "None",
      quotas: "None",
      circuitBreaker: { enabled: true, failureThreshold: 5, resetTimeoutSecs: 60 },
      dryRun: false,
      job: { backoffLimit: 3, ttlSecondsAfterFinished: 86_400 }
    })
  })
})

describe("a KafkaRestore from the API server", () => {
  it("may have fields of a newer definition: they are dropped, while a user's are refused", () => {
    const newer = changed(["storage.s3.accelerate", true], ["encryption", { enabled: false }])
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

describe("a KafkaRestore with a mistake", () => {
  const problemsOf = (given: unknown) => {
    const result = KafkaRestore.fromJson(given)
    return Result.isFailure(result) ? result.failure.problems : []
  }

  it("is in the table often enough", () => {
    assert.isAtLeast(badRestores.length, 60)
    assert.isAtLeast(sharedMistakes.length, 100)
  })

  it.each([...badRestores, ...sharedMistakes])("$mistake: $field is blamed", ({ field, manifest: given, says }) => {
    const problems = problemsOf(given)
    const blamed = problems.filter((problem) => problem.field === field && problem.message.includes(says))
    assert.strictEqual(blamed.length, 1, problems.map(Problem.format).join("\n") || "accepted")
    assert.strictEqual(problems.length, 1, problems.map(Problem.format).join("\n"))
  })

  it("is in the table for every rule of the definition", () => {
    const said = new Set(
      [...badRestores, ...sharedMistakes].flatMap(({ manifest: given }) =>
        problemsOf(given).map(({ message }) => message)
      )
    )
    const rules: Array<string> = []
    const visit = (node: StructuralSchema): void => {
      rules.push(...(node["x-kubernetes-validations"] ?? []).map(({ message }) => message))
      for (const child of Object.values(node.properties ?? {})) visit(child)
      if (node.items) visit(node.items)
      if (node.additionalProperties) visit(node.additionalProperties)
    }
    visit(KafkaRestore.spec())
    assert.isAbove(rules.length, 80)
    assert.deepStrictEqual(
      [...new Set(rules)].filter((message) => !said.has(message)),
      [],
      "add a row to test/resource/badRestores.ts for each of these rules"
    )
  })

  it("has no message when it is the full one without a mistake", () => {
    assert.deepStrictEqual(problemsOf(manifest()), [])
  })
})

describe("the inspection of a KafkaRestore and its schema", () => {
  const leaves = (value: unknown, path: Path = []): ReadonlyArray<Path> => [
    ...(path.length > 0 ? [path] : []),
    ...(typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, item]) =>
          leaves(item, [...path, Array.isArray(value) ? Number(key) : key])
        )
      : [])
  ]
  const odd: ReadonlyArray<unknown> = [
    undefined,
    "",
    "x",
    "Exact",
    "*",
    "a/b",
    "\n",
    "-1",
    0,
    1,
    -1,
    0.5,
    2 ** 53,
    true
  ]
  const odder: ReadonlyArray<unknown> = [false, [], {}, ["a"], [1], { a: "b" }, { "a b": "c" }, "a".repeat(300)]

  it("agree on every place with every odd value", () => {
    for (const place of leaves(fullSpec())) {
      for (const value of [...odd, ...odder]) {
        const spec = put(fullSpec(), place, value)
        const { completed, problems } = inspect(KafkaRestore.spec(), spec, "spec")
        const decoded = Schema.decodeUnknownResult(KafkaRestoreSpec)(spec, { onExcessProperty: "error" })
        const seen = `${place.join(".")} = ${JSON.stringify(value)}: ${problems.map(Problem.format).join("; ")}`
        assert.strictEqual(problems.length === 0, Result.isSuccess(decoded), seen)
        if (Result.isSuccess(decoded)) {
          assert.deepStrictEqual(Schema.decodeUnknownSync(KafkaRestoreSpec)(completed), decoded.success)
        }
      }
    }
  })
})
