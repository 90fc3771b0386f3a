import { Effect } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaSinkShape, Right } from "../kafka/KafkaSink.ts"
import * as Attempt from "./Attempt.ts"
import type { Means } from "./HoleMeans.ts"
import * as Holes from "./Holes.ts"
import type { Objection, PlannedTopic } from "./RestorePlan.ts"

const startsLater = ({ partitions }: PlannedTopic): boolean => partitions.some(({ start }) => start > 0)

const what: Readonly<Record<string, string>> = {
  Write: "to write records",
  Read: "to compare records",
  AlterConfigs: "to set the configuration",
  Delete: "to move the start of the log",
  Alter: "to write control markers into the holes of the old logs"
}

const objection = ({ operation, resource }: Right): Objection => ({
  reason: "TargetDenied",
  message: `permission denied: the principal lacks ${operation} on ${resource}, needed ${what[operation] ?? "for the restore"}`,
  advice:
    operation === "Alter"
      ? `grant the principal ${operation} on ${resource}, or Write on its transactional ids, or set offsets: New`
      : `grant the principal ${operation} on ${resource}`
})

/** The permissions that writing these topics needs, and that the principal lacks. Changes nothing. */
export const objections = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  owner: Owner,
  topics: ReadonlyArray<PlannedTopic>,
  means: Means
) {
  const missing = yield* sink.missingRights({
    topics: topics.map((topic) => ({ name: topic.target, deletes: startsLater(topic) })),
    markers: means !== "transactions" && topics.some((topic) => Holes.count(topic) > 0),
    groupId: Attempt.nameOf(owner)
  })
  return missing.map(objection)
})
