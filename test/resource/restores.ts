import { assert } from "@effect/vitest"
import { Result } from "effect"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import { fullSpec, manifest } from "./restoreManifests.ts"

/** A KafkaRestore with these fields besides those that are required, as JSON, which is YAML. */
export const aRestore = (spec: object = {}): string => {
  const { backupId, storage, targetCluster } = fullSpec()
  return JSON.stringify(manifest({ backupId, storage, targetCluster, ...spec }))
}

/** What stands against a KafkaRestore with these fields. */
export const refusals = (spec: object) => {
  const parsed = KafkaRestore.parse(aRestore(spec))
  assert.isTrue(Result.isFailure(parsed), "it is accepted")
  return Result.isFailure(parsed) ? parsed.failure.problems : []
}
