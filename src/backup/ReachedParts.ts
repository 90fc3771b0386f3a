import type { RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import type { RunProgress } from "../worker/RunProgress.ts"
import type { Reached } from "./RunReport.ts"

/** The parts of the plan that a process has worked at, each with what of it is durable: all, once it is at its ends. */
export type Parts = Map<RunPlan, RunState.RunState | "atEnds">

/** Most topics, and most partitions, that a report names: it stays small, however large the run is. */
const most = 100

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((a, b) => a + b, 0)

const ofTopic = (part: RunPlan, topic: RunPlan["topics"][number], held: RunState.RunState | "atEnds") => {
  const plan = { ...part, topics: [topic] }
  const offsets = RunState.offsetsToRead(plan, held === "atEnds" ? RunState.make() : held)
  const open = held === "atEnds" ? [] : RunState.unfinished(plan, held)
  return {
    topic: topic.name,
    partitions: topic.partitions.length,
    partitionsDone: topic.partitions.length - open.length,
    offsets,
    offsetsDone: offsets - sum(open.map(({ partition, position }) => partition.until - position)),
    open: open.map(({ partition, position }) => ({
      topic: topic.name,
      partition: partition.partition,
      next: position,
      until: partition.until
    }))
  }
}

type TopicReached = ReturnType<typeof ofTopic>

/** One topic of several parts. */
const joined = (parts: ReadonlyArray<TopicReached>): TopicReached => ({
  topic: parts[0]!.topic,
  partitions: sum(parts.map(({ partitions }) => partitions)),
  partitionsDone: sum(parts.map(({ partitionsDone }) => partitionsDone)),
  offsets: sum(parts.map(({ offsets }) => offsets)),
  offsetsDone: sum(parts.map(({ offsetsDone }) => offsetsDone)),
  open: parts.flatMap(({ open }) => open)
})

/** How far a run came that ends without a set. Pure. */
export const reached = ({ step }: RunProgress, parts: Parts): Reached => {
  const found = [...parts].flatMap(([part, held]) => part.topics.map((topic) => ofTopic(part, topic, held)))
  const topics = [...Map.groupBy(found, ({ topic }) => topic).values()].map(joined)
  const isOpen = ({ open }: TopicReached) => open.length > 0
  const ordered = [...topics.filter(isOpen), ...topics.filter((one) => !isOpen(one))]
  return {
    step,
    partitions: sum(topics.map(({ partitions }) => partitions)),
    partitionsDone: sum(topics.map(({ partitionsDone }) => partitionsDone)),
    offsets: sum(topics.map(({ offsets }) => offsets)),
    offsetsDone: sum(topics.map(({ offsetsDone }) => offsetsDone)),
    topics: ordered.slice(0, most).map(({ offsets, offsetsDone, partitions, partitionsDone, topic }) => ({
      topic,
      partitions,
      partitionsDone,
      offsets,
      offsetsDone
    })),
    ...(ordered.length > most ? { moreTopics: ordered.length - most } : {}),
    open: ordered.flatMap(({ open }) => open).slice(0, most)
  }
}
