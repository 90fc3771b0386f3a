import { emptyHeaderBytes, maxUint16 } from "../../records/limits.ts"
import { Malformed } from "./JsonObjects.ts"

/** A record as the JSON form has it; byte strings are in base64. */
export interface JsonRecord {
  readonly timestamp: bigint
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReadonlyArray<readonly [key: Buffer, value: Buffer | null]>
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/

const bytes = (value: unknown, what: string): Buffer | null => {
  if (value === null || value === undefined) return null
  if (typeof value !== "string" || value.length % 4 !== 0 || !base64.test(value)) {
    throw new Malformed(`has a record whose ${what} is not base64`)
  }
  return Buffer.from(value, "base64")
}

const longest = 2n ** 63n

const integer = (value: unknown, what: string): bigint => {
  if (typeof value !== "bigint" || value < -longest || value >= longest) {
    throw new Malformed(`has a record without ${what}`)
  }
  return value
}

/** Numbers of 64 bits are read from their text: as JavaScript's numbers they would be rounded. */
const exact = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" && /^-?[0-9]+$/.test(context?.source ?? "") ? BigInt(context!.source!) : value

const header = (value: unknown): readonly [Buffer, Buffer | null] => {
  const { key, value: content } = (value ?? {}) as { readonly key?: unknown; readonly value?: unknown }
  if (typeof key !== "string") throw new Malformed("has a record with a header without a key")
  const name = Buffer.from(key)
  if (name.length > maxUint16) throw new Malformed(`has a record with a header key of ${name.length} bytes`)
  return [name, bytes(content, "header")]
}

/** One object of the array. */
export const parse = (text: string): JsonRecord => {
  let json: unknown
  try {
    json = JSON.parse(text, exact as never)
  } catch {
    throw new Malformed("has a record that is not JSON")
  }
  const { headers = [], key, offset, timestamp, value } = json as { readonly [name: string]: unknown }
  if (!Array.isArray(headers) || headers.length > maxUint16) throw new Malformed("has a record with unusable headers")
  return {
    timestamp: integer(timestamp, "a timestamp"),
    offset: integer(offset, "an offset"),
    key: bytes(key, "key"),
    value: bytes(value, "value"),
    headers: headers.map(header)
  }
}

/** The record in the form of the record stream. */
export const encode = ({ headers, key, offset, timestamp, value }: JsonRecord): Buffer => {
  const headerBytes = headers.reduce(
    (sum, [name, content]) => sum + emptyHeaderBytes + name.length + (content?.length ?? 0),
    0
  )
  const target = Buffer.allocUnsafe(30 + (key?.length ?? 0) + (value?.length ?? 0) + headerBytes)
  target.writeUInt32LE(target.length - 4, 0)
  target.writeBigInt64LE(timestamp, 4)
  target.writeBigInt64LE(offset, 12)
  let at = 20
  const put = (content: Buffer | null) => {
    at = target.writeInt32LE(content?.length ?? -1, at)
    if (content !== null) at += content.copy(target, at)
  }
  put(key)
  put(value)
  at = target.writeUInt16LE(headers.length, at)
  for (const [name, content] of headers) {
    at = target.writeUInt16LE(name.length, at)
    at += name.copy(target, at)
    put(content)
  }
  return target
}
