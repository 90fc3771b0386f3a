import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import type { RestoreStatus } from "../../../src/status/restore/RestoreFacts.ts"
import { backupOf, purposeOf } from "../world.ts"
import { reasonOf, restoreOf, restoreWorld, story } from "./world.ts"

const at = (offset: number) => ({ topic: "orders", partition: 0, offset })

/** A complete restore that set billing and left busy. */
const withGroupLeft = Effect.gen(function* () {
  const made = yield* restoreWorld
  const { advance, apply, cluster, kubectl, kubernetes, patch, reached, start, target } = made
  yield* start()
  yield* cluster.commitGroupOffsets("billing", [at(40)])
  yield* cluster.commitGroupOffsets("busy", [at(60)])
  yield* kubectl.apply(backupOf("shop-2"))
  yield* advance("1 minute")
  const backupId = (yield* kubectl.status("shop-2")).lastBackupId ?? ""
  const offsetReset = { enabled: true, strategy: "headerBased", consumerGroups: ["*"] }
  yield* target.commitGroupOffsets("busy", [{ ...at(1), topic: "other" }])
  yield* target.setGroupActive("busy", true)
  yield* apply(restoreOf("back", backupId, { offsetReset }))
  const done = yield* reached("back", "RestoreCompleted")
  assert.strictEqual(reasonOf(done, "GroupsReset"), "GroupsSkipped")
  assert.deepInclude(done.offsetResetStatus, { phase: "Completed", groupsReset: ["billing"], groupsResetTotal: 1 })
  return {
    ...made,
    annotate: (token: string) => patch("back", { metadata: { annotations: { "kafka.oso.sh/reset-offsets": token } } }),
    jobs: Effect.map(kubernetes.behind.list(Kind.jobs, { namespace: "kafka-backup" }), ({ items }) =>
      items.filter((job) => purposeOf(job) === "offsets")
    ),
    setStatus: (offsetResetStatus: object) =>
      kubernetes.behind.patch(
        Kind.kafkaRestores,
        { namespace: "kafka-backup", name: "back" },
        { status: { offsetResetStatus } },
        "status"
      )
  }
})

const messageOf = ({ conditions }: RestoreStatus) => conditions?.find(({ type }) => type === "GroupsReset")?.message

describe("a complete KafkaRestore that left groups with members", () => {
  story(
    "sets those groups alone for each new value of the annotation, and leaves those that have read on",
    Effect.gen(function* () {
      const { advance, annotate, jobs, restoreEvents, status, target } = yield* withGroupLeft
      const committed = (groupId: string) =>
        Effect.map(target.wire.groupOffsets(["orders"]), (groups) =>
          groups.find((group) => group.groupId === groupId)?.offsets.map(({ offset }) => offset)
        )
      yield* target.commitGroupOffsets("billing", [at(77)])
      yield* annotate("1")
      yield* advance("3 minutes")
      const still = yield* status("back")
      assert.deepInclude(still.offsetResetStatus, { phase: "Completed", token: "1", groupsSkippedTotal: 1 })
      assert.strictEqual(reasonOf(still, "GroupsReset"), "GroupsSkipped")
      assert.strictEqual(still.phase, "Completed")

      yield* target.setGroupActive("busy", false)
      yield* advance("1 hour")
      assert.lengthOf(yield* jobs, 1)
      yield* annotate("2")
      yield* advance("3 minutes")
      const set = yield* status("back")
      assert.strictEqual(reasonOf(set, "GroupsReset"), "AllReset")
      assert.deepInclude(set.offsetResetStatus, {
        phase: "Completed",
        token: "2",
        groupsReset: ["billing", "busy"],
        groupsResetTotal: 2,
        groupsSkippedTotal: 0
      })
      assert.deepStrictEqual(yield* committed("busy"), [60])
      assert.deepStrictEqual(yield* committed("billing"), [77])
      yield* annotate("3")
      yield* advance("1 hour")
      assert.lengthOf(yield* jobs, 2)
      assert.deepStrictEqual((yield* restoreEvents).slice(-3), [
        "RestoreCompleted",
        "RestoreGroupsLeft",
        "RestoreGroupsSet"
      ])
    })
  )

  story(
    "makes no Job where the status does not tell which groups were left, and says what sets them",
    Effect.gen(function* () {
      const { advance, annotate, jobs, setStatus, status } = yield* withGroupLeft
      const message = "175 consumer groups more: the log of the Job's pod names all."
      yield* setStatus({ groupsResetTotal: null, groupsSkippedTotal: null, message })
      for (const token of ["1", "2"]) {
        yield* annotate(token)
        yield* advance("3 minutes")
        const still = yield* status("back")
        assert.strictEqual(reasonOf(still, "GroupsReset"), "GroupsSkipped")
        assert.deepInclude(still.offsetResetStatus, { phase: "Failed", token })
        assert.match(
          messageOf(still) ?? "",
          /^an earlier version .* kafka-backup offsets reset .* 1 consumer group, and perhaps others, were/
        )
      }
      assert.lengthOf(yield* jobs, 0)

      yield* setStatus({ groupsResetTotal: 100, groupsSkippedTotal: 55, groupsSkipped: [] })
      yield* annotate("3")
      yield* advance("3 minutes")
      const still = yield* status("back")
      assert.match(
        messageOf(still) ?? "",
        /does not name 55: .* kafka-backup offsets reset .* 55 consumer groups of 155/
      )
      assert.deepInclude(still.offsetResetStatus, { phase: "Failed", token: "3", groupsSkippedTotal: 55 })
      assert.lengthOf(yield* jobs, 0)
    })
  )

  story(
    "does nothing for an earlier value of the annotation, says so, and goes on with a new one",
    Effect.gen(function* () {
      const { advance, annotate, jobs, restoreEvents, setStatus, status, target } = yield* withGroupLeft
      for (const token of ["1", "2", "1"]) {
        yield* annotate(token)
        yield* advance("3 minutes")
      }
      const still = yield* status("back")
      assert.match(messageOf(still) ?? "", /^annotation kafka.oso.sh\/reset-offsets has an earlier value again.* new/)
      assert.deepInclude(still.offsetResetStatus, { phase: "Failed", token: "1" })
      assert.lengthOf(yield* jobs, 2)
      // As a definition of an earlier version leaves it: nothing is written again and again.
      yield* setStatus({ token: null })
      const before = (yield* restoreEvents).length
      yield* advance("10 minutes")
      assert.lengthOf(yield* restoreEvents, before)

      yield* target.setGroupActive("busy", false)
      yield* annotate("3")
      yield* advance("3 minutes")
      assert.strictEqual(reasonOf(yield* status("back"), "GroupsReset"), "AllReset")
    })
  )
})
