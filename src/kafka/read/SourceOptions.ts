/** The time limits and sizes of a source. Every field has a default; see `defaults`. */
export interface SourceOptions {
  /** A read fails when its position has not moved for this long; throttled time does not count. */
  readonly noProgressMillis: number
  /** A read fails when a quota has throttled it for this long and no data arrived. */
  readonly throttledMillis: number
  /** How long an unknown topic counts as stale metadata before it counts as deleted. */
  readonly vanishedMillis: number
  /** How long empty answers must last before the reader checks for a compacted tail. */
  readonly compactedTailMillis: number
  /** Time limit of one request other than a fetch: metadata, offsets, configurations, groups. */
  readonly controlMillis: number
  /** How long a broker may hold a fetch without data to send (fetch.max.wait.ms; Kafka's default, too). */
  readonly maxWaitMillis: number
  /** Limit of one fetch if the request has none (max.partition.fetch.bytes; Kafka's default, too). */
  readonly fetchBytes: number
  /** The limit is doubled up to this when a batch is larger than the limit. */
  readonly maxFetchBytes: number
  /** Metadata older than this is requested again, so that a re-created topic is noticed (metadata.max.age.ms). */
  readonly metadataMillis: number
}

export const defaults: SourceOptions = {
  noProgressMillis: 5 * 60_000,
  throttledMillis: 60 * 60_000,
  vanishedMillis: 30_000,
  compactedTailMillis: 10_000,
  controlMillis: 60_000,
  maxWaitMillis: 500,
  fetchBytes: 1024 * 1024,
  maxFetchBytes: 256 * 1024 * 1024,
  metadataMillis: 5 * 60_000
}
