import { once } from "node:events"
import { afterAll, assert, beforeAll, it } from "vitest"
import * as Kafka from "../../scripts/services/Kafka.ts"
import * as KafkaTokens from "../../scripts/services/KafkaTokens.ts"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { type Ended, exportTopic, onVolume, reportOf, start, Workspace } from "./product.ts"
import { RememberingFleet } from "./RememberingFleet.ts"
import { unique } from "./scenes.ts"
import { TokenIssuer } from "./TokenIssuer.ts"

describeWith(["java"], "A run against a cluster that takes tokens", ({ java: { classpath } }) => {
  const fleet = new RememberingFleet()
  const topic = unique("tokens")
  let issuer: TokenIssuer
  let broker: KafkaTokens.TokenBroker
  let java: JavaKafka

  beforeAll(async () => {
    issuer = await TokenIssuer.start(fleet.folder)
    const prepared = await KafkaTokens.prepare(fleet, issuer)
    Kafka.format(classpath, prepared.nodes)
    broker = await prepared.start(classpath)
    java = await JavaKafka.start({ classpath, bootstrap: broker.plaintext })
    await java.createTopics({ name: topic, partitions: 2 })
    await java.load({ topic, count: 400, seed: 21, shape: "mixed", valueBytes: 200 })
  })
  afterAll(async () => {
    await java?.close()
    issuer?.close()
    await fleet.stop()
  })

  /** A cluster whose tokens come from the endpoint. */
  const withClient = (workspace: Workspace, bootstrap: string, secret = issuer.client.secret) => {
    workspace.secret("kafka-client", { clientId: issuer.client.id, clientSecret: secret })
    workspace.secret("sso-ca", { "ca.crt": issuer.certificate })
    const clientCredentials = {
      tokenEndpoint: issuer.endpoint,
      clientSecret: { name: "kafka-client" },
      caSecret: { name: "sso-ca" }
    }
    return cluster(bootstrap, { clientCredentials })
  }

  /** A cluster whose token is in a Secret. */
  const withToken = (workspace: Workspace, bootstrap: string, token: string) => {
    workspace.secret("kafka-token", { token })
    return cluster(bootstrap, { tokenSecret: { name: "kafka-token" } })
  }

  const cluster = (bootstrap: string, oauthBearer: object) => ({
    bootstrapServers: [bootstrap],
    securityProtocol: "SASL_PLAINTEXT",
    sasl: { mechanism: "OAUTHBEARER", oauthBearer }
  })

  const manifest = (workspace: Workspace, kafkaCluster: object, spec: object = {}) =>
    workspace.manifest("tokens", { kafkaCluster, topics: [topic], storage: onVolume, ...spec })

  const silently = (ended: Ended, ...hidden: ReadonlyArray<string>): Ended => {
    for (const secret of [issuer.client.secret, ...hidden]) {
      assert.isFalse((ended.stdout + ended.stderr).includes(secret), "a secret value was shown")
    }
    return ended
  }

  const run = async (args: ReadonlyArray<string>, ...hidden: ReadonlyArray<string>) =>
    silently(await start(args).ended, ...hidden)

  const assertRefused = (ended: Ended, ...said: ReadonlyArray<string>) => {
    assert.strictEqual(ended.code, 12, ended.stderr)
    const { advice, message, reason } = reportOf(ended).error
    assert.strictEqual(reason, "KafkaAuthenticationFailed")
    for (const words of said) assert.include(`${message}\n${advice}`, words)
  }

  it("backs up and restores with tokens that a client gets for itself", async () => {
    using workspace = new Workspace()
    const kafkaCluster = withClient(workspace, broker.bearer)
    const places = manifest(workspace, kafkaCluster)
    const ended = await run(["run", ...places])
    assert.strictEqual(ended.code, 0, ended.stderr)
    const { backupId } = reportOf(ended)
    const expected = (await java.digest(topic)).map(({ partition, sha256 }) => ({ partition, sha256 }))
    const stored = await exportTopic(places, backupId, topic)
    assert.deepStrictEqual(
      stored.map(({ partition, sha256 }) => ({ partition, sha256 })),
      expected
    )
    const target = unique("restored")
    const spec = {
      backupId,
      targetCluster: kafkaCluster,
      storage: onVolume,
      topicMapping: { [topic]: target }
    }
    const restored = await run(["restore", ...workspace.manifest("back", spec, "KafkaRestore")])
    assert.strictEqual(restored.code, 0, restored.stderr)
    const there = (await java.digest(target)).map(({ partition, sha256 }) => ({ partition, sha256 }))
    assert.deepStrictEqual(there, expected)
    // One for the run, and for the restore one to write and one to read back, whatever the number of connections.
    assert.strictEqual(issuer.given, 3)
  })

  it("says what is wrong with a client, a token, or the trust in its endpoint", async () => {
    using workspace = new Workspace()
    const wrong = "recognisable-wrong-secret"
    const client = await run(["run", ...manifest(workspace, withClient(workspace, broker.bearer, wrong))], wrong)
    assertRefused(
      client,
      "invalid_client: client authentication failed",
      "Secret kafka-client, keys clientId and clientSecret"
    )
    const expired = issuer.token({ lifeSeconds: -60 })
    const late = await run(["run", ...manifest(workspace, withToken(workspace, broker.bearer, expired))], expired)
    assertRefused(late, "invalid_token", "the token: expired at ", "Secret kafka-token, key token")
    const other = issuer.token({ aud: "others" })
    const aside = await run(["run", ...manifest(workspace, withToken(workspace, broker.bearer, other))], other)
    assertRefused(aside, "invalid_token", "audience others, issuer https://sso.example.com")
    const cluster = withClient(workspace, broker.bearer)
    workspace.secret("sso-ca", { "ca.crt": "no certificate" })
    assertRefused(await run(["run", ...manifest(workspace, cluster)]), "Secret sso-ca: ca.crt holds no PEM certificate")
    const checked = await run(["check", ...manifest(workspace, withToken(workspace, broker.bearer, other))], other)
    assert.strictEqual(checked.code, 12, checked.stderr)
    assert.include(checked.stdout + checked.stderr, "audience others")
  })

  /** Starts a run of about `seconds`, at 300,000 bytes per second. */
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
    const spec = { topics: [name], rateLimit: { bytesPerSecond: 300_000 }, circuitBreaker: { resetTimeoutSecs: 1 } }
    const begun = start(["run", ...manifest(workspace, kafkaCluster, spec)])
    await once(begun.process.stderr!, "data")
    return begun
  }

  const lasted = (ended: Ended): number => {
    assert.strictEqual(ended.code, 0, ended.stderr)
    const { completedAt, startedAt } = reportOf(ended)
    return Date.parse(completedAt) - Date.parse(startedAt)
  }

  it("outlives its tokens: sessions are renewed with new ones, from the endpoint and from a file", async () => {
    using workspace = new Workspace()
    using beside = new Workspace()
    issuer.lifeSeconds = 4
    const before = issuer.given
    const tokens: Array<string> = []
    const rotate = () => {
      tokens.push(issuer.token({ lifeSeconds: 6 }))
      return withToken(beside, broker.shortSessions, tokens.at(-1)!)
    }
    const file = await slowly(beside, rotate(), 12)
    const rotating = setInterval(rotate, 1500)
    try {
      const client = await slowly(workspace, withClient(workspace, broker.shortSessions), 12)
      const ends = await Promise.all([client.ended, file.ended])
      for (const ended of ends) {
        assert.isAtLeast(lasted(silently(ended, ...tokens)), 10_000)
        assert.notInclude(ended.stderr, "connection was lost")
      }
      // Each token lived for four seconds, and each of two connections was renewed within three.
      assert.isAtLeast(issuer.given - before, 4)
    } finally {
      clearInterval(rotating)
      issuer.lifeSeconds = 300
    }
  })
})
