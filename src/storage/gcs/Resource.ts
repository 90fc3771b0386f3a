import { Option, Schema } from "effect"
import * as Answer from "../cloud/Answer.ts"
import type { Found } from "../cloud/Remote.ts"
import * as Locks from "./Locks.ts"

/** What we ask for of an object, in lists and alone. Numbers of 64 bits come as strings. */
const ObjectResource = Schema.Struct({
  name: Schema.String,
  size: Schema.optionalKey(Schema.String),
  generation: Schema.String,
  updated: Schema.optionalKey(Schema.String),
  crc32c: Schema.optionalKey(Schema.String),
  md5Hash: Schema.optionalKey(Schema.String),
  ...Locks.Fields
})
type ObjectResource = typeof ObjectResource.Type

/** The same as a list of field names, so that no more is sent. */
export const fields = `name,size,generation,updated,crc32c,md5Hash,${Locks.fields}`

const Listing = Schema.Struct({
  items: Schema.optionalKey(Schema.Array(ObjectResource)),
  prefixes: Schema.optionalKey(Schema.Array(Schema.String)),
  nextPageToken: Schema.optionalKey(Schema.String)
})

/**
 * Decodes a whole answer; one that came to its end and is not what was asked for comes from somebody else than the
 * store.
 */
const understood =
  <A>(decode: (text: string) => Option.Option<A>) =>
  (text: string): A => {
    const decoded = decode(text)
    if (Option.isNone(decoded)) throw new Answer.NotUnderstood("the answer is not from Cloud Storage")
    return decoded.value
  }

export const decodeObject = understood(Schema.decodeUnknownOption(Schema.fromJsonString(ObjectResource)))
export const decodeListing = understood(Schema.decodeUnknownOption(Schema.fromJsonString(Listing)))

/** An object as its resource describes it. */
export interface Seen extends Found {
  readonly crc32c?: string
  readonly md5Hash?: string
}

export const seen = (resource: ObjectResource, nowMillis: number): Seen => {
  const { crc32c, generation, md5Hash, name, size, updated } = resource
  const protection = Locks.protection(resource, nowMillis)
  const millis = Date.parse(updated ?? "")
  return {
    name,
    size: Number(size ?? 0),
    fingerprint: generation,
    ...(Number.isNaN(millis) ? {} : { modifiedMillis: millis }),
    protection: protection ?? null,
    ...(crc32c === undefined ? {} : { crc32c }),
    ...(md5Hash === undefined ? {} : { md5Hash })
  }
}

/** The CRC-32C in the header `x-goog-hash: crc32c=...,md5=...`. */
export const crc32cOf = (header: string | ReadonlyArray<string> | undefined): string | undefined =>
  Option.getOrUndefined(
    Option.fromNullishOr(/(?:^|[,\s])crc32c=([A-Za-z0-9+/=]+)/u.exec([header ?? ""].flat().join(","))?.[1])
  )
