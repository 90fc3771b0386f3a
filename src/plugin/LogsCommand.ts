import { Effect, Option, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { UsageError } from "../cli/UsageError.ts"
import * as StandardOutput from "../cli/StandardOutput.ts"
import { cluster } from "./Flags.ts"
import * as JobLog from "./JobLog.ts"
import * as LogSource from "./LogSource.ts"
import * as LogText from "./LogText.ts"
import { ObjectNotFound } from "./Problems.ts"
import * as Resources from "./Resources.ts"
import * as Session from "./Session.ts"

const flags = {
  ...cluster,
  follow: Flag.Boolean("follow").pipe(
    Flag.withAlias("f"),
    Flag.withDefault(false),
    Flag.withDescription("go on until the Job is over, also with pods that start later")
  ),
  run: Flag.String("run").pipe(
    Flag.withMetavar("BACKUP_ID"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription("the run of this backup (default: the active one, else the newest)")
  ),
  check: Flag.Boolean("check").pipe(Flag.withDefault(false), Flag.withDescription("the newest check instead of a run")),
  tail: Flag.Int("tail").pipe(
    Flag.withMetavar("LINES"),
    Flag.filter(
      (n) => n >= 1,
      () => "must be 1 or more"
    ),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription("only so many lines at the end of each pod's log (default: all)")
  ),
  output: Flag.Literals("output", ["text", "json"]).pipe(
    Flag.withAlias("o"),
    Flag.withMetavar("FORMAT"),
    Flag.withDefault("text" as const),
    Flag.withDescription("text for people (default), json for the lines as the pods wrote them")
  )
}

const name = Argument.String("NAME").pipe(
  Argument.withDescription("name of a KafkaBackup or a KafkaRestore, also restore/NAME")
)

/** The Job whose log is wanted, or why there is none. */
const sourceOf = Effect.fnUntraced(function* (namespace: string, text: string, wanted: LogSource.Wanted) {
  const [resource] = yield* Resources.referred(namespace, text)
  const { kind, metadata } = resource!
  const source = LogSource.of(resource!, wanted)
  if ("jobName" in source) return source
  const known = source.runs.length === 0 ? "" : `; it knows ${source.runs.slice(0, 10).join(", ")}`
  return yield* new ObjectNotFound({
    detail: `${kind} ${namespace}/${metadata.name} has no such log: ${source.detail}${known}`,
    advice: `kubectl kafka-backup status -n ${namespace} ${text} shows what it does`
  })
})

const gone = ({ jobName, told, what }: LogSource.Source, namespace: string) =>
  new ObjectNotFound({
    detail: `the log of ${what} is gone: Job ${jobName} has no pod in namespace ${namespace} any more, or none that has started${
      told === undefined ? "" : `. What its status says: ${told}`
    }`,
    advice: "pods are kept as long as their Jobs; a log that is wanted for longer belongs into the cluster's log store"
  })

export const logs = Command.make(
  "logs",
  { name, ...flags },
  Effect.fnUntraced(function* (given) {
    if (given.check && given.run !== undefined) {
      return yield* new UsageError({ detail: "--check and --run exclude each other", advice: "leave one of them out" })
    }
    yield* Session.within(
      given,
      Effect.fnUntraced(function* (namespace) {
        const source = yield* sourceOf(namespace, given.name, { run: given.run, isCheck: given.check })
        const { jobName } = source
        const request = { namespace, jobName, isFollowed: given.follow, tailLines: given.tail }
        let count = 0
        const show = ({ text }: JobLog.LogLine) => {
          count++
          return StandardOutput.write(`${given.output === "json" ? text : LogText.pretty(text)}\n`)
        }
        yield* StandardOutput.untilReaderLeaves(Stream.runForEach(JobLog.lines(request), show))
        if (count === 0 && (yield* JobLog.podsOf(namespace, jobName)).length === 0)
          return yield* gone(source, namespace)
      })
    )
  })
).pipe(
  Command.withDescription(
    "Show the log of the active or the newest run, of a check, or of a restore, in words instead of JSON"
  ),
  Command.withShortDescription("Show the log of a run, a check or a restore")
)
