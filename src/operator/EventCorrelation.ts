/*
 * Which Events are written: an Event that says the same again becomes part of a series, and no resource can write more
 * than a bucket of tokens allows. Pure but for the memory that is passed around; instants are milliseconds since 1970.
 */

/** What an Event is about. */
export interface Regarding {
  /** Absent: a KafkaBackup. */
  readonly kind?: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** What an Event says. */
export interface Remark {
  /** `Warning` where a person should look. */
  readonly type: "Normal" | "Warning"
  /** CamelCase, part of the API. */
  readonly reason: string
  /** What was done or refused, CamelCase: `StartRun`. */
  readonly action: string
  /** For people. */
  readonly note: string
}

/** An Event that exists, and how often it was emitted. */
interface Series {
  readonly eventName: string
  readonly namespace: string
  count: number
  lastMillis: number
  /** What the API server knows of `count`. */
  writtenCount: number
}

interface Bucket {
  tokens: number
  filledMillis: number
}

export interface Memory {
  readonly series: Map<string, Series>
  readonly buckets: Map<string, Bucket>
}

export const emptyMemory = (): Memory => ({ series: new Map(), buckets: new Map() })

/** The same remark within this time is a series. */
export const seriesMillis = 600_000
/** Events of one resource in a burst. */
export const burst = 25
/** One more for each of these. */
export const refillMillis = 30_000
/** Series and resources that are remembered; beyond, the oldest are forgotten and their next Event is a new one. */
const maxRemembered = 5000

export type Decision =
  | { readonly _tag: "Create" }
  | {
      readonly _tag: "Repeat"
      readonly namespace: string
      readonly eventName: string
      readonly count: number
      readonly lastMillis: number
    }
  /** Part of a series that was written recently: counted, to be written with the next one or by `unwritten`. */
  | { readonly _tag: "Counted" }
  | { readonly _tag: "RateLimited" }

const instant = /\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z/gu

/** Remarks that differ only in the instants they name say the same. */
const keyOf = ({ uid }: Regarding, { action, note, reason, type }: Remark): string =>
  JSON.stringify([uid, type, reason, action, note.replaceAll(instant, "")])

/** What to do about a remark. Takes a token where that is a request. */
export const decide = (memory: Memory, regarding: Regarding, remark: Remark, nowMillis: number): Decision => {
  const key = keyOf(regarding, remark)
  const known = memory.series.get(key)
  if (known !== undefined && nowMillis - known.lastMillis <= seriesMillis) {
    known.count++
    known.lastMillis = nowMillis
    if (!takeToken(memory, regarding.uid, nowMillis)) return { _tag: "Counted" }
    return repeat(known)
  }
  return takeToken(memory, regarding.uid, nowMillis) ? { _tag: "Create" } : { _tag: "RateLimited" }
}

const repeat = (series: Series): Decision & { readonly _tag: "Repeat" } => {
  const { count, eventName, lastMillis, namespace } = series
  series.writtenCount = count
  return { _tag: "Repeat", namespace, eventName, count, lastMillis }
}

/** Remembers that the Event of a remark exists now. */
export const created = (
  memory: Memory,
  regarding: Regarding,
  remark: Remark,
  eventName: string,
  nowMillis: number
): void => {
  const { namespace } = regarding
  remember(memory.series, keyOf(regarding, remark), {
    eventName,
    namespace,
    count: 1,
    lastMillis: nowMillis,
    writtenCount: 1
  })
}

/** Forgets a remark whose Event was deleted: the next one is new. */
export const forget = (memory: Memory, regarding: Regarding, remark: Remark): void =>
  void memory.series.delete(keyOf(regarding, remark))

/** Series whose count the API server does not know yet, where tokens allow; forgets series that are over. */
export const unwritten = (memory: Memory, nowMillis: number): ReadonlyArray<Decision & { readonly _tag: "Repeat" }> => {
  const due: Array<Decision & { readonly _tag: "Repeat" }> = []
  for (const [key, series] of memory.series) {
    if (series.writtenCount < series.count) {
      const [uid = ""] = JSON.parse(key) as ReadonlyArray<string>
      if (takeToken(memory, uid, nowMillis)) due.push(repeat(series))
    } else if (nowMillis - series.lastMillis > seriesMillis) memory.series.delete(key)
  }
  for (const [uid, { filledMillis }] of memory.buckets) {
    if (nowMillis - filledMillis >= burst * refillMillis) memory.buckets.delete(uid)
  }
  return due
}

const takeToken = ({ buckets }: Memory, uid: string, nowMillis: number): boolean => {
  const bucket = buckets.get(uid) ?? { tokens: burst, filledMillis: nowMillis }
  const filled = Math.max(0, Math.floor((nowMillis - bucket.filledMillis) / refillMillis))
  bucket.tokens = Math.min(burst, bucket.tokens + filled)
  bucket.filledMillis += filled * refillMillis
  remember(buckets, uid, bucket)
  if (bucket.tokens === 0) return false
  bucket.tokens--
  return true
}

/** Keeps the latest used: a Map is in the order of insertion. */
const remember = <A>(map: Map<string, A>, key: string, value: A): void => {
  map.delete(key)
  map.set(key, value)
  if (map.size <= maxRemembered) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
