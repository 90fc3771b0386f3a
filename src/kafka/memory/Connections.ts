import { Deferred, Effect } from "effect"
import type { KafkaError } from "../KafkaError.ts"

/** A connection that produced batches are sent over. Requests in flight fail when it breaks. */
export interface Connection {
  /** Fails as soon as the connection breaks. */
  readonly broken: Effect.Effect<never, KafkaError>
}

/** One connection to each node, opened when it is first needed. */
export interface Connections {
  readonly to: (node: number) => Connection
  readonly break: (node: number, error: KafkaError) => void
}

export const makeConnections = (): Connections => {
  const open = new Map<number, { readonly connection: Connection; readonly end: (error: KafkaError) => void }>()
  return {
    to: (node) => {
      const existing = open.get(node)
      if (existing !== undefined) return existing.connection
      const broken = Deferred.makeUnsafe<never, KafkaError>()
      const connection = { broken: Deferred.await(broken) }
      open.set(node, { connection, end: (error) => Deferred.doneUnsafe(broken, Effect.fail(error)) })
      return connection
    },
    break: (node, error) => {
      open.get(node)?.end(error)
      open.delete(node)
    }
  }
}
