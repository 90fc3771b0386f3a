import { Effect, Option } from "effect"
import { given } from "../../resource/Json.ts"
import type { ActiveRestore, RestoreProgressFacts } from "../../status/restore/RestoreFacts.ts"
import * as Format from "../../status/Format.ts"
import { PodProgress } from "../PodProgress.ts"
import * as Requeue from "../Requeue.ts"
import * as LateEdit from "../oneTime/LateEdit.ts"
import { after, type OneTimeContext, soonMillis } from "../oneTime/OneTimeContext.ts"
import * as RestoreFindings from "./RestoreFindings.ts"
import type { ObservedJob } from "../oneTime/OneTimeObserved.ts"
import type { RestoreObserved } from "./RestoreObserved.ts"

/** Reports a Job that is at work, with the progress of its pod. */
export const report = Effect.fnUntraced(function* (
  context: OneTimeContext,
  observed: RestoreObserved,
  { job, pods, state }: ObservedJob
) {
  if (state._tag !== "Active") return after(soonMillis)
  const { nowMillis, previous } = observed
  const pod = pods.find(({ status }) => status?.phase === "Running")
  const read = pod === undefined ? Option.none() : yield* (yield* PodProgress).readRestore(pod)
  const progress = Option.getOrUndefined(read)
  const active: ActiveRestore = {
    ...state.restore,
    earlierGeneration: LateEdit.earlierGeneration(job, observed.generation),
    trouble: state.restore.trouble ?? awaiting(progress),
    progress: progress !== undefined && isNews(observed, state.restore, progress) ? progress : undefined
  }
  yield* RestoreFindings.publish(
    context,
    observed,
    given({
      active,
      backupId: LateEdit.backupId(job),
      startedWritingMillis: previous.startedWriting === undefined ? progress?.startedWritingMillis : undefined
    })
  )
  return after(Requeue.progressMillis(state.restore.startMillis, nowMillis))
})

const awaiting = (progress: RestoreProgressFacts | undefined): ActiveRestore["trouble"] =>
  progress?.awaited === undefined
    ? undefined
    : {
        reason: "AwaitingSecret",
        message: `${progress.awaited}; create or correct it in the namespace of the resource`
      }

/** Every new value is a reason to write the status: not more often than it is asked for. */
const isNews = (
  { nowMillis, previous: { jobName, progress: before, resolved, startedWriting } }: RestoreObserved,
  { jobName: current, startMillis }: ActiveRestore,
  progress: RestoreProgressFacts
): boolean =>
  jobName !== current ||
  before?.updatedTime === undefined ||
  before.message !== (progress.awaited ?? progress.step) ||
  (progress.resolved !== undefined && progress.resolved.backupId !== resolved?.backupId) ||
  (startedWriting === undefined && progress.startedWritingMillis !== undefined) ||
  Math.abs(nowMillis - Format.millis(before.updatedTime)) >= Requeue.progressMillis(startMillis, nowMillis)
