import { Effect } from "effect"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { BackupSet } from "./Catalogue.ts"
import type { ManifestSegment } from "./Manifest.ts"
import * as ObjectSizes from "./ObjectSizes.ts"
import type { Broken } from "./Seal.ts"

const segments = ({ manifest }: BackupSet): ReadonlyArray<ManifestSegment> =>
  manifest.topics.flatMap(({ partitions }) => partitions.flatMap((partition) => partition.segments))

/**
 * What is missing of a set or has another size than its manifest says. `sizes` keeps what was found for the next call:
 * the sets of a chain name the same objects.
 */
export const problems = Effect.fn("Presence.problems")(function* (
  store: ObjectStoreShape,
  set: BackupSet,
  sizes: ObjectSizes.Sizes = new Map()
) {
  const named = segments(set)
  yield* ObjectSizes.look(store, named, sizes)
  return named.flatMap(({ compressed_size: expected, key }): ReadonlyArray<Broken> => {
    const size = sizes.get(key)
    if (size === undefined) return [{ key, detail: "is not there" }]
    return expected === undefined || expected === size
      ? []
      : [{ key, detail: `has ${size} bytes instead of ${expected}` }]
  })
})
