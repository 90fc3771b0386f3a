import { Effect } from "effect"
import type { Acl, Quota, ScramUser } from "../AccessRules.ts"
import { BrokerUnreachable, KafkaAuthorizationFailed, KafkaError } from "../KafkaError.ts"
import type { Producer } from "../KafkaSink.ts"
import type { CommittedOffset, GroupType, TopicPartition } from "../KafkaSource.ts"
import type { Connections } from "./Connections.ts"
import type { Fault, FaultRequest, Faults } from "./InMemoryFaults.ts"
import type { InMemoryTopic } from "./InMemoryTopics.ts"

/** A transaction that a coordinator knows. */
export interface OpenTransaction {
  /** When its first partition was added, in milliseconds since 1970. */
  readonly startedMillis: number
  readonly partitions: ReadonlyArray<TopicPartition>
}

/** What a cluster in memory knows of ACLs, users and quotas. */
export interface InMemoryAccess {
  hasAuthorizer: boolean
  readonly acls: Map<string, Acl>
  readonly users: Map<string, ScramUser>
  readonly quotas: Map<string, Quota>
}

/** The state of an in-memory cluster. */
export interface ClusterState {
  readonly location: string
  readonly clusterId: string
  readonly nodes: ReadonlyArray<number>
  readonly topics: Map<string, InMemoryTopic>
  readonly groups: Map<string, Map<string, CommittedOffset>>
  /** Groups with members. */
  readonly activeGroups: Set<string>
  /** Of groups that are not classic. */
  readonly groupTypes: Map<string, GroupType>
  /** The newest producer of each transactional id. */
  readonly transactionalIds: Map<string, Producer>
  /** The open transaction of each transactional id. */
  readonly openTransactions: Map<string, OpenTransaction>
  nextProducerId: number
  /** ACLs, which nothing here obeys: `denied` does that. */
  readonly access: InMemoryAccess
  /** `Read orders`, `DescribeConfigs`, … */
  readonly denied: Set<string>
  readonly live: Set<number>
  readonly connections: Connections
  readonly faults: Faults
  readonly counters: {
    fetches: number
    metadataRequests: number
    offsetRequests: number
    produceRequests: number
    unreleased: number
    releasedTwice: number
  }
}

export type Operation = KafkaError["operation"]

export const unreachable = (operation: Operation, detail: string) =>
  new KafkaError({
    operation,
    reason: new BrokerUnreachable({ detail, advice: "start the broker", transient: true })
  })

export const lost = (operation: Operation) => unreachable(operation, "the connection was reset")

export const denied = (operation: Operation, resource: string, missing: string) =>
  new KafkaError({ operation, reason: new KafkaAuthorizationFailed({ resource, missing }) })

export const isDenied = (state: ClusterState, operation: string, name: string): boolean =>
  state.denied.has(`${operation} ${name}`)

/** Why the node, or every node, does not answer; undefined if it does. */
export const silence = (state: ClusterState, operation: Operation, node: number | undefined): KafkaError | undefined =>
  (node === undefined ? state.live.size > 0 : state.live.has(node))
    ? undefined
    : unreachable(operation, `broker ${node ?? state.location} does not answer`)

/** Applies the faults that any request can have; returns the others for the answer. */
export const applyFaults = (
  state: ClusterState,
  operation: Operation,
  request: FaultRequest
): Effect.Effect<Fault | undefined, KafkaError> =>
  Effect.suspend((): Effect.Effect<Fault | undefined, KafkaError> => {
    const silent = silence(state, operation, request.node)
    if (silent !== undefined) return Effect.fail(silent)
    const fault = state.faults.next(request)
    if (fault?._tag === "ConnectionLost") return Effect.fail(lost(operation))
    if (fault?._tag === "Delayed") return Effect.as(Effect.sleep(fault.millis), undefined)
    return Effect.succeed(fault)
  })
