import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/** How a restore writes: codec, fillers and ceilings. */

export const RestoreCompression = Field.choice(["none", "gzip", "lz4", "zstd"], {
  description:
    "Codec of the batches that are written: none, gzip, lz4 or zstd. Absent: compression.type of the source if it names a codec, else that of the stored batch in a backup of format batches, else lz4."
})

/** Fillers cost about 130 ns of a broker's time each: 2 billion take some four minutes and 1.2 GB. */
export const defaultMaxFillerOffsets = 2_000_000_000

export const ExactSpec = Field.object(
  {
    maxFillerOffsets: Field.withDefault(
      Field.integer({
        description:
          "Most offsets without a record that are filled in one partition to keep the old offsets. 1 billion cost a broker about 2 minutes and 0.6 GB on each replica.",
        minimum: 0,
        maximum: 1_000_000_000_000
      }),
      defaultMaxFillerOffsets
    )
  },
  { description: "What keeping the old offsets may cost." }
)

export const OnFailure = Field.choice(["Keep", "DeleteCreated"], {
  description:
    "What becomes of topics that a restore created when it fails and another attempt would fail, too: Keep them, or DeleteCreated, except those that hold records of others."
})

const atLeastOne = Rule.atLeast(1, "must be 1 or more; remove it for no limit")

export const RestoreRateLimitSpec = Field.object(
  {
    bytesPerSecond: Field.optional(
      Field.integer({
        description:
          "Ceiling on the bytes of batches produced, per second, for the whole restore; 104857600 is 100 MiB/s.",
        rules: [atLeastOne]
      })
    ),
    recordsPerSecond: Field.optional(
      Field.integer({
        description:
          "Ceiling on the records of the backup produced, per second, for the whole restore. Filled offsets do not count.",
        rules: [atLeastOne]
      })
    )
  },
  { description: "Ceilings that protect the target cluster from the restore. Absent: none." }
)
