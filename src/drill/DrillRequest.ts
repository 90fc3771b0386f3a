import { createHash } from "node:crypto"
import { type Owner, ownerKey } from "../identity/RunIdentity.ts"
import type * as Adoption from "../manifest/Adoption.ts"

/** One drill as the resource asks for it, with defaults applied and units resolved. */
export interface DrillRequest {
  /** Whose newest backup is drilled. */
  readonly resource: Adoption.Resource
  /** Names and wildcards of topics of the backup. */
  readonly topics: ReadonlyArray<string>
  /** What the names of scratch topics begin with. */
  readonly prefix: string
  /** Most stored bytes to restore. */
  readonly maxBytes: number
  /** Of scratch topics; -1 is the broker's default. */
  readonly replicationFactor: number
  /** Which drill it is: one more than the drill before. Every number chooses other partitions. */
  readonly number: number
  /** Ceilings on what is written and on what is read of live topics; absent: none. */
  readonly bytesPerSecond: number | undefined
  readonly recordsPerSecond: number | undefined
}

/**
 * The owner under which the drills of a resource write and remember: never that of a restore. The same for all drills
 * of the resource, so that each finds what an earlier one has left.
 */
export const owner = (resource: Owner): Owner => ({
  uid: `drill-${createHash("sha256").update(ownerKey(resource)).digest("hex").slice(0, 34)}`,
  name: resource.name
})

const day = 86_400_000

/**
 * The number of a drill at this time, where drills follow one another after `intervalMillis`: the next slot has the
 * next number, without anything to remember. Clock changes and months of other lengths may repeat or skip one.
 */
export const numberOf = (atMillis: number, intervalMillis: number = day): number =>
  Math.max(0, Math.round(atMillis / Math.max(1, intervalMillis)))
