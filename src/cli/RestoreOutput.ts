import { Effect } from "effect"
import * as AccessNotes from "../restore/AccessNotes.ts"
import * as Appending from "../restore/Appending.ts"
import * as CutReport from "../restore/CutReport.ts"
import type { Prepared, Restored } from "../restore/RestoreWork.ts"
import type { TargetTopic } from "../restore/TargetTopic.ts"
import * as RestoreProgress from "../restore/RestoreProgress.ts"
import * as RestoreNotes from "../restore/RestoreNotes.ts"
import * as RestoreStanding from "../restore/RestoreStanding.ts"
import type { HoldState } from "../restore/RetentionHold.ts"
import * as TopicConfigs from "../restore/TopicConfigs.ts"
import * as WantedConfigs from "../restore/WantedConfigs.ts"
import * as Format from "../status/Format.ts"
import * as RestoreCut from "./RestoreCut.ts"
import * as GroupNotes from "./GroupNotes.ts"
import * as RestoreVerdict from "./RestoreVerdict.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as Table from "./Table.ts"

const columns: ReadonlyArray<Table.Column> = [
  { heading: "SOURCE" },
  { heading: "TARGET" },
  { heading: "ACTION" },
  { heading: "PARTITIONS", align: "right" },
  { heading: "RECORDS", align: "right" },
  { heading: "OFFSETS" }
]

const newActions: Readonly<Record<TargetTopic["_tag"], string>> = {
  Missing: "create and write",
  Recreated: "delete, create and write",
  Present: "write",
  Appended: "append"
}

const actionOf = (target: TargetTopic | undefined): string => {
  if (target === undefined) return "write"
  switch (RestoreStanding.ofTopic(target)) {
    case "proven":
      return "none, compared before"
    case "written":
      return "compare"
    case "begun":
      return "continue"
    case "new":
      return newActions[target._tag]
  }
}

const actions = ({ plan, targets, wanted }: Prepared) =>
  plan.topics.map((topic) => ({
    source: topic.source,
    target: topic.target,
    action: actionOf(targets.find((one) => one.topic.target === topic.target)),
    partitions: topic.partitions.length,
    records: RestoreNotes.recordsOf(topic),
    offsets:
      topic.renumbered === undefined
        ? "as in the backup"
        : Appending.isAppended(topic)
          ? "new, behind the records that are there"
          : "new, from 0 on",
    configurationsLeftOut: Appending.isAppended(topic)
      ? []
      : TopicConfigs.leftOut(topic.configs, WantedConfigs.of(topic, wanted)),
    ...CutReport.of(topic)
  }))

const table = (prepared: Prepared): string =>
  Table.format(
    prepared.plan.cut === undefined ? columns : [...columns, ...RestoreCut.columns],
    actions(prepared).map(({ action, offsets, partitions, records, source, target, ...cut }) => [
      source,
      target,
      action,
      Format.count(partitions),
      Format.count(records),
      offsets,
      ...(prepared.plan.cut === undefined ? [] : RestoreCut.cells(cut))
    ])
  )

const shown = (notes: ReadonlyArray<string>) => notes.map((note) => `Note: ${note}`)
const notes = (restored: Restored) => [
  ...GroupNotes.done(restored.groups, restored.offsetReset),
  ...shown(RestoreNotes.notes(restored))
]

/** What a dry run would add, for programs. */
const accessJson = ({ access, targets }: Prepared) =>
  access === undefined || RestoreStanding.isAccessDone(targets)
    ? {}
    : {
        ...(access.acls === undefined ? {} : { aclsToCreate: access.acls.missing }),
        ...(access.quotas === undefined
          ? {}
          : { quotasToCreate: access.quotas.missing, differentQuotas: access.quotas.different }),
        usersToMake: access.users
      }

/** What a dry run prints; `notes` are about what the restore would do. */
export const dryRun = (prepared: Prepared, notes: ReadonlyArray<string>, format: "text" | "json"): string =>
  format === "json"
    ? JSON.stringify(
        {
          dryRun: true,
          backupId: prepared.plan.backupId,
          standing: RestoreStanding.of(prepared.targets),
          topics: actions(prepared),
          notes: shown(notes),
          ...GroupNotes.plannedJson(prepared.groups, prepared.targets),
          ...accessJson(prepared)
        },
        null,
        2
      )
    : [
        table(prepared),
        ...shown(notes),
        ...GroupNotes.planned(prepared.groups, prepared.targets),
        ...AccessNotes.planned(prepared.access, RestoreStanding.isAccessDone(prepared.targets)),
        RestoreVerdict.ofDryRun(prepared.targets, prepared.groups)
      ].join("\n")

/** The hold in JSON. */
const holdJson = (state: HoldState) =>
  state._tag === "Final"
    ? { held: false }
    : { held: true, ...(state.untilMillis === undefined ? {} : { until: Format.time(state.untilMillis) }) }

/** What a complete restore prints. */
export const done = (restored: Restored, format: "text" | "json"): string =>
  format === "json"
    ? JSON.stringify(
        {
          backupId: restored.plan.backupId,
          records: restored.records,
          alreadyRestored: restored.wasProven,
          retentionHold: holdJson(restored.hold),
          topics: actions(restored),
          ...GroupNotes.doneJson(restored.groups, restored.offsetReset),
          ...(restored.accessDone === undefined ? {} : { access: restored.accessDone }),
          ...(restored.access === undefined ? {} : { usersToMake: restored.access.users }),
          notes: notes(restored)
        },
        null,
        2
      )
    : [table(restored), ...notes(restored), RestoreVerdict.ofSuccess(restored)].join("\n")

/** The progress line of a restore. */
export const line = (progress: RestoreProgress.RestoreProgress): string => {
  if (progress.awaited !== undefined) return progress.awaited
  if (progress.step === "connecting") return "connecting …"
  if (progress.step === "checking") return "checking the backup and the target cluster …"
  const { paused } = progress
  if (paused !== undefined) {
    return `restoring ${progress.backupId}: paused, ${paused.target} does not answer (${paused.cause})`
  }
  const { backupId, partitions, partitionsDone, records, recordsTotal } = progress
  return `restoring ${backupId}: ${Format.count(records)} of ${Format.count(recordsTotal)} records written, ${partitionsDone} of ${partitions} partitions compared`
}

/** Prints the progress of a Job's pod as a JSON line every five seconds while the effect runs. */
export const lines =
  (progress: RestoreProgress.RestoreProgress) =>
  <A, E, R>(restore: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const print = Effect.suspend(() =>
      StandardOutput.print(JSON.stringify({ type: "progress", ...RestoreProgress.report(progress) }))
    )
    return Effect.raceFirst(restore, Effect.forever(Effect.delay(Effect.ignore(print), "5 seconds")))
  }
