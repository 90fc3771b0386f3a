import { Effect, Semaphore } from "effect"
import { availableParallelism } from "node:os"
import type { PlannedPartition } from "./PlannedPartition.ts"

/** Up to this many stored bytes a partition counts as small: it holds little memory, and mostly waits for answers. */
const smallBytes = 1024 * 1024

/**
 * Lets as many large partitions be written at the same time as there are cores, at least two, and the more the smaller
 * they are: what is read back meanwhile takes the time that writers wait, and each writer holds up to 16 MiB.
 */
export interface Writers {
  /** Waits for its turn to write a partition of so many stored bytes. */
  readonly inTurn: (storedBytes: number) => <A, E, R>(writing: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** `open` is the number of partitions that are written or read back at the same time. */
export const make = (open: number, cores: number = availableParallelism()): Writers => {
  const turns = Semaphore.makeUnsafe(open)
  const large = Math.max(1, Math.floor(open / Math.max(2, cores)))
  return { inTurn: (storedBytes) => turns.withPermits(storedBytes <= smallBytes ? 1 : large) }
}

/** What the segments of a partition take in storage, in bytes; 0 where the backup does not say it. */
export const storedBytes = ({ segments }: Pick<PlannedPartition, "segments">): number =>
  segments.reduce((sum, { compressed_size = 0 }) => sum + compressed_size, 0)
