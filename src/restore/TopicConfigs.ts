/** Configurations of topics during a restore and after it. Pure. */

const forever = "9223372036854775807"

/**
 * While records are written: nothing removes or rewrites them, and their timestamps are kept. Names that a broker
 * before Kafka 3.6 does not know are in `olderNames`.
 */
const whileRestoring = {
  "cleanup.policy": "delete",
  "retention.ms": "-1",
  "retention.bytes": "-1",
  "message.timestamp.type": "CreateTime",
  "unclean.leader.election.enable": "false"
} as const

const timestampBounds = {
  "message.timestamp.before.max.ms": forever,
  "message.timestamp.after.max.ms": forever
} as const

/** Whether these were made for a broker of Kafka 3.6 or later. */
export const haveBounds = (configs: Readonly<Record<string, string>>): boolean =>
  "message.timestamp.after.max.ms" in configs

const olderTimestampBounds = { "message.timestamp.difference.max.ms": forever } as const

/** Never set on a new topic: they name brokers of the source, or configure what belongs to one cluster alone. */
const neverRestored = new Set([
  "leader.replication.throttled.replicas",
  "follower.replication.throttled.replicas",
  // Removed in Kafka 4.0; older brokers know better than a backup which format they use.
  "message.format.version",
  "message.timestamp.difference.max.ms",
  "message.downconversion.enable"
])

/** How many replicas must have a record before it counts as written. */
export const minInSync = "min.insync.replicas"

/** Kept while old records would be removed within minutes otherwise. */
const held = new Set(["retention.ms", "retention.bytes"])

/**
 * Least `max.message.bytes` while records are written: a restore makes batches of its own, smaller than Kafka's default
 * limit but perhaps larger than that of the topic. A topic without a limit has that of the brokers. Source: Kafka topic
 * configs.
 */
const leastMessageBytes = 1_048_588

/**
 * `max.message.bytes` while records are written: the largest of those that the source, the overrides and the topic, if
 * it exists, have, and of `record`. Absent where neither source nor overrides have one and no record is larger than
 * Kafka's default: the topic keeps its own, as it has it again in the end where it was raised for a record alone.
 */
const messageBytes = (record: number, ...limits: ReadonlyArray<Readonly<Record<string, string>> | undefined>) => {
  const [source, overrides, present] = limits.map((configs) => configs?.["max.message.bytes"])
  if (source === undefined && overrides === undefined && record <= leastMessageBytes) return {}
  // The brokers name an override that is no number themselves.
  const all = [source, overrides, present].map(Number).filter(Number.isSafeInteger)
  return { "max.message.bytes": String(Math.max(leastMessageBytes, record, ...all)) }
}

/** Which configuration a topic is to have. */
export interface Wanted {
  /** Whether that of the source. */
  readonly fromBackup: boolean
  /** What takes precedence. */
  readonly overrides: Readonly<Record<string, string>>
  /** Of a topic that existed before the restore: what it had of the configurations that a restore changes. */
  readonly own?: Readonly<Record<string, string>>
}

const asInBackup: Wanted = { fromBackup: true, overrides: {} }

/**
 * What a topic is created with, or gets if it exists and has `present`. `knowsBounds` is false for brokers before Kafka
 * 3.6. `wanted`: what it gets in the end. `record`: bytes of a record that is known to be in it. Records are as safe
 * while they are written as they are afterwards.
 */
export const initial = (
  source: Readonly<Record<string, string>> | undefined,
  knowsBounds: boolean,
  wanted: Wanted = asInBackup,
  present: Readonly<Record<string, string>> = {},
  record = 0
): Readonly<Record<string, string>> => {
  const { [minInSync]: replicas } = inTheEnd(source, wanted)
  return {
    ...messageBytes(record, source, wanted.overrides, present),
    // The brokers name an override that is no number themselves.
    ...(replicas !== undefined && Number.isSafeInteger(Number(replicas)) ? { [minInSync]: replicas } : {}),
    ...whileRestoring,
    ...(knowsBounds ? timestampBounds : olderTimestampBounds)
  }
}

/** The configuration of a topic in the end, but for what nobody sets. */
const inTheEnd = (
  source: Readonly<Record<string, string>> | undefined,
  { fromBackup, overrides, own = {} }: Wanted
): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(Object.entries(fromBackup ? (source ?? {}) : own).filter(([name]) => !neverRestored.has(name))),
  ...overrides
})

/**
 * What is set (a text) or reset to the broker's default (null) when all records are proven. With `holdsRetention`,
 * records are still not removed by age or size. `record`: as for `initial`.
 */
export const final = (
  source: Readonly<Record<string, string>> | undefined,
  knowsBounds: boolean,
  holdsRetention: boolean,
  wanted: Wanted = asInBackup,
  record = 0
): Readonly<Record<string, string | null>> => {
  const { "max.message.bytes": ownLimit } = wanted.own ?? {}
  const configs: Record<string, string | null> = {
    ...Object.fromEntries(Object.keys(initial(source, knowsBounds, wanted, {}, record)).map((name) => [name, null])),
    // Raised for a record: where nobody asks for another limit, the topic has its own again.
    ...(ownLimit === undefined ? {} : { "max.message.bytes": ownLimit }),
    ...inTheEnd(source, wanted)
  }
  return Object.fromEntries(Object.entries(configs).filter(([name]) => !(holdsRetention && held.has(name))))
}

/** What `final` holds back: a topic gets it when its hold ends. */
export const retention = (source: Readonly<Record<string, string>> | undefined, wanted: Wanted = asInBackup) => {
  const configs = inTheEnd(source, wanted)
  return { "retention.ms": configs["retention.ms"] ?? null, "retention.bytes": configs["retention.bytes"] ?? null }
}

/** Configurations of the source that a restore leaves out, ascending. */
export const leftOut = (
  source: Readonly<Record<string, string>> | undefined,
  { fromBackup, overrides }: Wanted = asInBackup
): ReadonlyArray<string> =>
  Object.keys(fromBackup ? (source ?? {}) : {})
    .filter((name) => neverRestored.has(name) && overrides[name] === undefined)
    .toSorted()
