import { Effect, Schema } from "effect"
import * as OwnerLock from "../manifest/OwnerLock.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as RetentionPass from "./RetentionPass.ts"
import * as SpecRequest from "./SpecRequest.ts"
import * as WholeRemoval from "./WholeRemoval.ts"

/** Nothing was removed, because what a set still needs cannot be known. */
export class PruneRefused extends Schema.TaggedError<PruneRefused>()("PruneRefused", {
  notes: Schema.Array(Schema.String)
}) {
  override get message() {
    return this.notes.join("; ")
  }
  readonly advice = "bring back or move away the manifest that is named, then prune again"
  readonly exitCode = exitCodes.storageUnusable
}

/** Nobody says how many sets to keep. */
export class KeepsEverything extends Schema.TaggedError<KeepsEverything>()("KeepsEverything", {}) {
  override get message() {
    return "the manifest keeps every backup: it has no spec.retention.backups"
  }
  readonly advice = "set spec.retention.backups, or say how many to keep with --keep N"
  readonly exitCode = exitCodes.usage
}

/** What to remove of a resource's sets: all but the newest `keep` successes (absent: as many as the spec says), or all of them. */
export type Extent =
  | { readonly _tag: "Older"; readonly keep: number | undefined; readonly acceptedLoss?: string | undefined }
  | { readonly _tag: "All" }

/** What to do for the extent, in preview and in earnest. */
const passes = Effect.fnUntraced(function* (store: ObjectStoreShape, backup: KafkaBackup, extent: Extent) {
  const owner = SpecRequest.owner(backup)
  if (extent._tag === "All") {
    return { preview: WholeRemoval.preview(store, owner), run: WholeRemoval.run(store, owner) }
  }
  const keep = extent.keep ?? backup.spec.retention?.backups
  if (keep === undefined) return yield* new KeepsEverything()
  const rules = { keep, acceptedLoss: extent.acceptedLoss ?? SpecRequest.acceptedLoss(backup) }
  return { preview: RetentionPass.preview(store, owner, rules), run: RetentionPass.run(store, owner, rules) }
})

const agreed = (outcome: RetentionPass.RetentionOutcome) =>
  outcome.notes.length > 0 ? Effect.fail(new PruneRefused({ notes: outcome.notes })) : Effect.succeed(outcome)

/** What `prune` would do now. */
export const preview = Effect.fn("Pruning.preview")(function* (
  store: ObjectStoreShape,
  backup: KafkaBackup,
  extent: Extent
) {
  return yield* agreed(yield* (yield* passes(store, backup, extent)).preview)
})

/** Removes what the extent says, while holding the resource's lock; `host` is who holds it, for people. */
export const prune = Effect.fn("Pruning.prune")(function* (
  store: ObjectStoreShape,
  backup: KafkaBackup,
  extent: Extent,
  host: string
) {
  const { run } = yield* passes(store, backup, extent)
  return yield* agreed(yield* OwnerLock.holding(store, SpecRequest.owner(backup), `${host}, prune`, run))
})
