import type { InMemoryLog } from "./InMemoryLog.ts"

/** A segment that ends within a minute counts as ended by the next marker. */
const soonMillis = 60_000

/**
 * The log cleaner of a broker, for a topic whose segments end soon and are compacted however little is to be gained: a
 * marker at the end of the log has just begun another segment. With other configurations logs are compacted by command.
 */
export const clean = (configs: Readonly<Record<string, string>> = {}, log: InMemoryLog): void => {
  const isCompacted = (configs["cleanup.policy"] ?? "").includes("compact")
  const isSoon = Number(configs["segment.ms"] ?? Infinity) <= soonMillis
  if (isCompacted && isSoon && configs["min.cleanable.dirty.ratio"] === "0") {
    log.compact({ until: log.highWatermark() - 1 })
  }
}
