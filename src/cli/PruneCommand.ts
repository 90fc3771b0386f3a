import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { hostname } from "node:os"
import * as Pruning from "../backup/Pruning.ts"
import type { RetentionOutcome } from "../backup/RetentionPass.ts"
import * as Worker from "../Worker.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as Resource from "./Resource.ts"
import { output, shared, summary } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as SummaryFile from "./SummaryFile.ts"
import { UsageError } from "./UsageError.ts"

const flags = {
  ...shared,
  output,
  summary,
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
  ),
  all: Flag.Boolean("all").pipe(
    Flag.withDefault(false),
    Flag.withDescription(
      "remove every set of this resource, the newest and unfinished ones too, and the records of its runs where it has a uid: for one that is deleted for good, after its last run"
    )
  ),
  confirm: Flag.String("confirm").pipe(
    Flag.withMetavar("NAME"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription("the resource's metadata.name; --all removes nothing without it")
  )
}

/** What the options together ask for; refuses what contradicts itself, and --all where the name was not given as well. */
const extent = (
  { all, confirm, dryRun, keep }: Command.Command.Config.Infer<typeof flags>,
  name: string
): Effect.Effect<Pruning.Extent, UsageError> => {
  const refuse = (detail: string, advice: string) => Effect.fail(new UsageError({ detail, advice }))
  if (!all) {
    return confirm === undefined
      ? Effect.succeed({ _tag: "Older", keep })
      : refuse("--confirm goes with --all only", "leave out --confirm, or give --all to remove every backup")
  }
  if (keep !== undefined) return refuse("--all and --keep contradict each other", "give one of them")
  if (!dryRun && confirm !== name) {
    return refuse(
      `--all removes every backup of ${name}, and that was not confirmed`,
      `give --confirm ${name} if that is what you want; --dry-run shows what would go`
    )
  }
  return Effect.succeed({ _tag: "All" })
}

const text = ({ kept, removed }: RetentionOutcome, isDryRun: boolean) =>
  [
    ...kept.map((backupId) => `${isDryRun ? "would keep" : "kept"} ${backupId}`),
    ...removed.map((backupId) => `${isDryRun ? "would remove" : "removed"} ${backupId}`),
    ...(kept.length + removed.length === 0 ? ["this resource has no backup here; those of others are left alone"] : [])
  ].join("\n")

export const prune = Command.make(
  "prune",
  flags,
  Effect.fnUntraced(
    function* (given) {
      const { backup, store } = yield* Resource.openStore(given.file, given)
      const wanted = yield* extent(given, backup.metadata.name)
      const outcome = yield* given.dryRun
        ? Pruning.preview(store, backup, wanted)
        : Pruning.prune(store, backup, wanted, hostname())
      yield* StandardOutput.print(
        given.output === "json"
          ? JSON.stringify({ dryRun: given.dryRun, kept: outcome.kept, removed: outcome.removed }, null, 2)
          : text(outcome, given.dryRun)
      )
      if (!given.dryRun) return Worker.prunedResult(outcome)
      return { removed: 0, ...Worker.listedResult(backup, yield* Catalogue.entries(store)) }
    },
    Effect.scoped,
    (pruning, given) => SummaryFile.recording("prune", given.summary, pruning)
  )
).pipe(
  Command.withDescription(
    "Remove this resource's backups beyond those to keep, oldest first. Counts proven successes only; the newest always stays unless --all is given, sets of others are never touched"
  ),
  Command.withShortDescription("Remove this resource's backups beyond those to keep"),
  Command.withExamples([
    {
      command: "kafka-backup prune -f backup.yaml --secrets ./secrets --dry-run",
      description: "what spec.retention.backups would remove"
    },
    { command: "kafka-backup prune -f backup.yaml --secrets ./secrets --keep 10", description: "keep the newest ten" },
    {
      command: "kafka-backup prune -f backup.yaml --secrets ./secrets --all --confirm orders",
      description: "remove every backup of the resource orders, after its last run"
    }
  ])
)
