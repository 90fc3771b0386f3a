import { Effect, Result } from "effect"
import * as OwnSets from "../manifest/OwnSets.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as AcceptedLoss from "./AcceptedLoss.ts"
import * as AfterCommit from "./AfterCommit.ts"
import type * as Commit from "./Commit.ts"
import * as Completion from "./Completion.ts"
import * as Healing from "./Healing.ts"
import * as Joins from "./Joins.ts"
import * as LeftOvers from "./LeftOvers.ts"
import * as PutBack from "./PutBack.ts"
import type { AtEnds, Work } from "./ShardAttempt.ts"
import * as TakenOver from "./TakenOver.ts"

/** The whole run, at its ends. */
export interface Whole extends Pick<AtEnds, "attempt" | "base" | "notes" | "reading" | "state"> {
  readonly plan: RunPlan
  /** Of a run with several shards. */
  readonly ends?: Commit.Ends
}

/**
 * From the last record to the manifest: puts damaged objects right, joins small segments, proves the set and commits
 * it, and removes what it does not name. What of the base turns out to be lost has to be read, after all.
 */
export const run = Effect.fn("Committing.run")(function* (
  store: ObjectStoreShape,
  { options, request, sameLog, written }: Work,
  { attempt, base, ends, notes, plan, reading, state }: Whole
) {
  const { backupId } = plan
  const resource = AfterCommit.resourceOf(request)
  options.progress.step = "verifying"
  const healingNotes = yield* PutBack.run(store, resource, plan, attempt, state, base, options)
  const joined = yield* Joins.make(store, plan, attempt, state, written, reading)
  if (joined.damaged.length > 0) return { _tag: "BaseLost", givenUp: [], damaged: joined.damaged } as const
  // It only feeds warnings: a backup that was read whole is not lost for them.
  const compared = yield* Effect.result(
    base?.isNewest === true
      ? Effect.succeed(base.facts)
      : OwnSets.newestBefore(store, resource, backupId, plan.createdMillis)
  )
  const previous = Result.getOrUndefined(compared)
  const uncompared = Result.isFailure(compared)
    ? [`the backup was not compared with the previous one: ${compared.failure.message}`]
    : []
  const accepted = AcceptedLoss.parse(request.identity.owner.name, request.acceptedLoss)
  const committed = yield* Completion.commit(store, {
    plan,
    attempt,
    state,
    base,
    written,
    notes: [
      ...plan.notes,
      ...notes,
      ...healingNotes,
      ...joined.notes,
      ...uncompared,
      ...TakenOver.notes(plan, state),
      ...sameLog.notes()
    ],
    previous,
    isIntended: AcceptedLoss.coversTopic(accepted.topics),
    ends
  })
  if (committed._tag === "BaseLost") return committed
  yield* LeftOvers.remove(store, plan, state)
  const manifest = RunState.manifest(plan, state)
  const healed = Healing.healed(plan, state)
  return { _tag: "Complete", facts: committed.facts, manifest, healed } as const
})
