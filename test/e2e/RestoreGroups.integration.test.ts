import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { kafkaBackup, onVolume, reportOf, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

describeWith(["kafka", "java"], "Consumer groups after a restore on a real cluster", (services) => {
  const prefix = unique("groups")
  const [topic, busyTopic] = [`${prefix}-orders`, `${prefix}-busy`]
  const [classic, next, active, idle] = ["classic", "next", "active", "idle"].map((name) => `${prefix}-${name}`) as [
    string,
    string,
    string,
    string
  ]
  const workspace = new Workspace()
  const cluster = { bootstrapServers: [services.kafka.plaintext] }
  let java: JavaKafka
  let backupId: string

  type Read = ReadonlyArray<{ readonly partition: number; readonly offset: number }>
  const places = (...reads: ReadonlyArray<Read>) =>
    reads
      .flatMap((read) => read.map(({ offset, partition }) => `${partition}/${String(offset).padStart(6, "0")}`))
      .sort()
  let all: ReadonlyArray<string>
  const before = new Map<string, Read>()

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    const config = { "retention.ms": -1 }
    await java.createTopics({ name: topic, partitions: 3, config }, { name: busyTopic, partitions: 1, config })
    const values = Array.from({ length: 300 }, (_, i) => ({ partition: i % 3, key: `k${i}`, value: `v${i}` }))
    await java.produce(topic, values.slice(0, 90))
    // The log does not begin at 0, and transactions leave holes.
    await java.deleteRecords(topic, { 0: 20, 1: 10 })
    await java.produce(topic, values.slice(90, 150), { transaction: "commit", transactionalId: `${prefix}-1` })
    await java.produce(topic, values.slice(150), { transaction: "commit", transactionalId: `${prefix}-2` })
    for (const [group, max, protocol] of [
      [classic, 100, "classic"],
      [next, 57, "consumer"],
      [active, 10, "classic"]
    ] as const) {
      before.set(group, await java.consume({ group, topics: [topic], max, protocol, metadata: `after ${max}` }))
    }
    all = places(await java.consume({ group: idle, topics: [topic], max: 270 }))
    const manifest = workspace.manifest("shop", {
      kafkaCluster: cluster,
      topics: [topic],
      storage: onVolume,
      sourceClusterId: "shop-eu-central-1"
    })
    backupId = reportOf(await succeed("run", ...manifest)).backupId
    // With the topic, the broker forgets what groups have committed for it.
    await java.deleteTopics(topic)
    await java.consume({ group: active, topics: [busyTopic], max: 0, stay: true })
  })
  afterAll(async () => {
    await java?.close()
    workspace[Symbol.dispose]()
  })

  /** The same for each test: the restore, and what is done with it later. */
  const manifest = () =>
    workspace.manifest(
      "with-groups",
      {
        backupId,
        targetCluster: cluster,
        storage: onVolume,
        offsetReset: {
          enabled: true,
          strategy: "headerBased",
          sourceCluster: "shop-eu-central-1",
          consumerGroups: [classic, next, active]
        },
        rollback: { enabled: true, snapshotId: `${prefix}-before` }
      },
      "KafkaRestore"
    )

  it("continues stopped groups at exactly their next record, and leaves the active one alone", async () => {
    assert.deepStrictEqual(await java.groupOffsets(classic), {})
    const dry = await succeed("restore", ...manifest(), "--dry-run", "-o", "json")
    assert.sameMembers(JSON.parse(dry.stdout).offsetReset.groups, [classic, next, active])
    assert.deepStrictEqual(await java.groupOffsets(classic), {})

    const { offsetReset, rollbackSnapshotId } = JSON.parse(
      (await succeed("restore", ...manifest(), "-o", "json")).stdout
    )
    assert.strictEqual(rollbackSnapshotId, `${prefix}-before`)
    assert.sameMembers(
      offsetReset.groupsReset.map(({ group }: { group: string }) => group),
      [classic, next]
    )
    assert.deepStrictEqual(offsetReset.groupsSkipped, [
      { group: active, reason: "it has active members (state Stable)", active: true }
    ])
    assert.deepStrictEqual(await java.groupOffsets(active), {})

    for (const [group, protocol] of [
      [classic, "classic"],
      [next, "consumer"]
    ] as const) {
      const read = before.get(group)!
      const rest = await java.consume({ group, topics: [topic], max: all.length - read.length, protocol })
      assert.deepStrictEqual(places(read, rest), all, group)
    }
  })

  it("sets the active group once its consumer has stopped, and no other one", async () => {
    const still = await kafkaBackup("offsets", "reset", ...manifest(), "--group", active)
    assert.strictEqual(still.code, 20, still.stderr)
    await java.leave(active)
    const reached = await java.groupOffsets(classic)
    await succeed("offsets", "reset", ...manifest(), "--group", active)
    assert.deepStrictEqual(await java.groupOffsets(classic), reached)
    const read = before.get(active)!
    const rest = await java.consume({ group: active, topics: [topic], max: all.length - read.length })
    assert.deepStrictEqual(places(read, rest), all)
  })

  it("brings the offsets from before the restore back: there were none", async () => {
    await succeed("offsets", "rollback", ...manifest())
    for (const group of [classic, next]) assert.deepStrictEqual(await java.groupOffsets(group), {}, group)
    await succeed("offsets", "verify", ...manifest())
  })

  it("stores offsets, sets others, and brings the stored ones back", async () => {
    const former = { [topic]: { 0: 25, 1: 12 } }
    await java.commitOffsets(classic, former)
    const spec = { kafkaCluster: cluster, storage: onVolume, snapshotId: `${prefix}-monday`, consumerGroups: [classic] }
    const snapshot = workspace.manifest("monday", { ...spec, operation: "snapshot" }, "KafkaOffsetRollback")
    await succeed("offsets", "snapshot", ...snapshot)
    const earliest = { kafkaCluster: cluster, consumerGroups: [`${prefix}-cl*`], strategy: "earliest" }
    await succeed("offsets", "reset", ...workspace.manifest("earliest", earliest, "KafkaOffsetReset"))
    assert.deepStrictEqual(await java.groupOffsets(classic), { [topic]: { 0: 20, 1: 10, 2: 0 } })
    const back = workspace.manifest("back", spec, "KafkaOffsetRollback")
    assert.strictEqual((await kafkaBackup("offsets", "verify", ...back)).code, 16)
    await succeed("offsets", "rollback", ...back)
    assert.deepStrictEqual(await java.groupOffsets(classic), former)
    await succeed("offsets", "verify", ...back)
  })
})
