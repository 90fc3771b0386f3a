import { Effect, Option, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { UsageError } from "../../cli/UsageError.ts"
import * as BackupId from "../../identity/BackupId.ts"
import * as ManifestParser from "../../resource/ManifestParser.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import { backupName, cluster, type ClusterFlags, durationMillis, output } from "../Flags.ts"
import { ObjectNotFound, RequestRefused } from "../Problems.ts"
import * as Resources from "../Resources.ts"
import * as Session from "../Session.ts"
import * as CommandRun from "./CommandRun.ts"

/** The commands that need the storage: each runs as a Job of the resource, with the resource's own credentials. */

const duration = (name: string, usual: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("DURATION"),
    Flag.withDefault(usual),
    Flag.filterMap(
      (text) => Option.fromUndefinedOr(durationMillis(text)),
      () => "must be a duration such as 90s, 10m or 2h"
    ),
    Flag.withDescription(description)
  )

const flags = {
  ...cluster,
  output,
  image: Flag.String("image").pipe(
    Flag.withMetavar("IMAGE"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription(
      "image of the pod (default: that of the newest Job of the KafkaBackup; without one, the published image of this version)"
    )
  ),
  timeout: duration(
    "timeout",
    "10m",
    "how long the command may take, such as 90s, 10m or 2h (default: 10m); it is ended after that"
  ),
  startTimeout: duration("start-timeout", "2m", "how long its pod may take to start (default: 2m)")
}

type Given = ClusterFlags & {
  readonly name: string
  readonly output: "text" | "json"
  readonly image: string | undefined
  readonly timeout: number
  readonly startTimeout: number
}

const read = Effect.fnUntraced(function* (namespace: string, name: string) {
  const object = yield* Resources.backup(namespace, name)
  const parsed = ManifestParser.fromServer(object)
  if (Result.isSuccess(parsed)) return { object, backup: parsed.success }
  return yield* new RequestRefused({
    detail: `KafkaBackup ${namespace}/${name} cannot be used: ${parsed.failure.message}`,
    advice: "correct the KafkaBackup"
  })
})

/** Runs the worker's command that `argsOf` names for the resource. */
const inCluster = <E>(
  given: Given,
  argsOf: (backup: KafkaBackup, status: unknown) => Effect.Effect<ReadonlyArray<string>, E>
) =>
  Session.within(
    given,
    Effect.fnUntraced(function* (namespace) {
      const { backup, object } = yield* read(namespace, given.name)
      const args = yield* argsOf(backup, object.status)
      yield* CommandRun.run({
        backup,
        args: [...args, ...(given.output === "json" ? ["-o", "json"] : [])],
        image: given.image,
        timeoutMillis: given.timeout,
        startMillis: given.startTimeout
      })
    })
  )

/** No id begins with a dash or holds what Kubernetes would expand, so that it is one argument and nothing else. */
const checkedId = (text: string) => {
  const backupId = BackupId.parse(text)
  return backupId === undefined
    ? Effect.fail(
        new UsageError({ detail: `${JSON.stringify(text)} cannot be the id of a backup`, advice: "list shows the ids" })
      )
    : Effect.succeed(backupId)
}

const id = Argument.String("BACKUP_ID").pipe(Argument.withDescription("id of the backup, as list shows it"))

export const list = Command.make(
  "list",
  {
    name: backupName,
    ...flags,
    failed: Flag.Boolean("failed").pipe(
      Flag.withDefault(false),
      Flag.withDescription(
        "list the runs that ended without a backup instead; one whose pod was killed left no word of its end, and is not among them"
      )
    )
  },
  (given) => inCluster(given, () => Effect.succeed(["list", ...(given.failed ? ["--failed"] : [])]))
).pipe(Command.withDescription("List every backup in the storage of a KafkaBackup, or its failed runs"))

export const describe = Command.make("describe", { name: backupName, id, ...flags }, (given) =>
  inCluster(given, () => Effect.map(checkedId(given.id), (backupId) => ["describe", backupId]))
).pipe(
  Command.withDescription(
    "Show what one backup contains, partition by partition; of a failed run, why it failed and how far it came"
  )
)

export const report = Command.make("report", { name: backupName, id, ...flags }, (given) =>
  inCluster(given, () => Effect.map(checkedId(given.id), (backupId) => ["report", backupId]))
).pipe(Command.withDescription("Show the report of a run, successful or failed"))

/** The newest backup that the status names. */
const newest = Effect.fnUntraced(function* ({ metadata }: KafkaBackup, status: unknown) {
  const named = Option.getOrUndefined(ManifestParser.readableStatus(status))?.lastBackupId
  if (named !== undefined) return yield* checkedId(named)
  return yield* new ObjectNotFound({
    detail: `the status of ${metadata.name} names no backup`,
    advice: "name one: kubectl kafka-backup list shows what is in storage"
  })
})

export const verify = Command.make(
  "verify",
  {
    name: backupName,
    id: Argument.String("BACKUP_ID").pipe(
      Argument.optional,
      Argument.map(Option.getOrUndefined),
      Argument.withDescription("id of the backup, as list shows it (default: the newest)")
    ),
    ...flags,
    deep: Flag.Boolean("deep").pipe(
      Flag.withDefault(false),
      Flag.withDescription("read every byte: check checksums, counts, and the framing and order of all records")
    )
  },
  (given) =>
    inCluster(given, (backup, status) =>
      Effect.map(given.id === undefined ? newest(backup, status) : checkedId(given.id), (backupId) => [
        "verify",
        backupId,
        ...(given.deep ? ["--deep"] : [])
      ])
    )
).pipe(Command.withDescription("Check that a backup can be restored"))

export const prune = Command.make(
  "prune",
  {
    name: backupName,
    ...flags,
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDefault(false),
      Flag.withDescription("only print what would be kept and what would be removed (required)")
    )
  },
  Effect.fnUntraced(function* (given) {
    if (given.dryRun) return yield* inCluster(given, () => Effect.succeed(["prune", "--dry-run"]))
    return yield* new UsageError({
      detail: "prune removes nothing from here",
      advice: "give --dry-run to see what retention would remove; each run of the KafkaBackup removes it"
    })
  })
).pipe(Command.withDescription("Show what spec.retention would remove, and which rule keeps each other backup"))
