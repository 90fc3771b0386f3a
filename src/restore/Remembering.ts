import { Effect } from "effect"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import * as OwnConfigs from "./OwnConfigs.ts"
import * as RestoreMemory from "./RestoreMemory.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import type { Prepared } from "./RestoreWork.ts"

/* What a restore writes into its memory as it goes. */

/**
 * Remembers which topics were made here, before anything is waited for: an attempt that died would leave topics of
 * nobody. The coordinator may not know them yet: all of it is remembered again before the first record.
 */
export const rememberMade = (
  sink: KafkaSinkShape,
  request: RestoreRequest,
  { plan, targets }: Pick<Prepared, "plan" | "targets">,
  made: ReadonlyMap<string, string | undefined>
) => {
  const memory: RestoreMemory.Memory = new Map(
    targets.flatMap(({ topic }) => {
      const topicId = made.get(topic.target)
      if (topicId === undefined) return []
      const chosen =
        request.chosen === undefined ? {} : { chosen: { by: request.chosen.by, backupId: request.backupId } }
      const retention = TopicConfigs.retention(topic.configs, OwnConfigs.wanted(topic, request.configs, undefined))
      return [[topic.target, { ...chosen, plan: plan.digest, topicId, isMade: true, retention }]]
    })
  )
  return RestoreMemory.save(sink, request.owner, memory).pipe(
    Effect.catchReason("KafkaError", "TopicVanished", () => Effect.succeed(false))
  )
}
