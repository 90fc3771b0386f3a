import { Effect } from "effect"
import * as RateLimit from "../worker/RateLimit.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"

/** Waits before a batch is sent until the ceilings of the restore allow it. Fillers count as bytes only. */
export type Pace = (records: number, bytes: number) => Effect.Effect<void>

/** One pace for all partitions of an attempt. */
export const make = ({
  bytesPerSecond,
  recordsPerSecond
}: Pick<RestoreRequest, "bytesPerSecond" | "recordsPerSecond">): Pace => {
  const ofBytes = RateLimit.ofOptional(bytesPerSecond)
  const ofRecords = RateLimit.ofOptional(recordsPerSecond)
  return (records, bytes) => Effect.andThen(ofBytes.pay(bytes), ofRecords.pay(records))
}
