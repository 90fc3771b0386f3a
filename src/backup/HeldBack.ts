import type { PlannedTopic } from "../manifest/RunPlan.ts"
import type { SetFacts } from "../manifest/SetFacts.ts"

/*
 * An open transaction holds back the end of a partition: records behind that end are older than the backup, as old as
 * the transaction at most. What compaction may do to them before the next backup reads them depends on their age, and
 * nothing in the log proves it: the timestamps are the producers'. The backup before proves it, because its own end, or
 * what was open then, is older than whatever lies behind.
 */

type PartitionFacts = SetFacts["topics"][number]["partitions"][number]

/**
 * Since when a backup lacks records: whatever lies behind its end was written later. The time of its start; or, of an
 * end that was held back, what the plan found out, undefined where nobody knows.
 */
export const lackingSince = (
  { highWatermark, lackingSinceMillis }: Pick<PartitionFacts, "highWatermark" | "lackingSinceMillis">,
  startedMillis: number
): number | undefined => (highWatermark === undefined ? startedMillis : lackingSinceMillis)

/** The same for the end of a partition that is planned now, as far as `before`, an earlier backup's facts, tell. */
const since = (until: number, before: PartitionFacts, startedMillis: number): number | undefined => {
  // Nothing at or behind this offset was there yet.
  if (until >= (before.highWatermark ?? before.until)) return startedMillis
  return until >= before.until ? before.lackingSinceMillis : undefined
}

/**
 * The planned topics, with what an earlier backup proves of each end that is held back. `isClockBehind`: its times mean
 * nothing to this machine.
 */
export const dated = (
  topics: ReadonlyArray<PlannedTopic>,
  facts: Pick<SetFacts, "startedMillis" | "topics">,
  isClockBehind: boolean
): ReadonlyArray<PlannedTopic> => {
  if (isClockBehind) return topics
  const known = new Map(facts.topics.map((topic) => [topic.name, topic]))
  return topics.map((topic) => {
    const before = known.get(topic.name)
    if (before?.topicId === undefined || before.topicId !== topic.topicId) return topic
    if (topic.partitions.every(({ highWatermark }) => highWatermark === undefined)) return topic
    const ranges = new Map(before.partitions.map((range) => [range.partition, range]))
    const partitions = topic.partitions.map((partition) => {
      const range = partition.highWatermark === undefined ? undefined : ranges.get(partition.partition)
      const lackingSinceMillis = range && since(partition.until, range, facts.startedMillis)
      return lackingSinceMillis === undefined ? partition : { ...partition, lackingSinceMillis }
    })
    return { ...topic, partitions }
  })
}
