import * as Format from "./Format.ts"
import type { QueuedRun } from "./Trouble.ts"

/** Why something that is due waits for its turn, and where in the queue it is. */
export const sentences = (what: string, { before, limit, sinceMillis }: QueuedRun): ReadonlyArray<string> => [
  `A ${what} has been queued since ${Format.time(sinceMillis)}, because the operator runs at most ${limit} at the same time`,
  before === 0 ? "It is first in the queue" : `${roughly(what, before)} before it. Namespaces take turns`
]

/** Large numbers in steps: every new one is a reason to write the status of all that wait. */
const roughly = (what: string, before: number): string => {
  if (before === 1) return `1 ${what} is`
  if (before <= 10) return `${before} ${what}s are`
  const step = before <= 100 ? 10 : 100
  return `Up to ${Format.count(Math.ceil(before / step) * step)} ${what}s are`
}
