import { createPrivateKey } from "node:crypto"
import { once } from "node:events"
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs"
import { createServer, connect as connectTcp } from "node:net"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { type Ended, exportTopic, onVolume, reportOf, start, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

const mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const
type Mechanism = (typeof mechanisms)[number]

const digests = (partitions: ReadonlyArray<Pick<PartitionDigest, "partition" | "records" | "sha256">>) =>
  partitions.map(({ partition, records, sha256 }) => ({ partition, records, sha256 }))

const read = (file: string) => readFileSync(file, "utf8")

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** All files below a folder. */
const files = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())

/** Values that nobody may ever see: what stands in the Secrets that are confidential, and lines of private keys. */
const confidential = (workspace: Workspace): ReadonlyArray<string> =>
  files(workspace.secrets).flatMap((file) => {
    const text = read(file)
    if (text.includes("PRIVATE KEY"))
      return text.split(/\r?\n/).filter((line) => line.length >= 40 && !line.startsWith("-"))
    return /\/pass[^/]*$/.test(file) && text.trim().length > 0 ? [text.trim()] : []
  })

/**
 * The local ends of a process's TCP connections to `address` on loopback, as the kernel lists them; none once it has
 * ended.
 */
const connections = (pid: number, address: string): ReadonlyArray<string> => {
  const port = Number(address.split(":")[1]).toString(16).toUpperCase().padStart(4, "0")
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]))
    return read(`/proc/${pid}/net/tcp`)
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((row) => row[2]?.endsWith(`:${port}`) && inodes.has(row[9]))
      .map((row) => row[1] ?? "")
  } catch {
    return []
  }
}

const assertSilent = (workspace: Workspace, told: string) => {
  for (const value of confidential(workspace)) assert.isFalse(told.includes(value), "a secret value was shown")
}

/** Runs a command to its end, and looks for secret values in everything it said. */
const command = async (
  workspace: Workspace,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Promise<Ended> => {
  const ended = await start(args, env).ended
  assertSilent(workspace, ended.stdout + ended.stderr)
  return ended
}

describeWith(["kafka", "kafkaSecurity", "java"], "A run against a secured cluster", (services) => {
  const { security, plaintext } = services.kafka
  const topic = unique("secured")
  let java: JavaKafka
  let expected: ReadonlyArray<PartitionDigest>

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: plaintext })
    await java.createTopics({ name: topic, partitions: 2 })
    await java.load({ topic, count: 400, seed: 21, shape: "mixed", codec: "rotate", valueBytes: 200 })
    expected = await java.digest(topic)
  })
  afterAll(() => java?.close())

  const manifest = (workspace: Workspace, kafkaCluster: object, spec: object = {}) =>
    workspace.manifest("secured", { kafkaCluster, topics: [topic], storage: onVolume, ...spec })

  const run = (workspace: Workspace, kafkaCluster: object, env: Readonly<Record<string, string>> = {}) =>
    command(workspace, ["run", ...manifest(workspace, kafkaCluster)], env)

  const tls = (workspace: Workspace, values: Readonly<Record<string, string>> = { "ca.crt": read(security.caPem) }) => {
    workspace.secret("kafka-tls", values)
    return { tlsSecret: { name: "kafka-tls" } }
  }
  const pair = (names: { readonly cert: string; readonly key: string }) => ({
    "ca.crt": read(security.caPem),
    "tls.crt": read(names.cert),
    "tls.key": read(names.key)
  })
  const sasl = (
    workspace: Workspace,
    mechanism: Mechanism,
    password: string = security.users.backup,
    username = "backup"
  ) => {
    workspace.secret("kafka-credentials", { username, password })
    return { saslSecret: { name: "kafka-credentials", mechanism } }
  }

  /**
   * The whole way: stored, proven byte by byte, read back, equal to what Kafka's own consumer reads, and no secret
   * kept.
   */
  const assertCompletes = async (
    workspace: Workspace,
    kafkaCluster: object,
    env: Readonly<Record<string, string>> = {}
  ) => {
    const places = manifest(workspace, kafkaCluster)
    const ended = await command(workspace, ["run", ...places], env)
    assert.strictEqual(ended.code, 0, ended.stderr)
    const { backupId } = reportOf(ended)
    const verified = await command(workspace, ["verify", ...places, backupId, "--deep"])
    assert.strictEqual(verified.code, 0, verified.stderr)
    assert.deepStrictEqual(digests(await exportTopic(places, backupId, topic)), digests(expected))
    for (const file of files(workspace.volumes)) assertSilent(workspace, readFileSync(file, "latin1"))
  }

  /** Refused with this exit code; message and advice hold all of `said`, and no stack. */
  const assertRefused = (ended: Ended, code: number, ...said: ReadonlyArray<string | RegExp>) => {
    assert.strictEqual(ended.code, code, ended.stderr)
    const { advice, isRetryable, message } = reportOf(ended).error
    assert.isFalse(isRetryable)
    for (const words of said) {
      if (typeof words === "string") assert.include(`${message}\n${advice}`, words)
      else assert.match(`${message}\n${advice}`, words)
    }
    assert.notMatch(ended.stderr, /\n\s+at |internal error/)
  }

  const ways: ReadonlyArray<readonly [string, (workspace: Workspace) => object]> = [
    ["PLAINTEXT", () => ({ bootstrapServers: [plaintext] })],
    ["SSL", (w) => ({ bootstrapServers: [security.ssl], securityProtocol: "SSL", ...tls(w) })],
    ...mechanisms.map(
      (mechanism) =>
        [
          `SASL_PLAINTEXT with ${mechanism}`,
          (w: Workspace) => ({
            bootstrapServers: [security.saslPlaintext],
            securityProtocol: "SASL_PLAINTEXT",
            ...sasl(w, mechanism)
          })
        ] as const
    ),
    ...mechanisms.map(
      (mechanism) =>
        [
          `SASL_SSL with ${mechanism}`,
          (w: Workspace) => ({
            bootstrapServers: [security.saslSsl],
            securityProtocol: "SASL_SSL",
            ...tls(w),
            ...sasl(w, mechanism)
          })
        ] as const
    ),
    [
      "SSL with a client certificate",
      (w) => ({
        bootstrapServers: [security.mtls],
        securityProtocol: "SSL",
        ...tls(w, pair({ cert: security.clientCertPem, key: security.clientKeyPem }))
      })
    ]
  ]

  it.each(ways)("is complete over %s", async (_, kafkaCluster) => {
    using workspace = new Workspace()
    await assertCompletes(workspace, kafkaCluster(workspace))
  })

  const acceptable: ReadonlyArray<readonly [string, (workspace: Workspace) => object]> = [
    [
      "several authorities in one file, with Windows line ends and text between them",
      (w) => {
        const bundle = `the old one\n${read(security.strangerCaPem)}\nthe new one\n${read(security.caPem)}`
        return { bootstrapServers: [security.ssl], ...tls(w, { "ca.crt": bundle.replaceAll(/\r?\n/g, "\r\n") }) }
      }
    ],
    [
      "keys of other names, an EC key and a chain in the certificate's file",
      (w) => {
        const { cert, key } = security.clients.renewed
        w.secret("kafka-tls", {
          ca: read(security.caPem),
          chain: read(cert) + read(security.caPem),
          private: read(key)
        })
        const names = { name: "kafka-tls", caKey: "ca", certKey: "chain", keyKey: "private" }
        return { bootstrapServers: [security.mtls], tlsSecret: names }
      }
    ],
    [
      "a host name instead of an address, because the certificate lists both",
      (w) => ({ bootstrapServers: [security.ssl.replace("127.0.0.1", "localhost")], ...tls(w) })
    ]
  ]

  it.each(acceptable)("accepts %s", async (_, kafkaCluster) => {
    using workspace = new Workspace()
    const ended = await run(workspace, { securityProtocol: "SSL", ...kafkaCluster(workspace) })
    assert.strictEqual(ended.code, 0, ended.stderr)
  })

  it("accepts a line end behind user name and password, and keeps every other character", async () => {
    using workspace = new Workspace()
    const user = unique("o=dd, user")
    const password = " pass=wörd,\t日本 %00 "
    for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-512"] as const) {
      await java.setScram(user, mechanism, password)
    }
    await java.grant({ user, resource: "TOPIC", name: topic, operations: ["READ", "DESCRIBE"] })
    for (const [mechanism, lineEnd] of [
      ["SCRAM-SHA-256", "\n"],
      ["SCRAM-SHA-512", "\r\n"]
    ] as const) {
      const ended = await run(workspace, {
        bootstrapServers: [security.saslSsl],
        securityProtocol: "SASL_SSL",
        ...tls(workspace),
        ...sasl(workspace, mechanism, `${password}${lineEnd}`, `${user}${lineEnd}`)
      })
      assert.strictEqual(ended.code, 0, ended.stderr)
    }
  })

  it("trusts the public and the system's authorities together when there is no tlsSecret", async () => {
    using workspace = new Workspace()
    const cluster = { bootstrapServers: [security.ssl], securityProtocol: "SSL" }
    const stranger = await run(workspace, cluster)
    assertRefused(stranger, 12, "is not trusted", "public or system authority", "kafkaCluster.caSecret", "ca.crt")
    // The system's store is a file that OpenSSL knows; SSL_CERT_FILE says which, as it does for curl.
    await assertCompletes(workspace, cluster, { SSL_CERT_FILE: security.caPem })
    const extra = await run(workspace, cluster, { NODE_EXTRA_CA_CERTS: security.caPem })
    assert.strictEqual(extra.code, 0, extra.stderr)
  })

  it("trusts nobody else once a tlsSecret names authorities", async () => {
    using workspace = new Workspace()
    const cluster = {
      bootstrapServers: [security.ssl],
      securityProtocol: "SSL",
      ...tls(workspace, { "ca.crt": read(security.strangerCaPem) })
    }
    const ended = await run(workspace, cluster, { SSL_CERT_FILE: security.caPem, NODE_EXTRA_CA_CERTS: security.caPem })
    assertRefused(ended, 12, security.ssl, "is not trusted", "Secret kafka-tls, key ca.crt")
  })

  const encrypted = (file: string) =>
    createPrivateKey(read(file))
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
      .toString()
  const client = { cert: security.clientCertPem, key: security.clientKeyPem }
  const { clients } = security

  /** How many ways there are to be turned away: what the Secret holds, the exit code, and what is said. */
  const material: ReadonlyArray<
    readonly [string, () => Readonly<Record<string, string>>, number, ReadonlyArray<string | RegExp>]
  > = [
    ["no ca.crt", () => ({ "tls.crt": "x" }), 11, ["Secret kafka-tls, key ca.crt", "there is no file"]],
    ["an empty ca.crt", () => ({ "ca.crt": "\n" }), 11, ["Secret kafka-tls, key ca.crt", "is empty"]],
    [
      "a ca.crt of something else",
      () => ({ "ca.crt": "bm9uZQ==" }),
      12,
      ["Secret kafka-tls", "ca.crt holds no PEM certificate"]
    ],
    [
      "a bundle whose second certificate is damaged",
      () => ({ "ca.crt": read(security.caPem) + read(security.strangerCaPem).replace("MII", "MIX") }),
      12,
      ["Secret kafka-tls", "certificate 2 of ca.crt is damaged"]
    ],
    [
      "a certificate without its key",
      () => ({ "ca.crt": read(security.caPem), "tls.crt": read(client.cert) }),
      11,
      ["Secret kafka-tls, key tls.key", "tls.crt exists"]
    ],
    [
      "a key without its certificate",
      () => ({ "ca.crt": read(security.caPem), "tls.key": read(client.key) }),
      11,
      ["Secret kafka-tls, key tls.crt", "tls.key exists"]
    ],
    [
      "an encrypted key",
      () => ({ ...pair(client), "tls.key": encrypted(client.key) }),
      12,
      ["Secret kafka-tls", "tls.key is encrypted", "unencrypted"]
    ],
    [
      "a key of another certificate",
      () => ({ ...pair(client), "tls.key": read(clients.stranger.key) }),
      12,
      ["Secret kafka-tls", "tls.key does not belong to tls.crt"]
    ],
    [
      "no client certificate",
      () => ({ "ca.crt": read(security.caPem) }),
      12,
      [security.mtls, "requires a client certificate", "Secret kafka-tls, keys tls.crt and tls.key"]
    ],
    [
      "an expired client certificate",
      () => pair(clients.expired),
      12,
      [security.mtls, "refused the client certificate, which expired on", "Secret kafka-tls, keys tls.crt and tls.key"]
    ],
    [
      "a client certificate of an authority that the brokers do not know",
      () => pair(clients.stranger),
      12,
      [
        security.mtls,
        "refused the client certificate",
        "that the brokers trust",
        "Secret kafka-tls, keys tls.crt and tls.key"
      ]
    ]
  ]

  it.each(material)("refuses a Secret with %s, by its name", async (_, values, code, said) => {
    using workspace = new Workspace()
    const cluster = { bootstrapServers: [security.mtls], securityProtocol: "SSL", ...tls(workspace, values()) }
    assertRefused(await run(workspace, cluster), code, ...said)
  })

  it("asks for a client certificate that the resource names, even where both of its keys are missing", async () => {
    using workspace = new Workspace()
    tls(workspace)
    const tlsSecret = { name: "kafka-tls", certKey: "user.crt", keyKey: "user.key" }
    const ended = await run(workspace, { bootstrapServers: [security.mtls], securityProtocol: "SSL", tlsSecret })
    assertRefused(ended, 11, "Secret kafka-tls, key user.crt", "there is no file")
  })

  it("names the keys as the resource does, where the broker turns a certificate down", async () => {
    using workspace = new Workspace()
    workspace.secret("kafka-tls", { authority: read(security.caPem) })
    const tlsSecret = { name: "kafka-tls", caKey: "authority" }
    const ended = await run(workspace, { bootstrapServers: [security.expired], securityProtocol: "SSL", tlsSecret })
    assertRefused(ended, 12, security.expired, "certificate has expired", "Secret kafka-tls, key authority", "clocks")
  })

  it("refuses a broker that shows a certificate for another host", async () => {
    using workspace = new Workspace()
    const cluster = { bootstrapServers: [security.elsewhere], securityProtocol: "SSL", ...tls(workspace) }
    const ended = await run(workspace, cluster)
    assertRefused(ended, 12, security.elsewhere, "is for other names", "kafka.example", "bootstrapServers")
  })

  const short = (workspace: Workspace) => ({
    bootstrapServers: [security.shortSessions],
    securityProtocol: "SASL_SSL",
    ...tls(workspace)
  })

  it("lists what the broker offers when the mechanism is not among it", async () => {
    using workspace = new Workspace()
    const ended = await run(workspace, { ...short(workspace), ...sasl(workspace, "SCRAM-SHA-256") })
    assertRefused(ended, 12, security.shortSessions, "does not offer SASL mechanism SCRAM-SHA-256", /it offers .*PLAIN/)
    assertRefused(ended, 12, /it offers .*SCRAM-SHA-512/, "Secret kafka-credentials, keys username and password")
  })

  it.each(mechanisms)("names Secret, keys and mechanism for a wrong %s password", async (mechanism) => {
    using workspace = new Workspace()
    const ended = await run(workspace, {
      bootstrapServers: [security.saslSsl],
      securityProtocol: "SASL_SSL",
      ...tls(workspace),
      ...sasl(workspace, mechanism, "hunter2-recognisable")
    })
    assertRefused(ended, 12, security.saslSsl, `refused the SASL ${mechanism} credentials`)
    assertRefused(ended, 12, "Secret kafka-credentials, keys username and password")
  })

  it.each([
    ["no password", { username: "backup" }, "key password", "there is no file"],
    ["an empty password", { username: "backup", password: "" }, "key password", "is empty"],
    ["a password of nothing but a line end", { username: "backup", password: "\n" }, "key password", "is empty"],
    ["no user name", { password: "recognisable" }, "key username", "there is no file"]
  ] as const)("refuses a Secret with %s, naming the key", async (_, values, key, said) => {
    using workspace = new Workspace()
    workspace.secret("kafka-credentials", values)
    const saslSecret = { name: "kafka-credentials", mechanism: "PLAIN" }
    const cluster = { bootstrapServers: [security.saslPlaintext], securityProtocol: "SASL_PLAINTEXT", saslSecret }
    assertRefused(await run(workspace, cluster), 11, `Secret kafka-credentials, ${key}`, said)
  })

  it.each([
    ["a protocol that does not exist", { securityProtocol: "SASL_TLS" }, "securityProtocol"],
    ["a protocol in lower case", { securityProtocol: "ssl" }, "securityProtocol"],
    [
      "a mechanism that it does not speak",
      { securityProtocol: "SASL_SSL", saslSecret: { name: "kafka-credentials", mechanism: "GSSAPI" } },
      "SCRAM-SHA-512"
    ],
    ["SASL without credentials", { securityProtocol: "SASL_SSL" }, "saslSecret"],
    [
      "credentials without SASL",
      { securityProtocol: "SSL", saslSecret: { name: "kafka-credentials", mechanism: "PLAIN" } },
      "saslSecret"
    ],
    ["TLS material without TLS", { tlsSecret: { name: "kafka-tls" } }, "tlsSecret"]
  ] as const)(
    "never falls back to something weaker: %s is refused before anything is contacted",
    async (_, cluster, said) => {
      using workspace = new Workspace()
      assertRefused(await run(workspace, { bootstrapServers: ["127.0.0.1:1"], ...cluster }), 10, said)
    }
  )

  it("never sends credentials over a connection that should be TLS and is not", async () => {
    using workspace = new Workspace()
    const sent: Array<Buffer> = []
    const [host = "", port = ""] = security.saslPlaintext.split(":")
    const proxy = createServer((socket) => {
      const broker = connectTcp(Number(port), host)
      for (const end of [socket, broker])
        end.on("error", () => undefined).on("close", () => (socket.destroy(), broker.destroy()))
      socket.on("data", (bytes) => sent.push(bytes))
      socket.pipe(broker).pipe(socket)
    }).listen(0, "127.0.0.1")
    await once(proxy, "listening")
    try {
      const address = proxy.address()
      const bootstrap = `127.0.0.1:${typeof address === "object" ? address?.port : 0}`
      const ended = await run(workspace, {
        bootstrapServers: [bootstrap],
        securityProtocol: "SASL_SSL",
        ...tls(workspace),
        ...sasl(workspace, "PLAIN")
      })
      assertRefused(ended, 18, bootstrap, "does not speak TLS", "securityProtocol")
      assert.isAbove(sent.length, 0)
      const all = Buffer.concat(sent).toString("latin1")
      assert.notInclude(all, security.users.backup)
      assert.notInclude(all, "PLAIN")
    } finally {
      proxy.close()
    }
  })

  /** Loads a topic that a run of `bytesPerSecond` needs many seconds for, and starts such a run. */
  const slowly = async (workspace: Workspace, kafkaCluster: object, seconds: number) => {
    const name = unique("slow")
    await java.createTopics({ name, partitions: 3 })
    await java.load({
      topic: name,
      count: seconds * 300,
      seed: 22,
      valueBytes: 1000,
      producer: { "batch.size": "20000" }
    })
    const spec = {
      topics: [name],
      rateLimit: { bytesPerSecond: 300_000 },
      checkpointIntervalSecs: 2,
      circuitBreaker: { resetTimeoutSecs: 1 }
    }
    const places = manifest(workspace, kafkaCluster, spec)
    const run = start(["run", ...places])
    await once(run.process.stderr!, "data")
    return { name, places, ...run }
  }

  const assertEqualToKafka = async (workspace: Workspace, slow: Awaited<ReturnType<typeof slowly>>) => {
    const ended = await slow.ended
    assertSilent(workspace, ended.stdout + ended.stderr)
    assert.strictEqual(ended.code, 0, ended.stderr)
    const report = reportOf(ended)
    assert.deepStrictEqual(
      digests(await exportTopic(slow.places, report.backupId, slow.name)),
      digests(await java.digest(slow.name))
    )
    return report
  }

  it.each(["PLAIN", "SCRAM-SHA-512"] as const)(
    "renews sessions that end after four seconds, for as long as it takes, with %s",
    async (mechanism) => {
      using workspace = new Workspace()
      const slow = await slowly(workspace, { ...short(workspace), ...sasl(workspace, mechanism) }, 22)
      const seen = new Set<string>()
      const watch = setInterval(() => {
        for (const end of connections(slow.process.pid!, security.shortSessions)) seen.add(end)
      }, 200)
      slow.process.once("exit", () => clearInterval(watch))
      const report = await assertEqualToKafka(workspace, slow)
      assert.isAtLeast(Date.parse(report.completedAt) - Date.parse(report.startedAt), 20_000)
      // One for control and one for fetches: a session that the broker ended would show as a third.
      assert.strictEqual(seen.size, 2)
    }
  )

  it("captures topic configurations and group offsets with four permissions, and says what it lacks with fewer", async () => {
    using workspace = new Workspace()
    const [user, group] = [unique("least"), unique("group")]
    await java.setScram(user, "SCRAM-SHA-512", "recognisable")
    await java.commitOffsets(group, { [topic]: { 0: 7 } })
    const cluster = () => ({
      bootstrapServers: [security.saslSsl],
      securityProtocol: "SASL_SSL",
      ...tls(workspace),
      ...sasl(workspace, "SCRAM-SHA-512", "recognisable", user)
    })
    const backUp = async () => {
      const ended = await run(workspace, cluster())
      assert.strictEqual(ended.code, 0, ended.stderr)
      const { backupId, notes } = reportOf(ended)
      const plan = files(workspace.volumes)
        .filter((file) => file.includes(backupId) && file.endsWith(".json"))
        .map(read)
        .join("\n")
      await pause(1000) // the next run needs another name
      return { notes: notes.join("\n"), plan }
    }
    await java.grant({ user, resource: "TOPIC", name: topic, operations: ["READ", "DESCRIBE"] })
    const least = await backUp()
    assert.include(
      least.notes,
      `the backup has no topic configurations: permission denied: the principal lacks DescribeConfigs on topic ${topic}`
    )
    assert.notInclude(least.plan, group)
    await java.grant(
      { user, resource: "TOPIC", name: topic, operations: ["DESCRIBE_CONFIGS"] },
      { user, resource: "GROUP", name: group, operations: ["DESCRIBE"] }
    )
    const full = await backUp()
    assert.notInclude(full.notes, "the backup has no")
    assert.include(full.plan, group)
    assert.include(full.plan, "retention.ms")
  })

  it("takes the password and the client certificate that the Secrets hold when it starts", async () => {
    using workspace = new Workspace()
    const user = unique("between")
    await java.grant({ user, resource: "TOPIC", name: topic, operations: ["READ", "DESCRIBE"] })
    const scram = (password: string) => ({
      bootstrapServers: [security.saslSsl],
      securityProtocol: "SASL_SSL",
      ...tls(workspace),
      ...sasl(workspace, "SCRAM-SHA-512", password, user)
    })
    for (const password of ["recognisable-first", "recognisable-second"]) {
      await java.setScram(user, "SCRAM-SHA-512", password)
      const ended = await run(workspace, scram(password))
      assert.strictEqual(ended.code, 0, ended.stderr)
    }
    assertRefused(await run(workspace, scram("recognisable-first")), 12, "Secret kafka-credentials")
    for (const names of [client, clients.renewed]) {
      const cluster = { bootstrapServers: [security.mtls], securityProtocol: "SSL", ...tls(workspace, pair(names)) }
      const ended = await run(workspace, cluster)
      assert.strictEqual(ended.code, 0, ended.stderr)
    }
  })

  it("keeps its sessions when the password changes on its way", async () => {
    using workspace = new Workspace()
    const user = unique("kept")
    await java.setScram(user, "SCRAM-SHA-256", "recognisable-first")
    await java.grant({ user, resource: "TOPIC", name: "slow-", pattern: "PREFIXED", operations: ["READ", "DESCRIBE"] })
    const slow = await slowly(
      workspace,
      {
        bootstrapServers: [security.saslPlaintext],
        securityProtocol: "SASL_PLAINTEXT",
        ...sasl(workspace, "SCRAM-SHA-256", "recognisable-first", user)
      },
      8
    )
    await pause(3000)
    await java.setScram(user, "SCRAM-SHA-256", "recognisable-second")
    await assertEqualToKafka(workspace, slow)
  })

  it("goes on with the Secret's new password where the broker asks for it, however long that takes to arrive", async () => {
    using workspace = new Workspace()
    const user = unique("rotated")
    await java.setScram(user, "SCRAM-SHA-512", "recognisable-first")
    await java.grant({ user, resource: "TOPIC", name: "slow-", pattern: "PREFIXED", operations: ["READ", "DESCRIBE"] })
    const cluster = { ...short(workspace), ...sasl(workspace, "SCRAM-SHA-512", "recognisable-first", user) }
    const slow = await slowly(workspace, cluster, 14)
    await pause(3000)
    await java.setScram(user, "SCRAM-SHA-512", "recognisable-second")
    // Sessions are renewed every two seconds here: the old password is refused until the Secret follows.
    await pause(6000)
    assert.isNull(slow.process.exitCode)
    sasl(workspace, "SCRAM-SHA-512", "recognisable-second", user)
    await assertEqualToKafka(workspace, slow)
  })
})
