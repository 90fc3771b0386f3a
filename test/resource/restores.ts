import { assert } from "@effect/vitest"
import { Result } from "effect"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"

/** A KafkaRestore with everything that is required, as JSON, which is YAML. */
export const aRestore = (spec: object = {}): string =>
  JSON.stringify({
    apiVersion: "kafka.oso.sh/v1alpha1",
    kind: "KafkaRestore",
    metadata: { name: "back" },
    spec: {
      backupId: "shop-20260301-020000",
      targetCluster: { bootstrapServers: ["kafka:9092"] },
      storage: { storageType: "pvc", pvc: { claimName: "backups" } },
      ...spec
    }
  })

/** What stands against a KafkaRestore with these fields. */
export const refusals = (spec: object) => {
  const parsed = KafkaRestore.parse(aRestore(spec))
  assert.isTrue(Result.isFailure(parsed), "it is accepted")
  return Result.isFailure(parsed) ? parsed.failure.problems : []
}
