import type { Effect, Redacted } from "effect"
import type { KafkaCredentials } from "./KafkaCredentials.ts"

/** How to reach one cluster, with credentials. */
export interface KafkaTarget {
  /** `host:port`, `[v6]:port`. */
  readonly bootstrapServers: ReadonlyArray<string>
  /** Present for SSL and SASL_SSL. */
  readonly tls?:
    | {
        /** PEM, one or more certificates. Absent: Node's bundled authorities and those of the system. */
        readonly ca?: string
        /** PEM client certificate (with its chain) and key for mTLS; both or none. */
        readonly certificate?: string
        readonly key?: Redacted.Redacted
        /** The Secret that holds these files, and its keys, for messages. */
        readonly secret?: string
        /** The Secret that holds the authorities, where that is another one. */
        readonly caSecret?: string
        readonly caKey?: string
        readonly certKey?: string
        readonly keyKey?: string
      }
    | undefined
  /** Present for SASL_PLAINTEXT and SASL_SSL. */
  readonly sasl?: KafkaCredentials | undefined
  /** True: a host name that no name server knows is an outage. Otherwise it is a mistake in the configuration. */
  readonly waitsForUnknownHosts?: boolean
  /** This target with the present values of its Secrets; undefined while they cannot be read. */
  readonly reread?: Effect.Effect<KafkaTarget | undefined>
}
