import { Effect } from "effect"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import * as HoleMeans from "./HoleMeans.ts"
import * as Holes from "./Holes.ts"
import type { RestoreError } from "./RestoreError.ts"
import * as RestoreMemory from "./RestoreMemory.ts"
import type { RestorePlan } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"

/** A plan, and what the principal may do about the holes in it. */
export interface Fitted {
  readonly plan: RestorePlan
  readonly means: HoleMeans.Means
}

/** Topics that get new offsets for lack of a permission. */
const denied = ({ topics }: RestorePlan): ReadonlyArray<string> =>
  topics.flatMap(({ renumbered, target }) =>
    renumbered?.reason === "markersDenied"
      ? `${target} gets new offsets: a partition has ${renumbered.fillers} offsets without a record, and the principal ${renumbered.wasDenied ? "lacked Alter on the cluster when the restore began" : "lacks Alter on the cluster"}`
      : []
  )

/** What was denied when the restore began, and is granted now. */
const granted = (plan: RestorePlan): RestorePlan => ({
  ...plan,
  topics: plan.topics.map((topic) =>
    topic.renumbered?.reason === "markersDenied"
      ? { ...topic, renumbered: { ...topic.renumbered, wasDenied: true } }
      : topic
  )
})

/** Topics whose holes are filled with empty records. */
const filled = ({ topics }: RestorePlan): ReadonlyArray<string> =>
  topics.flatMap(({ partitions, target }) => {
    const some = partitions.filter(({ fillsHoles }) => fillsHoles)
    const holes = some.reduce((sum, { end, records, start }) => sum + (end - start - records), 0)
    return some.length === 0
      ? []
      : `${target} gets ${holes} empty records for the holes of its log. The brokers remove them before the restore ends, when they compact the log, which then ends a few offsets later than in the backup`
  })

const note = (offsets: number): string =>
  `the principal lacks Alter on the cluster: ${offsets} offsets without a record are taken by empty transactions instead, some ${HoleMeans.transactionsPerSecond} in a second`

/**
 * The plan that fits what the principal may do about holes in logs. `plan` needs Alter on the cluster; `others` gives
 * the plan for lesser permissions. What an earlier attempt has begun goes on as it was planned, whatever was granted
 * since then.
 */
export const fitted = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  request: RestoreRequest,
  plan: RestorePlan,
  others: (means: HoleMeans.Means) => Effect.Effect<RestorePlan, RestoreError>
): Effect.fn.Return<Fitted, KafkaError | RestoreError> {
  const means = yield* Holes.means(sink, request.owner, plan.topics)
  if (means === "markers" && !plan.topics.some(Holes.needsMarkers)) return { plan, means }
  const memory = (yield* RestoreMemory.load(sink, request.owner)) ?? new Map<string, RestoreMemory.Remembered>()
  const begun = new Set([...memory.values()].map((remembered) => remembered.plan))
  const planFor = (each: HoleMeans.Means) => (each === "markers" ? Effect.succeed(plan) : others(each))
  let chosen: RestorePlan | undefined
  for (const each of begun.size === 0 ? [] : HoleMeans.byCost) {
    const known = yield* Effect.result(planFor(each))
    if (known._tag === "Failure" || !begun.has(known.success.digest)) continue
    chosen = known.success
    break
  }
  const begunOrNew = chosen ?? (yield* planFor(means))
  const fitting = means === "markers" ? granted(begunOrNew) : begunOrNew
  const holes = fitting.topics.reduce((sum, topic) => sum + Holes.count(topic), 0)
  const notes = [
    ...(means === "transactions" && holes > 0 ? [note(holes)] : []),
    ...denied(fitting),
    ...filled(fitting)
  ]
  return { plan: { ...fitting, notes: [...fitting.notes, ...notes] }, means }
})
