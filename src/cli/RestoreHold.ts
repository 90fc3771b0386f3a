import * as Configuring from "../restore/Configuring.ts"
import type { Ended } from "../restore/RetentionHold.ts"

/** What `--end-hold` did. */
export const ended = ({ earlier, refused = [], topics }: Ended, format: "text" | "json"): string => {
  if (format === "json")
    return JSON.stringify(
      { ended: topics, endedEarlier: earlier, ...(refused.length === 0 ? {} : { refused }) },
      null,
      2
    )
  if (topics.length === 0 && refused.length === 0)
    return "OK: the retention hold had ended already, and nothing was changed"
  return [
    ...topics.map((topic) => `${topic} has the retention of the backup`),
    ...refused.map((one) => `${one.topic} keeps ${one.name} -1: ${Configuring.because(one)}`),
    "OK: the retention hold has ended. Brokers remove records that are older than retention.ms within minutes"
  ].join("\n")
}
