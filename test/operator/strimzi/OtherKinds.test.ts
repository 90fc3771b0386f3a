import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { drilled, drillWorld, restorable, story as drillStory } from "../drill/world.ts"
import { offsetWorld, ready as offsetsReady, resetOf, rollbackOf, bucket } from "../offsets/world.ts"
import { ready as restoreReady, restoreOf, restoreWorld, story } from "../restore/world.ts"
import { kafkaOf, userOf } from "./strimziObjects.ts"
import { carriedBy, reading, strimziIn } from "./world.ts"

const strimziRef = { name: "main", listener: "scram", user: "backup" }
const address = "main-kafka-bootstrap.kafka-backup.svc:9095"
const backupUser = userOf("backup", "scram-sha-512")

const secrets = { "main-cluster-ca-cert": { "ca.crt": "authorities" }, backup: { password: "geheim" } }

describe("Strimzi's resources in a KafkaRestore", () => {
  story(
    "are awaited, and stand for the target then",
    Effect.gen(function* () {
      const { apply, backupId, kafka, kubernetes, reached, restoreEvents, restoreJobs, start, ...made } =
        yield* restoreWorld
      const target = yield* kafka(address)
      for (const [name, data] of Object.entries(secrets)) yield* made.secrets.put(name, data)
      const strimzi = strimziIn(kubernetes.behind)
      yield* strimzi.apply(kafkaOf("main"))
      yield* start(reading)
      yield* apply(restoreOf("back", backupId, { targetCluster: { strimziRef } }))
      const waiting = yield* reached("back", "StrimziUnresolved")
      expect(restoreReady(waiting)?.message).toContain("StrimziUserMissing: KafkaUser backup does not exist")
      expect(yield* restoreJobs).toEqual([])
      yield* strimzi.apply(backupUser)
      const done = yield* reached("back", "RestoreCompleted")
      expect(restoreReady(done)?.status).toBe("True")
      expect((yield* restoreEvents).filter((reason) => reason === "StrimziUnresolved")).toHaveLength(1)
      expect(yield* target.committed("orders", 0)).toHaveLength(100)
    })
  )
})

describe("Strimzi's resources in resources about offsets", () => {
  story(
    "are awaited, and stand for the cluster of the groups then; the removal of a snapshot needs none",
    Effect.gen(function* () {
      const { apply, kafka, kubernetes, offsetEvents, offsetJobs, reached, start, ...made } = yield* offsetWorld
      const cluster = yield* kafka(address)
      yield* cluster.createTopic("orders", { partitions: 2 })
      yield* cluster.commitGroupOffsets("billing", [{ topic: "orders", partition: 0, offset: 0 }])
      for (const [name, data] of Object.entries(secrets)) yield* made.secrets.put(name, data)
      const strimzi = strimziIn(kubernetes.behind)
      yield* strimzi.apply(backupUser)
      yield* start(reading)
      const spec = { kafkaCluster: { strimziRef }, consumerGroups: ["billing"] }
      yield* apply(resetOf("reset", { ...spec, createSnapshot: true, storage: bucket("backups") }))
      const waiting = yield* reached("reset", "StrimziUnresolved")
      expect(offsetsReady(waiting)?.message).toContain("StrimziKafkaMissing: Kafka main does not exist")
      expect(yield* offsetEvents("reset")).toEqual(["StrimziUnresolved"])
      expect(yield* offsetJobs).toEqual([])
      yield* strimzi.apply(kafkaOf("main"))
      const done = yield* reached("reset", "ResetCompleted")
      expect(offsetsReady(done)?.status).toBe("True")
      yield* strimzi.remove(kafkaOf("main"))
      yield* apply(rollbackOf("back", { snapshotId: done.snapshotId, operation: "delete" }))
      expect(offsetsReady(yield* reached("back", "SnapshotDeleted"))?.status).toBe("True")
    })
  )
})

describe("Strimzi's resources as the target of drills", () => {
  drillStory(
    "are looked up before the slot, keep no backup from being made, and are named in the drill's Job once ready",
    Effect.gen(function* () {
      const { advance, drillJobs, kubectl, kubernetes, start } = yield* drillWorld
      const strimzi = strimziIn(kubernetes.behind)
      yield* start(reading)
      yield* kubectl.apply(drilled("shop", { targetCluster: { strimziRef } }))
      yield* advance("30 seconds")
      const early = yield* kubectl.status("shop")
      expect(restorable(early)).toMatchObject({ status: "Unknown", reason: "StrimziUnresolved" })
      expect(restorable(early)?.message).toContain("No drill can be started: StrimziKafkaMissing: Kafka main")
      expect(early.drill?.trouble?.reason).toBe("StrimziKafkaMissing")
      const told = (yield* kubectl.events).filter(({ reason }) => reason === "DrillTrouble")
      expect(told.map(({ note }) => note)).toEqual([expect.stringContaining("Kafka main does not exist")])
      yield* advance("30 minutes")
      const waiting = yield* kubectl.status("shop")
      expect(restorable(waiting)).toMatchObject({ status: "Unknown", reason: "StrimziUnresolved" })
      expect(restorable(waiting)?.message).toContain("A drill is due but was not started: Kafka main does not exist")
      expect(waiting.lastBackupId).toBe("shop-20261125-120000")
      expect(yield* drillJobs).toEqual([])
      yield* strimzi.apply(kafkaOf("main"))
      yield* strimzi.apply(backupUser)
      yield* advance("3 minutes")
      const [job] = yield* drillJobs
      expect(carriedBy(job!).spec.drill?.targetCluster?.bootstrapServers).toEqual([address])
      expect(JSON.stringify(job?.spec)).toContain("main-cluster-ca-cert/ca.crt")
      expect(restorable(yield* kubectl.status("shop"))).toMatchObject({ status: "True", reason: "DrillPassed" })
    })
  )
})
