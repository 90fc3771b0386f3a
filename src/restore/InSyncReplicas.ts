import type { Replicated } from "./Replication.ts"
import type { PlannedTopic, RestorePlan } from "./RestorePlan.ts"
import type { ConfigChoice } from "./RestoreRequest.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

/*
 * `min.insync.replicas` of the backup in a topic that has fewer replicas than its source. Brokers before Kafka 3.7
 * refuse every write to such a topic; later ones take the number of replicas for the limit (KAFKA-15583). A topic that
 * is restored can be written to on both.
 */

/** Most topics that a note names. */
const mostNamed = 5

const listed = (names: ReadonlyArray<string>) =>
  names.length <= mostNamed
    ? names.join(", ")
    : `${names.slice(0, mostNamed).join(", ")} and ${names.length - mostNamed} more`

/** The limit of the backup, if it is above the replicas of the topic. What an override asks for is not lowered. */
const excess = ({ replicas, topic }: Replicated, choice: ConfigChoice): number | undefined => {
  const { fromBackup, overrides } = WantedConfigs.of(topic, choice)
  const own = Number(topic.configs?.[TopicConfigs.minInSync])
  return fromBackup && overrides[TopicConfigs.minInSync] === undefined && replicas > 0 && own > replicas
    ? own
    : undefined
}

/** The plan in which no limit of the backup is above the replicas of its topic. A note says what is lowered. Pure. */
export const lowered = (plan: RestorePlan, topics: ReadonlyArray<Replicated>, choice: ConfigChoice): RestorePlan => {
  const above = topics.flatMap((one) => {
    const limit = excess(one, choice)
    return limit === undefined ? [] : [{ name: one.topic.target, limit, replicas: one.replicas }]
  })
  if (above.length === 0) return plan
  const byName = new Map(above.map((one) => [one.name, String(one.replicas)]))
  const lower = (topic: PlannedTopic): PlannedTopic => {
    const replicas = byName.get(topic.target)
    return replicas === undefined
      ? topic
      : { ...topic, configs: { ...topic.configs, [TopicConfigs.minInSync]: replicas } }
  }
  const notes = [...Map.groupBy(above, ({ limit, replicas }) => `${limit} ${replicas}`).values()].map((some) => {
    const { limit, replicas } = some[0]!
    const has = replicas === 1 ? "1 replica" : `${replicas} replicas`
    return `topics with ${has} get min.insync.replicas ${replicas} instead of the ${limit} of the backup: ${listed(some.map(({ name }) => name))}`
  })
  return { ...plan, topics: plan.topics.map(lower), notes: [...plan.notes, ...notes] }
}
