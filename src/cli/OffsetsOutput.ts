import type { PartitionOffset, TopicPartition } from "../kafka/KafkaSource.ts"
import type { ChangedGroup } from "../restore/groups/ClusterGroups.ts"
import type { GroupOutcome, WantedGroup } from "../restore/groups/GroupOutcome.ts"
import type { OffsetContext } from "../restore/groups/OffsetReporting.ts"
import type { Difference } from "../restore/groups/StoredOffsets.ts"
import * as Numbers from "../status/Format.ts"
import type { Explained } from "../worker/Explanation.ts"
import * as FailureText from "./FailureText.ts"
import { counted } from "./Quantities.ts"
import * as Table from "./Table.ts"

/** What the offsets commands print. */

export type Format = "text" | "json"

const json = (value: object) => JSON.stringify(value, null, 2)

const place = ({ partition, topic }: TopicPartition): ReadonlyArray<string> => [topic, String(partition)]

const offsetIn = (offsets: ReadonlyArray<PartitionOffset> | undefined, { partition, topic }: TopicPartition) =>
  offsets?.find((each) => each.topic === topic && each.partition === partition)?.offset

/** What a dry run would set. `notes`: what is to be known beside it. */
export const planned = (
  groups: ReadonlyArray<WantedGroup & Partial<Pick<ChangedGroup, "before">>>,
  snapshotId: string | undefined,
  format: Format,
  notes: ReadonlyArray<string> = []
): string => {
  if (format === "json") {
    const all = groups.map(({ before, forget, groupId, left, offsets }) => ({
      group: groupId,
      ...(left === undefined ? {} : { reason: left }),
      ...(before === undefined ? {} : { before }),
      offsets,
      ...(forget === undefined ? {} : { forgotten: forget })
    }))
    return json({ dryRun: true, ...(snapshotId === undefined ? {} : { snapshotId }), groups: all, notes })
  }
  const hasBefore = groups.some(({ before }) => before !== undefined)
  const rows = groups.flatMap(({ before, forget = [], groupId, offsets }) =>
    [
      ...offsets.map((each) => ({ at: each, offset: String(each.offset) })),
      ...forget.map((at) => ({ at, offset: "none" }))
    ].map(({ at, offset }) => [
      groupId,
      ...place(at),
      ...(hasBefore ? [String(offsetIn(before, at) ?? "none")] : []),
      offset
    ])
  )
  const columns: ReadonlyArray<Table.Column> = [
    { heading: "GROUP" },
    { heading: "TOPIC" },
    { heading: "PARTITION", align: "right" },
    ...(hasBefore ? [{ heading: "NOW", align: "right" as const }] : []),
    { heading: "THEN", align: "right" }
  ]
  const without = groups.filter(({ forget = [], offsets }) => offsets.length + forget.length === 0)
  return [
    Table.format(columns, rows),
    ...without.map(
      ({ groupId, left }) =>
        `Note: no offset would be set for consumer group ${groupId}${left === undefined ? "" : `: ${left}`}`
    ),
    ...notes.map((note) => `Note: ${note}`),
    ...(snapshotId === undefined ? [] : [`The present offsets would be stored first, as snapshot ${snapshotId}`]),
    "Nothing was changed."
  ].join("\n")
}

/** For programs: why it did not succeed, beside what was done. */
const failure = (error: Explained | undefined) => (error === undefined ? {} : FailureText.facts(error))

/** What became of each group. */
export const outcome = (
  { groupsReset, groupsSkipped }: GroupOutcome,
  snapshotId: string | undefined,
  format: Format,
  { error, notes }: { readonly error?: Explained | undefined; readonly notes?: ReadonlyArray<string> } = {}
): string =>
  format === "json"
    ? json({
        ...(snapshotId === undefined ? {} : { snapshotId }),
        groupsReset,
        groupsSkipped,
        ...(notes === undefined ? {} : { notes }),
        ...failure(error)
      })
    : [
        ...groupsReset.map(
          ({ forgotten = [], group, offsets }) =>
            `Consumer group ${group}: ${counted(offsets.length, "offset")} set and read back${forgotten.length === 0 ? "" : `, ${Numbers.count(forgotten.length)} forgotten`}`
        ),
        ...groupsSkipped.map(({ group, reason }) => `Note: consumer group ${group} was left as it is: ${reason}`),
        ...(notes ?? []).map((note) => `Note: ${note}`),
        ...(groupsReset.length + groupsSkipped.length === 0 ? ["No consumer group matches."] : [])
      ].join("\n")

/** What was done as a manifest says. */
export const applied = (
  { isDryRun, notes, outcome: found, snapshotId }: OffsetContext,
  error: Explained | undefined,
  format: Format
): string => {
  if (format === "json") {
    return json({
      ...(isDryRun ? { dryRun: true } : {}),
      ...(snapshotId === undefined ? {} : { snapshotId }),
      ...found,
      notes,
      ...failure(error)
    })
  }
  return [
    ...(found === undefined ? [] : [outcome(found, snapshotId, format)]),
    ...(snapshotId === undefined ? [] : [`Snapshot ${snapshotId}`]),
    ...notes.map((note) => `Note: ${note}`),
    ...(isDryRun ? ["Nothing was changed."] : [])
  ].join("\n")
}

/** What stays of work that was stopped before it had begun to set a group. */
export const stopped = ({ progress, snapshotChange }: Pick<OffsetContext, "progress" | "snapshotChange">): string =>
  progress.startedWritingMillis === undefined || snapshotChange === undefined
    ? "stopped: no offset was changed. The same command begins again"
    : `stopped: no offset was changed, and snapshot ${snapshotChange.snapshotId} may be ${snapshotChange.what} already. The same command begins again`

/** What a snapshot holds. */
export const stored = (
  snapshotId: string,
  groups: ReadonlyArray<string>,
  topics: ReadonlyArray<string>,
  location: string,
  format: Format
): string =>
  format === "json"
    ? json({ snapshotId, groups, topics, location })
    : `Snapshot ${snapshotId} in ${location}: ${counted(groups.length, "consumer group")}, ${counted(topics.length, "topic")}`

/** Every difference from a snapshot. */
export const differences = (
  snapshotId: string,
  groups: number,
  found: ReadonlyArray<Difference>,
  format: Format,
  error?: Explained
): string => {
  if (format === "json") return json({ snapshotId, groups, differences: found, ...failure(error) })
  if (found.length === 0) {
    return `OK ${snapshotId}: ${counted(groups, "consumer group")} ${groups === 1 ? "has" : "have"} the offsets of the snapshot`
  }
  return Table.format(
    [
      { heading: "GROUP" },
      { heading: "TOPIC" },
      { heading: "PARTITION", align: "right" },
      { heading: "SNAPSHOT", align: "right" },
      { heading: "NOW", align: "right" }
    ],
    found.map(({ group, present, stored: before, ...at }) => [
      group,
      ...place(at),
      String(before ?? "none"),
      String(present ?? "none")
    ])
  )
}
