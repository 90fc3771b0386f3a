import * as Format from "./Format.ts"
import type { Status } from "./Status.ts"

/** A run that waits for a store or broker, for so long that people should know. */
export interface Pause {
  readonly side: "kafka" | "storage"
  readonly backupId: string
  readonly target: string
  readonly sinceTime: string
  readonly cause: string
}

/** A shorter wait is not worth an Event, in milliseconds: a broker that restarts takes less. */
export const longMillis = 30_000

/** The pause that a status tells of. */
export const of = ({ activeRun, progress }: Pick<Status, "activeRun" | "progress">): Pause | undefined => {
  if (activeRun === undefined || progress?.outage === undefined) return undefined
  const { outage, updatedTime } = progress
  if (Format.millis(updatedTime) - Format.millis(outage.sinceTime) < longMillis) return undefined
  // Targets of stores are called so by the worker; all others are brokers.
  return { ...outage, side: outage.target.startsWith("storage") ? "storage" : "kafka", backupId: activeRun.backupId }
}

/** What does not answer, since when, and why. */
export const text = ({ cause, sinceTime, target }: Pause): string =>
  `${target} has not answered since ${sinceTime} (${cause})`
