import { Cause, Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import { defaultParallelism } from "../resource/OffsetFields.ts"
import type { KafkaOffsetRollback } from "../resource/OffsetResource.ts"
import type { GroupOutcome } from "../restore/groups/GroupOutcome.ts"
import { OffsetsDiffer } from "../restore/groups/OffsetErrors.ts"
import * as SetOffsets from "../restore/groups/SetOffsets.ts"
import * as StoredOffsets from "../restore/groups/StoredOffsets.ts"
import * as StoredWork from "../restore/groups/StoredWork.ts"
import * as Explanation from "../worker/Explanation.ts"
import { apply } from "./OffsetsApply.ts"
import * as OffsetsStop from "./OffsetsStop.ts"
import * as OffsetsOutput from "./OffsetsOutput.ts"
import * as OffsetsWork from "./OffsetsWork.ts"
import * as Resource from "./Resource.ts"
import { output, shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import { UsageError } from "./UsageError.ts"

/** Some groups do not have the offsets that they were to have. Each was printed with its reason. */
export class GroupsLeft extends Schema.TaggedError<GroupsLeft>()("GroupsLeft", {
  left: Schema.Int,
  of: Schema.Int,
  isActive: Schema.Boolean,
  /** The reset has stored a snapshot, which it would refuse to overwrite. */
  isStored: Schema.Boolean
}) {
  override get message() {
    return this.left === 1
      ? `1 of ${this.of} consumer groups was left as it is`
      : `${this.left} of ${this.of} consumer groups were left as they are`
  }
  get advice() {
    return this.isActive
      ? `stop the consumers of these groups, then repeat the command${this.isStored ? " with createSnapshot: false, which keeps the snapshot" : ""}`
      : "follow the reason of each group above, or leave the group out"
  }
  get exitCode() {
    return this.isActive ? exitCodes.temporary : exitCodes.targetUnusable
  }
}

const file = (kinds: string) =>
  Flag.String("file").pipe(
    Flag.withAlias("f"),
    Flag.withMetavar("FILE"),
    Flag.withDescription(`${kinds} manifest (required); - reads standard input`)
  )

const dryRun = Flag.Boolean("dry-run").pipe(
  Flag.withDefault(false),
  Flag.withDescription("only print what would be set; nothing is changed")
)

const group = Flag.String("group").pipe(
  Flag.withMetavar("GROUP"),
  Flag.atLeast(0),
  Flag.withDescription("only this consumer group of the manifest; may be given several times")
)

/** Prints what became of the groups, and fails where one was left as it is. */
const conclude = Effect.fnUntraced(function* (
  { groupsReset, groupsSkipped }: GroupOutcome,
  work: OffsetsStop.Work,
  format: OffsetsOutput.Format,
  { isStored = false, notes = [] }: { readonly isStored?: boolean; readonly notes?: ReadonlyArray<string> } = {}
) {
  const left =
    groupsSkipped.length === 0
      ? undefined
      : new GroupsLeft({
          left: groupsSkipped.length,
          of: groupsReset.length + groupsSkipped.length,
          isActive: groupsSkipped.every(({ active }) => active === true),
          isStored
        })
  const error = left === undefined ? undefined : Explanation.explain(Cause.fail(left))
  const shown = OffsetsOutput.outcome({ groupsReset, groupsSkipped }, work.snapshotId, format, { error, notes })
  yield* StandardOutput.print(shown)
  if (left !== undefined) return yield* left
})

const disabled = (field: string) =>
  new UsageError({
    detail: `the KafkaRestore has no ${field} that is enabled`,
    advice: `set spec.${field}.enabled: true in the manifest`
  })

const reset = Command.make(
  "reset",
  { ...shared, file: file("KafkaOffsetReset or KafkaRestore"), output, dryRun, group },
  Effect.fnUntraced(function* (flags) {
    const resource = yield* Resource.readOffsets(flags.file, ["KafkaOffsetReset", "KafkaRestore"])
    if (resource.kind === "KafkaRestore" && resource.spec.offsetReset?.enabled !== true) {
      return yield* disabled("offsetReset")
    }
    const work = OffsetsStop.make("give --group GROUP for each of them", resource.kind === "KafkaOffsetReset")
    const prepare = Effect.gen(function* () {
      return resource.kind === "KafkaRestore"
        ? yield* OffsetsWork.resetOfRestore(resource, flags, flags.group, { log: work.log })
        : yield* OffsetsWork.resetOf(resource, flags, flags.group, { log: work.log })
    })
    if (flags.dryRun || resource.spec.dryRun) {
      const { groups, notes, snapshotId } = yield* OffsetsStop.telling(work)(Effect.tap(prepare, ({ check }) => check))
      return yield* StandardOutput.print(OffsetsOutput.planned(groups, snapshotId, flags.output, notes))
    }
    const done = yield* Effect.gen(function* () {
      const { groups, notes, set, snapshotId, store } = yield* prepare
      work.snapshotId = snapshotId
      work.notes = notes
      yield* store
      work.groupIds = groups.map(({ groupId }) => groupId)
      return { notes, outcome: yield* set }
    }).pipe(OffsetsStop.telling(work, flags.output))
    const isStored = resource.kind === "KafkaOffsetReset" && work.snapshotId !== undefined
    yield* conclude(done.outcome, work, flags.output, { isStored, notes: done.notes })
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Set the offsets of consumer groups that have no members: to the start or end of the log, to a time or an offset, as " +
      "a KafkaOffsetReset says. With a KafkaRestore: the last step of that restore by itself, for groups that had members " +
      "when it completed. Every offset is read back"
  ),
  Command.withShortDescription("Set the offsets of consumer groups"),
  Command.withExamples([
    { command: "kafka-backup offsets reset -f reset.yaml --dry-run", description: "what would be set" },
    {
      command: "kafka-backup offsets reset -f restore.yaml --volumes volumes --group billing",
      description: "a group of a restore, once its consumers have stopped"
    }
  ])
)

const snapshot = Command.make(
  "snapshot",
  { ...shared, file: file("KafkaOffsetRollback"), output },
  Effect.fnUntraced(function* (flags) {
    const resource = yield* Resource.readOffsets(flags.file, ["KafkaOffsetRollback"])
    const { spec } = resource
    yield* assertOperation(spec.operation, "snapshot")
    const { groupIds, location, topics } = yield* Effect.gen(function* () {
      const sink = yield* OffsetsWork.openSinkOf(resource, flags)
      const store = yield* OffsetsWork.openStoreOf(resource, flags)
      return { ...(yield* StoredWork.store({ sink, store }, resource)), location: store.location }
    }).pipe(OffsetsStop.telling(OffsetsStop.make("")))
    yield* StandardOutput.print(OffsetsOutput.stored(spec.snapshotId, groupIds, topics, location, flags.output))
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Store the offsets that consumer groups have now, below _kafka-backup/offset-snapshots in storage. A snapshot that " +
      "exists is never overwritten"
  ),
  Command.withShortDescription("Store the offsets of consumer groups"),
  Command.withExamples([{ command: "kafka-backup offsets snapshot -f snapshot.yaml --volumes volumes" }])
)

/** A manifest that says what it is for is not used for something else that changes anything. */
const assertOperation = (operation: KafkaOffsetRollback["spec"]["operation"], wanted: "snapshot" | "rollback") =>
  operation === wanted
    ? Effect.void
    : Effect.fail(
        new UsageError({
          detail: `spec.operation of the manifest is ${operation}, and the command is ${wanted}`,
          advice: `write operation: ${wanted} into the manifest, or use kafka-backup offsets ${operation === "delete" ? "apply" : operation}`
        })
      )

/** Of a manifest that `rollback` or `verify` takes. */
const readStored = Effect.fnUntraced(function* (name: string) {
  const resource = yield* Resource.readOffsets(name, ["KafkaOffsetRollback", "KafkaRestore"])
  if (resource.kind === "KafkaRestore" && resource.spec.rollback?.enabled !== true) return yield* disabled("rollback")
  return resource
})

const parallelismOf = (resource: KafkaOffsetRollback | KafkaRestore): number =>
  resource.kind === "KafkaOffsetRollback" ? resource.spec.parallelism : defaultParallelism

const rollback = Command.make(
  "rollback",
  { ...shared, file: file("KafkaOffsetRollback or KafkaRestore"), output, dryRun },
  Effect.fnUntraced(function* (flags) {
    const resource = yield* readStored(flags.file)
    if (resource.kind === "KafkaOffsetRollback") yield* assertOperation(resource.spec.operation, "rollback")
    const work = OffsetsStop.make("name them in spec.consumerGroups of a KafkaOffsetRollback")
    const done = yield* Effect.gen(function* () {
      const { sink, snapshotId, stored } = yield* OffsetsWork.storedOf(resource, flags)
      const { groups, missing } = yield* StoredOffsets.wanted(sink, stored)
      const notes = missing.map((topic) => `topic ${topic} does not exist any more`)
      if (flags.dryRun) return { groups, notes, snapshotId, outcome: undefined }
      work.snapshotId = snapshotId
      work.groupIds = groups.map(({ groupId }) => groupId)
      const settings = { concurrency: parallelismOf(resource), log: work.log }
      const outcome = yield* SetOffsets.setOffsets(sink, groups, StoredWork.nothingStored, settings)
      return { groups, notes, snapshotId, outcome }
    }).pipe(OffsetsStop.telling(work, flags.output))
    if (done.outcome === undefined) {
      return yield* StandardOutput.print(OffsetsOutput.planned(done.groups, undefined, flags.output, done.notes))
    }
    yield* conclude(done.outcome, work, flags.output)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Set the offsets of a snapshot again. A group forgets what it has committed since then in partitions of the same " +
      "topics that have no offset in the snapshot. Groups with members are left as they are"
  ),
  Command.withShortDescription("Bring the offsets of a snapshot back"),
  Command.withExamples([
    {
      command: "kafka-backup offsets rollback -f restore.yaml --volumes volumes",
      description: "the offsets from before a restore"
    }
  ])
)

const verify = Command.make(
  "verify",
  { ...shared, file: file("KafkaOffsetRollback or KafkaRestore"), output },
  Effect.fnUntraced(function* (flags) {
    const resource = yield* readStored(flags.file)
    const { found, snapshotId, stored } = yield* Effect.gen(function* () {
      const part = yield* OffsetsWork.storedOf(resource, flags)
      return { ...part, found: yield* StoredOffsets.differences(part.sink, part.stored) }
    }).pipe(OffsetsStop.telling(OffsetsStop.make("")))
    const differs = found.length === 0 ? undefined : new OffsetsDiffer({ snapshotId, differences: found.length })
    const error = differs === undefined ? undefined : Explanation.explain(Cause.fail(differs))
    yield* StandardOutput.print(OffsetsOutput.differences(snapshotId, stored.groups.length, found, flags.output, error))
    if (differs !== undefined) return yield* differs
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Compare the offsets that consumer groups have with those of a snapshot. For a difference it exits with 16 and names " +
      "group, topic and partition"
  ),
  Command.withShortDescription("Compare offsets with a snapshot"),
  Command.withExamples([{ command: "kafka-backup offsets verify -f rollback.yaml --volumes volumes" }])
)

export const offsets = Command.make("offsets").pipe(
  Command.withDescription(
    "Offsets of consumer groups: set them, store them, bring them back, compare them. No group with members is changed"
  ),
  Command.withShortDescription("Offsets of consumer groups"),
  Command.withSubcommands([apply, snapshot, reset, rollback, verify])
)
