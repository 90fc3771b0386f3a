import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } from "kafkajs"
import { afterAll, assert, beforeAll, it } from "vitest"
import { type Acl, JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { kafkaBackup, onVolume, reportOf, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

/* ACLs and quotas of a real cluster: kept by a backup, told by a dry run, added by a restore, and listed by kafkajs. */

const nameOf = (names: object, code: number) => Object.entries(names).find(([, one]) => one === code)?.[0]

describeWith(["kafka", "kafkaSecurity", "java"], "ACLs and quotas", (services) => {
  const { plaintext, security } = services.kafka
  const workspace = new Workspace()
  const topic = unique("access")
  const [user, group, target] = [`user-${topic}`, `group-${topic}`, `restored-${topic}`]
  const acl = (changes: Partial<Acl>): Acl => ({
    user,
    resource: "TOPIC",
    name: topic,
    operations: ["READ"],
    ...changes
  })
  const granted = [
    acl({}),
    acl({ name: topic.slice(0, -2), pattern: "PREFIXED", operations: ["WRITE", "DESCRIBE_CONFIGS"] }),
    acl({ operations: ["DELETE"], permission: "DENY" }),
    acl({ resource: "GROUP", name: group }),
    acl({ name: `${topic}-other` })
  ]
  /** There before the restore, once as the backup has it and once not. */
  const existing = [acl({ name: target }), acl({ name: target, user: `${user}-2`, operations: ["ALTER"] })]
  const limited: ReadonlyArray<Acl> = [
    ...(["TOPIC", "GROUP"] as const).map((resource) =>
      acl({ user: "limited", resource, name: resource === "TOPIC" ? topic : group })
    ),
    { user: "limited", resource: "CLUSTER", operations: ["DESCRIBE"] }
  ]
  let java: JavaKafka
  let backupId: string

  const asLimited = {
    bootstrapServers: [security.saslPlaintext],
    securityProtocol: "SASL_PLAINTEXT",
    saslSecret: { name: "kafka-credentials", mechanism: "SCRAM-SHA-256" }
  }
  const asAdmin = { bootstrapServers: [plaintext] }
  const backup = (name: string, kafkaCluster: object) =>
    workspace.manifest(name, { kafkaCluster, topics: [topic], storage: onVolume })
  const restore = (name: string, spec: object = {}) => {
    const common = { backupId, targetCluster: asAdmin, storage: onVolume, topicMapping: { [topic]: target } }
    return workspace.manifest(name, { ...common, acls: "Create", quotas: "Create", ...spec }, "KafkaRestore")
  }

  /** What another client lists of a topic. */
  const listed = async (name: string) => {
    const admin = new Kafka({ brokers: [plaintext], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    try {
      const { resources } = await admin.describeAcls({
        resourceType: AclResourceTypes.TOPIC,
        resourceName: name,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        operation: AclOperationTypes.ANY,
        permissionType: AclPermissionTypes.ANY
      })
      return resources
        .flatMap(({ acls }) => acls)
        .map(
          ({ operation, permissionType, principal }) =>
            `${nameOf(AclPermissionTypes, permissionType)} ${principal} ${nameOf(AclOperationTypes, operation)}`
        )
        .toSorted()
    } finally {
      await admin.disconnect()
    }
  }

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: plaintext })
    await java.createTopics({ name: topic })
    await java.load({ topic, count: 50, seed: 6 })
    await java.commitOffsets(group, { [topic]: { 0: 30 } })
    await java.grant(...granted, ...limited)
    await java.setScram(user, "SCRAM-SHA-512", "secret")
    await java.limitReads({ user }, 1_048_576)
    workspace.secret("kafka-credentials", { username: "limited", password: security.users.limited })
    const report = reportOf(await succeed("run", ...backup("source", asAdmin)))
    backupId = report.backupId
    // Each operation is an ACL of its own; other tests may have granted some of all topics.
    assert.isAtLeast(report.clusterMetadata.acls.count, 5)
    await java.grant(...existing)
    await java.limitReads({ user }, null)
  })
  afterAll(async () => {
    await java?.revoke(...granted, ...existing, ...limited)
    await java?.revoke(...granted.map((one) => ({ ...one, name: target, pattern: "LITERAL" as const })))
    await java?.limitReads({ user }, null)
    await java?.deleteGroup(group)
    await java?.close()
    workspace[Symbol.dispose]()
  })

  it("are described with a backup, and what was not allowed is described, too", async () => {
    const { stdout } = await succeed("describe", backupId, ...backup("source", asAdmin))
    assert.match(stdout, /^ACLs +[0-9]+$/m)
    assert.match(stdout, /^SCRAM users +[0-9]+$/m)
    assert.match(stdout, /^Client quotas +[0-9]+$/m)
    const report = reportOf(await succeed("run", ...backup("limited", asLimited)))
    assert.isAtLeast(report.clusterMetadata.acls.count, 5)
    assert.deepStrictEqual(report.clusterMetadata.quotas, {
      state: "notAllowed",
      detail: "permission denied: the principal lacks DescribeConfigs on cluster"
    })
    const described = await succeed("describe", report.backupId, ...backup("limited", asLimited))
    assert.match(described.stdout, /^Client quotas +none: permission denied: .+ DescribeConfigs on cluster$/m)
    await succeed("verify", report.backupId, ...backup("limited", asLimited))
  })

  it("are told by a dry run, which adds none", async () => {
    const before = await listed(target)
    const { stdout } = await succeed("restore", ...restore("dry", { dryRun: true }))
    for (const line of [
      `  Allow User:${user} Write on topic ${target}`,
      `  Allow User:${user} DescribeConfigs on topic ${target}`,
      `  Deny User:${user} Delete on topic ${target}`,
      `  consumer_byte_rate 1048576 of user ${user}`
    ]) {
      assert.include(stdout, line)
    }
    assert.notInclude(stdout, `${topic}-other`)
    assert.notInclude(stdout, `  Allow User:${user} Read on topic`)
    assert.deepStrictEqual(await listed(target), before)
  })

  it("are refused before anything is written without the permission, which is named", async () => {
    const { code, stderr } = await kafkaBackup("restore", ...restore("powerless", { targetCluster: asLimited }))
    assert.strictEqual(code, 19, stderr)
    assert.include(stderr, "permission denied: the principal lacks Alter on cluster, needed to create ACLs")
    assert.include(
      stderr,
      "permission denied: the principal lacks DescribeConfigs on cluster, needed to compare client quotas"
    )
  })

  it("are added for the restored topic under its new name, beside those that were there", async () => {
    const { stdout } = await succeed("restore", ...restore("real"))
    assert.match(stdout, /ACLs were created and read back, and [0-9]+ were there before/)
    assert.match(stdout, /client quotas? (was|were) created and read back/)
    const own = (await listed(target)).filter((one) => one.includes(user))
    assert.deepStrictEqual(own, [
      `ALLOW User:${user} DESCRIBE_CONFIGS`,
      `ALLOW User:${user} READ`,
      `ALLOW User:${user} WRITE`,
      `ALLOW User:${user}-2 ALTER`,
      `DENY User:${user} DELETE`
    ])
  })
})
