import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { hostname, userInfo } from "node:os"
import * as Pinning from "../backup/Pinning.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as BackupId from "../identity/BackupId.ts"
import * as Pins from "../manifest/Pins.ts"
import * as Format from "../status/Format.ts"
import { backupId } from "./DescribeCommand.ts"
import * as Resource from "./Resource.ts"
import { shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import { UsageError } from "./UsageError.ts"

/** Longest reason, in characters. */
const maxReason = 1000

/** A container's user may have no name. */
const user = Effect.try({ try: () => userInfo().username, catch: () => undefined }).pipe(
  Effect.orElseSucceed(() => "unknown user")
)

/** What the annotation of a manifest pins is not in storage. */
const annotated = (annotation: string | undefined, id: string): string =>
  Pins.named(annotation).includes(id) ? "; the annotation kafka.oso.sh/pin of the manifest pins it, too" : ""

export const pin = Command.make(
  "pin",
  {
    ...shared,
    backupId,
    reason: Flag.String("reason").pipe(
      Flag.withMetavar("TEXT"),
      Flag.filter(
        (text) => text.trim() !== "" && text.length <= maxReason,
        () => `must be a text of at most ${maxReason} characters`
      ),
      Flag.optional,
      Flag.map(Option.getOrUndefined),
      Flag.withDescription("why the backup stays, for those who find the pin later")
    )
  },
  Effect.fnUntraced(function* (flags) {
    const { backup, store } = yield* Resource.openStore(flags.file, flags)
    const who = `${yield* user} on ${hostname()}`
    const isNew = yield* Pinning.pin(store, SpecRequest.owner(backup), flags.backupId, { reason: flags.reason, who })
    if (isNew) return yield* StandardOutput.print(`pinned ${flags.backupId}`)
    const found = yield* Pins.read(store, BackupId.BackupId.make(flags.backupId))
    const since = found === undefined ? "" : ` since ${Format.time(found.sinceMillis)}, by ${found.who}`
    yield* StandardOutput.print(`${flags.backupId} is pinned already${since}`)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Pin a backup: it stays whatever spec.retention says, and does not count towards spec.retention.backups, until it is " +
      "unpinned. The pin lies in storage, beside the backups, and counts at once. The annotation kafka.oso.sh/pin of the " +
      "resource pins backups, too"
  ),
  Command.withShortDescription("Keep a backup whatever retention says"),
  Command.withExamples([
    {
      command: 'kafka-backup pin orders-20261123-120000 -f backup.yaml --reason "before the migration"',
      description: "keep this backup until it is unpinned"
    }
  ])
)

export const unpin = Command.make(
  "unpin",
  { ...shared, backupId },
  Effect.fnUntraced(function* (flags) {
    const { backup, store } = yield* Resource.openStore(flags.file, flags)
    const id = BackupId.parse(flags.backupId)
    if (id === undefined) {
      return yield* new UsageError({
        detail: `${flags.backupId} is not the id of a backup`,
        advice: "kafka-backup list shows the ids"
      })
    }
    const isPinned = (yield* Pins.all(store)).has(id)
    // A pin whose backup is gone can be taken back; a misspelt id is no success.
    if (!isPinned) yield* Catalogue.open(store, id)
    if (isPinned) yield* Pins.remove(store, id)
    const more = annotated(SpecRequest.pinned(backup), id)
    yield* StandardOutput.print(isPinned ? `unpinned ${id}${more}` : `${id} is not pinned in storage${more}`)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Take back a pin: retention removes the backup from then on if no rule keeps it. A pin of the annotation " +
      "kafka.oso.sh/pin is taken back by an edit of that"
  ),
  Command.withShortDescription("Take back a pin"),
  Command.withExamples([
    { command: "kafka-backup unpin orders-20261123-120000 -f backup.yaml", description: "let retention decide again" }
  ])
)
