import { assert, describe, it } from "@effect/vitest"
import { faults, kafkaBackup, NotReached, records, TestOperator } from "../../src/testing/index.ts"

const start = () => TestOperator.start({ at: "2026-11-25T11:50:00Z" })

describe("a TestOperator", () => {
  it("backs up at the slot, in virtual time, and reads back what it stored", async () => {
    await using operator = await start()
    await operator.kafka.createTopic("orders", { partitions: 3, records: 100 })
    assert.strictEqual(
      await operator.kubectl.apply(kafkaBackup({ name: "hourly", schedule: "0 * * * *", topics: ["orders"] })),
      "kafkabackup.kafka.oso.sh/hourly created"
    )
    await operator.advance("1 minute")
    assert.strictEqual((await operator.kubectl.status("hourly")).nextScheduledTime, "2026-11-25T12:00:00Z")
    await operator.advance("15 minutes")
    const status = await operator.kubectl.status("hourly")
    assert.strictEqual(status.phase, "Completed")
    assert.strictEqual(status.lastBackupRecords, 100)
    const [backup] = await operator.backups("hourly")
    assert.deepStrictEqual(backup?.topics, { orders: 100 })
    const { problems, records: proven } = await operator.verify("hourly", backup!.backupId)
    assert.deepStrictEqual([problems, proven], [[], 100])
    const stored = await operator.records("hourly", backup!.backupId, "orders")
    assert.sameMembers(
      stored.map(({ key, value }) => `${key} ${value}`),
      records(100).map(({ key, value }) => `${String(key)} ${String(value)}`)
    )
  })

  it("waits until a status is as wanted, and says what it is when it never becomes so", async () => {
    await using operator = await start()
    await operator.kafka.createTopic("orders", { records: 3 })
    await operator.kubectl.apply(kafkaBackup({ name: "once" }))
    const { lastBackupRecords } = await operator.until("once", ({ phase }) => phase === "Completed")
    assert.strictEqual(lastBackupRecords, 3)
    const failure = await operator
      .until("once", ({ phase }) => phase === "Running", { within: "1 minute" })
      .then(
        () => undefined,
        (error: unknown) => error
      )
    assert.instanceOf(failure, NotReached)
    assert.include(String(failure), '"phase": "Completed"')
  })

  it("says which topics a resource selects, and which it names in vain", async () => {
    await using operator = await start()
    for (const topic of ["orders", "orders-dlq", "payments", "__consumer_offsets"])
      await operator.kafka.createTopic(topic)
    await operator.kubectl.apply(
      kafkaBackup({ name: "some", suspend: true, topics: ["orders*", "refunds", "audit-*"], excludeTopics: ["*-dlq"] })
    )
    assert.deepStrictEqual(await operator.selects("some"), {
      selected: ["orders"],
      idlePatterns: ["audit-*"],
      missing: ["refunds"]
    })
  })

  it("goes on with a new operator process where the old one ended", async () => {
    await using operator = await start()
    await operator.kafka.createTopic("orders", { records: 5 })
    await operator.kubectl.apply(kafkaBackup({ name: "hourly", schedule: "@hourly" }))
    await operator.advance("1 minute")
    await operator.restart()
    const { lastBackupId } = await operator.until("hourly", ({ phase }) => phase === "Completed")
    assert.strictEqual(lastBackupId, "hourly-20261125-120000")
    assert.include(await operator.metrics(), "kafka_backup_operator_")
  })
})

describe("faults", () => {
  const oneOff = async (operator: TestOperator) => {
    await operator.kafka.createTopic("orders", { records: 50 })
    await operator.kubectl.apply(kafkaBackup({ name: "once" }))
  }
  const ended = (operator: TestOperator) =>
    operator.until("once", ({ phase }) => phase === "Completed" || phase === "Failed")

  it("of storage that is away for a while cost time, not the backup", async () => {
    await using operator = await start()
    await operator.kubectl.apply(kafkaBackup({ name: "once", suspend: true }))
    const storage = await operator.storage("once")
    await storage.disturb(faults.storage.unavailable({ times: 3 }))
    await oneOff(operator)
    assert.strictEqual(
      (await operator.kubectl.apply(kafkaBackup({ name: "once", suspend: false }))).split(" ")[1],
      "configured"
    )
    assert.strictEqual((await ended(operator)).phase, "Completed")
    assert.isAbove((await storage.calls()).filter(({ operation }) => operation === "put").length, 3)
  })

  it("of credentials fail the run, and the condition names the storage", async () => {
    await using operator = await start()
    await operator.kubectl.apply(kafkaBackup({ name: "once", suspend: true }))
    await (await operator.storage("once")).disturb(faults.storage.refused({ times: Infinity }))
    await operator.kubectl.patch("once", { spec: { suspend: false } })
    await operator.kafka.createTopic("orders", { records: 1 })
    const { conditions } = await ended(operator)
    const reachable = conditions?.find(({ type }) => type === "StorageReachable")
    assert.deepInclude(reachable, { status: "False", reason: "StorageAuthorizationFailed" })
  })

  it("of brokers and of the API server are survived", async () => {
    await using operator = await start()
    await operator.kafka.inject(...faults.kafka.connectionLost({ times: 2 }))
    await operator.api.disturb(faults.api.unavailable({ verb: "create", kind: "jobs", times: 2 }))
    await oneOff(operator)
    assert.strictEqual((await ended(operator)).phase, "Completed")
  })

  it("of pods that cannot start show in Ready until they can", async () => {
    await using operator = await start()
    await operator.node.trouble(() => faults.pods.imagePullBackOff())
    await oneOff(operator)
    const { conditions } = await operator.until("once", (status) =>
      (status.conditions ?? []).some(({ reason, type }) => type === "Ready" && reason === "PodTrouble")
    )
    assert.match(conditions!.find(({ type }) => type === "Ready")!.message, /kafka-backup:test/)
    await operator.node.trouble()
    assert.strictEqual((await ended(operator)).phase, "Completed")
  })
})
