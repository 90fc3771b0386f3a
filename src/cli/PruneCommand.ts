import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { hostname } from "node:os"
import * as Pruning from "../backup/Pruning.ts"
import type { FolderSpace, RetentionOutcome } from "../backup/RetentionOutcome.ts"
import * as Format from "../status/Format.ts"
import * as Worker from "../Worker.ts"
import * as Adoption from "../manifest/Adoption.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as KeepFlags from "./KeepFlags.ts"
import * as Resource from "./Resource.ts"
import { output, shared, summary } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as SummaryFile from "./SummaryFile.ts"
import { UsageError } from "./UsageError.ts"

const flags = {
  ...shared,
  output,
  summary,
  ...KeepFlags.flags,
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDefault(false),
    Flag.withDescription("only print what would be kept and what would be removed")
  ),
  all: Flag.Boolean("all").pipe(
    Flag.withDefault(false),
    Flag.withDescription(
      "remove every backup of this resource, including the newest and unfinished ones, and, if it has a uid, the records of its runs; a " +
        "manifest without uid selects the backups of its namespace, name and sourceClusterId, and leaves those records; for a resource that is " +
        "deleted for good, after its last run"
    )
  ),
  includingPinned: Flag.Boolean("including-pinned").pipe(
    Flag.withDefault(false),
    Flag.withDescription("with --all: remove pinned backups, too; without it --all removes nothing while one is pinned")
  ),
  confirm: Flag.String("confirm").pipe(
    Flag.withMetavar("NAME"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription("the resource's metadata.name, required with --all")
  )
}

/** The extent that the options describe; fails for a contradiction, and for --all without the resource's name. */
const extent = (
  given: Command.Command.Config.Infer<typeof flags>,
  { metadata: { name }, spec: { timeZone } }: KafkaBackup
): Effect.Effect<Pruning.Extent, UsageError> => {
  const { all, confirm, dryRun, includingPinned } = given
  const rules = KeepFlags.rules(given, timeZone)
  const refuse = (detail: string, advice: string) => Effect.fail(new UsageError({ detail, advice }))
  if (!all && includingPinned) {
    return refuse("--including-pinned can only be used with --all", "unpin the backups that may go: kafka-backup unpin")
  }
  if (!all) {
    return confirm === undefined
      ? Effect.succeed({ _tag: "Older", rules })
      : refuse("--confirm can only be used with --all", "leave out --confirm, or give --all to remove every backup")
  }
  if (rules !== undefined) {
    return refuse("--all removes every backup, and other options say which to keep", "give only one of them")
  }
  if (!dryRun && confirm !== name) {
    return refuse(
      `--all removes every backup of ${name}, which needs a confirmation`,
      `give --confirm ${name} to remove them; --dry-run shows which they are`
    )
  }
  return Effect.succeed({ _tag: "All", isIncludingPinned: includingPinned })
}

/** The rules that keep a backup, or what else does, in brackets. */
const why = ({ heldBack, keptDamaged = [], reasons }: RetentionOutcome, backupId: string): string => {
  const isIt = (one: string) => one === backupId
  const others = [
    ...(keptDamaged.some(isIt) ? ["damaged: stays as a whole one would, or until a newer one is whole"] : []),
    ...(heldBack.some((one) => isIt(one.backupId)) ? ["held back"] : [])
  ]
  const rules = [...(reasons?.get(backupId) ?? []), ...others]
  return rules.length === 0 ? "" : ` (${rules.join(", ")})`
}

/** The same as JSON: the rules that keep each backup, by its id. */
const keptBy = ({ kept, reasons }: RetentionOutcome): Readonly<Record<string, ReadonlyArray<string>>> =>
  Object.fromEntries(kept.map((backupId) => [backupId, reasons?.get(backupId) ?? []]))

/** What a folder gives back or has given back, and what stays of it for which backups. */
const spaceText = (
  { freedBytes, keptBytes, neededBy }: FolderSpace,
  { afterlife }: RetentionOutcome,
  isDryRun: boolean
): string => {
  // Where the store keeps removed bytes nothing is freed yet.
  const verb = afterlife === undefined ? (isDryRun ? "frees" : "freed") : isDryRun ? "hides" : "hid"
  const freed = `${verb} ${Format.bytes(freedBytes)}`
  if (keptBytes === 0) return freed
  const named = neededBy.slice(0, mostNamed).join(", ")
  const more = neededBy.length > mostNamed ? ` and ${neededBy.length - mostNamed} more` : ""
  return `${freed}, ${Format.bytes(keptBytes)} stay for ${named}${more}`
}

/** Most backups that a line names. */
const mostNamed = 3

const lockedText = ({ backupId, lock, why }: RetentionOutcome["locked"][number], isDryRun: boolean): string =>
  `${backupId} ${isDryRun ? "would stay" : "is not removed yet"}: ${lock === undefined ? why : `the store keeps it ${why}`}`

/** What becomes of removed bytes where they are not freed. */
const afterlifeText = ({ afterlife, removed, space = [] }: RetentionOutcome): ReadonlyArray<string> =>
  afterlife === undefined || removed.length + space.length === 0
    ? []
    : [`Note: what is removed still costs space: ${afterlife}`]

const text = (outcome: RetentionOutcome, isDryRun: boolean) => {
  const { heldBack, kept, locked, notes, removed, space = [] } = outcome
  const remove = isDryRun ? "would remove" : "removed"
  return [
    ...heldBack.map(({ backupId, why }) => `Note: ${backupId} stays beyond the backups to keep: ${why}`),
    ...locked.map((kept) => `Note: ${lockedText(kept, isDryRun)}`),
    ...afterlifeText(outcome),
    ...notes.map((note) => `Note: ${note}`),
    ...kept.map((backupId) => `${isDryRun ? "would keep" : "kept"} ${backupId}${why(outcome, backupId)}`),
    ...removed.map((backupId) => {
      const folder = space.find((one) => one.backupId === backupId)
      return `${remove} ${backupId}${folder === undefined ? "" : `: ${spaceText(folder, outcome, isDryRun)}`}`
    }),
    ...space
      .filter(({ isRetired }) => isRetired)
      .map((folder) => `${remove} the rest of ${folder.backupId}: ${spaceText(folder, outcome, isDryRun)}`),
    ...(kept.length + removed.length + space.length === 0
      ? ["this resource has no backups here; backups of other resources are not touched"]
      : [])
  ].join("\n")
}

export const prune = Command.make(
  "prune",
  flags,
  Effect.fnUntraced(
    function* (given) {
      const { backup, store } = yield* Resource.openStore(given.file, given)
      const wanted = yield* extent(given, backup)
      const outcome = yield* given.dryRun
        ? Pruning.preview(store, backup, wanted)
        : Pruning.prune(store, backup, wanted, hostname())
      const entries = outcome.kept.length + outcome.removed.length > 0 ? [] : yield* Catalogue.entries(store)
      const hints = Adoption.hints(OwnSets.all(entries), SpecRequest.resource(backup))
      yield* StandardOutput.print(
        given.output === "json"
          ? JSON.stringify(
              {
                dryRun: given.dryRun,
                kept: outcome.kept,
                ...(outcome.reasons !== undefined ? { keptBy: keptBy(outcome) } : {}),
                damaged: outcome.keptDamaged ?? [],
                removed: outcome.removed,
                heldBack: outcome.heldBack,
                locked: outcome.locked,
                space: outcome.space ?? [],
                ...(outcome.afterlife === undefined ? {} : { afterlife: outcome.afterlife }),
                notes: [...outcome.notes, ...hints]
              },
              null,
              2
            )
          : text({ ...outcome, notes: [...outcome.notes, ...hints] }, given.dryRun)
      )
      if (!given.dryRun) return Worker.prunedResult(outcome)
      return { removed: 0, ...(yield* Worker.listedResult(store, backup, yield* Catalogue.entries(store))) }
    },
    Effect.scoped,
    (pruning, given) => SummaryFile.recording("prune", given.summary, pruning)
  )
).pipe(
  Command.withDescription(
    "Remove this resource's backups that no rule keeps, oldest first. Only successful backups count, and the newest one " +
      "always stays unless --all is given. Backups of other resources are never touched"
  ),
  Command.withShortDescription("Remove this resource's backups beyond those to keep"),
  Command.withExamples([
    {
      command: "kafka-backup prune -f backup.yaml --secrets ./secrets --dry-run",
      description: "show what spec.retention would remove, and which rule keeps each other backup"
    },
    { command: "kafka-backup prune -f backup.yaml --secrets ./secrets --keep 10", description: "keep the newest ten" },
    {
      command: "kafka-backup prune -f backup.yaml --secrets ./secrets --max-age 30d --keep-monthly 12 --dry-run",
      description: "what would stay if all of 30 days and the last backup of each of twelve months were kept"
    },
    {
      command: "kafka-backup prune -f backup.yaml --secrets ./secrets --all --confirm orders",
      description: "remove every backup of the resource orders, after its last run"
    }
  ])
)
