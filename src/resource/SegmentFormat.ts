import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

export const SegmentFormat = Field.choice(["records", "batches"], {
  description:
    "What is stored: records, the open KBAK format, which other tools restore; or batches, Kafka's own log segments, as the broker sends them: faster, exact in every field, and for this tool alone. A change takes effect with a full backup."
})
export type SegmentFormat = typeof SegmentFormat.Type

interface Formatted {
  readonly format: SegmentFormat
  readonly includeOffsetHeaders: boolean
}

export const rules: ReadonlyArray<Rule.Rule<Formatted>> = [
  Rule.rule<Formatted>({
    cel: "self.format != 'batches' || !self.includeOffsetHeaders",
    message:
      "format batches stores records untouched and cannot add headers to them: remove includeOffsetHeaders or set format to records",
    reason: "FieldValueForbidden",
    fieldPath: ".includeOffsetHeaders",
    holds: (self) => self.format !== "batches" || !self.includeOffsetHeaders
  })
]
