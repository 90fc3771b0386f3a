import { Clock, Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as StandardOutput from "../cli/StandardOutput.ts"
import { UsageError } from "../cli/UsageError.ts"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason } from "../kubernetes/KubernetesError.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"
import * as View from "../status/View.ts"
import * as DetailText from "./DetailText.ts"
import * as Ending from "./Ending.ts"
import { cluster, output, timeout, withoutKind } from "./Flags.ts"
import * as FollowedRestore from "./FollowedRestore.ts"
import * as Following from "./Following.ts"
import * as ManifestFile from "./ManifestFile.ts"
import * as NextStep from "./NextStep.ts"
import { RestoreExists } from "./Problems.ts"
import * as Resources from "./Resources.ts"
import * as Session from "./Session.ts"
import * as WantedRestore from "./WantedRestore.ts"

const optional = (flag: Flag.Flag<string>) => flag.pipe(Flag.optional, Flag.map(Option.getOrUndefined))

const arguments_ = {
  name: Argument.String("NAME").pipe(
    Argument.optional,
    Argument.map((name) => Option.getOrUndefined(Option.map(name, withoutKind))),
    Argument.withDescription("name of the KafkaBackup whose backup is restored, into the cluster that it came from")
  )
}

const flags = {
  ...cluster,
  file: optional(Flag.String("file")).pipe(
    Flag.withAlias("f"),
    Flag.withMetavar("FILE"),
    Flag.withDescription("manifest of a KafkaRestore, instead of NAME; - reads standard input")
  ),
  backup: optional(Flag.String("backup")).pipe(
    Flag.withMetavar("BACKUP_ID"),
    Flag.withDescription("id of the backup (default: the newest that is complete)")
  ),
  topic: Flag.String("topic").pipe(
    Flag.withMetavar("PATTERN"),
    Flag.atLeast(0),
    Flag.withDescription("restore only these topics: a name or a wildcard; may be given several times (default: all)")
  ),
  as: optional(Flag.String("name")).pipe(
    Flag.withMetavar("RESTORE"),
    Flag.withDescription("name of the KafkaRestore (default: made of NAME and the time)")
  ),
  yes: Flag.Boolean("yes").pipe(
    Flag.withDefault(false),
    Flag.withDescription("write; without it everything is checked, and nothing written")
  ),
  timeout: timeout("12h"),
  output
}

type Given = Command.Command.Config.Infer<typeof flags> & { readonly name: string | undefined }

const only = (detail: string) => new UsageError({ detail, advice: "see kubectl kafka-backup restore --help" })

/** What is wrong with the flags together; undefined where nothing is. */
const misuse = ({ as, backup, file, name, topic }: Given): UsageError | undefined => {
  if (file === undefined)
    return name === undefined ? only("give the NAME of a KafkaBackup, or a manifest with -f") : undefined
  const beside = [
    name === undefined ? undefined : "NAME",
    backup === undefined ? undefined : "--backup",
    topic.length === 0 ? undefined : "--topic",
    as === undefined ? undefined : "--name"
  ].filter((one) => one !== undefined)
  return beside.length === 0
    ? undefined
    : only(`the manifest of -f says what ${beside.join(", ")} would: they exclude each other`)
}

const wantedOf = Effect.fnUntraced(function* (given: Given, namespace: string) {
  if (given.file !== undefined) {
    const wanted = yield* ManifestFile.restore(given.file)
    return { ...wanted, metadata: { ...wanted.metadata, namespace: wanted.metadata.namespace ?? namespace } }
  }
  const backup = yield* Resources.backup(namespace, given.name!)
  const name = given.as ?? WantedRestore.nameOf(given.name!, yield* Clock.currentTimeMillis)
  return WantedRestore.ofBackup(backup, { backupId: given.backup, topics: given.topic, name })
})

/** Creates it. One of this name that has written nothing becomes what is wanted now; any other is left alone. */
const submit = Effect.fnUntraced(function* (wanted: WantedRestore.Wanted, yes: boolean) {
  const api = yield* KubernetesApi
  const { name, namespace } = wanted.metadata
  const sent = yes ? wanted : WantedRestore.dry(wanted)
  return yield* api.create<KubeObject>(Kind.kafkaRestores, sent).pipe(
    Effect.catchIf(hasReason("AlreadyExists"), () =>
      Effect.gen(function* () {
        const there = yield* api.get(Kind.kafkaRestores, { namespace, name })
        if (!WantedRestore.isDry(there)) {
          return yield* new RestoreExists({
            detail: `KafkaRestore ${namespace ?? ""}/${name} exists already, and is no trial: its manifest is left as it is`,
            advice: `choose another name; ${NextStep.command("status", { kind: "KafkaRestore", namespace: namespace ?? "", name })} shows how that one is, and how to try it again`
          })
        }
        return yield* api.patch(
          Kind.kafkaRestores,
          { namespace, name },
          { metadata: { uid: there.metadata.uid }, ...WantedRestore.over(sent) }
        )
      })
    )
  )
})

/** The command that does for real what was tried. */
const again = ({ backup, context, file, name, topic }: Given, created: KubeObject): string =>
  [
    "kubectl kafka-backup restore",
    file === undefined ? name : `-f ${file}`,
    `-n ${created.metadata.namespace ?? ""}`,
    context === undefined ? undefined : `--context ${context}`,
    backup === undefined ? undefined : `--backup ${backup}`,
    ...topic.map((one) => `--topic '${one}'`),
    file === undefined ? `--name ${created.metadata.name}` : undefined,
    "--yes"
  ]
    .filter((part) => part !== undefined)
    .join(" ")

export const restore = Command.make(
  "restore",
  { ...arguments_, ...flags },
  Effect.fnUntraced(function* (given) {
    const wrong = misuse(given)
    if (wrong !== undefined) return yield* wrong
    const end = yield* Session.within(
      given,
      Effect.fnUntraced(function* (place) {
        const wanted = yield* wantedOf(given, place)
        const created = yield* submit(wanted, given.yes)
        const { generation = 1, name, namespace = place } = created.metadata
        const isDry = WantedRestore.isDry(created)
        const self = { kind: "KafkaRestore", namespace, name } as const
        yield* Console.error(`KafkaRestore ${namespace}/${name} ${isDry ? "is tried: it writes nothing" : "is made"}`)
        const end = yield* Following.until({
          read: Resources.one(Kind.kafkaRestores, namespace, name),
          judge: (resource: KubeObject) => FollowedRestore.of(resource, generation),
          timeoutMillis: given.timeout,
          what: "the restore",
          advice: `it goes on in the cluster: ${NextStep.command("status", self)}`
        })
        const view = View.of({ ...end.resource, kind: "KafkaRestore" })!
        const now = yield* Clock.currentTimeMillis
        const next =
          isDry && end.outcome === "success" ? [`nothing was written; to restore: ${again(given, created)}`] : []
        yield* StandardOutput.print(
          given.output === "json"
            ? JSON.stringify(
                {
                  ...DetailText.json(view),
                  dryRun: isDry,
                  outcome: end.outcome,
                  ...Ending.failure(end, NextStep.of(view).join("; "))
                },
                null,
                2
              )
            : [DetailText.text(view, now), ...next].join("\n\n")
        )
        return end
      })
    )
    yield* Ending.conclude(end)
  })
).pipe(
  Command.withDescription(
    "Restore a backup in the cluster, by a KafkaRestore that is followed to its end. Without --yes it checks everything and writes nothing, and prints the command that writes"
  ),
  Command.withShortDescription("Restore a backup, after a trial that writes nothing")
)
