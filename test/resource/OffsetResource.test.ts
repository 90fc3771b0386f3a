import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as OffsetSpec from "../../src/identity/OffsetSpec.ts"
import * as OffsetCrds from "../../src/resource/OffsetCrds.ts"
import * as OffsetResource from "../../src/resource/OffsetResource.ts"
import * as Problem from "../../src/resource/Problem.ts"
import type { StructuralSchema } from "../../src/resource/StructuralSchema.ts"
import { allBadOffsets, badOffsets, fullSpecs, type Kind, offsetManifest } from "./badOffsets.ts"
import { offsetSamples } from "./samples.ts"

const kinds = ["KafkaOffsetReset", "KafkaOffsetRollback"] as const

const problemsOf = (kind: Kind, manifest: unknown) => {
  const result = OffsetResource.parse(JSON.stringify(manifest), [kind])
  return Result.isFailure(result) ? result.failure.problems : []
}

const rulesOf = (node: StructuralSchema): ReadonlyArray<string> => [
  ...(node["x-kubernetes-validations"] ?? []).map(({ message }) => message),
  ...[...Object.values(node.properties ?? {}), node.items, node.additionalProperties].flatMap((child) =>
    child === undefined ? [] : rulesOf(child)
  )
]

describe.each(kinds)("a %s", (kind) => {
  it("is accepted with every block, and what the API server has is the same", () => {
    assert.deepStrictEqual(problemsOf(kind, offsetManifest(kind)), [])
    const read = OffsetResource.fromServer(kind, { ...offsetManifest(kind), status: { phase: "Sleeping" }, later: 1 })
    assert.isTrue(Result.isSuccess(read))
  })

  it("reaches the pod as it is, with the groups that are left", () => {
    const resource = Result.getOrThrow(OffsetResource.fromServer(kind, offsetManifest(kind)))
    const choice = { only: ["billing"], except: ["$(HOME)"] }
    const text = Result.getOrThrow(OffsetSpec.encode({ resource, choice }))
    assert.notInclude(text, "$")
    assert.deepStrictEqual(Result.getOrThrow(OffsetSpec.decode(text)), { resource, choice })
    for (const damaged of ["", text.slice(0, -9), text.replace("offsets-1", "offsets-2"), "kafka-backup-offsets-1:"]) {
      assert.isTrue(Result.isFailure(OffsetSpec.decode(damaged)), damaged)
    }
  })

  it.each(allBadOffsets[kind])("$mistake: $field is blamed", ({ field, manifest, says }) => {
    const problems = problemsOf(kind, manifest)
    const blamed = problems.filter((problem) => problem.field === field && problem.message.includes(says))
    assert.strictEqual(blamed.length, 1, problems.map(Problem.format).join("\n") || "accepted")
    assert.strictEqual(problems.length, 1, problems.map(Problem.format).join("\n"))
  })

  it("has a row in the table for every rule of the definition", () => {
    const said = new Set(
      allBadOffsets[kind].flatMap(({ manifest }) => problemsOf(kind, manifest).map(({ message }) => message))
    )
    assert.isAtLeast(badOffsets[kind].length, 25)
    assert.deepStrictEqual(
      [...new Set(rulesOf(OffsetCrds.specs[kind]()))].filter((message) => !said.has(message)),
      [],
      "add a row to test/resource/badOffsets.ts for each of these rules"
    )
  })
})

describe("resources about offsets", () => {
  it("need no cluster and no groups to delete a snapshot, and no storage to find it by a restore", () => {
    const { snapshotId, storage } = fullSpecs.KafkaOffsetRollback()
    for (const spec of [
      { operation: "delete", snapshotId, storage },
      { kafkaCluster: { bootstrapServers: ["kafka:9092"] }, snapshotId }
    ]) {
      assert.deepStrictEqual(problemsOf("KafkaOffsetRollback", offsetManifest("KafkaOffsetRollback", spec)), [])
    }
  })

  it.each(offsetSamples)("$name is accepted", ({ text }) => {
    const result = OffsetResource.parse(text, kinds)
    assert.isTrue(Result.isSuccess(result), Result.isFailure(result) ? result.failure.message : "")
  })
})
