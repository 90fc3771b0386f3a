import { Effect } from "effect"
import { Command } from "effect/cli"
import * as StandardOutput from "../cli/StandardOutput.ts"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"
import * as Previous from "../status/Previous.ts"
import type { Status } from "../status/Status.ts"
import { backupName, cluster, output, timeout } from "./Flags.ts"
import * as Following from "./Following.ts"
import * as Resources from "./Resources.ts"
import * as Session from "./Session.ts"

const flags = { ...cluster, timeout: timeout("30s"), output }

const specOf = ({ spec }: KubeObject) => (spec ?? {}) as { readonly suspend?: unknown; readonly schedule?: unknown }

/** What holds once the operator has seen the change. Pure. */
export const told = (status: Status, isSuspended: boolean, hasSchedule: boolean): string => {
  const { activeRun, nextScheduledTime } = status
  const running = activeRun === undefined ? "" : `; the run ${activeRun.backupId} goes on`
  if (isSuspended) return `suspended: no scheduled backup starts until it is resumed, a trigger still works${running}`
  if (!hasSchedule) return `resumed: it has no schedule, so only a trigger starts a backup${running}`
  return `resumed: the next backup starts at ${nextScheduledTime ?? "the next slot"}${running}`
}

/** Sets `spec.suspend`, and waits until the operator has seen it. */
const setting = (isSuspended: boolean) =>
  Effect.fnUntraced(function* (given: {
    readonly name: string
    readonly namespace: string | undefined
    readonly context: string | undefined
    readonly timeout: number
    readonly output: "text" | "json"
  }) {
    yield* Session.within(
      given,
      Effect.fnUntraced(function* (namespace) {
        const api = yield* KubernetesApi
        const { name } = given
        const before = yield* Resources.backup(namespace, name)
        const isChange = (specOf(before).suspend === true) !== isSuspended
        const after = isChange
          ? yield* api.patch(
              Kind.kafkaBackups,
              { namespace, name },
              { metadata: { uid: before.metadata.uid }, spec: { suspend: isSuspended } }
            )
          : before
        const generation = after.metadata.generation ?? 0
        const word = isSuspended ? "suspended" : "resumed"
        const status = yield* Following.until({
          read: Effect.map(Resources.backup(namespace, name), (object) => Previous.read(object.status)),
          judge: (status: Status): Following.Step<Status> =>
            (status.observedGeneration ?? 0) >= generation
              ? Following.over(status)
              : Following.going(`spec.suspend is ${isSuspended}; waiting for the operator to see it`),
          timeoutMillis: given.timeout,
          what: `KafkaBackup ${namespace}/${name} is ${word} in its spec, and the wait for the operator`,
          advice: "see whether the operator runs, and whether it watches this namespace: docs/guides/install.md"
        })
        const hasSchedule = specOf(after).schedule !== undefined
        const already = isChange ? "" : " (it was already)"
        yield* StandardOutput.print(
          given.output === "json"
            ? JSON.stringify(
                {
                  kind: "KafkaBackup",
                  namespace,
                  name,
                  suspended: isSuspended,
                  changed: isChange,
                  nextScheduledTime: status.nextScheduledTime,
                  activeRun: status.activeRun?.backupId
                },
                null,
                2
              )
            : `KafkaBackup ${namespace}/${name} is ${told(status, isSuspended, hasSchedule)}${already}`
        )
      })
    )
  })

export const suspend = Command.make("suspend", { name: backupName, ...flags }, setting(true)).pipe(
  Command.withDescription(
    "Start no scheduled backup until it is resumed. An active run goes on, and a trigger still works. Where the manifest is kept in Git, change spec.suspend there: a GitOps tool takes this back"
  ),
  Command.withShortDescription("Start no scheduled backup until it is resumed")
)

export const resume = Command.make("resume", { name: backupName, ...flags }, setting(false)).pipe(
  Command.withDescription("Let scheduled backups start again. Slots that passed meanwhile are not caught up"),
  Command.withShortDescription("Let scheduled backups start again")
)
