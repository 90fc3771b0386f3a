import * as Field from "./Field.ts"
import { OffsetJobSpec } from "./OffsetJobSpec.ts"
import { PodTemplateSpec } from "./PodTemplateSpec.ts"
import { ResourcesSpec } from "./ResourcesSpec.ts"
import * as Rule from "./Rule.ts"
import { maxPatterns, TopicPattern } from "./TopicPattern.ts"

/** Fields of KafkaOffsetReset and KafkaOffsetRollback alike. */

export const topics = Field.optional(
  Field.list(TopicPattern, {
    description: "Topics whose offsets are meant: names and patterns. Absent: those that the group has offsets in.",
    maxItems: maxPatterns,
    rules: [
      Rule.rule({
        cel: "self.size() >= 1",
        message: "must name at least one topic or pattern; remove it for the topics that the group has offsets in",
        holds: (self) => self.length >= 1
      })
    ]
  })
)

/** Groups at work at the same time where nothing else is asked for. */
export const defaultParallelism = 4

export const parallelism = Field.withDefault(
  Field.integer({
    description: "Consumer groups whose offsets are set at the same time.",
    minimum: 1,
    maximum: 100
  }),
  defaultParallelism
)

/** Of the pod; the commands do not use them. */
export const ofPod = {
  resources: Field.optional(
    Field.described(ResourcesSpec, "Resources of the container that works on the offsets, as in a Pod.")
  ),
  job: Field.withDefault(OffsetJobSpec, {}),
  podTemplate: Field.optional(Field.described(PodTemplateSpec, "The pod that works on the offsets."))
}
