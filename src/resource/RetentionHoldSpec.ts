import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export const RetentionHold = Field.text({
  description:
    "How long restored topics keep every record after the restore is complete, whatever the retention in the backup: 24h, 7d, 0s for no hold, or forever. Brokers remove records older than retention.ms within minutes after it.",
  maxLength: 20,
  rules: [
    Rule.matches(
      "^(forever|([0-9]{1,6}[smhd])+)$",
      "must be a duration such as 24h, 90m or 7d, 0s for no hold, or forever"
    )
  ]
})

/** How long restored topics keep `retention.ms` and `retention.bytes` at -1, from the proof on; in milliseconds. */
export type Hold = number | "forever"

export const hold = (text: string): Hold =>
  text === "forever"
    ? text
    : [...text.matchAll(/([0-9]+)([smhd])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0)
