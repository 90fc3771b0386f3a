import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import * as RetentionHoldSpec from "../resource/RetentionHoldSpec.ts"
import * as AccessNotes from "./AccessNotes.ts"
import * as Appending from "./Appending.ts"
import * as Configuring from "./Configuring.ts"
import * as HoldNotes from "./HoldNotes.ts"
import type { PlannedTopic, Renumbering } from "./RestorePlan.ts"
import * as RestoreStanding from "./RestoreStanding.ts"
import type { Prepared, Restored } from "./RestoreWork.ts"
import * as Targets from "./TargetTopic.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

/** What is to be known of a restore beside its numbers, for people. Pure. */

export const recordsOf = ({ partitions }: PlannedTopic): number =>
  partitions.reduce((sum, { records }) => sum + records, 0)

/** Why a topic gets new offsets, for people. */
export const because = (renumbering: Renumbering): string => {
  switch (renumbering.reason) {
    case "asked":
      return "spec.offsets is New"
    case "appended":
      return "they are behind the records that were there"
    case "tooManyFillers":
      return `a partition has ${renumbering.fillers} offsets without a record`
    case "markersDenied":
      return `a partition has ${renumbering.fillers} offsets without a record, and the principal ${renumbering.wasDenied ? "lacked Alter on the cluster when the restore began" : "lacks Alter on the cluster"}`
  }
}

/** A topic that is appended to keeps its configuration. */
const isConfigured = (topic: PlannedTopic): boolean => !Appending.isAppended(topic)

/** Which backup was chosen, where the resource names none. */
const chosen = ({ resolved: { backupId, why } }: Pick<Prepared, "resolved">): ReadonlyArray<string> =>
  why === undefined ? [] : [`backup ${backupId} was chosen: ${why}`]

/** What an earlier attempt did with the offsets of groups, of which it left so many. */
const earlier = (left: number): string =>
  left === 0
    ? "an earlier attempt has set the offsets of consumer groups, and they were left as they are"
    : `an earlier attempt did not set the offsets of ${left} consumer ${left === 1 ? "group" : "groups"}, and all groups were left as they are`

/** What is left to know when a restore is complete. */
export const notes = (restored: Restored): ReadonlyArray<string> => [
  ...(restored.offsetReset?.groupsSkipped.map(
    ({ group, reason }) => `consumer group ${group} was left as it is: ${reason}`
  ) ?? []),
  ...(restored.wereGroupsSet
    ? [
        `${earlier(RestoreStanding.groupsLeft(restored.targets))}. To set those of one group, run kafka-backup offsets reset -f FILE --group GROUP`
      ]
    : []),
  ...restored.groupNotes,
  ...AccessNotes.done(restored.access, restored.accessDone, restored.wasAccessDone),
  ...chosen(restored),
  ...restored.plan.notes,
  ...Appending.notes(restored.plan.topics),
  ...restored.targets
    .filter(Targets.isConfigured)
    .flatMap(({ topic }) =>
      TopicConfigs.leftOut(topic.configs, WantedConfigs.of(topic, restored.wanted)).map(
        (name) => `${topic.target} does not get the configuration ${name}`
      )
    ),
  ...restored.cleaned.map(
    ({ more, partition, topic }) =>
      `${topic}[${partition}] ends ${more} ${more === 1 ? "offset" : "offsets"} later than in the backup: markers made the brokers remove the empty records in its holes`
  ),
  ...restored.refusedConfigs.map((refused) =>
    restored.configs.get(refused.topic)?.[refused.name] === null
      ? `${refused.topic} keeps the configuration ${refused.name} of the time of the restore: ${Configuring.because(refused)}`
      : `${refused.topic} does not get the configuration ${refused.name}: ${Configuring.because(refused)}`
  ),
  ...HoldNotes.notes(
    restored.plan.topics.filter(isConfigured),
    restored.wanted,
    restored.hold,
    restored.isRemembered,
    restored.endedMillis
  )
]

/** What is to be known of a restore that begins at this time. */
export const plannedNotes = (
  { expectedRefusals, groupNotes, plan, resolved, targets, wanted }: Prepared,
  { retentionHold }: Pick<KafkaRestore["spec"], "retentionHold">,
  nowMillis: number
): ReadonlyArray<string> => [
  ...chosen({ resolved }),
  ...plan.notes,
  ...(RestoreStanding.areGroupsSet(targets) ? [] : groupNotes),
  ...Appending.notes(plan.topics),
  ...expectedRefusals.map(
    (refused) => `${refused.topic} will not get the configuration ${refused.name}: ${Configuring.because(refused)}`
  ),
  // Whose hold began earlier, or is over, loses nothing by this repeat.
  ...(RestoreStanding.of(targets) === "complete"
    ? []
    : HoldNotes.beforehand(plan.topics.filter(isConfigured), wanted, RetentionHoldSpec.hold(retentionHold), nowMillis))
]
