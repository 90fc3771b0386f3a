import * as Format from "../status/Format.ts"
import type { RestoreStatus } from "../status/restore/RestoreFacts.ts"
import type { Status } from "../status/Status.ts"

type Found = Partial<NonNullable<Status["progress"]>> & Partial<NonNullable<RestoreStatus["progress"]>>

/** How far a run or a restore is, on one line: the operator reads it from the pod every few seconds. Pure. */
export const line = (found: Found | undefined): string => {
  if (found === undefined) return "no progress is known yet"
  const { bytesPerSecond, eta, message, outage, partitionsDone, partitionsTotal, percent, records, recordsPerSecond } =
    found
  const pace =
    recordsPerSecond === undefined
      ? undefined
      : `${Format.count(recordsPerSecond)} records/s${bytesPerSecond === undefined ? "" : `, ${Format.bytes(bytesPerSecond)}/s`}`
  return [
    percent === undefined ? undefined : `${percent} %`,
    message,
    partitionsTotal === undefined
      ? undefined
      : `${Format.count(partitionsDone ?? 0)} of ${Format.count(partitionsTotal)} partitions`,
    records === undefined ? undefined : `${Format.count(records)} records`,
    pace,
    eta === undefined ? undefined : `done at ${eta}`,
    outage === undefined ? undefined : `waits for ${outage.target}: ${outage.cause}`
  ]
    .filter((part) => part !== undefined && part !== "")
    .join(", ")
}
