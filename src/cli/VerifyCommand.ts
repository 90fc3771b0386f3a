import { Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import { totals } from "../manifest/Manifest.ts"
import * as Verification from "../manifest/Verification.ts"
import { backupId } from "./DescribeCommand.ts"
import * as Display from "./Display.ts"
import * as Quantities from "./Quantities.ts"
import * as Resource from "./Resource.ts"
import { output, shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"

/** The set is damaged; what is wrong has been printed. */
export class VerificationFailed extends Schema.TaggedError<VerificationFailed>()("VerificationFailed", {
  backupId: Schema.String,
  problems: Schema.Int
}) {
  override get message() {
    return `${this.backupId} is damaged: ${this.problems} problem${this.problems === 1 ? "" : "s"}`
  }
  readonly advice = "what is named above cannot be restored from this set; use another one and run a new backup"
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
          `Note: ${Quantities.count(found.leftovers.length)} objects of killed attempts lie beside the backup; they do it no harm`
        ]),
    ...(Verification.isWhole(found)
      ? [
          found.depth === "records"
            ? `OK ${found.backupId}: ${Quantities.count(found.records)} records in ${Quantities.count(found.segments)} segments (${Quantities.bytes(found.storedBytes)}), every byte read, every checksum right`
            : `OK ${found.backupId}: all ${Quantities.count(found.segments)} segments (${Quantities.bytes(found.storedBytes)}) are there with their sizes; --deep reads every record`
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
      Flag.withDescription("read every byte: checksums, every record's framing and order, counts")
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
    }).pipe(
      Display.during(() => `verifying ${flags.backupId}: ${Quantities.bytes(done)} of ${Quantities.bytes(total)}`)
    )
    yield* StandardOutput.print(flags.output === "json" ? JSON.stringify(found, null, 2) : text(found))
    if (!Verification.isWhole(found)) {
      const problems = found.problems.length + found.broken.length
      return yield* new VerificationFailed({ backupId: flags.backupId, problems })
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Check that a backup can be restored: all segments there, and with --deep every byte and record right. " +
      "Exits with 16 when it is damaged, and says which topics, partitions and offsets are"
  ),
  Command.withShortDescription("Check that a backup can be restored"),
  Command.withExamples([
    {
      command: "kafka-backup verify orders-20261123-120000 -f backup.yaml --deep",
      description: "read and check everything"
    }
  ])
)
