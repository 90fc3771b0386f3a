import { Cause, type Deferred, Effect } from "effect"
import type { Resource } from "../manifest/Adoption.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as OwnerLock from "../manifest/OwnerLock.ts"
import type { VerificationSummary } from "../outcome/VerificationSummary.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Explanation from "../worker/Explanation.ts"
import type { RunProgress } from "../worker/RunProgress.ts"
import * as Rereading from "./Rereading.ts"
import * as RereadingEnd from "./RereadingEnd.ts"
import * as RereadingTime from "./RereadingTime.ts"
import type { RetentionOutcome } from "./RetentionOutcome.ts"
import * as RetentionPass from "./RetentionPass.ts"
import type { RunRequest } from "./RunRequest.ts"

/*
 * What a run does when its backup is complete: it reads a share of all stored backups again, then applies retention,
 * which does not count what turned out to be damaged. A failure is noted and does not affect the new backup; the next
 * run tries again.
 */

/** How it went. */
export interface Ended {
  readonly retention: RetentionOutcome
  /** Absent where nothing is read again, and where nobody knows what was. */
  readonly verification?: VerificationSummary
  readonly verificationNotes: ReadonlyArray<string>
}

export interface Options {
  readonly progress: RunProgress
  /** Completed when the run should stop: nothing more is read again. */
  readonly stop: Deferred.Deferred<void>
}

/** The resource whose run this is. */
export const resourceOf = ({ adopting, identity }: RunRequest): Resource => ({ ...identity.owner, adopting })

const retentionOf = (store: ObjectStoreShape, request: RunRequest, { backupId: own, facts }: BackupSet) =>
  RetentionPass.run(
    store,
    resourceOf(request),
    {
      keep: request.retainedBackups,
      time: request.retainedByTime,
      text: request.retention,
      checkedPercent: request.percentPerRun,
      own,
      builtOn: facts?.base?.backupId,
      annotatedPins: request.pinned,
      acceptedLoss: request.acceptedLoss
    },
    "run"
  )

/** Reads again, and applies retention. Never fails. */
export const run = Effect.fn("AfterCommit.run")(function* (
  store: ObjectStoreShape,
  request: RunRequest,
  made: BackupSet,
  { progress, stop }: Options
) {
  const { backupId } = made
  const resource = resourceOf(request)
  const { bytesPerSecond, percentPerRun: percent = 0 } = request
  const share = {
    percent,
    bytesPerSecond,
    longestMillis: request.longestRereadMillis ?? RereadingTime.mostMillis,
    stop
  }
  progress.step = "rereading"
  const rereading = percent === 0 ? undefined : yield* Rereading.read(store, resource, made, share)
  progress.step = "retaining"
  let reread: RereadingEnd.Outcome | undefined
  const confirm =
    rereading === undefined
      ? Effect.void
      : RereadingEnd.confirm(store, resource, backupId, rereading).pipe(
          Effect.map((outcome) => void (reread = outcome))
        )
  const { owner, slot } = request.identity
  const retention = yield* OwnerLock.holding(
    store,
    owner,
    `${request.host}, run of ${slot}`,
    Effect.andThen(confirm, retentionOf(store, request, made)),
    "fiveMinutes"
  ).pipe(
    // A defect, too, changes nothing about the backup that is complete.
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterrupts(cause),
      (cause) => {
        const { message } = Explanation.explain(cause)
        return Effect.as(Effect.logWarning("retention did not finish").pipe(Effect.annotateLogs({ error: message })), {
          kept: [],
          removed: [],
          heldBack: [],
          locked: [],
          blocked: [],
          notes: [`retention did not finish: ${message}`]
        } satisfies RetentionOutcome)
      }
    )
  )
  if (rereading !== undefined && reread === undefined) {
    reread = yield* RereadingEnd.unconfirmed(store, resource, backupId, rereading)
  }
  return {
    retention,
    ...(reread?.summary === undefined ? {} : { verification: reread.summary }),
    verificationNotes: reread?.notes ?? []
  } satisfies Ended as Ended
})
