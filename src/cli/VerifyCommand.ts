import { Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { hostname } from "node:os"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import type { ComparedPartition } from "../backup/AgainstCluster.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import { ownerOf } from "../manifest/Adoption.ts"
import * as KnownSet from "../manifest/KnownSet.ts"
import { totals } from "../manifest/Manifest.ts"
import * as Readers from "../manifest/Readers.ts"
import * as Verification from "../manifest/Verification.ts"
import * as Format from "../status/Format.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { backupId } from "./DescribeCommand.ts"
import * as Display from "./Display.ts"
import * as Resource from "./Resource.ts"
import { output, shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as VerifyAdvice from "./VerifyAdvice.ts"
import * as VerifyCluster from "./VerifyCluster.ts"
import * as VerifyMark from "./VerifyMark.ts"
import * as VerifySample from "./VerifySample.ts"

/** The backup is damaged; every problem has been printed. */
export class VerificationFailed extends Schema.TaggedError<VerificationFailed>()("VerificationFailed", {
  backupId: Schema.String,
  problems: Schema.Int,
  damaged: Schema.Literals(["records", "documents", "metadata"])
}) {
  override get message() {
    return `${this.backupId} is damaged: ${this.problems} problem${this.problems === 1 ? "" : "s"}`
  }
  get advice(): string {
    return VerifyAdvice.advice[this.damaged]
  }
  readonly exitCode = exitCodes.notProven
}

const line = (problem: Verification.Problem) =>
  `DAMAGED ${problem.topic}[${problem.partition}] offsets ${problem.firstOffset}-${problem.lastOffset}: ${problem.key} ${problem.detail}`

/** What follows for other backups: those that share a damaged object, or all that are known to be damaged now. */
type Others =
  | { readonly _tag: "Shared"; readonly backups: ReadonlyArray<string> }
  | { readonly _tag: "Marked"; readonly backups: ReadonlyArray<string> }

/** Most backups that a line names. */
const mostNamed = 10

const named = (ids: ReadonlyArray<string>): string =>
  ids.length <= mostNamed ? ids.join(", ") : `${ids.slice(0, mostNamed).join(", ")} and ${ids.length - mostNamed} more`

/** What is wrong with the documents of the backup: no object that others need. */
const ofDocuments = ({ broken, damagedObjects, problems }: Verification.Verification): ReadonlyArray<string> => {
  const objects = new Set(damagedObjects)
  const others = problems.filter((problem) => !objects.has(problem))
  return [...broken, ...others].map(({ detail, key }) => `${key} ${detail}`)
}

const marked = (backups: ReadonlyArray<string>, found: Verification.Verification): ReadonlyArray<string> => {
  const [first, ...more] = ofDocuments(found)
  const recorded =
    backups.length > 0
      ? `Recorded: known to be damaged are now ${named(backups)}`
      : `Recorded: no ${first === undefined ? "backup" : "object of a backup"} of this resource is known to be damaged`
  if (first === undefined) return [recorded]
  const others = more.length === 0 ? "" : `, and ${more.length} more`
  if (!found.isManifestSound) {
    return [
      recorded,
      `Note: ${first}. By this manifest nothing is recorded of objects, and no other backup needs it: put the right manifest.json back, and repeat this command`
    ]
  }
  return [
    recorded,
    `Note: --mark records damaged objects only. ${found.backupId} is damaged in its own documents, which no other backup needs: ${first}${others}`
  ]
}

const othersText = ({ _tag, backups }: Others, found: Verification.Verification) => {
  const { backupId, damagedObjects } = found
  if (_tag === "Marked") return marked(backups, found)
  if (damagedObjects.length === 0) return []
  return [
    ...(backups.length === 0 ? [] : [`Damaged as well, because they name the same objects: ${named(backups)}`]),
    `Note: verify ${backupId} --deep --mark records the damage: list shows it then, retention does not count these backups, and a restore that chooses its backup passes over them`
  ]
}

const text = (
  found: Verification.Verification,
  others: Others,
  compared: ReadonlyArray<ComparedPartition> | undefined
): string => {
  const sampled = VerifySample.text(found)
  // What was asked for comes first: that the objects are there says nothing of Kafka.
  const ok = compared === undefined ? `OK ${found.backupId}` : "In storage"
  return [
    ...(compared === undefined ? [] : [VerifyCluster.headline(found.backupId, compared)]),
    ...found.problems.map(line),
    ...found.broken.map(({ detail, key }) => `DAMAGED ${key} ${detail}`),
    ...(found.isForeign ? ["Note: another tool made this backup; only what its manifest says was checked"] : []),
    ...(found.leftovers.length === 0
      ? []
      : [
          `Note: beside the backup ${found.leftovers.length === 1 ? "lies 1 object" : `lie ${Format.count(found.leftovers.length)} objects`} of killed attempts, which do it no harm`
        ]),
    ...(Verification.isWhole(found)
      ? [
          found.depth === "records"
            ? `${ok}: ${Format.count(found.records)} records in ${Format.count(found.segments)} segments (${Format.bytes(found.storedBytes)}): every byte was read, every checksum is correct`
            : `${ok}: all ${Format.count(found.segments)} segments (${Format.bytes(found.storedBytes)}) exist with their sizes${found.depth === "sample" ? ", and those that were read are correct" : ""}; --deep also reads every record`
        ]
      : []),
    ...(sampled === undefined ? [] : [sampled]),
    ...othersText(others, found)
  ].join("\n")
}

/** The backup. What reads for long says so in storage, if it may: retention leaves the backup alone meanwhile. */
const opened = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  owner: Owner,
  flags: { readonly backupId: string; readonly deep: boolean; readonly againstCluster: boolean } & VerifySample.Given
) {
  if (flags.deep || flags.againstCluster || flags.sample !== undefined) {
    yield* Readers.register(store, flags.backupId, `kafka-backup verify on ${hostname()}`)
  }
  return yield* KnownSet.open(store, owner, flags.backupId)
})

export const verify = Command.make(
  "verify",
  {
    ...shared,
    backupId,
    deep: Flag.Boolean("deep").pipe(
      Flag.withDefault(false),
      Flag.withDescription("read every byte: check checksums, counts, and the framing and order of all records")
    ),
    sample: VerifySample.flag,
    mark: Flag.Boolean("mark").pipe(
      Flag.withDefault(false),
      Flag.withDescription(
        "record what is damaged in every backup of the resource that needs it; with --deep or --sample, take back what is right again, and remember what was read"
      )
    ),
    againstCluster: Flag.Boolean("against-cluster").pipe(
      Flag.withDefault(false),
      Flag.withDescription(
        "compare the backup with the topics in Kafka, record by record, where Kafka still has the offsets; needs the permissions of a run"
      )
    ),
    output
  },
  Effect.fnUntraced(function* (flags) {
    yield* VerifySample.assertOne(flags)
    const { backup, store } = yield* Resource.openStore(flags.file, flags)
    const resource = SpecRequest.resource(backup)
    const set = yield* opened(store, ownerOf(resource), flags)
    if (flags.mark) yield* VerifyMark.assertOwn(store, resource, set)
    const total = totals(set.manifest).storedBytes
    let done = 0
    const reading: Verification.Reading =
      flags.sample === undefined
        ? flags.deep
          ? "records"
          : "objects"
        : yield* VerifySample.choose(store, resource, set, flags.sample)
    const found = yield* Verification.verify(store, set, reading, (storedBytes) => {
      done += storedBytes
    }).pipe(Display.during(() => `verifying ${flags.backupId}: ${Format.bytes(done)} of ${Format.bytes(total)}`))
    const others: Others = flags.mark
      ? {
          _tag: "Marked",
          backups: yield* VerifyMark.mark(store, resource, set, reading, found).pipe(
            Display.during(() => `recording what was found of ${flags.backupId}`)
          )
        }
      : {
          _tag: "Shared",
          backups: yield* VerifyMark.sharing(store, resource, found).pipe(
            Display.during(() => `looking for other backups that need the damaged objects`)
          )
        }
    // What is damaged is known to differ.
    const compared =
      flags.againstCluster && Verification.isWhole(found)
        ? yield* VerifyCluster.compare(backup, store, set, flags)
        : undefined
    const { damagedObjects: _named, isManifestSound: _sound, ...result } = found
    const shown = {
      ...result,
      [others._tag === "Marked" ? "damagedBackups" : "alsoDamaged"]: others.backups,
      ...(compared === undefined ? {} : { cluster: compared })
    }
    yield* StandardOutput.print(
      flags.output === "json"
        ? JSON.stringify(shown, null, 2)
        : [
            text(found, others, compared),
            ...(compared === undefined ? [] : [VerifyCluster.text(compared)]),
            ...(flags.againstCluster && compared === undefined
              ? ["Note: nothing was compared with Kafka, because the backup is damaged"]
              : [])
          ].join("\n")
    )
    if (!Verification.isWhole(found)) {
      const problems = found.problems.length + found.broken.length
      return yield* new VerificationFailed({
        backupId: flags.backupId,
        problems,
        damaged: VerifyAdvice.damaged(found)
      })
    }
    if (compared !== undefined) yield* VerifyCluster.assertEqual(flags.backupId, compared)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Check that a backup can be restored: all segments exist with their sizes, and with --deep every byte and record is " +
      "correct. For a damaged backup it exits with 16 and names the affected topics, partitions and offsets; so it does with " +
      "--against-cluster for a backup that differs from Kafka"
  ),
  Command.withShortDescription("Check that a backup can be restored"),
  Command.withExamples([
    {
      command: "kafka-backup verify orders-20261123-120000 -f backup.yaml --deep",
      description: "read and check every byte"
    },
    {
      command: "kafka-backup verify orders-20261123-120000 -f backup.yaml --deep --mark",
      description: "the same, and record what is damaged for list, retention, restores and the next run"
    },
    {
      command: "kafka-backup verify orders-20261123-120000 -f backup.yaml --sample 10 --mark",
      description: "read a tenth, what was not read for longest first, and remember that"
    },
    {
      command: "kafka-backup verify orders-20261123-120000 -f backup.yaml --secrets ./secrets --against-cluster",
      description: "compare with the topics in Kafka"
    }
  ])
)
