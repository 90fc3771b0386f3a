import * as Field from "./Field.ts"

/** Most partitions that one list names: more than any topic has in practice. */
const maxPartitions = 10_000

/** Of which topics only some partitions come back. */
export const SourcePartitionsSpec = Field.map(
  Field.list(Field.integer({ description: "Number of a partition.", minimum: 0, maximum: 2_147_483_647 }), {
    description: "Partitions of this topic to restore.",
    minItems: 1,
    maxItems: maxPartitions
  }),
  {
    description:
      "From a topic of the backup to its partitions that are restored. The others are there, too, and empty. A topic without an entry is restored whole.",
    maxProperties: 1000
  }
)
