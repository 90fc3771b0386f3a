import { Effect } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaSinkShape, Right } from "../kafka/KafkaSink.ts"
import * as Attempt from "./Attempt.ts"
import type { Means } from "./HoleMeans.ts"
import * as Holes from "./Holes.ts"
import type { Objection, PlannedTopic } from "./RestorePlan.ts"

const startsLater = ({ partitions }: PlannedTopic): boolean =>
  partitions.some(({ appendedFrom, start }) => appendedFrom === undefined && start > 0)

const what: Readonly<Record<string, string>> = {
  Write: "to write records",
  Read: "to compare records",
  AlterConfigs: "to set the configuration",
  Alter: "to write control markers into the holes of the old logs"
}

const whatFor = ({ operation, resource }: Right, deleted: ReadonlySet<string>): string => {
  if (operation === "Delete") return deleted.has(resource) ? "to delete it" : "to move the start of the log"
  return what[operation] ?? "for the restore"
}

/** A topic, and whether all of it is deleted before or after the restore. */
export interface Asked {
  readonly topic: PlannedTopic
  readonly isDeleted: boolean
}

const objection = ({ operation, resource }: Right, deleted: ReadonlySet<string>): Objection => ({
  reason: "TargetDenied",
  message: `permission denied: the principal lacks ${operation} on ${resource}, needed ${whatFor({ operation, resource }, deleted)}`,
  advice:
    operation === "Alter"
      ? `grant the principal ${operation} on ${resource}, or Write on its transactional ids, or set offsets: New`
      : `grant the principal ${operation} on ${resource}`
})

/** The permissions that writing these topics needs, and that the principal lacks. Changes nothing. */
export const objections = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  owner: Owner,
  asked: ReadonlyArray<Asked>,
  means: Means
) {
  const missing = yield* sink.missingRights({
    topics: asked.map(({ isDeleted, topic }) => ({ name: topic.target, deletes: isDeleted || startsLater(topic) })),
    markers: means !== "transactions" && asked.some(({ topic }) => Holes.needsMarkers(topic)),
    groupId: Attempt.nameOf(owner)
  })
  const deleted = new Set(asked.filter(({ isDeleted }) => isDeleted).map(({ topic }) => `topic ${topic.target}`))
  return missing.map((right) => objection(right, deleted))
})
