import type { Reader } from "./Reader.ts"
import type { Writer } from "./Writer.ts"

/** One API of the Kafka protocol and its supported versions. Source: Kafka protocol guide. */
export interface Api {
  readonly key: number
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  /** First version with compact lengths and tag buffers (KIP-482). */
  readonly flexibleFrom: number
}

/** One request ready to be sent, and how to read its answer. */
export interface Call<A> {
  readonly api: Api
  readonly version: number
  readonly encode: (writer: Writer) => void
  readonly decode: (reader: Reader) => A
}

export const isFlexible = (api: Api, version: number): boolean => version >= api.flexibleFrom

export type VersionRanges = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>

/** The newest common version, or undefined. */
export const version = (api: Api, ranges: VersionRanges): number | undefined => {
  const range = ranges[api.key]
  if (range === undefined) return undefined
  const best = Math.min(api.maxVersion, range.maxVersion)
  return best >= Math.max(api.minVersion, range.minVersion) ? best : undefined
}

/** `Fetch (broker: 14-20, supported: 10-13)`: an API without a common version. */
export const disagreement = (api: Api, ranges: VersionRanges): string => {
  const range = ranges[api.key]
  const theirs = range === undefined ? "not offered" : `${range.minVersion}-${range.maxVersion}`
  return `${api.name} (broker: ${theirs}, supported: ${api.minVersion}-${api.maxVersion})`
}
