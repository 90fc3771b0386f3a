import { Effect, Exit } from "effect"
import type { BrokerGuard } from "../BrokerGuards.ts"
import { BrokerUnreachable, KafkaError } from "../KafkaError.ts"
import type { KafkaWire, WireFetch, WireFetched } from "../KafkaWire.ts"

/** How often a fetch that is held back checks whether its partition has another leader. */
const leaderCheckMillis = 5_000

/**
 * `wire` with one guard for the fetches from each broker, by node id, and one for metadata, which any broker answers. A
 * fetch that is held back fails like a lost connection once another broker leads its partition, so that a broker that
 * is gone delays no read for long.
 */
export const make = (wire: KafkaWire, guard: BrokerGuard): KafkaWire => {
  const moved = ({ leader: node, partition, topic }: WireFetch, leader: number) =>
    new KafkaError({
      operation: "fetch",
      reason: new BrokerUnreachable({
        detail: `broker ${node} does not answer, and broker ${leader} is now the leader of ${topic}[${partition}]`,
        advice: "check the broker's log and the network",
        transient: true
      })
    })

  const checkLeader = (request: WireFetch) =>
    wire.metadata([request.topic]).pipe(
      Effect.flatMap(({ topics }) => {
        const partitions = topics.find(({ name }) => name === request.topic)?.partitions ?? []
        const leader = partitions.find(({ partition }) => partition === request.partition)?.leader ?? -1
        return leader < 0 || leader === request.leader ? Effect.void : Effect.fail(moved(request, leader))
      }),
      // If no broker answers, the leader is unknown; the guard decides how long to wait.
      Effect.catchIf(
        (error) => error.isRetryable && error.operation === "metadata",
        () => Effect.void
      )
    )

  return {
    ...wire,
    metadata: (names) => guard("any")(wire.metadata(names)),
    fetch: (request) =>
      Effect.suspend(() => {
        let answer: WireFetched | undefined
        const call = Effect.uninterruptibleMask((restore) =>
          restore(wire.fetch(request)).pipe(
            Effect.map((arrived) => {
              answer = arrived
              return arrived
            })
          )
        )
        return guard(request.leader)(call, { everyMillis: leaderCheckMillis, check: checkLeader(request) }).pipe(
          // Interrupted after the answer arrived: only here can its buffers be released.
          Effect.onExit((exit) => Effect.sync(() => (Exit.isFailure(exit) ? answer?.release() : undefined)))
        )
      })
  }
}
