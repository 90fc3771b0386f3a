import { Effect, Schema } from "effect"
import * as RetentionSpec from "../resource/RetentionSpec.ts"
import * as Pins from "../manifest/Pins.ts"
import * as OwnerLock from "../manifest/OwnerLock.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { TimeRules } from "./KeepRules.ts"
import type { RetentionOutcome } from "./RetentionOutcome.ts"
import * as Pinning from "./Pinning.ts"
import * as RetentionRemoval from "./RetentionRemoval.ts"
import * as RetentionPass from "./RetentionPass.ts"
import * as SpecRequest from "./SpecRequest.ts"
import * as WholeRemoval from "./WholeRemoval.ts"

/** Nothing was removed, because a set whose manifest cannot be read may need the objects. */
export class PruneRefused extends Schema.TaggedError<PruneRefused>()("PruneRefused", {
  notes: Schema.Array(Schema.String)
}) {
  override get message() {
    return this.notes.join("; ")
  }
  readonly advice = "restore the named manifest or move it away; then older backups can be removed"
  readonly exitCode = exitCodes.storageUnusable
}

/**
 * Backups of a deleted resource that stay for now: the store protects them, or a run of another resource needs them.
 */
export class BackupsLocked extends Schema.TaggedError<BackupsLocked>()("BackupsLocked", {
  backups: Schema.Array(Schema.String)
}) {
  override get message() {
    return `backups cannot be removed yet: ${this.backups.join("; ")}`
  }
  readonly advice = "repeat the command when what is named has ended, or remove the lock in the store"
  readonly exitCode = exitCodes.storageUnusable
}

/** Neither the manifest nor the command says which sets to keep. */
export class KeepsEverything extends Schema.TaggedError<KeepsEverything>()("KeepsEverything", {}) {
  override get message() {
    return "the manifest keeps every backup: spec.retention has no rule"
  }
  readonly advice = "set spec.retention, or give --keep N, --max-age AGE or another rule"
  readonly exitCode = exitCodes.usage
}

/** Which sets of a resource to remove: all that no rule keeps (undefined: as the spec says), or all sets. */
export type Extent =
  | {
      readonly _tag: "Older"
      /** Instead of those of the spec. */
      readonly rules?: { readonly keep: number | undefined; readonly time?: TimeRules | undefined } | undefined
      readonly acceptedLoss?: string | undefined
    }
  | {
      readonly _tag: "All"
      /** Also those that somebody wants to keep. */
      readonly isIncludingPinned?: boolean
    }

/** Fails if something would be removed that is pinned. */
const unlessPinned = <E, R>(
  store: ObjectStoreShape,
  backup: KafkaBackup,
  { isIncludingPinned = false }: Extent & { readonly _tag: "All" },
  preview: Effect.Effect<RetentionOutcome, E, R>
) =>
  Effect.gen(function* () {
    const outcome = yield* preview
    const pinned = isIncludingPinned ? [] : yield* Pinning.among(store, outcome.removed, SpecRequest.pinned(backup))
    return pinned.length === 0 ? outcome : yield* new Pinning.BackupsPinned({ backups: pinned })
  })

/** The preview and the removal for an extent. */
const passes = Effect.fnUntraced(function* (store: ObjectStoreShape, backup: KafkaBackup, extent: Extent) {
  const resource = SpecRequest.resource(backup)
  if (extent._tag === "All") {
    const preview = unlessPinned(store, backup, extent, WholeRemoval.preview(store, resource))
    const run = Effect.andThen(preview, WholeRemoval.run(store, resource)).pipe(
      Effect.tap(() => RetentionRemoval.unlessLocked(Pins.removeStray(store, resource.name)))
    )
    return { preview, run }
  }
  const { retention, timeZone } = backup.spec
  const { keep, text, time } = extent.rules
    ? { text: undefined, ...extent.rules }
    : {
        keep: retention?.backups,
        time: SpecRequest.timeRules(backup),
        text: RetentionSpec.timed(retention, timeZone)
      }
  if (keep === undefined && time === undefined) return yield* new KeepsEverything()
  const rules = {
    keep,
    time,
    text,
    acceptedLoss: extent.acceptedLoss ?? SpecRequest.acceptedLoss(backup),
    annotatedPins: SpecRequest.pinned(backup)
  }
  return { preview: RetentionPass.preview(store, resource, rules), run: RetentionPass.run(store, resource, rules) }
})

const refuseBlocked = (outcome: RetentionOutcome) =>
  outcome.blocked.length > 0 ? Effect.fail(new PruneRefused({ notes: outcome.blocked })) : Effect.succeed(outcome)

/** What `prune` would do now. Changes nothing. */
export const preview = Effect.fn("Pruning.preview")(function* (
  store: ObjectStoreShape,
  backup: KafkaBackup,
  extent: Extent
) {
  return yield* refuseBlocked(yield* (yield* passes(store, backup, extent)).preview)
})

/**
 * Removes the sets that `extent` selects while it holds the resource's lock, which it waits for; `host` names the
 * holder for people.
 */
export const prune = Effect.fn("Pruning.prune")(function* (
  store: ObjectStoreShape,
  backup: KafkaBackup,
  extent: Extent,
  host: string
) {
  const { run } = yield* passes(store, backup, extent)
  const outcome = yield* refuseBlocked(
    yield* OwnerLock.holding(store, SpecRequest.owner(backup), `${host}, prune`, run, "fiveMinutes")
  )
  // Retention comes again by itself; whoever removes everything must know that something is left.
  if (extent._tag === "All" && outcome.locked.length > 0) {
    return yield* new BackupsLocked({ backups: outcome.locked.map(({ backupId, why }) => `${backupId}: ${why}`) })
  }
  // A lock ends by itself; a missing permission must be given by somebody.
  if (outcome.denied !== undefined) return yield* outcome.denied
  return outcome
})
