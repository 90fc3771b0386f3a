import type { RunProgressFacts } from "./Facts.ts"
import * as Format from "./Format.ts"
import type { Status } from "./Status.ts"

type Progress = NonNullable<Status["progress"]>
type Rate = Pick<Progress, "recordsPerSecond" | "bytesPerSecond" | "eta">

/**
 * How fast the run is, and when it will be at its end: from what changed between two readings of its progress, the one
 * that the previous status has and this one. Nothing is said where that is not known: of a first reading, and after an
 * attempt began anew and counts from 0 again. The same reading says the same again.
 */
export const of = (previous: Progress | undefined, progress: RunProgressFacts): Rate => {
  if (previous === undefined) return {}
  const nowMillis = Format.millis(Format.time(progress.updatedMillis))
  const seconds = (nowMillis - Format.millis(previous.updatedTime)) / 1000
  if (seconds === 0) return kept(previous)
  const records = progress.records - previous.records
  const bytes = progress.bytes - previous.bytes
  if (seconds < 0 || records < 0 || bytes < 0) return {}
  return {
    recordsPerSecond: Math.round(records / seconds),
    bytesPerSecond: Math.round(bytes / seconds),
    ...eta(previous, progress, seconds, nowMillis)
  }
}

const kept = ({ bytesPerSecond, eta, recordsPerSecond }: Progress): Rate => ({
  ...(recordsPerSecond === undefined ? {} : { recordsPerSecond }),
  ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
  ...(eta === undefined ? {} : { eta })
})

/** Offsets, not records: of a compacted topic fewer records come than the plan has offsets. */
const eta = (
  previous: Progress,
  { offsetsDone, recordsTotal }: RunProgressFacts,
  seconds: number,
  nowMillis: number
): Pick<Progress, "eta"> => {
  if (offsetsDone === undefined || recordsTotal === undefined || previous.offsetsDone === undefined) return {}
  const done = offsetsDone - previous.offsetsDone
  const left = recordsTotal - offsetsDone
  return done <= 0 || left <= 0 ? {} : { eta: Format.time(nowMillis + (left / done) * seconds * 1000) }
}
