import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import { Forbidden } from "../../../src/kubernetes/KubernetesError.ts"
import { backupOf, condition, hourly, outcomes, runsAmong, story, world } from "../world.ts"
import { kafkaOf, listeners, scram, userOf } from "./strimziObjects.ts"
import { carriedBy, reading, strimziIn } from "./world.ts"

const kafkaCluster = { strimziRef: { name: "main", listener: "scram", user: "backup" } }
const address = "main-kafka-bootstrap.kafka-backup.svc:9095"
const main = kafkaOf("main")
const backupUser = userOf("backup", "scram-sha-512")

/** The harness with a cluster behind Strimzi's address, and its Secrets, but none of Strimzi's resources yet. */
const strimziWorld = Effect.gen(function* () {
  const made = yield* world
  const cluster = yield* made.kafka(address)
  yield* cluster.createTopic("orders", { partitions: 1 })
  yield* cluster.produce("orders", 0, [{ key: "k", value: "v" }])
  yield* made.secrets.put("main-cluster-ca-cert", { "ca.crt": "authorities" })
  yield* made.secrets.put("backup", { password: "geheim" })
  return { ...made, strimzi: strimziIn(made.kubernetes.behind) }
})

const unresolved = (reason: string) => ({
  status: "False",
  reason: "StrimziUnresolved",
  message: expect.stringContaining(`No run can be started: ${reason}: `)
})

describe("A KafkaBackup of a cluster that Strimzi runs", () => {
  story(
    "is refused by an operator that does not read Strimzi's resources, which asks for none of them",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start, strimzi } = yield* strimziWorld
      yield* strimzi.apply(main)
      yield* strimzi.apply(backupUser)
      yield* start()
      yield* kubectl.apply(hourly("shop", { kafkaCluster }))
      yield* kubectl.apply(backupOf("once", { kafkaCluster }))
      yield* advance("12 minutes")
      for (const name of ["shop", "once"]) {
        const ready = condition(yield* kubectl.status(name), "Ready")
        expect(ready).toMatchObject(unresolved("StrimziNotEnabled"))
        expect(ready?.message).toContain("--strimzi")
        const told = (yield* kubectl.events).filter(({ regarding }) => regarding?.name === name)
        expect(told.map(({ reason }) => reason)).toEqual(["StrimziUnresolved"])
      }
      expect(yield* kubectl.jobs).toEqual([])
      expect(
        (yield* kubernetes.calls).filter(({ kind }) => kind.startsWith("kafkas") || kind === "kafkausers")
      ).toEqual([])
    })
  )

  story(
    "says before its first slot what is missing, and is backed up once Strimzi is ready",
    Effect.gen(function* () {
      const { advance, kubectl, start, strimzi } = yield* strimziWorld
      yield* start(reading)
      yield* kubectl.apply(hourly("shop", { kafkaCluster }))
      const ready = Effect.map(kubectl.status("shop"), (status) => condition(status, "Ready"))
      yield* advance("30 seconds")
      expect(yield* ready).toMatchObject(unresolved("StrimziKafkaMissing"))
      const { status: _, ...unborn } = main
      yield* strimzi.apply({ ...unborn, status: {} })
      yield* advance("90 seconds")
      expect(yield* ready).toMatchObject(unresolved("StrimziUserMissing"))
      yield* strimzi.apply(backupUser)
      yield* advance("90 seconds")
      expect(yield* ready).toMatchObject(unresolved("StrimziListenerNotReady"))
      yield* strimzi.publish(main)
      yield* advance("90 seconds")
      expect(yield* ready).toMatchObject({ status: "True", reason: "BackupScheduled" })
      expect(runsAmong(yield* kubectl.jobs)).toEqual([])
      const [check] = yield* kubectl.jobs
      expect(carriedBy(check!).spec.kafkaCluster.bootstrapServers).toEqual([address])
      yield* advance("10 minutes")
      expect(outcomes(yield* kubectl.status("shop"))).toEqual(["success"])
      const told = (yield* kubectl.events).filter(({ reason }) => reason === "StrimziUnresolved")
      // One for each cause, however often it was looked up.
      expect(told.map(({ note }) => /Strimzi\w+Missing|Strimzi\w+NotReady/u.exec(note ?? "")?.[0])).toEqual([
        "StrimziKafkaMissing",
        "StrimziUserMissing",
        "StrimziListenerNotReady"
      ])
    })
  )

  story(
    "is backed up from the address and with the Secrets that Strimzi has when a run starts",
    Effect.gen(function* () {
      const { advance, kafka, kubectl, start, strimzi } = yield* strimziWorld
      yield* strimzi.apply(main)
      yield* strimzi.apply(backupUser)
      yield* start(reading)
      yield* kubectl.apply(hourly("shop", { kafkaCluster }))
      yield* advance("15 minutes")
      const [first] = runsAmong(yield* kubectl.jobs)
      expect(carriedBy(first!).spec.kafkaCluster).toMatchObject({
        bootstrapServers: [address],
        securityProtocol: "SASL_SSL",
        caSecret: { name: "main-cluster-ca-cert" },
        saslSecret: { name: "backup", username: "backup" }
      })
      expect(carriedBy(first!).spec.kafkaCluster.strimziRef).toBeUndefined()
      const pod = JSON.stringify(first?.spec)
      for (const key of ["main-cluster-ca-cert/ca.crt", "backup/password"]) expect(pod).toContain(key)
      expect(pod).not.toContain("backup/username")

      const moved = "elsewhere.example.com:443"
      const cluster = yield* kafka(moved)
      yield* cluster.createTopic("orders", { partitions: 1 })
      yield* strimzi.publish(kafkaOf("main", { addresses: { scram: moved } }))
      yield* advance("1 hour")
      const runs = runsAmong(yield* kubectl.jobs).map((job) => carriedBy(job).spec.kafkaCluster.bootstrapServers?.[0])
      expect(runs.toSorted()).toEqual([moved, address])
      expect(outcomes(yield* kubectl.status("shop"))).toEqual(["success", "success"])
    })
  )

  story(
    "misses no slot for a listener that was removed, and names those that are left",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start, strimzi } = yield* strimziWorld
      yield* strimzi.apply(main)
      yield* strimzi.apply(backupUser)
      yield* start(reading)
      yield* kubectl.apply(hourly("shop", { kafkaCluster, startingDeadlineSeconds: 3000 }))
      yield* advance("15 minutes")
      const ref = { namespace: "kafka-backup", name: "main" }
      const listen = (others: typeof listeners) =>
        kubernetes.behind.patch(Kind.strimziKafkasV1, ref, { spec: { kafka: { listeners: others } } })
      yield* listen(listeners.filter((one) => one !== scram))
      yield* advance("1 hour")
      const status = yield* kubectl.status("shop")
      expect(condition(status, "Ready")).toMatchObject(unresolved("StrimziListenerUnknown"))
      expect(condition(status, "Ready")?.message).toContain("it has plain, encrypted, mutual, openscram")
      expect(outcomes(status)).toEqual(["success"])
      yield* listen(listeners)
      yield* advance("5 minutes")
      const after = yield* kubectl.status("shop")
      expect(outcomes(after)).toEqual(["success", "success"])
      expect(condition(after, "Ready")).toMatchObject({ status: "True", reason: "BackupScheduled" })
    })
  )

  story(
    "that was backed up once stays complete, whatever becomes of Strimzi's resources",
    Effect.gen(function* () {
      const { advance, kubectl, start, strimzi } = yield* strimziWorld
      yield* strimzi.apply(main)
      yield* strimzi.apply(backupUser)
      yield* start(reading)
      yield* kubectl.apply(backupOf("once", { kafkaCluster }))
      yield* advance("2 minutes")
      yield* strimzi.remove(main)
      yield* kubectl.patch("once", { metadata: { labels: { touched: "yes" } } })
      yield* advance("2 hours")
      const status = yield* kubectl.status("once")
      expect(condition(status, "Ready")).toMatchObject({ status: "True", reason: "BackupCompleted" })
    })
  )

  story(
    "is found in an older version of Strimzi's API, too",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* strimziWorld
      for (const kind of [Kind.strimziKafkasV1, Kind.strimziUsersV1]) yield* kubernetes.uninstall(kind)
      const older = { Kafka: Kind.strimziKafkasV1beta2, KafkaUser: Kind.strimziUsersV1beta2 }
      const strimzi = strimziIn(kubernetes.behind, older)
      yield* strimzi.apply(main)
      yield* strimzi.apply(backupUser)
      yield* start(reading)
      yield* kubectl.apply(backupOf("once", { kafkaCluster }))
      yield* advance("2 minutes")
      expect(outcomes(yield* kubectl.status("once"))).toEqual(["success"])
    })
  )

  story(
    "is refused with the remedy where the API server knows no Strimzi, or denies it",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* strimziWorld
      const kinds = [Kind.strimziKafkasV1, Kind.strimziUsersV1, Kind.strimziKafkasV1beta2, Kind.strimziUsersV1beta2]
      for (const kind of kinds) yield* kubernetes.uninstall(kind)
      yield* start(reading)
      yield* kubectl.apply(backupOf("once", { kafkaCluster }))
      yield* advance("1 minute")
      const ready = Effect.map(kubectl.status("once"), (status) => condition(status, "Ready"))
      expect(yield* ready).toMatchObject(unresolved("StrimziNotInstalled"))
      const detail = 'kafkas.kafka.strimzi.io "main" is forbidden: User cannot get resource'
      yield* kubernetes.disturb({
        _tag: "Fail",
        reason: new Forbidden({ detail, isQuota: false, isNamespaceTerminating: false }),
        when: ({ kind }) => kind === "kafkas",
        times: Infinity
      })
      yield* advance("2 minutes")
      expect(yield* ready).toMatchObject(unresolved("StrimziNotAllowed"))
      expect((yield* ready)?.message).toContain("User cannot get resource")
      expect(yield* kubectl.jobs).toEqual([])
    })
  )
})
