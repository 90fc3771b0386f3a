/**
 * The only access to kafkajs's internals. kafkajs connects, performs TLS and SASL (with re-authentication, KIP-368) and
 * requests the broker's API versions; the codec in `protocol/` does everything else. The public API of kafkajs offers
 * none of this separately, so these modules are imported from its `src/`, which is safe with exactly the version named
 * here.
 */
import manifest from "kafkajs/package.json" with { type: "json" }
import Broker from "kafkajs/src/broker/index.js"
import loggers from "kafkajs/src/loggers/index.js"
import ConnectionPool from "kafkajs/src/network/connectionPool.js"
import RequestQueue from "kafkajs/src/network/requestQueue/index.js"
import type { ConnectionOptions } from "node:tls"

/** The version that these imports and their types were written for. */
export const kafkaJsVersion = "2.2.4"

/** What kafkajs calls on a socket. */
export interface KafkaJsSocket {
  readonly on: (event: string, listener: (...args: ReadonlyArray<never>) => void) => unknown
  readonly write: (bytes: Buffer, encoding?: string) => unknown
  readonly end: () => unknown
  readonly unref: () => unknown
}

export type KafkaJsSocketFactory = (options: {
  readonly host: string
  readonly port: number
  readonly ssl?: ConnectionOptions | null
  readonly onConnect: () => void
}) => KafkaJsSocket

export interface KafkaJsConnection {
  /** False without SASL, before authentication, and from shortly before the session expires. */
  readonly isAuthenticated: () => boolean
  /** Authenticates, or waits for the authentication under way; nothing else may be sent meanwhile. */
  readonly authenticate: () => Promise<void>
  /** The lifetime that the broker granted, in milliseconds; 0 is unlimited. */
  readonly sessionLifetime: { readonly toString: () => string }
  /** How long before the end of the session `isAuthenticated` becomes false. */
  reauthenticationThreshold: number
}

export interface KafkaJsConnectionPool {
  readonly getConnection: (index: number) => Promise<KafkaJsConnection>
}

export interface ApiVersionRange {
  readonly minVersion: number
  readonly maxVersion: number
}

export interface KafkaJsBroker {
  /** Connects, asks for the API versions and authenticates. */
  readonly connect: () => Promise<void>
  readonly disconnect: () => Promise<void>
  /** By API key; null before `connect`. */
  readonly versions: Readonly<Record<number, ApiVersionRange>> | null
  readonly connectionPool: KafkaJsConnectionPool
}

export interface KafkaJsRequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null
  readonly pending: ReadonlyArray<unknown>
  readonly throttledUntil: number
  checkPendingRequests: () => void
  scheduleCheckPendingRequests: () => void
}

/** One exchange of SASL messages: what is sent, and what of the answer is returned. Both carry their length first. */
export interface KafkaJsSaslExchange {
  readonly request: { readonly encode: () => Promise<Buffer> }
  readonly response: {
    readonly decode: (answer: Buffer) => Promise<Buffer>
    readonly parse: (answer: Buffer) => Promise<Buffer>
  }
}

/** An authenticator that is not kafkajs's own, made for each authentication. */
export type KafkaJsAuthenticationProvider = (args: {
  readonly saslAuthenticate: (exchange: KafkaJsSaslExchange) => Promise<Buffer>
}) => { readonly authenticate: () => Promise<void> }

export type KafkaJsSasl =
  | { readonly mechanism: string; readonly username: string; readonly password: string }
  | { readonly mechanism: string; readonly authenticationProvider: KafkaJsAuthenticationProvider }

/** Why this version of kafkajs is unusable; undefined if it is usable. */
export const incompatibility = (): string | undefined => {
  if (manifest.version !== kafkaJsVersion)
    return `kafkajs is ${manifest.version}, but exactly ${kafkaJsVersion} is needed`
  const methods: ReadonlyArray<readonly [string, unknown]> = [
    ["Broker.connect", Broker.prototype?.connect],
    ["Broker.disconnect", Broker.prototype?.disconnect],
    ["ConnectionPool.getConnection", ConnectionPool.prototype?.getConnection],
    ["RequestQueue.scheduleCheckPendingRequests", RequestQueue.prototype?.scheduleCheckPendingRequests],
    ["RequestQueue.checkPendingRequests", RequestQueue.prototype?.checkPendingRequests],
    ["createLogger", loggers.createLogger]
  ]
  const missing = methods.find(([, method]) => typeof method !== "function")
  return missing === undefined ? undefined : `kafkajs ${kafkaJsVersion} has no method ${missing[0]}`
}

/**
 * As shipped, every connection of kafkajs wakes up each millisecond to check for throttled requests. This replacement
 * sets a timer only if a request is waiting.
 */
const scheduleOnlyWhenPending = function (this: KafkaJsRequestQueue) {
  if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    },
    Math.max(10, this.throttledUntil - Date.now())
  )
}

/** Stops the permanent timer of all kafkajs connections in this process. Another call changes nothing. */
export const quietTimers = (): void => {
  RequestQueue.prototype.scheduleCheckPendingRequests = scheduleOnlyWhenPending
}

/**
 * Makes kafkajs renew the session `beforeMillis` before its end, or half-way through a shorter session. As shipped, a
 * session shorter than the threshold is renewed with every request, and Kafka closes a connection that renews twice
 * within one second. To be called after each authentication, because each grants its own lifetime. In whole
 * milliseconds: kafkajs throws on any other number.
 */
export const renewInTime = (connection: KafkaJsConnection, beforeMillis: number): void => {
  const halfMillis = Math.floor(Number(connection.sessionLifetime.toString()) / 2)
  connection.reauthenticationThreshold = Math.min(beforeMillis, halfMillis)
}

/** Failures arrive as rejections, so kafkajs logs nothing. */
const silent = loggers.createLogger({ level: 0, logCreator: () => () => undefined })

/** A kafkajs broker that is not connected yet. It never retries. */
export const makeBroker = (options: {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly ssl: ConnectionOptions | undefined
  readonly sasl: KafkaJsSasl | undefined
  readonly socketFactory: KafkaJsSocketFactory
  readonly connectTimeoutMillis: number
  readonly reauthenticateBeforeMillis: number
}): KafkaJsBroker =>
  new Broker({
    connectionPool: new ConnectionPool({
      host: options.host,
      port: options.port,
      clientId: options.clientId,
      ssl: options.ssl ?? null,
      sasl: options.sasl ?? null,
      socketFactory: options.socketFactory,
      connectionTimeout: options.connectTimeoutMillis,
      requestTimeout: options.connectTimeoutMillis,
      // kafkajs would poll ten times a second to enforce this; `Link.open` limits the time instead.
      enforceRequestTimeout: false,
      reauthenticationThreshold: options.reauthenticateBeforeMillis,
      logger: silent
    }),
    logger: silent,
    authenticationTimeout: options.connectTimeoutMillis,
    allowAutoTopicCreation: false
  })
