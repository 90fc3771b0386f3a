import { createHash } from "node:crypto"
import { Result, Schema } from "effect"

/**
 * Small JSON documents that guard their own content: `{"sha256": …, "content": …}`, the hash over the content's
 * compact JSON. A flipped bit, a cut file or a foreign file is noticed before anything in it is believed.
 */
export class NotSealed extends Schema.TaggedError<NotSealed>()("NotSealed", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

const hash = (compact: string) => createHash("sha256").update(compact).digest("hex")

const Envelope = Schema.fromJsonString(Schema.Struct({ sha256: Schema.String, content: Schema.Json }))
const decodeEnvelope = Schema.decodeUnknownResult(Envelope)

/** Encodes `value` by `schema` and wraps it. */
export const seal = <S extends Schema.Codec<any, any>>(schema: S, value: S["Type"]): Uint8Array => {
  const content = Schema.encodeSync(schema)(value)
  const compact = JSON.stringify(content)
  return Buffer.from(`{"sha256":"${hash(compact)}","content":${compact}}\n`)
}

/** Opens what `seal` wrote; fails when a single bit differs or the content is not what `schema` says. */
export const open = <S extends Schema.Codec<any, any>>(
  schema: S,
  bytes: Uint8Array
): Result.Result<S["Type"], NotSealed> => {
  const envelope = decodeEnvelope(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"))
  if (Result.isFailure(envelope)) return Result.fail(new NotSealed({ detail: "not a sealed JSON document" }))
  const { content, sha256 } = envelope.success
  if (hash(JSON.stringify(content)) !== sha256) return Result.fail(new NotSealed({ detail: "its checksum is wrong" }))
  return Result.mapError(
    Schema.decodeUnknownResult(schema)(content),
    (error) => new NotSealed({ detail: `unexpected content: ${error.message}` })
  )
}
