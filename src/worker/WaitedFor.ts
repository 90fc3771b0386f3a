import * as RunProgress from "./RunProgress.ts"

/**
 * What work that was interrupted was waiting for: `kafka broker 2 (kafka-2:9092: the connection was refused)`, or a
 * Secret. Undefined: nothing.
 */
export const text = (
  progress: Pick<RunProgress.RunProgress, "awaited" | "outages">,
  nowMillis: number
): string | undefined => {
  const away = RunProgress.outage(progress, nowMillis)
  return away === undefined ? progress.awaited : `${away.target} (${away.cause})`
}

/** For the end of a sentence: `, while it waited for …`, or nothing. */
export const clause = (waitedFor: string | undefined): string =>
  waitedFor === undefined ? "" : `, while it waited for ${waitedFor}`
