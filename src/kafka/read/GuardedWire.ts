import { Effect, Exit } from "effect"
import type { BrokerGuard } from "../BrokerGuards.ts"
import type { KafkaWire, WireFetched } from "../KafkaWire.ts"
import { leaderCheck } from "./LeaderCheck.ts"

/**
 * `wire` with one guard for the fetches from each broker, by node id, and one for metadata, which any broker answers. A
 * fetch that is held back fails like a lost connection once another broker leads its partition, so that a broker that
 * is gone delays no read for long.
 */
export const make = (wire: KafkaWire, guard: BrokerGuard): KafkaWire => ({
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
      return guard(request.leader)(call, leaderCheck(wire, "fetch", request)).pipe(
        // Interrupted after the answer arrived: only here can its buffers be released.
        Effect.onExit((exit) => Effect.sync(() => (Exit.isFailure(exit) ? answer?.release() : undefined)))
      )
    }),
  fetchTogether: (leader, requests, maxBytes) =>
    Effect.suspend(() => {
      let answers: ReadonlyArray<WireFetched> = []
      const call = Effect.uninterruptibleMask((restore) =>
        restore(wire.fetchTogether(leader, requests, maxBytes)).pipe(
          Effect.map((arrived) => {
            answers = arrived
            return arrived
          })
        )
      )
      return guard(leader)(call, leaderCheck(wire, "fetch", requests[0]!)).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            if (Exit.isFailure(exit)) for (const answer of answers) answer.release()
          })
        )
      )
    })
})
