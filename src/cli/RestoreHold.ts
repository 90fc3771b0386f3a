import type { Ended } from "../restore/RetentionHold.ts"

/** What `--end-hold` did. */
export const ended = ({ earlier, topics }: Ended, format: "text" | "json"): string => {
  if (format === "json") return JSON.stringify({ ended: topics, endedEarlier: earlier }, null, 2)
  if (topics.length === 0) return "OK: the retention hold had ended already, and nothing was changed"
  return [
    ...topics.map((topic) => `${topic} has the retention of the backup`),
    "OK: the retention hold has ended. Brokers remove records that are older than retention.ms within minutes"
  ].join("\n")
}
