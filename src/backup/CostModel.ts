/**
 * What backups cost, as a function of the sizes and rates of the topics, of the schedule and of what retention keeps.
 * Pure. Bytes are those of the record stream (uncompressed) unless a name says otherwise; times are milliseconds.
 */

/** One partition of the topics that are backed up. */
export interface PartitionFigures {
  /** Record stream that its log holds. */
  readonly bytes: number
  /** New bytes per second. */
  readonly bytesPerSecond: number
}

export interface Figures {
  readonly partitions: ReadonlyArray<PartitionFigures>
  /** Bytes that brokers send for one byte of record stream: less than 1 where producers compress. */
  readonly sentPerByte: number
  /** Stored bytes for one byte of record stream. */
  readonly storedPerByte: number
  /** Record stream that one run backs up per second. */
  readonly bytesPerSecond: number
  /** Time between two runs; undefined without a schedule. */
  readonly intervalMillis: number | undefined
  /** Ages of the backups that stay, newest first. */
  readonly keptAgesMillis: ReadonlyArray<number>
  readonly checkpointMillis: number
}

/** Target of a segment, in bytes of record stream: `Segments` cuts there. */
const segmentBytes = 64 * 1024 * 1024
/** Bytes of a manifest for each segment. Measured: 381 of a compact manifest of 1,000 partitions. */
const manifestBytesPerSegment = 381
/** What every run writes beside data: claim, record, attempt, plan, facts, manifest, report, groups, index, lock. */
const fixedPuts = 12
/** Start, metadata, plan and proof of a run without data. Measured: docs/performance.md. */
const fixedMillis = 600
/** Keys in one answer of a list. */
const keysPerList = 1000

/** What one run costs. */
export interface RunCost {
  /** Sent by brokers. */
  readonly kafkaBytes: number
  /** Written to the store, manifest included. */
  readonly writtenBytes: number
  readonly writes: number
  /** Reads and lists of the store, and the checks of segments. */
  readonly reads: number
  readonly millis: number
}

export interface Cost {
  readonly run: RunCost
  /** In the store once as many backups are there as stay. */
  readonly storedBytes: number
  readonly storedObjects: number
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)
const segmentsOf = (bytes: number): number => Math.ceil(bytes / segmentBytes)

const runCost = (
  { bytesPerSecond, checkpointMillis, sentPerByte, storedPerByte }: Figures,
  bytes: number,
  segments: number,
  manifest: { readonly segments: number; readonly isBased: boolean }
): RunCost => {
  const millis = fixedMillis + (bytes / bytesPerSecond) * 1000
  const manifestBytes = manifest.segments * manifestBytesPerSegment
  const checkpoints = Math.floor(millis / checkpointMillis)
  return {
    kafkaBytes: bytes * sentPerByte,
    writtenBytes: bytes * storedPerByte + manifestBytes,
    writes: segments + fixedPuts + checkpoints,
    // Own segments are asked for one by one; those of other backups are listed.
    reads: segments + fixedPuts + (manifest.isBased ? 2 + Math.ceil(manifest.segments / keysPerList) : 0),
    millis
  }
}

/** Every run copies everything. */
export const fullCopies = (figures: Figures): Cost => {
  const { keptAgesMillis, partitions, storedPerByte } = figures
  const bytes = sum(partitions.map((one) => one.bytes))
  const segments = sum(partitions.map((one) => segmentsOf(one.bytes)))
  const kept = keptAgesMillis.length
  return {
    run: runCost(figures, bytes, segments, { segments, isBased: false }),
    storedBytes: kept * (bytes * storedPerByte + segments * manifestBytesPerSegment),
    storedObjects: kept * (segments + fixedPuts)
  }
}

/** Most runs whose segments are counted: a log that hardly grows would name those of decades. */
const countedMillis = 365 * 86_400_000

/**
 * Each run copies what is new, and names the rest in earlier backups. A partition writes a segment of its own in each
 * run that finds something new, so small segments are many where runs are frequent. What is stored is the oldest backup
 * that stays, and what each next one has beyond the one before, at most all of it.
 */
export const newDataOnly = (figures: Figures): Cost => {
  const { intervalMillis = 0, keptAgesMillis, partitions, storedPerByte } = figures
  const spansMillis = keptAgesMillis.slice(1).map((age, n) => age - keptAgesMillis[n]!)
  const mostRuns = intervalMillis > 0 ? countedMillis / intervalMillis : 0
  const parts = partitions.map(({ bytes, bytesPerSecond }) => {
    const perRun = Math.min(bytes, (bytesPerSecond * intervalMillis) / 1000)
    const written = segmentsOf(perRun)
    /** Segments that hold so much of the partition, the newest of it. */
    const holding = (held: number): number => {
      if (perRun === 0) return segmentsOf(held)
      const runs = Math.min(mostRuns, held / perRun)
      return Math.ceil(runs) * written + segmentsOf(Math.max(0, held - runs * perRun))
    }
    const between = sum(spansMillis.map((span) => Math.min(bytes, (bytesPerSecond * span) / 1000)))
    // The segment in which a log begins is kept whole: on average half of it is older.
    const straddling = Math.min(bytes, perRun > 0 ? perRun : segmentBytes) / 2
    return {
      perRun,
      written,
      named: holding(bytes),
      held: bytes + between,
      objects: holding(bytes + between),
      straddling
    }
  })
  const of = (pick: (part: (typeof parts)[number]) => number): number => sum(parts.map(pick))
  const kept = keptAgesMillis.length
  const named = of((part) => part.named)
  return {
    run: runCost(
      figures,
      of((part) => part.perRun),
      of((part) => part.written),
      { segments: named, isBased: true }
    ),
    storedBytes:
      kept === 0
        ? 0
        : of(({ held, straddling }) => held + straddling) * storedPerByte + kept * named * manifestBytesPerSegment,
    storedObjects: kept === 0 ? 0 : of((part) => part.objects) + kept * fixedPuts
  }
}
