import { assert, describe, it } from "@effect/vitest"
import type { BackupFailure } from "../../src/backup/BackupFailure.ts"
import { RunError } from "../../src/backup/RunError.ts"
import { DrillError } from "../../src/drill/DrillError.ts"
import { KafkaError } from "../../src/kafka/KafkaError.ts"
import { CatalogueError } from "../../src/manifest/CatalogueError.ts"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import * as FailureReasons from "../../src/outcome/FailureReasons.ts"
import { RestoreError } from "../../src/restore/RestoreError.ts"
import { SegmentError } from "../../src/segment/SegmentError.ts"
import { ObjectStoreError } from "../../src/storage/ObjectStoreError.ts"
import { WorkerError } from "../../src/worker/WorkerError.ts"

/** The compiler refuses this when an error of a run, a restore or a drill has a reason without an exit code. */
const isFailure = (failure: BackupFailure | RestoreError | DrillError): FailureReasons.Failure => failure

describe("the reasons for which a run may fail", () => {
  it("are those of the errors of all rooms, and no other", () => {
    assert.isFunction(isFailure)
    const tags = [
      KafkaError,
      ObjectStoreError,
      SegmentError,
      CatalogueError,
      WorkerError,
      RunError,
      RestoreError,
      DrillError
    ].flatMap(({ fields }) => fields.reason.members.map((reason) => reason.fields._tag.schema.literal as string))
    assert.deepStrictEqual([...new Set(tags)].toSorted(), FailureReasons.failureReasons.toSorted())
  })

  it("need a person only if waiting cannot help", () => {
    for (const _tag of FailureReasons.failureReasons) {
      const patient = FailureReasons.exitCode({ reason: { _tag }, isRetryable: true })
      assert.isAtLeast(patient, exitCodes.temporary, _tag)
    }
    assert.strictEqual(
      FailureReasons.exitCode({ reason: { _tag: "BrokerUnreachable" }, isRetryable: false }),
      exitCodes.clusterUnusable
    )
  })
})
