import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import * as StandardOutput from "../cli/StandardOutput.ts"
import { triggerAnnotation } from "../resource/KafkaBackup.ts"
import * as Previous from "../status/Previous.ts"
import type { Status } from "../status/Status.ts"
import * as Asking from "./Asking.ts"
import * as Ending from "./Ending.ts"
import { backupName, cluster, output, timeout, wait } from "./Flags.ts"
import * as Following from "./Following.ts"
import * as NextStep from "./NextStep.ts"
import * as Resources from "./Resources.ts"
import * as Session from "./Session.ts"
import * as TriggeredRun from "./TriggeredRun.ts"

const flags = {
  ...cluster,
  full: Flag.Boolean("full").pipe(
    Flag.withDefault(false),
    Flag.withDescription("read everything, also where backups are incremental")
  ),
  wait: wait("wait until the run is over, show its progress, and end with its exit code"),
  timeout: timeout("2h"),
  output
}

export const trigger = Command.make(
  "trigger",
  { name: backupName, ...flags },
  Effect.fnUntraced(function* (given) {
    const isJson = given.output === "json"
    const ending = yield* Session.within(
      given,
      Effect.fnUntraced(function* (namespace) {
        const { name } = given
        const asked = yield* Asking.token
        // The operator reads everything for a value with this beginning.
        const token = given.full ? `full-${asked}` : asked
        const { before } = yield* Asking.annotate(namespace, name, triggerAnnotation, token)
        const self = { kind: "KafkaBackup", namespace, name } as const
        const known = TriggeredRun.idsOf(Previous.read(before.status))
        if (!given.wait) {
          yield* StandardOutput.print(
            isJson
              ? JSON.stringify({ ...self, trigger: token, outcome: "asked" }, null, 2)
              : `a run of KafkaBackup ${namespace}/${name} is asked for; ${NextStep.command("status", self)} shows it`
          )
          return undefined
        }
        yield* Console.error(`a run of KafkaBackup ${namespace}/${name} is asked for`)
        const end = yield* Following.until({
          read: Effect.map(Resources.backup(namespace, name), ({ status }) => Previous.read(status)),
          judge: (status: Status) => TriggeredRun.of(status, { token, known }),
          timeoutMillis: given.timeout,
          what: "the run",
          advice: `it goes on in the cluster: ${NextStep.command("status", self)}`
        })
        const { backupId } = end.run
        const why = `to see why: ${NextStep.command("logs", self)}${backupId === undefined ? "" : ` --run ${backupId}`}`
        yield* StandardOutput.print(
          isJson
            ? JSON.stringify({ ...self, trigger: token, ...end, ...Ending.failure(end, why) }, null, 2)
            : end.outcome === "success"
              ? end.message
              : `${end.outcome}: ${end.message}\n${why}`
        )
        return end
      })
    )
    yield* Ending.conclude(ending)
  })
).pipe(
  Command.withDescription(
    "Ask for a backup now. It starts when no run is active, also while the schedule is suspended; a second trigger before that takes the place of the first"
  ),
  Command.withShortDescription("Ask for a backup now")
)
