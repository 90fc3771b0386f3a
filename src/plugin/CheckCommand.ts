import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import * as StandardOutput from "../cli/StandardOutput.ts"
import * as JobName from "../identity/JobName.ts"
import { given as present } from "../resource/Json.ts"
import { checkAnnotation } from "../resource/KafkaBackup.ts"
import * as Previous from "../status/Previous.ts"
import type { Status } from "../status/Status.ts"
import * as AskedCheck from "./AskedCheck.ts"
import * as Asking from "./Asking.ts"
import * as Ending from "./Ending.ts"
import { backupName, cluster, output, timeout, wait } from "./Flags.ts"
import * as Following from "./Following.ts"
import * as NextStep from "./NextStep.ts"
import * as Resources from "./Resources.ts"
import * as Session from "./Session.ts"

const flags = {
  ...cluster,
  wait: wait("wait until the check is over, and end with the exit code that a run would have"),
  timeout: timeout("5m"),
  output
}

export const check = Command.make(
  "check",
  { name: backupName, ...flags },
  Effect.fnUntraced(function* (given) {
    const isJson = given.output === "json"
    const ending = yield* Session.within(
      given,
      Effect.fnUntraced(function* (namespace) {
        const { name } = given
        const token = yield* Asking.token
        const { after } = yield* Asking.annotate(namespace, name, checkAnnotation, token)
        const self = { kind: "KafkaBackup", namespace, name } as const
        const owner = present({ uid: after.metadata.uid, namespace, name })
        const jobName = JobName.forCheck(owner, JobName.checkAsked(token))
        if (!given.wait) {
          yield* StandardOutput.print(
            isJson
              ? JSON.stringify({ ...self, check: token, jobName, outcome: "asked" }, null, 2)
              : `a check of KafkaBackup ${namespace}/${name} is asked for; ${NextStep.command("status", self)} shows what it finds`
          )
          return undefined
        }
        yield* Console.error(`a check of KafkaBackup ${namespace}/${name} is asked for`)
        const end = yield* Following.until({
          read: Effect.map(Resources.backup(namespace, name), ({ status }) => Previous.read(status)),
          judge: (status: Status) => AskedCheck.of(status, { token, jobName }),
          timeoutMillis: given.timeout,
          what: "the check",
          advice: `it goes on in the cluster: ${NextStep.command("status", self)}`
        })
        const why = `to see why: ${NextStep.command("logs --check", self)}`
        yield* StandardOutput.print(
          isJson
            ? JSON.stringify({ ...self, check: token, jobName, ...end, ...Ending.failure(end, why) }, null, 2)
            : end.outcome === "success"
              ? `passed: ${end.message}`
              : `failed: ${end.message}\n${why}`
        )
        return end
      })
    )
    yield* Ending.conclude(ending)
  })
).pipe(
  Command.withDescription(
    "Check in the cluster everything that a run needs, with the credentials of the resource: storage, Kafka, and the rights on every topic. Makes no backup"
  ),
  Command.withShortDescription("Check in the cluster everything that a run needs")
)
