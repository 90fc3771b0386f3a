import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

export const Compression = Field.choice(["zstd", "lz4", "none"], {
  description:
    "How segments are compressed in storage: zstd, lz4 or none. It is independent of compression inside Kafka, but for format batches, which compresses only what arrives uncompressed."
})
export type Compression = typeof Compression.Type

/** No default here: one number cannot be right for zstd, lz4 and none alike. `level` fills it in. */
export const CompressionLevel = Field.integer({
  description:
    "1 to 22 for zstd (default 3; above 19 it takes much memory), 1 to 12 for lz4 (default 1). With lz4 every level gives the same result: the encoder has one speed. Not allowed with compression none.",
  minimum: 1,
  maximum: 22
})

interface Compressed {
  readonly compression: Compression
  readonly compressionLevel?: number
}

/** Rules between the two fields, for the object that holds both. */
export const rules: ReadonlyArray<Rule.Rule<Compressed>> = [
  Rule.rule<Compressed>({
    cel: "self.compression != 'lz4' || !has(self.compressionLevel) || self.compressionLevel <= 12",
    message: "lz4 has levels 1 to 12: lower compressionLevel or set compression to zstd",
    fieldPath: ".compressionLevel",
    holds: (self) => self.compression !== "lz4" || self.compressionLevel === undefined || self.compressionLevel <= 12
  }),
  Rule.rule<Compressed>({
    cel: "self.compression != 'none' || !has(self.compressionLevel)",
    message: "compression none has no level: remove compressionLevel or set compression to zstd or lz4",
    reason: "FieldValueForbidden",
    fieldPath: ".compressionLevel",
    holds: (self) => self.compression !== "none" || self.compressionLevel === undefined
  })
]

/** The level to use: what the user wrote, else 3 for zstd and 1 for lz4; 0 for none. */
export const level = (spec: Compressed): number => {
  switch (spec.compression) {
    case "zstd":
      return spec.compressionLevel ?? 3
    case "lz4":
      return spec.compressionLevel ?? 1
    case "none":
      return 0
  }
}
