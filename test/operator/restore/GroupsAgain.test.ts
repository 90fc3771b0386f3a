import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import { backupOf, purposeOf } from "../world.ts"
import { reasonOf, restoreOf, restoreWorld, story } from "./world.ts"

const at = (offset: number) => ({ topic: "orders", partition: 0, offset })

describe("a complete KafkaRestore that left groups with members", () => {
  story(
    "sets those groups alone for each new value of the annotation, and leaves those that have read on",
    Effect.gen(function* () {
      const { advance, apply, cluster, kubectl, kubernetes, patch, reached, restoreEvents, start, status, target } =
        yield* restoreWorld
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

      const committed = (groupId: string) =>
        Effect.map(target.wire.groupOffsets(["orders"]), (groups) =>
          groups.find((group) => group.groupId === groupId)?.offsets.map(({ offset }) => offset)
        )
      const annotate = (token: string) =>
        patch("back", { metadata: { annotations: { "kafka.oso.sh/reset-offsets": token } } })
      const jobs = Effect.map(kubernetes.behind.list(Kind.jobs, { namespace: "kafka-backup" }), ({ items }) =>
        items.filter((job) => purposeOf(job) === "offsets")
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
})
