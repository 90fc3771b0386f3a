import { Effect } from "effect"
import type { WhileWaiting } from "../BrokerGuards.ts"
import { BrokerUnreachable, KafkaError } from "../KafkaError.ts"
import type { TopicPartition } from "../KafkaSource.ts"
import type { KafkaWire } from "../KafkaWire.ts"

/** How often a request that is held back checks whether its partition has another leader. */
const everyMillis = 5_000

interface ToLeader extends TopicPartition {
  readonly leader: number
}

const moved = (operation: KafkaError["operation"], { leader: node, partition, topic }: ToLeader, leader: number) =>
  new KafkaError({
    operation,
    reason: new BrokerUnreachable({
      detail: `broker ${node} does not answer, and broker ${leader} is now the leader of ${topic}[${partition}]`,
      advice: "check the broker's log and the network",
      transient: true
    })
  })

/** Fails like a lost connection once another broker leads the partition of a request that is held back. */
export const leaderCheck = (
  wire: Pick<KafkaWire, "metadata">,
  operation: KafkaError["operation"],
  request: ToLeader
): WhileWaiting => ({
  everyMillis,
  check: wire.metadata([request.topic]).pipe(
    Effect.flatMap(({ topics }) => {
      const partitions = topics.find(({ name }) => name === request.topic)?.partitions ?? []
      const leader = partitions.find(({ partition }) => partition === request.partition)?.leader ?? -1
      return leader < 0 || leader === request.leader ? Effect.void : Effect.fail(moved(operation, request, leader))
    }),
    // If no broker answers, the leader is unknown; the guard decides how long to wait.
    Effect.catchIf(
      (error) => error.isRetryable && error.operation === "metadata",
      () => Effect.void
    )
  )
})
