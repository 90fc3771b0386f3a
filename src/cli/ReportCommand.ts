import { Effect } from "effect"
import { Command } from "effect/cli"
import * as FailedRuns from "../backup/FailedRuns.ts"
import { RunReport } from "../backup/RunReport.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import * as BackupId from "../identity/BackupId.ts"
import * as Adoption from "../manifest/Adoption.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import { CatalogueError, DocumentUnreadable } from "../manifest/CatalogueError.ts"
import * as Documents from "../manifest/Documents.ts"
import * as KnownSet from "../manifest/KnownSet.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { backupId } from "./DescribeCommand.ts"
import * as FailedRunOutput from "./FailedRunOutput.ts"
import * as Resource from "./Resource.ts"
import * as RunDisplay from "./RunDisplay.ts"
import { output, shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"

/** The report beside a complete set; another tool leaves none, and a run that was killed after its set neither. */
const besideSet = Effect.fnUntraced(function* (store: ObjectStoreShape, id: BackupId.BackupId) {
  const key = BackupKeys.report(id)
  const report = yield* Documents.readOrPlainIfThere(store, key, RunReport)
  if (report !== undefined) return report
  const detail =
    "there is none: another tool made this backup, or its run ended before it could store its report; describe shows what the backup holds"
  return yield* new CatalogueError({ reason: new DocumentUnreadable({ key, detail }) })
})

export const report = Command.make(
  "report",
  { ...shared, backupId, output },
  Effect.fnUntraced(function* (flags) {
    const { backup, store } = yield* Resource.openStore(flags.file, flags)
    const id = BackupId.parse(flags.backupId)
    const isSet = id !== undefined && (yield* Catalogue.isComplete(store, id))
    const failed = isSet ? undefined : yield* FailedRuns.find(store, flags.backupId)
    if (failed !== undefined) {
      return yield* StandardOutput.print(
        flags.output === "json" ? JSON.stringify(failed.report, null, 2) : FailedRunOutput.text(failed)
      )
    }
    // Says why there is none, and which id was probably meant.
    const set = yield* KnownSet.open(store, Adoption.ownerOf(SpecRequest.resource(backup)), flags.backupId)
    const found = yield* besideSet(store, set.backupId)
    yield* StandardOutput.print(flags.output === "json" ? JSON.stringify(found, null, 2) : RunDisplay.closing(found))
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Show the report of a run: of one that made a backup, or why one failed, what to do about it, and how far it came"
  ),
  Command.withShortDescription("Show the report of a run, successful or failed"),
  Command.withExamples([
    {
      command: "kafka-backup report orders-20261123-120000 -f backup.yaml --secrets ./secrets",
      description: "of a backup, or of a failed run that list --failed shows"
    }
  ])
)
