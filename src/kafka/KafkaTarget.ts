import type { Effect, Redacted } from "effect"

/** How to reach and convince one cluster, credentials included. */
export interface KafkaTarget {
  /** `host:port`, `[v6]:port`. */
  readonly bootstrapServers: ReadonlyArray<string>
  /** Present for SSL and SASL_SSL. */
  readonly tls?:
    | {
        /** PEM, one or more certificates. Absent: Node's bundled and the system's authorities together. */
        readonly ca?: string
        /** PEM client certificate (chain) and key for mTLS; both or none. */
        readonly certificate?: string
        readonly key?: Redacted.Redacted
        /** Secret that the material came from, and its keys, for messages. */
        readonly secret?: string
        readonly caKey?: string
        readonly certKey?: string
        readonly keyKey?: string
      }
    | undefined
  /** Present for SASL_PLAINTEXT and SASL_SSL. */
  readonly sasl?:
    | {
        readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"
        readonly username: Redacted.Redacted
        readonly password: Redacted.Redacted
        /** Secret and keys that the credentials came from, for messages. */
        readonly secret: string
        readonly usernameKey: string
        readonly passwordKey: string
      }
    | undefined
  /** This target with the credentials as its Secrets hold them now; undefined while they cannot be read. */
  readonly reread?: Effect.Effect<KafkaTarget | undefined>
}
