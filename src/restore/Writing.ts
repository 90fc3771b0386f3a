import { Effect } from "effect"
import * as Memory from "../worker/Memory.ts"
import * as AsStored from "./AsStored.ts"
import * as Attempt from "./Attempt.ts"
import { BatchMemory } from "./BatchMemory.ts"
import * as Holes from "./Holes.ts"
import * as Pace from "./Pace.ts"
import * as PartitionRestore from "./PartitionRestore.ts"
import * as RecordMemory from "./RecordMemory.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import * as WantedConfigs from "./WantedConfigs.ts"
import * as Writers from "./Writers.ts"
import type { Options, ProvenPartition, Systems } from "./RestoreWork.ts"

/** Writes every partition, reads it back, and compares it. */
export const writeAll = (
  systems: Systems,
  request: RestoreRequest,
  plan: RestorePlan.RestorePlan,
  ids: ReadonlyMap<string, string | undefined>,
  { producer }: Attempt.Begun,
  options: Options & { readonly holes: Holes.HoleWriter }
) => {
  const pace = Pace.make(request)
  const memory = new BatchMemory(options.batchMemoryBytes)
  const open = RecordMemory.openPartitions(plan.topics, options.openPartitions, Memory.limitBytes())
  const writers = Writers.make(open)
  const places = plan.topics.flatMap((topic) => topic.partitions.map((partition) => ({ plan, topic, partition })))
  // The largest first: else one of them is left alone at the end.
  const sizeOf = ({ partition }: (typeof places)[number]) => Writers.storedBytes(partition)
  const asStored = ({ topic }: (typeof places)[number]): Pick<PartitionRestore.Tools, "asStored"> => {
    const rules = AsStored.rules(plan, topic, request, options.leastStoredBytes)
    return rules === undefined ? {} : { asStored: rules }
  }
  return Effect.forEach(
    places.toSorted((a, b) => sizeOf(b) - sizeOf(a)),
    (place) =>
      PartitionRestore.run(place, ids.get(place.topic.target), {
        ...systems,
        ...options,
        producer,
        pace,
        memory,
        inTurn: writers.inTurn(sizeOf(place)),
        codec: WantedConfigs.codecOf(place.topic, request),
        ...asStored(place),
        onAppended: (records, bytes) => options.onAppended(records, bytes, place.partition)
      }).pipe(
        Effect.map((ranges): ProvenPartition => {
          options.onProven?.(place.partition)
          return { topic: place.topic.target, partition: place.partition.partition, ranges }
        })
      ),
    { concurrency: open }
  )
}
