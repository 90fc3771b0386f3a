import { Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { hostname } from "node:os"
import { exitCodes } from "../backup/ExitCode.ts"
import * as RetentionPass from "../backup/RetentionPass.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import * as OwnerLock from "../manifest/OwnerLock.ts"
import * as Resource from "./Resource.ts"
import { output, shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import { UsageError } from "./UsageError.ts"

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

const flags = {
  ...shared,
  output,
  keep: Flag.Int("keep").pipe(
    Flag.withMetavar("N"),
    Flag.filter(
      (n) => n >= 1,
      () => "must be 1 or more: the newest good backup always stays"
    ),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription("successes to keep (default: spec.retention.backups)")
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDefault(false),
    Flag.withDescription("only say what would be kept and what would be removed")
  )
}

const text = ({ kept, removed }: RetentionPass.RetentionOutcome, isDryRun: boolean) =>
  [
    ...kept.map((backupId) => `${isDryRun ? "would keep" : "kept"} ${backupId}`),
    ...removed.map((backupId) => `${isDryRun ? "would remove" : "removed"} ${backupId}`),
    ...(kept.length + removed.length === 0 ? ["this resource has no backup here; those of others are left alone"] : [])
  ].join("\n")

export const prune = Command.make(
  "prune",
  flags,
  Effect.fnUntraced(function* (given) {
    const { backup, store } = yield* Resource.openStore(given.file, given)
    const keep = given.keep ?? backup.spec.retention?.backups
    if (keep === undefined) {
      return yield* new UsageError({
        detail: "the manifest keeps every backup: it has no spec.retention.backups",
        advice: "set spec.retention.backups, or say how many to keep with --keep N"
      })
    }
    const owner = SpecRequest.owner(backup)
    const outcome = yield* given.dryRun
      ? RetentionPass.preview(store, owner, keep)
      : OwnerLock.holding(store, owner, `${hostname()}, prune`, RetentionPass.run(store, owner, keep))
    if (outcome.notes.length > 0) return yield* new PruneRefused({ notes: outcome.notes })
    yield* StandardOutput.print(
      given.output === "json"
        ? JSON.stringify({ dryRun: given.dryRun, kept: outcome.kept, removed: outcome.removed }, null, 2)
        : text(outcome, given.dryRun)
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Remove this resource's backups beyond those to keep, oldest first. Counts proven successes only; the newest always stays, sets of others are never touched"
  ),
  Command.withShortDescription("Remove this resource's backups beyond those to keep"),
  Command.withExamples([
    {
      command: "kafka-backup prune -f backup.yaml --secrets ./secrets --dry-run",
      description: "what spec.retention.backups would remove"
    },
    { command: "kafka-backup prune -f backup.yaml --secrets ./secrets --keep 10", description: "keep the newest ten" }
  ])
)
