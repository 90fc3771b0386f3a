import { Effect, Schedule } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaAuthorizationFailed, type KafkaReason, ProtocolFailure } from "../KafkaError.ts"
import type { ListedGroup } from "../KafkaSink.ts"
import type { CommittedOffset, GroupOffsets } from "../KafkaSource.ts"
import type { WireCommitted } from "../KafkaWriteWire.ts"
import type { Brokers } from "./Brokers.ts"
import * as Groups from "./protocol/Groups.ts"
import * as OffsetFetch from "./protocol/OffsetFetch.ts"

/** OffsetFetch requests under way at the same time. */
const concurrency = 8

/** A coordinator that loads or moves is ready within seconds: waits 100 ms, doubling to 2 s, about 15 s in total. */
const coordinatorRetry = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 10 }),
  Schedule.setInputType<KafkaReason>(),
  Schedule.while(({ input }) => input._tag === "ProtocolFailure" && input.transient)
)

const isMoving = (errorCode: number): boolean =>
  errorCode === ErrorCode.coordinatorLoadInProgress ||
  errorCode === ErrorCode.coordinatorNotAvailable ||
  errorCode === ErrorCode.notCoordinator

/**
 * The principal may not see the group, or it is gone or has no offsets (24 invalid id, 69 not found): it is left out.
 */
const isLeftOut = (errorCode: number): boolean =>
  errorCode === ErrorCode.groupAuthorizationFailed || errorCode === 24 || errorCode === 69

const refused = (errorCode: number, what: string): KafkaReason =>
  errorCode === ErrorCode.clusterAuthorizationFailed
    ? new KafkaAuthorizationFailed({ resource: "cluster", missing: "Describe" })
    : new ProtocolFailure({
        detail: `${what} failed with error ${errorCode}`,
        code: errorCode,
        transient: isMoving(errorCode)
      })

/** The broker left the cluster between two answers; the retry uses the brokers that are there then. */
const gone = (nodeId: number): KafkaReason =>
  new ProtocolFailure({ detail: `broker ${nodeId} has left the cluster`, transient: true })

const groupsAt = (brokers: Brokers, nodeId: number) =>
  Effect.gen(function* () {
    const answer = yield* brokers.ask(nodeId, Groups.listApi, Groups.list)
    if (answer === undefined) return []
    const { errorCode, groups } = answer.value
    if (errorCode !== ErrorCode.none)
      return yield* Effect.fail(refused(errorCode, `listing groups of broker ${nodeId}`))
    return groups.map((group) => ({ group, nodeId }))
  }).pipe(Effect.retry(coordinatorRetry))

const coordinatorOf = (brokers: Brokers, groupId: string) =>
  Effect.gen(function* () {
    const answer = yield* brokers.askAny(Groups.coordinatorApi, (version) =>
      Groups.coordinator("group", groupId, version)
    )
    if (isLeftOut(answer.errorCode)) return undefined
    if (answer.errorCode !== ErrorCode.none) {
      return yield* Effect.fail(refused(answer.errorCode, `finding the coordinator of group ${groupId}`))
    }
    return answer.node.nodeId
  })

const committed = ({ leaderEpoch, metadata, offset, partition, topic }: WireCommitted): CommittedOffset => ({
  topic,
  partition,
  offset,
  ...(metadata === "" ? {} : { metadata }),
  ...(leaderEpoch < 0 ? {} : { leaderEpoch })
})

/** Asks the broker that listed the group, or its coordinator if the group has moved since. */
const offsetsOf = (brokers: Brokers, groupId: string, listedBy: number) => {
  let coordinator: number | undefined = listedBy
  return Effect.gen(function* () {
    const nodeId = coordinator ?? (yield* coordinatorOf(brokers, groupId))
    if (nodeId === undefined) return []
    coordinator = undefined
    const answer = yield* brokers.ask(nodeId, OffsetFetch.api, (version) => OffsetFetch.call(groupId, false, version))
    if (answer === undefined) return yield* Effect.fail(gone(nodeId))
    const { errorCode, offsets } = answer.value
    if (isLeftOut(errorCode)) return []
    if (errorCode !== ErrorCode.none) return yield* Effect.fail(refused(errorCode, `offsets of group ${groupId}`))
    return offsets.filter((each) => each.errorCode === ErrorCode.none && each.offset >= 0).map(committed)
  }).pipe(Effect.retry(coordinatorRetry))
}

/** Every group of every broker, by id. A group that moves while brokers are asked is listed twice. */
const listed = (brokers: Brokers) =>
  Effect.map(
    Effect.forEach(brokers.nodeIds(), (nodeId) => groupsAt(brokers, nodeId), { concurrency }),
    (found) => new Map(found.flat().map((one) => [one.group.groupId, one]))
  )

/** Every group that the principal may describe. */
export const list = (brokers: Brokers): Effect.Effect<ReadonlyArray<ListedGroup>, KafkaReason> =>
  Effect.map(listed(brokers), (found) => [...found.values()].map(({ group }) => group))

/** Committed offsets on `topics` of every group that the principal may describe and that has some. By group id. */
export const read = (
  brokers: Brokers,
  topics: ReadonlySet<string>
): Effect.Effect<ReadonlyArray<GroupOffsets>, KafkaReason> =>
  Effect.gen(function* () {
    const groups = yield* Effect.forEach(
      (yield* listed(brokers)).values(),
      ({ group: { groupId, type }, nodeId }) =>
        offsetsOf(brokers, groupId, nodeId).pipe(
          Effect.map((offsets): GroupOffsets => ({
            groupId,
            ...(type === undefined ? {} : { type }),
            offsets: offsets.filter(({ topic }) => topics.has(topic))
          }))
        ),
      { concurrency }
    )
    return groups
      .filter(({ offsets }) => offsets.length > 0)
      .sort((a, b) => (a.groupId < b.groupId ? -1 : a.groupId > b.groupId ? 1 : 0))
  })
