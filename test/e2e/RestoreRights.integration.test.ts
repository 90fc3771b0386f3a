import { readFileSync } from "node:fs"
import { afterAll, assert, beforeAll, it } from "vitest"
import { type Acl, type AclOperation, JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { type Ended, kafkaBackup, onVolume, reportOf, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

/* The permissions that docs/guides/rights.md gives to the principal of a restore: they are enough, and all needed. */

const guide = readFileSync(new URL("../../docs/guides/rights.md", import.meta.url), "utf8")

const resources: Readonly<Record<string, Acl["resource"]>> = {
  topic: "TOPIC",
  group: "GROUP",
  "transactional-id": "TRANSACTIONAL_ID"
}

/** What a line of the guide, `acls --operation … --topic …`, grants: one entry for each operation. */
const granted = (line: string): ReadonlyArray<Acl> => {
  const operations = [...line.matchAll(/--operation (\w+)/g)].map(
    ([, name = ""]) => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase() as AclOperation
  )
  const [, kind = "", name = ""] = /--(topic|group|transactional-id) (\S+)/.exec(line) ?? []
  const where: Omit<Acl, "user" | "operations"> = line.includes("--cluster")
    ? { resource: "CLUSTER" }
    : { resource: resources[kind]!, name, pattern: line.includes("prefixed") ? "PREFIXED" : "LITERAL" }
  return operations.map((operation) => ({ ...where, user: "limited", operations: [operation] }))
}

const all = [...guide.matchAll(/^acls --.+$/gm)].flatMap(([line]) => granted(line))
/** Without these a restore works, less well. */
const optional = all.filter(({ name }) => name?.startsWith("kafka-backup-restore-"))
/** Without it holes in logs cost more, or records get new offsets. */
const alter = all.filter(({ resource }) => resource === "CLUSTER")
const transactional = all.filter(({ resource }) => resource === "TRANSACTIONAL_ID")
const needed = all.filter((acl) => !optional.includes(acl) && !alter.includes(acl))
const nameOf = ({ name, operations, resource }: Acl) => `${operations[0]} on ${resource} ${name ?? ""}`.trimEnd()

describeWith(["kafka", "kafkaSecurity", "java"], "The permissions of a restore", (services) => {
  const { plaintext, security } = services.kafka
  const workspace = new Workspace()
  const topic = unique("rights")
  let java: JavaKafka
  let backupId: string
  let restores = 0

  /** A restore of its own into a topic of its own, by the user who has what was granted. */
  const restore = (spec: object = {}) => {
    const name = `rights-${++restores}`
    const places = workspace.manifest(
      name,
      {
        backupId,
        targetCluster: {
          bootstrapServers: [security.saslPlaintext],
          securityProtocol: "SASL_PLAINTEXT",
          saslSecret: { name: "kafka-credentials", mechanism: "SCRAM-SHA-256" }
        },
        storage: onVolume,
        topicMapping: { [topic]: `restored-${topic}-${restores}` },
        offsetReset: { enabled: true, strategy: "headerBased", consumerGroups: ["billing"] },
        ...spec
      },
      "KafkaRestore"
    )
    return kafkaBackup("restore", ...places)
  }

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: plaintext })
    // A log that begins later than at 0, and has the holes of transactions.
    await java.createTopics({ name: topic, partitions: 2 })
    await java.load({ topic, count: 400, seed: 5, transactionEvery: 50, codec: "lz4" })
    await java.deleteRecords(topic, { 0: 20 })
    await java.commitOffsets("billing", { [topic]: { 0: 30 } })
    const kafkaCluster = { bootstrapServers: [plaintext] }
    const places = workspace.manifest("source", { kafkaCluster, topics: [topic], storage: onVolume })
    backupId = reportOf(await succeed("run", ...places)).backupId
    workspace.secret("kafka-credentials", { username: "limited", password: security.users.limited })
    await java.grant(...all)
  })
  afterAll(async () => {
    await java?.revoke(...all)
    await java?.deleteGroup("billing")
    await java?.close()
    workspace[Symbol.dispose]()
  })

  it("are those of the guide", () => {
    assert.deepStrictEqual(all.map(nameOf), [
      "CREATE on TOPIC restored-",
      "WRITE on TOPIC restored-",
      "READ on TOPIC restored-",
      "ALTER_CONFIGS on TOPIC restored-",
      "DELETE on TOPIC restored-",
      "ALTER on CLUSTER",
      "WRITE on TRANSACTIONAL_ID kafka-backup-restore-",
      "DESCRIBE on TRANSACTIONAL_ID kafka-backup-restore-",
      "READ on GROUP kafka-backup-restore-",
      "READ on GROUP billing"
    ])
  })

  it("are enough", async () => {
    const ended = await restore()
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.notMatch(ended.stderr, /permission denied/)
  })

  /** Runs with all permissions but some. They are denied, too: others that are allowed may include them. */
  const without = async (some: ReadonlyArray<Acl>, spec: object = {}): Promise<Ended> => {
    const denied = some.map((acl): Acl => ({ ...acl, permission: "DENY" }))
    await java.revoke(...some)
    await java.grant(...denied)
    try {
      return await restore(spec)
    } finally {
      await java.revoke(...denied)
      await java.grant(...some)
    }
  }

  it.each(needed.map((acl) => [nameOf(acl), acl] as const))(
    "are all needed: without %s it fails and names it",
    async (_, acl) => {
      const { code, stderr } = await without([acl])
      assert.include([12, 19], code, stderr)
      const operation = acl.operations[0]!.toLowerCase().replaceAll("_", "")
      const resource = { GROUP: "group billing" }[acl.resource as string]
      assert.include(
        stderr.toLowerCase(),
        `permission denied: the principal lacks ${operation} on ${resource ?? `topic restored-${topic}-${restores}`}`
      )
    }
  )

  it.each(optional.map((acl) => [nameOf(acl), acl] as const))("work without %s, too", async (_, acl) => {
    const { code, stderr } = await without([acl])
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(/permission denied on its consumer group/.test(stderr), acl.resource === "GROUP", stderr)
  })

  const contentOf = async (name: string) =>
    (await java.digest(name)).map(({ end, records, sha256, start }) => ({ start, end, records, sha256 }))

  it("may lack Alter on the cluster: empty transactions then take the holes", async () => {
    const { code, stderr, stdout } = await without(alter, { offsets: "Exact" })
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout, /lacks Alter on the cluster: [0-9]+ offsets without a record are taken by empty transactions/)
    assert.deepStrictEqual(await contentOf(`restored-${topic}-${restores}`), await contentOf(topic))
  })

  it("without Alter and without transactional ids give new offsets, or name Alter where the old ones are a must", async () => {
    const { code, stderr, stdout } = await without([...alter, ...transactional])
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout, /offsets without a record, and the principal lacks Alter on the cluster/)
    const refused = await without([...alter, ...transactional], { offsets: "Exact" })
    assert.strictEqual(refused.code, 19, refused.stderr)
    assert.include(refused.stderr, "permission denied: the principal lacks Alter on cluster, and restored-")
  })

  it("must have Read on the group before a topic is deleted: Describe alone is refused", async () => {
    const group = optional.find(({ resource }) => resource === "GROUP")!
    const describe: Acl = { ...group, operations: ["DESCRIBE"] }
    const target = `restored-${topic}-${restores + 1}`
    await java.createTopics({ name: target, partitions: 3 })
    await java.grant(describe)
    try {
      const spec = { existingTopics: "Recreate", confirmRecreate: [target] }
      const { code, stderr } = await without([group], spec)
      assert.strictEqual(code, 19, stderr)
      assert.match(stderr, /Recreate needs Read on consumer group kafka-backup-restore-/)
      assert.match(stderr, /grant the principal Read on group kafka-backup-restore-/)
      assert.lengthOf((await java.offsets(target))[target] ?? [], 3)
    } finally {
      await java.revoke(describe)
    }
  })

  it("are less with new offsets: neither Delete nor Alter on the cluster", async () => {
    const some = [...needed, ...alter].filter(({ operations: [name] }) => name === "DELETE" || name === "ALTER")
    assert.lengthOf(some, 2)
    const { code, stderr } = await without(some, { offsets: "New" })
    assert.strictEqual(code, 0, stderr)
  })
})
