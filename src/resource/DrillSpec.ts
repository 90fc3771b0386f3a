import { Schema } from "effect"
import * as Field from "./Field.ts"
import { KafkaClusterSpec } from "./KafkaClusterSpec.ts"
import * as Quantity from "./Quantity.ts"
import * as Rule from "./Rule.ts"
import * as ScheduleSpec from "./ScheduleSpec.ts"
import { TopicPattern } from "./TopicPattern.ts"

/** Most entries of `topics`: a drill takes a part of the backup, and everything without them. */
const maxPatterns = 1000

/**
 * Longest prefix of scratch topics, in characters: a name of 249 has room for the slot and most of the topic's name.
 */
const maxPrefix = 64

/** Bounds of `maxBytes`: less than the smallest holds hardly a segment, more than the largest no cluster. */
const least = "1Mi"
const most = "1Pi"

const within = Rule.rule<string | number>({
  cel:
    `type(self) == int ? self >= 1048576 && self <= 1125899906842624 : (isQuantity(self)` +
    ` && quantity(self).compareTo(quantity('${least}')) >= 0 && quantity(self).compareTo(quantity('${most}')) <= 0)`,
  message: `must be a quantity of bytes from ${least} to ${most}, for example 512Mi or 10Gi`,
  holds: (self) => {
    const low = Quantity.compare(String(self), least)
    const high = Quantity.compare(String(self), most)
    return low !== undefined && high !== undefined && low >= 0 && high <= 0
  }
})

const MaxBytes = Schema.Union([Schema.Int, Schema.String])
  .annotate({
    description:
      "Most bytes of the backup that one drill restores, as they are stored: 1Gi, 500Mi or a number. The oldest and the newest segment of each chosen partition are taken in any case.",
    "x-kubernetes-int-or-string": true,
    [Rule.annotationKey]: [within]
  })
  .check(Rule.toCheck(within))

/** How often, and into what, the newest backup is restored to see that it can be. */
export const DrillSpec = Field.object(
  {
    schedule: Field.described(
      ScheduleSpec.Schedule,
      'When to drill: five cron fields or a macro, as in spec.schedule; for example "0 3 * * 0" for every Sunday at 03:00.'
    ),
    timeZone: Field.optional(
      Field.described(
        ScheduleSpec.TimeZone,
        "IANA time zone in which the drill's schedule is read, for example Europe/Berlin. Absent: UTC."
      )
    ),
    targetCluster: Field.optional(
      Field.described(
        KafkaClusterSpec,
        "The Kafka cluster that gets the scratch topics, and how to connect to it. Absent: the cluster that is backed up."
      )
    ),
    topicPrefix: Field.withDefault(
      Field.text({
        description: "What the names of scratch topics begin with.",
        maxLength: maxPrefix,
        rules: [
          Rule.matches(
            "^[a-zA-Z0-9._-]+$",
            "must be the start of a topic name: letters, digits, '.', '_' and '-', for example _drill-"
          ),
          Rule.avoids("^__", "must not begin with '__', as names of Kafka's own topics do: write _drill-")
        ]
      }),
      "_drill-"
    ),
    maxBytes: Field.withDefault(MaxBytes, "1Gi"),
    topics: Field.withDefault(
      Field.list(TopicPattern, {
        description: "Topics of the backup that take part: names and wildcard patterns. Absent: all.",
        maxItems: maxPatterns,
        rules: [
          Rule.rule({
            cel: "self.size() >= 1",
            message: "must name at least one topic or pattern; remove it to drill all topics of the backup",
            holds: (self) => self.length >= 1
          })
        ]
      }),
      ["*"]
    ),
    againstLive: Field.withDefault(
      Field.flag({
        description:
          "Compare with the topics that were backed up, too, at the offsets that they still have. They are read from spec.kafkaCluster."
      }),
      true
    ),
    replicationFactor: Field.withDefault(
      Field.integer({
        description: "Replication factor of scratch topics; -1 is the broker's default.",
        minimum: -1,
        maximum: 32767,
        rules: [
          Rule.rule<number>({
            cel: "self != 0",
            message: "must be 1 or more, or -1 for the broker's default",
            holds: (self) => self !== 0
          })
        ]
      }),
      1
    ),
    suspend: Field.withDefault(
      Field.flag({ description: "While true, no scheduled drill starts; an active drill continues." }),
      false
    )
  },
  {
    description:
      "A drill: on a schedule, a part of the newest backup is restored into scratch topics, compared, and deleted again.",
    rules: [Rule.required("schedule", "a drill needs schedule, for example '0 3 * * 0' for every Sunday at 03:00")]
  }
)
export type DrillSpec = typeof DrillSpec.Type

/** What a drill by hand does where the resource says nothing about drills; its schedule means nothing then. */
export const byHand: DrillSpec = Schema.decodeSync(DrillSpec)({ schedule: "@weekly" })

/**
 * Patterns for the scratch topics of drills, those of this resource and those with the default prefix: no backup holds
 * them. The name has an instant and six digits after the prefix, see drill/ScratchNames.ts.
 */
export const scratchPatterns = ({ topicPrefix }: Pick<DrillSpec, "topicPrefix"> = byHand): ReadonlyArray<string> =>
  [...new Set([byHand.topicPrefix, topicPrefix])].map((prefix) => `${prefix}????????-??????-??????-*`)

/** `maxBytes` as a number; a fraction of a byte counts as none. */
export const maxBytes = ({ maxBytes: written }: Pick<DrillSpec, "maxBytes">): number =>
  Quantity.wholeNumber(String(written))!
