import type { AbortedTransaction } from "../batch/AbortedTransactions.ts"
import { placed, type ProducedBatch } from "./ProducedBatch.ts"
import { makeProducerStates, type ProducerStates } from "./ProducerStates.ts"
import { encodeBatch, encodeMarker, type NewRecord, type ProducerCodec } from "../batch/RecordBatchEncoding.ts"

/** A record in a log. */
export interface LoggedRecord extends NewRecord {
  readonly offset: number
}

interface LoggedBatch {
  readonly bytes: Buffer
  readonly baseOffset: number
  /** Inclusive. */
  readonly lastOffset: number
  readonly producerId: number
  readonly transactional: boolean
  readonly marker?: { readonly type: "abort" | "commit"; readonly timestamp: number }
  readonly records: ReadonlyArray<LoggedRecord>
  readonly codec: ProducerCodec
  readonly logAppendTime?: number
  /** Of the leader that wrote it. */
  readonly leaderEpoch: number
}

export interface AppendOptions {
  readonly codec?: ProducerCodec | undefined
  readonly producerId?: number | undefined
  readonly transactional?: boolean | undefined
  readonly logAppendTime?: number | undefined
}

export interface CompactOptions {
  /** Batches at or beyond this offset stay unchanged. Default: the start of the last batch, like an active segment. */
  readonly until?: number
  /** Whether an emptied batch stays. Default `keep`, as the broker does for a producer's last batch. */
  readonly emptied?: "keep" | "drop"
  /** Default `keep`; `drop` as after delete.retention.ms. */
  readonly tombstones?: "keep" | "drop"
}

/** The data that a fetch returns. */
export interface LogSlice {
  readonly records: Buffer
  readonly aborted: ReadonlyArray<AbortedTransaction>
}

/**
 * One partition's log with the broker's rules: transactions, last stable offset, compaction, deletion. Not concurrent.
 */
export interface InMemoryLog {
  readonly logStart: () => number
  readonly lastStable: () => number
  readonly highWatermark: () => number
  /** With what too few replicas have. */
  readonly logEnd: () => number
  /** From now on too few replicas have what is appended, until the function that is returned is called. */
  readonly holdBack: () => () => void
  /** The first record or marker with this timestamp or a later one; -1 if there is none. */
  readonly offsetAtTime: (timestampMillis: number) => number
  readonly producers: ProducerStates
  /** Appends a batch of a Produce request as it is; returns its base offset. Asks `producers` nothing. */
  readonly appendProduced: (batch: ProducedBatch, logAppendTime: number | undefined) => number
  /** Appends one batch, none when there is no record; returns its base offset. */
  readonly append: (records: ReadonlyArray<NewRecord>, options: AppendOptions) => number
  /** Writes a marker, which ends the producer's transaction if one is open here. */
  readonly appendMarker: (producerId: number, type: "abort" | "commit", timestampMillis: number) => void
  /** Writes the marker; nothing when the producer has no open transaction here. */
  readonly endTransaction: (producerId: number, type: "abort" | "commit", timestampMillis: number) => void
  readonly compact: (options: CompactOptions) => void
  /** DeleteRecords and retention: the log begins at `offset`. A batch that spans it stays on disk. */
  readonly deleteBefore: (offset: number) => void
  /** Unclean election: everything from `offset` on is lost. Cuts at batch boundaries, downwards. */
  readonly truncate: (offset: number) => void
  /**
   * Whole batches from the one that holds `offset` up to the last stable offset, cut after `maxBytes`; the first is
   * always whole.
   */
  readonly slice: (offset: number, maxBytes: number) => LogSlice
  /**
   * The largest epoch in the log that is not above this one, and where it ends: as OffsetForLeaderEpoch answers, -1 for
   * what the log does not know.
   */
  readonly epochEnd: (leaderEpoch: number) => { readonly leaderEpoch: number; readonly endOffset: number }
  /** The records that a read_committed consumer sees from the log's start. */
  readonly committed: () => ReadonlyArray<LoggedRecord>
}

/** `epochNow` is the epoch of the present leader. */
export const makeInMemoryLog = (epochNow: () => number): InMemoryLog => {
  let batches: Array<LoggedBatch> = []
  let logStart = 0
  let logEnd = 0
  const heldBack = new Set<{ readonly from: number }>()
  const open = new Map<number, number>()
  const producers = makeProducerStates()
  let aborted: Array<AbortedTransaction & { readonly lastOffset: number }> = []
  /** Where each epoch that wrote something begins, ascending. */
  let epochs: Array<{ readonly leaderEpoch: number; readonly start: number }> = []

  const entered = (): number => {
    const leaderEpoch = epochNow()
    if ((epochs.at(-1)?.leaderEpoch ?? -1) < leaderEpoch) epochs.push({ leaderEpoch, start: logEnd })
    return leaderEpoch
  }

  const highWatermark = () => Math.min(logEnd, ...[...heldBack].map(({ from }) => from))
  const lastStable = () => Math.min(highWatermark(), ...open.values())

  const isAborted = (batch: LoggedBatch) =>
    batch.transactional &&
    aborted.some(
      ({ producerId, firstOffset, lastOffset }) =>
        producerId === batch.producerId && firstOffset <= batch.baseOffset && batch.lastOffset <= lastOffset
    )

  /** Index of the first batch that ends at or beyond `offset`. */
  const indexOf = (offset: number) => {
    let low = 0
    let high = batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (batches[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  const compacted = (batch: LoggedBatch, latest: ReadonlyMap<string, number>, options: CompactOptions) => {
    if (batch.marker !== undefined) return [batch]
    const drop = isAborted(batch)
    const records = batch.records.filter(
      ({ key, value, offset }) =>
        !drop &&
        key !== null &&
        latest.get(key.toString("latin1")) === offset &&
        !(value === null && options.tombstones === "drop")
    )
    if (records.length === batch.records.length) return [batch]
    if (records.length === 0 && options.emptied === "drop") return []
    const bytes = encodeBatch({ ...batch, records, codec: records.length === 0 ? "none" : batch.codec })
    return [{ ...batch, records, bytes }]
  }

  const appendMarker: InMemoryLog["appendMarker"] = (producerId, type, timestamp) => {
    const firstOffset = open.get(producerId)
    open.delete(producerId)
    const leaderEpoch = entered()
    const baseOffset = logEnd++
    const bytes = encodeMarker({ baseOffset, producerId, type, timestamp, leaderEpoch })
    const batch = { baseOffset, lastOffset: baseOffset, records: [], codec: "none", producerId, leaderEpoch } as const
    batches.push({ ...batch, bytes, transactional: true, marker: { type, timestamp } })
    if (type === "abort" && firstOffset !== undefined) aborted.push({ producerId, firstOffset, lastOffset: baseOffset })
  }

  return {
    logStart: () => logStart,
    lastStable,
    highWatermark,
    logEnd: () => logEnd,
    holdBack: () => {
      const held = { from: logEnd }
      heldBack.add(held)
      return () => void heldBack.delete(held)
    },
    offsetAtTime: (timestampMillis) =>
      batches
        .flatMap(({ baseOffset, logAppendTime, marker, records }) =>
          marker === undefined
            ? records.map(({ offset, timestamp }) => ({ offset, timestamp: logAppendTime ?? timestamp }))
            : [{ offset: baseOffset, timestamp: marker.timestamp }]
        )
        .find(({ offset, timestamp }) => offset >= logStart && timestamp >= timestampMillis)?.offset ?? -1,
    producers,
    appendProduced: (batch, logAppendTime) => {
      const leaderEpoch = entered()
      const baseOffset = logEnd
      batches.push({
        bytes: placed(batch, baseOffset, leaderEpoch, logAppendTime),
        baseOffset,
        lastOffset: baseOffset + batch.lastOffsetDelta,
        producerId: batch.producer?.producerId ?? -1,
        transactional: false,
        records: batch.records.map(({ offsetDelta, ...record }) => ({ ...record, offset: baseOffset + offsetDelta })),
        codec: batch.codec,
        leaderEpoch,
        ...(logAppendTime === undefined ? {} : { logAppendTime })
      })
      logEnd = baseOffset + batch.lastOffsetDelta + 1
      return baseOffset
    },
    appendMarker,
    append: (records, options) => {
      const baseOffset = logEnd
      if (records.length === 0) return baseOffset
      const logged = records.map((record, i) => ({ ...record, offset: baseOffset + i }))
      const { codec = "none", producerId = -1, transactional = false } = options
      const stamp = options.logAppendTime === undefined ? {} : { logAppendTime: options.logAppendTime }
      const leaderEpoch = entered()
      const batch = { baseOffset, records: logged, codec, producerId, transactional, leaderEpoch, ...stamp }
      const lastOffset = baseOffset + records.length - 1
      batches.push({ ...batch, lastOffset, bytes: encodeBatch(batch) })
      if (transactional && !open.has(producerId)) open.set(producerId, baseOffset)
      logEnd = lastOffset + 1
      return baseOffset
    },
    endTransaction: (producerId, type, timestamp) => {
      if (open.has(producerId)) appendMarker(producerId, type, timestamp)
    },
    compact: (options) => {
      const until = Math.min(options.until ?? batches.at(-1)?.baseOffset ?? 0, lastStable())
      const cleanable = batches.filter(({ lastOffset }) => lastOffset < until)
      const latest = new Map<string, number>()
      for (const batch of cleanable) {
        if (isAborted(batch)) continue
        for (const { key, offset } of batch.records) if (key !== null) latest.set(key.toString("latin1"), offset)
      }
      batches = [...cleanable.flatMap((batch) => compacted(batch, latest, options)), ...batches.slice(cleanable.length)]
    },
    deleteBefore: (offset) => {
      logStart = Math.max(logStart, Math.min(offset, highWatermark()))
      batches = batches.filter(({ lastOffset }) => lastOffset >= logStart)
      epochs = epochs
        .filter((_, i) => (epochs[i + 1]?.start ?? Infinity) > logStart)
        .map(({ leaderEpoch, start }) => ({ leaderEpoch, start: Math.max(start, logStart) }))
      aborted = aborted.filter(({ lastOffset }) => lastOffset >= logStart)
    },
    truncate: (offset) => {
      // Compaction may have left nothing just before it.
      const end = Math.min(offset, logEnd, batches[indexOf(offset)]?.baseOffset ?? logEnd)
      batches = batches.filter(({ lastOffset }) => lastOffset < offset)
      logEnd = Math.max(logStart, end)
      aborted = aborted.filter(({ lastOffset }) => lastOffset < logEnd)
      epochs = epochs.filter(({ start }) => start < logEnd)
      producers.truncate(logEnd)
      for (const [producerId, firstOffset] of open) if (firstOffset >= logEnd) open.delete(producerId)
    },
    epochEnd: (asked) => {
      const now = epochNow()
      const known = (epochs.at(-1)?.leaderEpoch ?? -1) < now ? [...epochs, { leaderEpoch: now, start: logEnd }] : epochs
      if (asked === known.at(-1)!.leaderEpoch) return { leaderEpoch: asked, endOffset: logEnd }
      const next = known.findIndex(({ leaderEpoch }) => leaderEpoch > asked)
      if (next < 0) return { leaderEpoch: -1, endOffset: -1 }
      return { leaderEpoch: known[next - 1]?.leaderEpoch ?? asked, endOffset: known[next]!.start }
    },
    slice: (offset, maxBytes) => {
      const end = lastStable()
      const parts: Array<Buffer> = []
      let length = 0
      let upper = offset
      for (let i = indexOf(offset); i < batches.length && length < maxBytes; i++) {
        const batch = batches[i]!
        if (batch.baseOffset >= end) break
        parts.push(batch.bytes)
        length += batch.bytes.length
        upper = batch.lastOffset + 1
      }
      const records = Buffer.alloc(Math.min(length, Math.max(maxBytes, parts[0]?.length ?? 0)))
      let at = 0
      for (const part of parts) at += part.copy(records, at)
      const inRange = aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= offset && firstOffset < upper)
      return { records, aborted: inRange.map(({ producerId, firstOffset }) => ({ producerId, firstOffset })) }
    },
    committed: () => {
      const end = lastStable()
      return batches
        .filter((batch) => batch.baseOffset < end && !isAborted(batch))
        .flatMap(({ records, logAppendTime }) =>
          logAppendTime === undefined ? records : records.map((record) => ({ ...record, timestamp: logAppendTime }))
        )
        .filter(({ offset }) => offset >= logStart)
    }
  }
}
