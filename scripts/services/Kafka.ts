import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Fleet } from "./Fleet.ts"
import * as Pki from "./Pki.ts"
import * as Ports from "./Ports.ts"
import { say } from "./Progress.ts"

/** Addresses and credentials of the secured listeners; only for a broker that we started. */
export interface KafkaSecurity {
  /** SASL without TLS: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512. */
  readonly saslPlaintext: string
  /** SASL over TLS, same mechanisms. */
  readonly saslSsl: string
  /** TLS without client certificates. */
  readonly ssl: string
  /** TLS that requires a client certificate; its CN is the user. */
  readonly mtls: string
  /** SASL over TLS with SCRAM-SHA-512 and PLAIN, whose sessions end after four seconds unless they are renewed. */
  readonly shortSessions: string
  /** TLS with a certificate that has expired, and with one for `kafka.example`. */
  readonly expired: string
  readonly elsewhere: string
  /** Further certificates of user `backup`, by what is special about them; only the first is let in. */
  readonly clients: Pki.Pki["clients"]
  /** Paths of PEM files. */
  readonly caPem: string
  readonly clientCertPem: string
  readonly clientKeyPem: string
  /** An authority that did not sign the broker's certificate. */
  readonly strangerCaPem: string
  /** Passwords by user. `admin` and `backup` may do everything, `limited` nothing until it is granted an ACL. */
  readonly users: { readonly admin: string; readonly backup: string; readonly limited: string }
}

export interface KafkaBroker {
  /** `host:port` of the listener without security; its user (ANONYMOUS) may do everything. */
  readonly plaintext: string
  readonly pid?: number
  readonly security?: KafkaSecurity
}

export interface KafkaCluster {
  /** Comma-separated `host:port` of three brokers. */
  readonly bootstrap: string
  readonly brokers?: ReadonlyArray<{ readonly id: number; readonly address: string; readonly pid: number }>
}

/** How long a broker may take to boot; an idle machine needs 3-7 s per broker, a busy one several times that. */
const bootMillis = 180_000

/**
 * Super users are `admin`, `backup` and ANONYMOUS; the last is whoever comes by PLAINTEXT or by SSL without a client
 * certificate, brokers among themselves included. `limited` may do nothing until a test grants it something.
 */
const users = { admin: "admin-secret", backup: "backup-secret", limited: "limited-secret" }

/**
 * Alike for every broker: small offsets and transaction topics, and log housekeeping within seconds instead of minutes.
 */
const housekeeping = (replicas: number): Readonly<Record<string, string | number>> => ({
  "offsets.topic.replication.factor": replicas,
  "offsets.topic.num.partitions": 4,
  "transaction.state.log.replication.factor": replicas,
  "transaction.state.log.min.isr": Math.min(2, replicas),
  "transaction.state.log.num.partitions": 4,
  "share.coordinator.state.topic.replication.factor": replicas,
  "share.coordinator.state.topic.min.isr": Math.min(2, replicas),
  "default.replication.factor": replicas,
  "min.insync.replicas": Math.min(2, replicas),
  "group.initial.rebalance.delay.ms": 0,
  "auto.create.topics.enable": "false",
  "log.retention.check.interval.ms": 5_000,
  "log.segment.delete.delay.ms": 1_000,
  "log.cleaner.backoff.ms": 1_000,
  "message.max.bytes": 33_554_432,
  "replica.fetch.max.bytes": 33_554_432,
  "replica.fetch.response.max.bytes": 67_108_864,
  "socket.request.max.bytes": 104_857_600
})

const properties = (entries: Readonly<Record<string, string | number>>): string =>
  Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("")

interface Node {
  readonly name: string
  readonly config: string
  readonly clusterId: string
  readonly scram: boolean
}

/** Writes the metadata of all nodes with one JVM; a JVM per node would double the time to start. */
const format = (classpath: string, nodes: ReadonlyArray<Node>): void => {
  const scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) =>
    Object.entries(users).flatMap(([name, password]) => [
      "--add-scram",
      `${mechanism}=[name=${name},password=${password}]`
    ])
  )
  const lines = nodes.map((node) =>
    ["format", "-t", node.clusterId, "-c", node.config, ...(node.scram ? scram : [])].join("\t")
  )
  const made = spawnSync("java", ["-XX:TieredStopAtLevel=1", "-cp", classpath, "FormatStorage"], {
    input: lines.join("\n"),
    encoding: "utf8"
  })
  if (made.status !== 0) throw new Error(`could not format Kafka's log folders:\n${made.stdout}${made.stderr}`)
}

const quiet = [
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
  "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
  "-Dorg.slf4j.simpleLogger.showDateTime=true"
]

const boot = (fleet: Fleet, classpath: string, node: Node, jvm: ReadonlyArray<string>) =>
  fleet.start(node.name, "java", [...jvm, ...quiet, "-cp", classpath, "kafka.Kafka", node.config])

const smallHeap = ["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]

/** What a broker or controller writes to its log, once for each start, when it is up. */
export const upMessage = "Kafka Server started"
const isUp = (log: string): boolean => log.includes(upMessage)

/** 16 random bytes as Kafka prints them. Never with a leading dash, which its tools would take for an option. */
const clusterId = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[0]! &= 0x7f
  return Buffer.from(bytes).toString("base64url")
}

const writeConfig = (fleet: Fleet, name: string, entries: Readonly<Record<string, string | number>>): string => {
  const folder = join(fleet.folder, name)
  mkdirSync(folder, { recursive: true })
  const config = join(folder, "server.properties")
  writeFileSync(config, properties({ ...entries, "log.dirs": join(folder, "data") }))
  return config
}

const loginModules = {
  scram: "org.apache.kafka.common.security.scram.ScramLoginModule required;",
  plain: `org.apache.kafka.common.security.plain.PlainLoginModule required ${Object.entries(users)
    .map(([name, password]) => `user_${name}="${password}"`)
    .join(" ")};`
}

const saslListener = (
  name: string,
  mechanisms = "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN"
): Readonly<Record<string, string>> => ({
  [`listener.name.${name}.sasl.enabled.mechanisms`]: mechanisms,
  [`listener.name.${name}.scram-sha-256.sasl.jaas.config`]: loginModules.scram,
  [`listener.name.${name}.scram-sha-512.sasl.jaas.config`]: loginModules.scram,
  [`listener.name.${name}.plain.sasl.jaas.config`]: loginModules.plain
})

/** `connections.max.reauth.ms` of the listener with short sessions; real clusters say an hour. */
const shortSessionMillis = 4000

/** One broker with a listener for every way of connecting, and ACLs. */
export const prepareBroker = async (fleet: Fleet) => {
  const pki = Pki.make(join(fleet.folder, "pki"))
  const ports = await Ports.free(9)
  const at = (index: number) => `127.0.0.1:${ports[index]}`
  const clients = {
    PLAINTEXT: at(0),
    SASLPT: at(1),
    SASLTLS: at(2),
    TLS: at(3),
    MTLS: at(4),
    SHORT: at(6),
    EXPIRED: at(7),
    ELSEWHERE: at(8)
  }
  const listeners = Object.entries(clients).map(([name, address]) => `${name}://${address}`)
  const config = writeConfig(fleet, "kafka", {
    ...housekeeping(1),
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@${at(5)}`,
    "controller.listener.names": "CONTROLLER",
    listeners: [...listeners, `CONTROLLER://${at(5)}`].join(","),
    "advertised.listeners": listeners.join(","),
    "listener.security.protocol.map":
      "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASLPT:SASL_PLAINTEXT,SASLTLS:SASL_SSL,TLS:SSL,MTLS:SSL,SHORT:SASL_SSL,EXPIRED:SSL,ELSEWHERE:SSL",
    "inter.broker.listener.name": "PLAINTEXT",
    ...saslListener("saslpt"),
    ...saslListener("sasltls"),
    ...saslListener("short", "SCRAM-SHA-512,PLAIN"),
    "listener.name.short.connections.max.reauth.ms": shortSessionMillis,
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": pki.serverStore,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": pki.ca,
    "listener.name.expired.ssl.keystore.location": pki.expiredStore,
    "listener.name.elsewhere.ssl.keystore.location": pki.elsewhereStore,
    "listener.name.mtls.ssl.client.auth": "required",
    "listener.name.mtls.ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS;User:admin;User:backup",
    "allow.everyone.if.no.acl.found": "false"
  })
  const node: Node = { name: "kafka", config, clusterId: clusterId(), scram: true }
  const start = async (classpath: string): Promise<KafkaBroker> => {
    const process = boot(fleet, classpath, node, ["-Xms256m", "-Xmx1g", "-XX:+UseG1GC"])
    await process.ready(isUp, bootMillis)
    say(`kafka: ready at ${clients.PLAINTEXT}`)
    return {
      plaintext: clients.PLAINTEXT,
      pid: process.pid,
      security: {
        saslPlaintext: clients.SASLPT,
        saslSsl: clients.SASLTLS,
        ssl: clients.TLS,
        mtls: clients.MTLS,
        shortSessions: clients.SHORT,
        expired: clients.EXPIRED,
        elsewhere: clients.ELSEWHERE,
        clients: pki.clients,
        caPem: pki.ca,
        clientCertPem: pki.clientCert,
        clientKeyPem: pki.clientKey,
        strangerCaPem: pki.strangerCa,
        users
      }
    }
  }
  return { nodes: [node], start }
}

/** A controller beside three brokers: its id, and how soon it counts a broker as gone (9 s by default). */
const apart = { id: 4, "broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500 }

/**
 * Three brokers in three racks; for leadership, replicas and fetches spread over brokers. They are also the
 * controllers, or there is one controller beside them, for a cluster that goes on while most of its brokers are down.
 */
export const prepareCluster = async (
  fleet: Fleet,
  { isControlledApart = false }: { readonly isControlledApart?: boolean } = {}
) => {
  const ports = await Ports.free(6)
  const ids = [1, 2, 3]
  const broker = (id: number) => `127.0.0.1:${ports[id - 1]}`
  const controller = (id: number) => `127.0.0.1:${ports[id + 2]}`
  const shared = clusterId()
  const { id: controllerId, ...sessions } = apart
  const quorum = {
    ...(isControlledApart ? sessions : {}),
    "controller.quorum.voters": isControlledApart
      ? `${controllerId}@${controller(1)}`
      : ids.map((voter) => `${voter}@${controller(voter)}`).join(","),
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
  }
  const nodes = ids.map((id): Node => ({
    name: `kafka3-${id}`,
    clusterId: shared,
    scram: false,
    config: writeConfig(fleet, `kafka3-${id}`, {
      ...housekeeping(3),
      ...quorum,
      "process.roles": isControlledApart ? "broker" : "broker,controller",
      "node.id": id,
      "broker.rack": `rack-${id}`,
      listeners: `PLAINTEXT://${broker(id)}${isControlledApart ? "" : `,CONTROLLER://${controller(id)}`}`,
      "advertised.listeners": `PLAINTEXT://${broker(id)}`,
      "inter.broker.listener.name": "PLAINTEXT",
      "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector"
    })
  }))
  if (isControlledApart) {
    const name = "kafka3-controller"
    const config = writeConfig(fleet, name, {
      ...housekeeping(3),
      ...quorum,
      "process.roles": "controller",
      "node.id": controllerId,
      listeners: `CONTROLLER://${controller(1)}`
    })
    nodes.push({ name, clusterId: shared, scram: false, config })
  }
  const start = async (classpath: string): Promise<KafkaCluster> => {
    const processes = nodes.map((node) => boot(fleet, classpath, node, smallHeap))
    await Promise.all(processes.map((process) => process.ready(isUp, bootMillis)))
    const bootstrap = ids.map(broker).join(",")
    say(`kafka3: ready at ${bootstrap}`)
    return {
      bootstrap,
      brokers: ids.map((id, index) => ({ id, address: broker(id), pid: processes[index]?.pid ?? -1 }))
    }
  }
  return { nodes, start }
}

/**
 * One broker without security at an address of this machine: for pods, which have a loopback of their own. Its port is
 * free on 127.0.0.1, which is taken as a sign for the address.
 */
export const prepareAt = async (fleet: Fleet, host: string) => {
  const [port, controllerPort] = await Ports.free(2)
  const [client, controller] = [`${host}:${port}`, `127.0.0.1:${controllerPort}`]
  const config = writeConfig(fleet, "kafka-at", {
    ...housekeeping(1),
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@${controller}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://${client},CONTROLLER://${controller}`,
    "advertised.listeners": `PLAINTEXT://${client}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT"
  })
  const node: Node = { name: "kafka-at", config, clusterId: clusterId(), scram: false }
  const start = async (classpath: string): Promise<KafkaBroker> => {
    const process = boot(fleet, classpath, node, smallHeap)
    await process.ready(isUp, bootMillis)
    return { plaintext: client, pid: process.pid }
  }
  return { nodes: [node], start }
}

export { boot, bootMillis, clusterId, format, housekeeping, isUp, type Node, smallHeap, writeConfig }
