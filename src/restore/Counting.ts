import { Effect } from "effect"
import type { BackupSet } from "../manifest/Catalogue.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Cut from "./Cut.ts"
import * as Repartition from "./Repartition.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"

/**
 * Counts what the manifest does not say, so that the plan can name every offset beforehand. The same backup and request
 * always give the same. Reads nothing where the backup does not cover the time that is asked for.
 */
export const count = Effect.fn("Counting.count")(function* (
  store: ObjectStoreShape,
  set: BackupSet,
  request: RestoreRequest
) {
  const isSelected = (topic: string, partition: number) => RestorePlan.isSelected(request, topic, partition)
  if (request.cut !== undefined && request.cut.last > Cut.coveredUntil(set)) return RestorePlan.nothingCounted
  const cut = yield* Cut.countAll(store, set, request.cut, isSelected)
  const asked = { asked: request.cut, counted: cut }
  const repartitioned = yield* Repartition.countAll(store, set, request.partitions, asked, isSelected)
  return { cut, repartitioned } satisfies RestorePlan.Counted
})
