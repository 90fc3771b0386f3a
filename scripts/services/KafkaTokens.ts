import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Fleet } from "./Fleet.ts"
import * as Kafka from "./Kafka.ts"
import * as Ports from "./Ports.ts"

/** Addresses of a broker that takes tokens. */
export interface TokenBroker {
  /** Without security; its user (ANONYMOUS) may do everything. */
  readonly plaintext: string
  /** SASL OAUTHBEARER without TLS. */
  readonly bearer: string
  /** The same, with sessions that end after four seconds unless they are renewed. */
  readonly shortSessions: string
}

/** What the broker knows of tokens. */
export interface Issuer {
  readonly issuer: string
  readonly audience: string
  /** Public keys as JWK, with `kid` and `alg`. */
  readonly keys: ReadonlyArray<object>
  /** The subject that may do everything. */
  readonly subject: string
}

/** `connections.max.reauth.ms` of the listener with short sessions. */
const shortSessionMillis = 4000

const validator = "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"
const loginModule = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"

/** A listener that checks signature, issuer, audience and end of a JWT, without tolerance for clocks. */
const bearerListener = (name: string, jwks: string, { audience, issuer }: Issuer): Readonly<Record<string, string>> => {
  const prefix = `listener.name.${name}.oauthbearer.`
  return {
    [`listener.name.${name}.sasl.enabled.mechanisms`]: "OAUTHBEARER",
    [`${prefix}sasl.jaas.config`]: loginModule,
    [`${prefix}sasl.server.callback.handler.class`]: validator,
    [`${prefix}sasl.oauthbearer.jwks.endpoint.url`]: jwks,
    [`${prefix}sasl.oauthbearer.expected.issuer`]: issuer,
    [`${prefix}sasl.oauthbearer.expected.audience`]: audience,
    [`${prefix}sasl.oauthbearer.clock.skew.seconds`]: "0"
  }
}

/** One broker whose listeners take tokens of `issuer`. */
export const prepare = async (fleet: Fleet, issuer: Issuer) => {
  const [plain, bearer, short, control] = (await Ports.free(4)).map((port) => `127.0.0.1:${port}`)
  const jwksFile = join(fleet.folder, "jwks.json")
  writeFileSync(jwksFile, JSON.stringify({ keys: issuer.keys }))
  const jwks = `file://${jwksFile}`
  const listeners = [`PLAINTEXT://${plain}`, `BEARER://${bearer}`, `SHORT://${short}`]
  const config = Kafka.writeConfig(fleet, "kafka-tokens", {
    ...Kafka.housekeeping(1),
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@${control}`,
    "controller.listener.names": "CONTROLLER",
    listeners: [...listeners, `CONTROLLER://${control}`].join(","),
    "advertised.listeners": listeners.join(","),
    "listener.security.protocol.map":
      "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,BEARER:SASL_PLAINTEXT,SHORT:SASL_PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    ...bearerListener("bearer", jwks, issuer),
    ...bearerListener("short", jwks, issuer),
    "listener.name.short.connections.max.reauth.ms": shortSessionMillis,
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": `User:ANONYMOUS;User:${issuer.subject}`,
    "allow.everyone.if.no.acl.found": "false"
  })
  const node: Kafka.Node = { name: "kafka-tokens", config, clusterId: Kafka.clusterId(), scram: false }
  const allowed = `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${jwks}`
  const start = async (classpath: string): Promise<TokenBroker> => {
    await Kafka.boot(fleet, classpath, node, [...Kafka.smallHeap, allowed]).ready(Kafka.isUp, Kafka.bootMillis)
    return { plaintext: plain!, bearer: bearer!, shortSessions: short! }
  }
  return { nodes: [node], start }
}
