import type { BrokerGuard } from "../BrokerGuards.ts"
import type { KafkaWriteWire } from "../KafkaWriteWire.ts"
import { leaderCheck } from "../read/LeaderCheck.ts"

/**
 * `wire` with one guard for the batches sent to each broker, by node id, and one for metadata, which any broker
 * answers. What is held back is the sending, never a batch that was sent.
 */
export const make = (wire: KafkaWriteWire, guard: BrokerGuard): KafkaWriteWire => ({
  ...wire,
  metadata: (names) => guard("any")(wire.metadata(names)),
  produce: (request, over) => guard(request.leader)(wire.produce(request, over), leaderCheck(wire, "produce", request))
})
