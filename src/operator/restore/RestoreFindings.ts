import { Effect } from "effect"
import * as RetentionHoldSpec from "../../resource/RetentionHoldSpec.ts"
import type { RestoreFacts } from "../../status/restore/RestoreFacts.ts"
import type { OneTimeContext } from "../oneTime/OneTimeContext.ts"
import type { ObservedJob } from "../oneTime/OneTimeObserved.ts"
import type { RestoreObserved } from "./RestoreObserved.ts"
import * as RestoreReport from "./RestoreReport.ts"

/** What a reconcile found beside what it observed. */
export type Found = Partial<
  Pick<
    RestoreFacts,
    | "active"
    | "backupId"
    | "ended"
    | "groupStep"
    | "holdEnd"
    | "missingBackup"
    | "refusal"
    | "startedWritingMillis"
    | "usedBefore"
  >
>

/** How long the retention of restored topics is held; a spec that cannot be read ends no hold. */
export const holdOf = ({ restore }: RestoreObserved): RestoreFacts["hold"] =>
  restore === undefined ? "forever" : RetentionHoldSpec.hold(restore.spec.retentionHold)

/** Publishes everything that is known of the restore: what was observed, and what was found. */
export const publish = (
  { caches }: OneTimeContext,
  observed: RestoreObserved,
  found: Found,
  unreported: ReadonlyArray<ObservedJob> = []
) => {
  const facts: RestoreFacts = {
    generation: observed.generation,
    problems: observed.problems,
    backupId: found.backupId ?? found.ended?.backupId ?? observed.restore?.spec.backupId ?? "",
    backupRef: observed.restore?.spec.backupRef?.name,
    missingBackup: found.missingBackup,
    active: found.active,
    ended: found.ended,
    hold: holdOf(observed),
    groupStep: found.groupStep,
    holdEnd: found.holdEnd,
    startedWritingMillis: found.startedWritingMillis ?? observed.startedWritingMillis,
    refusal: found.refusal,
    deletesCreated: observed.restore?.spec.onFailure === "DeleteCreated",
    usedBefore: found.usedBefore
  }
  return Effect.tap(RestoreReport.publish(caches, observed, facts, unreported), () =>
    Effect.sync(() => caches.forgetTombstones(observed.key))
  )
}
