import { Effect } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaSinkShape, Right } from "../kafka/KafkaSink.ts"
import * as Attempt from "./Attempt.ts"
import type { Objection, PlannedTopic } from "./RestorePlan.ts"

/** Whether old offsets of the topic need control markers in the place of records. */
const hasHoles = ({ partitions, renumbered }: PlannedTopic): boolean =>
  renumbered === undefined && partitions.some(({ end, records, start }) => end - start > records)

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
      ? `grant the principal ${operation} on ${resource}, or set offsets: New`
      : `grant the principal ${operation} on ${resource}`
})

/** The permissions that writing these topics needs, and that the principal lacks. Changes nothing. */
export const objections = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  owner: Owner,
  topics: ReadonlyArray<PlannedTopic>
) {
  const missing = yield* sink.missingRights({
    topics: topics.map((topic) => ({ name: topic.target, deletes: startsLater(topic) })),
    markers: topics.some(hasHoles),
    groupId: Attempt.nameOf(owner)
  })
  return missing.map(objection)
})
