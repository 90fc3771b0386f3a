import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/** Which topics get another number of partitions. */
export const PartitionsSpec = Field.map(
  Field.integer({ description: "Partitions of the target topic.", minimum: 1, maximum: 10_000 }),
  {
    description:
      "From a topic of the backup to the number of partitions that it gets. Its records are placed by their keys, as the Java client does it. Needs offsets: New.",
    maxProperties: 1000
  }
)

/** Records of one partition cannot keep their offsets in several others. */
export const needsNewOffsets = Rule.rule<{ readonly partitions?: unknown; readonly offsets: string }>({
  fieldPath: ".partitions",
  cel: "!has(self.partitions) || self.offsets == 'New'",
  message: "partitions needs offsets: New, because records that change their partition cannot keep their offsets",
  holds: ({ offsets, partitions }) => partitions === undefined || offsets === "New"
})
