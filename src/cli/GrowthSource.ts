import type { SetFacts } from "../manifest/SetFacts.ts"
import * as Quantities from "./Quantities.ts"

/** Least time between a backup and now for which its growth counts, in milliseconds. */
export const leastMillis = 60_000

/** A backup, and up to when it has every record. */
type Made = Pick<SetFacts, "backupId" | "startedMillis">

/**
 * Since which backup growth is measured, if since any, and what is to be said of that. `earlier` is the newest one that
 * is old enough, or else the newest, which is used if it is older than a look takes. Pure.
 */
export const of = <B extends Made>(
  earlier: B | undefined,
  newest: B | undefined,
  nowMillis: number,
  watchSeconds: number
): { readonly from?: B; readonly notes: ReadonlyArray<string> } => {
  if (earlier === undefined || newest === undefined) return { notes: [] }
  const age = nowMillis - newest.startedMillis
  const young = `${newest.backupId} is only ${Quantities.duration(age)} old, too young to show how fast topics grow`
  if (earlier.backupId !== newest.backupId) {
    return { from: earlier, notes: [`${young}: growth is measured since ${earlier.backupId}`] }
  }
  if (age >= leastMillis) return { from: earlier, notes: [] }
  return age >= watchSeconds * 1000
    ? { from: earlier, notes: [`growth says little: ${young}; --rate gives a growth that is known`] }
    : { notes: [`${young}: it was measured for ${watchSeconds} seconds instead; --rate gives a growth that is known`] }
}
