import { Stream } from "effect"
import type { KafkaSourceShape, ReadRequest } from "../kafka/KafkaSource.ts"
import { alone } from "../manifest/ShardDeal.ts"
import * as RateLimit from "../worker/RateLimit.ts"
import * as Pacing from "./Pacing.ts"

/** The ceilings of `spec.rateLimit`; none where absent. */
export interface Limits {
  readonly bytesPerSecond?: number | undefined
  readonly recordsPerSecond?: number | undefined
}

/** The part of these limits that one of several processes of a run may use. Never less than 1 per second. */
export const share = ({ bytesPerSecond, recordsPerSecond }: Limits, { of } = alone): Limits => {
  const part = (limit: number | undefined) => (limit === undefined ? undefined : Math.max(1, Math.floor(limit / of)))
  return { bytesPerSecond: part(bytesPerSecond), recordsPerSecond: part(recordsPerSecond) }
}

/**
 * `kafka.read` within these limits, which all partitions share that are read through it. A fetch asks for at most
 * `mostFetchBytes`, or, where nothing is limited and fetches are slow, for what `room` says.
 */
export const of = (
  kafka: Pick<KafkaSourceShape, "read">,
  { bytesPerSecond, recordsPerSecond }: Limits,
  mostFetchBytes: number,
  room?: () => number
): KafkaSourceShape["read"] => {
  const bytes = RateLimit.ofOptional(bytesPerSecond)
  const records = RateLimit.ofOptional(recordsPerSecond)
  const fetchBytes = RateLimit.fetchBytes(bytesPerSecond, mostFetchBytes)
  const isLimited = bytesPerSecond !== undefined || recordsPerSecond !== undefined
  const growth = room === undefined || isLimited ? {} : { mostFetchBytes: room }
  return (range: ReadRequest) =>
    kafka.read({ ...range, fetchBytes, ...growth }).pipe(
      Stream.tap((fetched) => bytes.pay(fetched.fetchedBytes)),
      Pacing.byRecords(recordsPerSecond, records)
    )
}
