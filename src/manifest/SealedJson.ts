import { createHash } from "node:crypto"
import { Result, Schema } from "effect"

/**
 * Small JSON documents with a checksum: `{"sha256": …, "content": …}`, the hash over the compact JSON of the content. A
 * flipped bit, a truncated file or a foreign file is noticed before its content is used.
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

/** Opens a document that `seal` wrote; fails if a single bit differs or the content does not match `schema`. */
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

/**
 * As `open`, and also a document of version 0.1, which sealed no reports. A damaged sealed one is never taken for it:
 * the schema has to refuse an envelope.
 */
export const openOrPlain = <S extends Schema.Codec<any, any>>(
  schema: S,
  bytes: Uint8Array
): Result.Result<S["Type"], NotSealed> => {
  const sealed = open(schema, bytes)
  if (Result.isSuccess(sealed)) return sealed
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")
  const plain = Schema.decodeUnknownResult(Schema.fromJsonString(schema))(text)
  return Result.isSuccess(plain) ? Result.succeed(plain.success) : sealed
}
