import { Effect, Option } from "effect"
import type { Pod } from "../kubernetes/Objects.ts"
import type { ActiveRun } from "../status/Facts.ts"
import type { Status } from "../status/Status.ts"
import { awaitedPrefix, PodProgress } from "./PodProgress.ts"

/*
 * The pod of a one-time backup waits for a Secret that is missing, and reports it under /progress. The status carries
 * that from one reconcile to the next in `progress.message`, so that conditions stay while the pod is not asked.
 */

/** The run waited for a Secret when its pod was asked last. It has read and stored nothing yet. */
export const isAwaiting = ({ activeRun, progress }: Status, jobName: string): boolean =>
  activeRun?.jobName === jobName && progress?.message?.startsWith(awaitedPrefix) === true

/** Asked now, every one of these pods waits for a Secret. One that does not answer may be at work. */
export const stillAwait = Effect.fn("AwaitedSecret.stillAwait")(function* (
  pods: ReadonlyArray<Pod>
): Effect.fn.Return<boolean, never, PodProgress> {
  const reader = yield* PodProgress
  const answers = yield* Effect.forEach(pods, (pod) => reader.read(pod))
  return answers.every((answer) => Option.isSome(answer) && answer.value.message?.startsWith(awaitedPrefix) === true)
})

/** The run with its trouble, if its progress message says that it waits for a Secret. */
export const withTrouble = (active: ActiveRun, message: string | undefined): ActiveRun =>
  message === undefined || !message.startsWith(awaitedPrefix) || active.trouble !== undefined
    ? active
    : {
        ...active,
        trouble: {
          reason: "AwaitingSecret",
          message: `${message.slice(awaitedPrefix.length)}; create or correct it in the namespace of the resource`
        }
      }
