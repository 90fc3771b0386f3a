import { Effect, Exit } from "effect"
import type { BrokerGuard } from "../BrokerGuards.ts"
import { BrokerUnreachable, KafkaError } from "../KafkaError.ts"
import type { KafkaWire, WireFetch, WireFetched } from "../KafkaWire.ts"

/** How often a fetch that is held back asks whether its partition has another leader by now. */
const lookMillis = 5_000

/**
 * `wire` with a guard before each broker's fetches, by node id, and one before metadata, which any broker answers. A fetch that is held back is given up, as a lost
 * connection would be, once another broker leads its partition, so that a broker that is gone holds nobody up.
 */
export const make = (wire: KafkaWire, guard: BrokerGuard): KafkaWire => {
  const moved = ({ leader: node, partition, topic }: WireFetch, leader: number) =>
    new KafkaError({
      operation: "fetch",
      reason: new BrokerUnreachable({
        detail: `broker ${node} does not answer, and broker ${leader} leads ${topic}[${partition}] now`,
        advice: "check the broker's log and the network",
        transient: true
      })
    })

  const look = (request: WireFetch) =>
    wire.metadata([request.topic]).pipe(
      Effect.flatMap(({ topics }) => {
        const partitions = topics.find(({ name }) => name === request.topic)?.partitions ?? []
        const leader = partitions.find(({ partition }) => partition === request.partition)?.leader ?? -1
        return leader < 0 || leader === request.leader ? Effect.void : Effect.fail(moved(request, leader))
      }),
      // When no broker answers at all there is nothing to learn, and the guard knows how long to wait.
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
        return guard(request.leader)(call, { everyMillis: lookMillis, look: look(request) }).pipe(
          // Interrupted behind the answer: nobody else can give its buffers back.
          Effect.onExit((exit) => Effect.sync(() => (Exit.isFailure(exit) ? answer?.release() : undefined)))
        )
      })
  }
}
