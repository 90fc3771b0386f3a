import { Effect, Stream } from "effect"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import type { DeleteOptions, ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isLocked } from "../storage/ObjectStoreError.ts"

/** Removes segments of killed attempts, which no manifest names, and checkpoints, once the manifest is written. */
export const remove = Effect.fn("LeftOvers.remove")(function* (
  store: ObjectStoreShape,
  plan: RunPlan,
  state: RunState.RunState
) {
  const named = new Set<string>(RunState.segments(plan, state).map(({ segment }) => segment.key))
  const below = (folder: string, options?: DeleteOptions) =>
    store.list(folder).pipe(
      Stream.filter((info) => !named.has(info.key)),
      Stream.mapEffect(
        // What a lock keeps goes with the set: retention looks at all that lies in its folder.
        (info) => Effect.catchIf(store.delete(info.key, options), isLocked, () => Effect.void),
        { concurrency: 8, unordered: true }
      ),
      Stream.runDrain
    )
  yield* below(BackupKeys.topicsFolder(plan.backupId), { role: "data" }).pipe(
    Effect.andThen(below(BackupKeys.checkpointFolder(plan.backupId))),
    // The set is complete and proven. Left-overs cost space only, and retention removes them with the set.
    Effect.catch((error) =>
      Effect.logWarning("left-overs of earlier attempts could not be removed").pipe(
        Effect.annotateLogs({ error: error.message })
      )
    )
  )
})
