import { Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import { totals } from "../manifest/Manifest.ts"
import * as Verification from "../manifest/Verification.ts"
import * as Format from "../status/Format.ts"
import { backupId } from "./DescribeCommand.ts"
import * as Display from "./Display.ts"
import * as Resource from "./Resource.ts"
import { output, shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"

/** The backup is damaged; every problem has been printed. */
export class VerificationFailed extends Schema.TaggedError<VerificationFailed>()("VerificationFailed", {
  backupId: Schema.String,
  problems: Schema.Int
}) {
  override get message() {
    return `${this.backupId} is damaged: ${this.problems} problem${this.problems === 1 ? "" : "s"}`
  }
  readonly advice =
    "the offsets named above cannot be restored from this backup; use another backup, and make a new one"
  readonly exitCode = exitCodes.notProven
}

const line = (problem: Verification.Problem) =>
  `DAMAGED ${problem.topic}[${problem.partition}] offsets ${problem.firstOffset}-${problem.lastOffset}: ${problem.key} ${problem.detail}`

const text = (found: Verification.Verification): string =>
  [
    ...found.problems.map(line),
    ...found.broken.map(({ detail, key }) => `DAMAGED ${key} ${detail}`),
    ...(found.isForeign ? ["Note: another tool made this backup; only what its manifest says was checked"] : []),
    ...(found.leftovers.length === 0
      ? []
      : [
          `Note: ${Format.count(found.leftovers.length)} objects of killed attempts lie beside the backup; they do it no harm`
        ]),
    ...(Verification.isWhole(found)
      ? [
          found.depth === "records"
            ? `OK ${found.backupId}: ${Format.count(found.records)} records in ${Format.count(found.segments)} segments (${Format.bytes(found.storedBytes)}): every byte was read, every checksum is correct`
            : `OK ${found.backupId}: all ${Format.count(found.segments)} segments (${Format.bytes(found.storedBytes)}) exist with their sizes; --deep also reads every record`
        ]
      : [])
  ].join("\n")

export const verify = Command.make(
  "verify",
  {
    ...shared,
    backupId,
    deep: Flag.Boolean("deep").pipe(
      Flag.withDefault(false),
      Flag.withDescription("read every byte: check checksums, counts, and the framing and order of all records")
    ),
    output
  },
  Effect.fnUntraced(function* (flags) {
    const { store } = yield* Resource.openStore(flags.file, flags)
    const set = yield* Catalogue.open(store, flags.backupId)
    const total = totals(set.manifest).storedBytes
    let done = 0
    const found = yield* Verification.verify(store, set, flags.deep ? "records" : "objects", (storedBytes) => {
      done += storedBytes
    }).pipe(Display.during(() => `verifying ${flags.backupId}: ${Format.bytes(done)} of ${Format.bytes(total)}`))
    yield* StandardOutput.print(flags.output === "json" ? JSON.stringify(found, null, 2) : text(found))
    if (!Verification.isWhole(found)) {
      const problems = found.problems.length + found.broken.length
      return yield* new VerificationFailed({ backupId: flags.backupId, problems })
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Check that a backup can be restored: all segments exist with their sizes, and with --deep every byte and record is " +
      "correct. For a damaged backup it exits with 16 and names the affected topics, partitions and offsets"
  ),
  Command.withShortDescription("Check that a backup can be restored"),
  Command.withExamples([
    {
      command: "kafka-backup verify orders-20261123-120000 -f backup.yaml --deep",
      description: "read and check every byte"
    }
  ])
)
