import { Schema } from "effect"

/** Compressed bytes that cannot be inflated. Whatever inflates here throws this, and nothing else. */
export class DecompressionFailed extends Schema.TaggedError<DecompressionFailed>()("DecompressionFailed", {
  /**
   * `damaged`: not what the codec's format allows, or bytes are left over. `too large`: inflates beyond the bound.
   * `unsupported`: a feature of the codec that no Kafka producer uses (dictionaries, legacy frames).
   */
  kind: Schema.Literals(["damaged", "too large", "unsupported"]),
  codec: Schema.String,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `${this.codec}: ${this.detail}`
  }
}

export type FailureKind = DecompressionFailed["kind"]
