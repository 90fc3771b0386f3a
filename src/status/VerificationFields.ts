import { given } from "../resource/Json.ts"
import type { Facts } from "./Facts.ts"
import * as Format from "./Format.ts"
import type { Status } from "./Status.ts"

const counted = (value: number) => Math.max(0, value)

/**
 * What runs have read again: the news, unless older than what is known; nothing while that is turned off. A larger
 * share promises more, so its promise counts from the first run with it; a smaller one is kept already. Where runs lost
 * the record of what they read, they come round anew from when it began; a beginning after the end of the run is not
 * believed.
 */
export const next = (
  previous: Status["verification"],
  { percentPerRun: wanted, storedData: { verification } }: Pick<Facts, "percentPerRun" | "storedData">
): Status["verification"] => {
  if (wanted === 0) return undefined
  if (verification === undefined) return previous
  const reportedTime = Format.time(verification.endMillis)
  if (previous !== undefined && reportedTime < previous.reportedTime) return previous
  const percentPerRun = Math.min(100, counted(verification.percent))
  const isKept = previous !== undefined && previous.percentPerRun > 0 && percentPerRun <= previous.percentPerRun
  const since = isKept ? previous.sinceTime : reportedTime
  const { beganMillis = 0, isCutShort, objects, oldestMillis, remainingRuns, totalBytes, bytes } = verification
  return given({
    percentPerRun,
    sinceTime:
      beganMillis > Format.millis(since) && beganMillis <= verification.endMillis ? Format.time(beganMillis) : since,
    objects: counted(objects),
    bytes: counted(bytes),
    storedBytes: counted(totalBytes),
    oldestTime: oldestMillis === undefined ? undefined : Format.time(oldestMillis),
    remainingRuns: remainingRuns === undefined ? undefined : counted(remainingRuns),
    cutShort: isCutShort === true ? true : undefined,
    reportedTime
  })
}
