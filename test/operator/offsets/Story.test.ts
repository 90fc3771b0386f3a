import { assert, describe } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import { restoreFrom } from "../restore/world.ts"
import { metric } from "../world.ts"
import { at, bucket, offsetWorld, ready, resetOf, rollbackOf, story } from "./world.ts"

describe("a KafkaOffsetReset", () => {
  story(
    "sets the offsets of its groups by one Job, and says so",
    Effect.gen(function* () {
      const { apply, committed, offsetEvents, offsetJobs, reached, remove, start, advance } = yield* offsetWorld
      const operator = yield* start()
      yield* apply(resetOf("early", {}))
      const done = yield* reached("early", "ResetCompleted")
      assert.deepInclude(ready(done), {
        status: "True",
        reason: "ResetCompleted",
        message: "The offsets of 2 consumer groups were set and read back."
      })
      assert.deepInclude(done, { phase: "Completed", groupsReset: ["billing", "busy"], groupsSkipped: [] })
      assert.isString(done.startTime)
      assert.isString(done.completionTime)
      assert.deepStrictEqual(yield* committed("billing"), { 0: 0, 1: 0 })
      const [job, ...others] = yield* offsetJobs
      assert.lengthOf(others, 0)
      assert.deepInclude(job?.metadata.ownerReferences?.[0], {
        kind: "KafkaOffsetReset",
        name: "early",
        controller: true
      })
      assert.strictEqual(job?.spec?.ttlSecondsAfterFinished, 86_400)
      assert.deepStrictEqual(yield* offsetEvents("early"), ["OffsetsStarted", "OffsetsCompleted"])
      const text = yield* operator.metrics
      assert.strictEqual(metric(text, "offset_resets_ended_total", 'name="early"', 'outcome="success"'), 1)
      assert.strictEqual(metric(text, "offset_resets", 'phase="Completed"'), 1)
      yield* remove("early")
      yield* advance("10 seconds")
      assert.isUndefined(metric(yield* operator.metrics, "offset_resets_ended_total", 'name="early"'))
    })
  )

  story(
    "names a group with members, and the annotation sets that group alone: the other one has read on",
    Effect.gen(function* () {
      const { apply, cluster, committed, offsetJobs, reached, retry, start, advance } = yield* offsetWorld
      yield* start()
      yield* cluster.setGroupActive("busy", true)
      yield* apply(resetOf("early", { createSnapshot: true, storage: bucket("snapshots"), snapshotId: "before" }))
      const left = yield* reached("early", "GroupsSkipped")
      assert.deepInclude(left, { phase: "Failed", groupsReset: ["billing"], snapshotId: "before" })
      assert.deepStrictEqual(left.groupsSkipped, [{ group: "busy", reason: "it has active members (state Stable)" }])
      assert.include(ready(left)?.message, "1 of 2 consumer groups were left as they are: busy: it has active members")
      assert.include(ready(left)?.message, "To try the groups that are left, set the annotation kafka.oso.sh/retry")
      yield* advance("1 hour")
      assert.lengthOf(yield* offsetJobs, 1)
      assert.deepStrictEqual(yield* committed("busy"), { 0: 60 })

      yield* cluster.commitGroupOffsets("billing", [at("orders", 0, 7)])
      yield* cluster.setGroupActive("busy", false)
      yield* retry("early", "1")
      const done = yield* reached("early", "ResetCompleted")
      assert.deepInclude(done, { phase: "Completed", groupsReset: ["billing", "busy"], groupsSkipped: [] })
      assert.deepInclude(done, { groupsResetTotal: 2, groupsSkippedTotal: 0 })
      assert.deepStrictEqual(yield* committed("busy"), { 0: 0, 1: 0 })
      assert.deepStrictEqual(yield* committed("billing"), { 0: 7, 1: 0 })
      yield* retry("early", "2")
      yield* advance("1 hour")
      assert.lengthOf(yield* offsetJobs, 2)
    })
  )

  story(
    "that begins as a dry run changes nothing and stores nothing, names what stands against it, and becomes the reset",
    Effect.gen(function* () {
      const { apply, cluster, committed, patch, reached, start, store } = yield* offsetWorld
      yield* start()
      yield* cluster.setGroupActive("busy", true)
      const snapshots = yield* store("s3:snapshots")
      const spec = { createSnapshot: true, storage: bucket("snapshots"), snapshotId: "before" }
      yield* apply(resetOf("early", { ...spec, dryRun: true }))
      const draft = yield* reached("early", "DryRunPassed")
      assert.strictEqual(draft.phase, "Completed")
      assert.include(ready(draft)?.message, "The checks of the dry run passed. Nothing was changed.")
      assert.include(ready(draft)?.message, "Note: 4 offsets of 2 consumer groups would be set.")
      assert.include(ready(draft)?.message, "Note: consumer group busy would be left as it is: it has active members")
      assert.isUndefined(draft.startedWriting)
      assert.deepStrictEqual(yield* committed("billing"), { 0: 40 })
      assert.deepStrictEqual(yield* snapshots.keys, [])
      yield* cluster.setGroupActive("busy", false)
      yield* patch("early", { spec: { dryRun: false } })
      const done = yield* reached("early", "ResetCompleted")
      assert.strictEqual(done.snapshotId, "before")
      assert.deepStrictEqual((yield* snapshots.keys).map(String), ["_kafka-backup/offset-snapshots/before.json"])
      const edit = yield* Effect.exit(patch("early", { spec: { strategy: "latest" } }))
      assert.isTrue(Exit.isFailure(edit))
      assert.include(String(edit), "a pod may have changed offsets or snapshots already")

      yield* apply(resetOf("second", { ...spec, dryRun: true }))
      const taken = yield* reached("second", "OffsetsFailed")
      assert.match(ready(taken)!.message, /snapshot before in .* belongs to kafka-backup\/early/)
      assert.include(ready(taken)!.message, "Nothing was changed.")
    })
  )

  story(
    "with a mistake is refused by name, and is carried out once it is corrected",
    Effect.gen(function* () {
      const { apply, offsetEvents, patch, reached, start } = yield* offsetWorld
      yield* start()
      yield* apply(resetOf("early", { topics: ["absent"] }))
      const failed = yield* reached("early", "OffsetsFailed")
      assert.match(ready(failed)!.message, /^OffsetsRefused: no offset was changed: topic absent does not exist/)
      yield* patch("early", { spec: { topics: ["orders"] } })
      assert.strictEqual(ready(yield* reached("early", "ResetCompleted"))?.status, "True")
      assert.deepStrictEqual(yield* offsetEvents("early"), [
        "OffsetsStarted",
        "OffsetsFailed",
        "OffsetsStarted",
        "OffsetsCompleted"
      ])
    })
  )

  story(
    "whose pod is killed is not repeated unasked, and does not say that nothing was changed",
    Effect.gen(function* () {
      const { advance, apply, kubernetes, offsetJobs, reached, start } = yield* offsetWorld
      yield* start()
      yield* kubernetes.node.run(() => Effect.succeed({ exitCode: 137 }))
      yield* apply(resetOf("early", {}))
      const failed = yield* reached("early", "OffsetsFailed")
      assert.include(ready(failed)!.message, "It is not known what was changed.")
      assert.isString(failed.startedWriting)
      yield* advance("1 hour")
      assert.lengthOf(yield* offsetJobs, 1)
      assert.strictEqual((yield* offsetJobs)[0]?.status?.failed, 1)
    })
  )

  story(
    "whose pod is evicted is not repeated unasked",
    Effect.gen(function* () {
      const { advance, apply, kubernetes, offsetJobs, reached, start } = yield* offsetWorld
      const pods = Effect.map(kubernetes.behind.list(Kind.pods, { namespace: "kafka-backup" }), ({ items }) => items)
      yield* start()
      yield* kubernetes.node.run(() => Effect.never)
      yield* apply(resetOf("early", {}))
      yield* advance("30 seconds")
      const [pod, ...others] = yield* pods
      assert.lengthOf(others, 0)
      yield* kubernetes.node.evict(pod!.metadata)
      const failed = yield* reached("early", "OffsetsFailed")
      assert.include(ready(failed)!.message, "It is not known what was changed.")
      yield* advance("1 hour")
      assert.lengthOf(yield* offsetJobs, 1)
      assert.lengthOf(yield* pods, 1)
    })
  )
})

describe("a KafkaOffsetRollback", () => {
  story(
    "without storage finds it through the KafkaOffsetReset that stored the snapshot",
    Effect.gen(function* () {
      const { apply, committed, reached, start } = yield* offsetWorld
      yield* start()
      yield* apply(resetOf("early", { createSnapshot: true, storage: bucket("snapshots"), snapshotId: "before" }))
      yield* reached("early", "ResetCompleted")
      yield* apply(rollbackOf("back", { operation: "rollback", snapshotId: "before", consumerGroups: ["billing"] }))
      const done = yield* reached("back", "RollbackCompleted")
      assert.deepInclude(done, { phase: "Completed", groupsReset: ["billing"], snapshotId: "before" })
      assert.deepStrictEqual(yield* committed("billing"), { 0: 40 })
      assert.deepStrictEqual(yield* committed("busy"), { 0: 0, 1: 0 })
    })
  )

  story(
    "without storage waits for a resource that names the snapshot, and is refused where two name different storages",
    Effect.gen(function* () {
      const { advance, apply, offsetJobs, reached, start } = yield* offsetWorld
      yield* start()
      yield* apply(rollbackOf("back", { snapshotId: "before" }))
      const unknown = yield* reached("back", "SnapshotUnknown")
      assert.strictEqual(unknown.phase, "Pending")
      assert.include(ready(unknown)!.message, "names snapshot before in its status")
      assert.lengthOf(yield* offsetJobs, 0)
      const spec = (name: string) => ({ createSnapshot: true, storage: bucket(name), snapshotId: "before" })
      yield* apply(resetOf("one", spec("snapshots")))
      yield* reached("one", "ResetCompleted")
      yield* advance("1 minute")
      yield* reached("back", "RollbackCompleted")

      yield* apply(resetOf("two", spec("others")))
      yield* reached("two", "ResetCompleted")
      yield* apply(rollbackOf("back-2", { snapshotId: "before" }))
      const ambiguous = yield* reached("back-2", "SnapshotAmbiguous")
      assert.match(ready(ambiguous)!.message, /^KafkaOffsetReset one and KafkaOffsetReset two name snapshot before/)
      assert.include(ready(ambiguous)!.message, "add spec.storage")
    })
  )

  story(
    "without storage names the restore whose KafkaBackup is gone, and asks for the storage",
    Effect.gen(function* () {
      const { apply, kubernetes, reached, start } = yield* offsetWorld
      yield* start()
      const ref = { namespace: "kafka-backup", name: "again" }
      const restore = restoreFrom(ref.name, { name: "gone" })
      yield* kubernetes.behind.create(Kind.kafkaRestores, restore)
      yield* kubernetes.behind.patch(Kind.kafkaRestores, ref, { status: { rollbackSnapshotId: "before" } }, "status")
      yield* apply(rollbackOf("back", { snapshotId: "before" }))
      assert.match(
        ready(yield* reached("back", "SnapshotUnknown"))!.message,
        /^KafkaRestore again stored snapshot before.*KafkaBackup gone does not exist.* Add spec.storage\.$/
      )
    })
  )

  story(
    "stores, compares, and deletes a snapshot",
    Effect.gen(function* () {
      const { apply, cluster, reached, start, store } = yield* offsetWorld
      yield* start()
      const snapshots = yield* store("s3:snapshots")
      const common = { snapshotId: "now", storage: bucket("snapshots") }
      yield* apply(rollbackOf("back-store", { ...common, operation: "snapshot", consumerGroups: ["*"] }))
      const stored = yield* reached("back-store", "SnapshotStored")
      assert.include(ready(stored)!.message, "The offsets are stored as snapshot now. Note: it holds 2 consumer groups")
      yield* apply(rollbackOf("back-same", { ...common, operation: "verify" }))
      assert.strictEqual(
        ready(yield* reached("back-same", "OffsetsCompared"))?.message,
        "The consumer groups have the offsets of snapshot now."
      )
      yield* cluster.commitGroupOffsets("billing", [at("orders", 0, 41)])
      yield* apply(rollbackOf("back-differs", { ...common, operation: "verify" }))
      const differs = yield* reached("back-differs", "OffsetsDiffer")
      assert.strictEqual(differs.phase, "Failed")
      assert.include(ready(differs)!.message, "billing orders[0] has 41 instead of 40")
      yield* apply(rollbackOf("back-tolerant", { ...common, operation: "verify", verify: { strict: false } }))
      const tolerant = yield* reached("back-tolerant", "OffsetsCompared")
      assert.strictEqual(tolerant.phase, "Completed")
      assert.include(ready(tolerant)!.message, "billing orders[0] has 41 instead of 40")
      yield* apply(rollbackOf("back-delete", { ...common, operation: "delete" }))
      yield* reached("back-delete", "SnapshotDeleted")
      assert.deepStrictEqual(yield* snapshots.keys, [])
      yield* apply(rollbackOf("back-gone", { ...common, operation: "delete" }))
      assert.include(ready(yield* reached("back-gone", "OffsetsFailed"))!.message, "there is no snapshot now in ")
    })
  )

  story(
    "that is deleted while it is at work is stopped, and an Event says that offsets stay as they are",
    Effect.gen(function* () {
      const { advance, apply, kubernetes, offsetEvents, offsetJobs, remove, start } = yield* offsetWorld
      yield* start()
      yield* kubernetes.node.run(() => Effect.never)
      yield* apply(rollbackOf("back", { snapshotId: "before", storage: bucket("snapshots") }))
      yield* advance("30 seconds")
      assert.lengthOf(yield* offsetJobs, 1)
      yield* remove("back")
      yield* advance("2 minutes")
      assert.lengthOf(yield* offsetJobs, 0)
      assert.deepStrictEqual(yield* offsetEvents("back"), ["OffsetsStarted", "OffsetsCancelled"])
    })
  )
})
